//! Load and invoke, model by model. `cargo bench -p kinglet-benches`.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kinglet::{Interpreter, Model};
use kinglet_benches::{AlignedBytes, model_folders};

fn models(criterion: &mut Criterion) {
    for folder in model_folders() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = AlignedBytes::read(&folder.join("model.tflite")).expect("the file was there a moment ago");
        let mut memory = AlignedBytes::zeros(1 << 20);
        let model = Model::parse(file.as_slice()).expect("a golden folder holds a sound model");
        if let Err(error) = Interpreter::<kinglet::AllOps>::new(&model, memory.as_mut_slice()) {
            eprintln!("skipped: {name}: {error}");
            continue;
        }

        let mut group = criterion.benchmark_group(&name);
        group.throughput(Throughput::Elements(1));
        group.bench_function("load", |bencher| {
            bencher.iter(|| {
                let model = Model::parse(file.as_slice())?;
                Interpreter::<kinglet::AllOps>::new(&model, memory.as_mut_slice()).map(|net| net.usage())
            });
        });
        let mut net: Interpreter<'_> =
            Interpreter::new(&model, memory.as_mut_slice()).expect("it was made a moment ago");
        group.bench_function("invoke", |bencher| bencher.iter(|| net.invoke()));
        group.finish();
    }
}

criterion_group!(benches, models);
criterion_main!(benches);
