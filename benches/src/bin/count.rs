//! Loads a model and invokes it, for `cargo xtask instructions`, which counts the instructions of each under
//! valgrind. The kernels are the portable ones, whatever this machine has.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use kinglet::{AllOps, Error, Interpreter, Model, Options, Target};
use kinglet_benches::{AlignedBytes, Static};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [what, folder] = arguments.as_slice() else {
        eprintln!("usage: count load|invoke FOLDER");
        return ExitCode::from(2);
    };
    let done = match what.as_str() {
        "load" => load(Path::new(folder)),
        _ => invoke(Path::new(folder)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Loaded mode: parse, check and plan.
fn load(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let file = AlignedBytes::read(&folder.join("model.tflite"))?;
    let mut memory = AlignedBytes::zeros(4 << 20);
    let bytes = counted_load(file.as_slice(), memory.as_mut_slice())?;
    black_box(bytes);
    Ok(())
}

/// Static mode: one warm inference on synthetic inputs.
fn invoke(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let model = Static::plan(folder, Target::Portable)?;
    let mut memory = model.memory();
    let mut net = model.start(&mut memory)?;
    kinglet_benches::fill_inputs(&mut net);
    net.invoke()?;
    kinglet_benches::fill_inputs(&mut net);
    counted_invoke(&mut net)?;
    black_box(net.output_bytes(0));
    Ok(())
}

#[inline(never)]
fn counted_load(file: &[u8], memory: &mut [u8]) -> Result<usize, Error> {
    let model = Model::parse(file)?;
    let options = Options::default().with_target(Target::Portable);
    let net = Interpreter::<AllOps>::with_options(&model, memory, &options)?;
    Ok(net.usage().total_bytes)
}

#[inline(never)]
fn counted_invoke(net: &mut Interpreter<'_>) -> Result<(), kinglet::InvokeError> {
    net.invoke()
}
