//! Operators one by one, each on the largest of its golden folders. `cargo bench -p kinglet-benches --bench ops`.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use kinglet::Target;
use kinglet_benches::{Static, fill_inputs, op_folders};

fn ops(criterion: &mut Criterion) {
    for (op, types, folder) in op_folders() {
        // What kinglet refuses is in docs/operators.md.
        let Ok(model) = Static::plan(&folder, Target::native()) else { continue };
        let mut memory = model.memory();
        let mut net = model.start(&mut memory).expect("the memory is the model's");
        fill_inputs(&mut net);
        // Synthetic inputs are no good as indices.
        if net.invoke().is_err() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        criterion
            .benchmark_group(format!("{op}/{types}"))
            .bench_function(name, |bencher| bencher.iter(|| net.invoke()));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = ops
}
criterion_main!(benches);
