//! Runs the cases of a golden folder. The host names a job file on the command
//! line; models and inputs are read, and outputs written, over semihosting.
//!
//! The job file has one `key value` a line, in this order:
//!
//! ```text
//! model PATH      the .tflite file (loaded mode only)
//! reference NAME  tflite or litert (loaded mode only)
//! in FOLDER       where CASE.in0.bin, ... are
//! out FOLDER      where CASE.out0.bin, ... go
//! ops             optional: checksum each operator's output, input from seed 1
//! case CASE       as often as there are cases
//! ```
//!
//! What comes back is lines as well: sizes, `op`/`op_crc32` pairs, and for each
//! case `case NAME INVOCATIONS` or `failed NAME WHY`.
#![no_std]
#![no_main]

mod failure;
mod files;

use core::fmt::Write;

use failure::Failure;
use firmware_rt::{Console, Crc32, Xorshift32, entry, exit, stack};
use kinglet::{Dispatch, Interpreter};
use semihosting::{io::Write as _, sys::arm_compat::sys_get_cmdline_uninit};

#[cfg(feature = "static")]
include!(concat!(env!("OUT_DIR"), "/model.rs"));

/// Inputs and outputs of a model, at most.
const MAX_TENSORS: usize = 16;

/// What is in memory that nothing has written to.
const POISON: u8 = 0xa5;

#[entry]
fn main() -> ! {
    let mut console = Console::open();
    // SAFETY: the only call.
    let ram = unsafe { stack::free_ram() };
    match work(&mut console, Pool(ram)) {
        Ok(()) => exit(0),
        Err(why) => {
            let _ = writeln!(console, "error {why}");
            exit(1)
        }
    }
}

/// The board's free memory, handed out from the front.
struct Pool(&'static mut [u8]);

impl Pool {
    fn take(&mut self, length: usize) -> Result<&'static mut [u8], Failure> {
        let missing = length.saturating_sub(self.0.len());
        match core::mem::take(&mut self.0).split_at_mut_checked(length.next_multiple_of(16)) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken.get_mut(..length).unwrap_or_default())
            }
            None => Err(Failure::Memory(missing)),
        }
    }

    fn read(&mut self, path: &str, what: &'static str) -> Result<&'static [u8], Failure> {
        let mut file = files::open(format_args!("{path}")).ok_or(Failure::File(what))?;
        let bytes = self.take(files::length(&file).ok_or(Failure::File(what))?)?;
        files::read_all(&mut file, bytes).ok_or(Failure::File(what))?;
        Ok(bytes)
    }

    /// The path after `job=` on the command line.
    fn job_file(&mut self) -> Result<&'static str, Failure> {
        let line = self.take(1024)?;
        // SAFETY: `MaybeUninit<u8>` is laid out as `u8`; the host writes text into it.
        let line = unsafe { &mut *(core::ptr::from_mut(line) as *mut [core::mem::MaybeUninit<u8>]) };
        let line = sys_get_cmdline_uninit(line).map_err(|_| Failure::CommandLine)?;
        let line = core::str::from_utf8(line).map_err(|_| Failure::CommandLine)?;
        // The emulator puts the program's own name first where it gives one.
        let (_, path) = line.split_once("job=").ok_or(Failure::CommandLine)?;
        Ok(path.trim_end_matches('\0'))
    }
}

/// What is to be done, after the model.
struct Job<'a> {
    inputs: &'a str,
    outputs: &'a str,
    ops: bool,
    cases: core::str::Lines<'a>,
}

impl<'a> Job<'a> {
    fn read(mut lines: core::str::Lines<'a>) -> Result<Self, Failure> {
        let inputs = value(lines.next(), "in")?;
        let outputs = value(lines.next(), "out")?;
        let ops = lines.clone().next() == Some("ops");
        if ops {
            lines.next();
        }
        Ok(Self { inputs, outputs, ops, cases: lines })
    }
}

/// The value of a `key value` line.
fn value<'a>(line: Option<&'a str>, key: &'static str) -> Result<&'a str, Failure> {
    line.and_then(|line| line.strip_prefix(key))
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or(Failure::Job(key))
}

fn work(console: &mut Console, mut pool: Pool) -> Result<(), Failure> {
    let path = pool.job_file()?;
    let text = pool.read(path, "the job file")?;
    let lines = core::str::from_utf8(text).map_err(|_| Failure::File("the job file"))?.lines();
    run_model(console, pool, lines)
}

#[cfg(feature = "static")]
fn run_model(console: &mut Console, mut pool: Pool, lines: core::str::Lines<'static>) -> Result<(), Failure> {
    let memory = pool.take(Compiled::MEMORY_BYTES)?;
    run(console, Job::read(lines)?, memory, |memory| Compiled::interpreter(memory).map_err(Failure::Refused))
}

#[cfg(not(feature = "static"))]
fn run_model(
    console: &mut Console,
    mut pool: Pool,
    mut lines: core::str::Lines<'static>,
) -> Result<(), Failure> {
    let model = pool.read(value(lines.next(), "model")?, "the model")?;
    let model = kinglet::Model::parse(model).map_err(|error| Failure::Refused(error.into()))?;
    let options = kinglet::Options::default().with_reference(match value(lines.next(), "reference")? {
        "tflite" => kinglet::Reference::Tflite,
        "litert" => kinglet::Reference::Litert,
        _ => return Err(Failure::Job("reference")),
    });
    fn make<'a>(
        model: &kinglet::Model<'a>,
        memory: &'a mut [u8],
        options: &kinglet::Options,
    ) -> Result<Interpreter<'a, kinglet::AllOps>, Failure> {
        Interpreter::with_options(model, memory, options).map_err(Failure::Refused)
    }
    // Plenty at first, to learn how much it needs; from then on exactly that.
    let needed = make(&model, pool.0, &options)?.usage().total_bytes;
    let memory = pool.take(needed)?;
    run(console, Job::read(lines)?, memory, |memory| make(&model, memory, &options))
}

/// Runs every case on an interpreter freshly made by `make`.
fn run<K: Dispatch>(
    console: &mut Console,
    job: Job<'_>,
    memory: &mut [u8],
    make: impl for<'a> Fn(&'a mut [u8]) -> Result<Interpreter<'a, K>, Failure>,
) -> Result<(), Failure> {
    {
        memory.fill(POISON);
        let mut net = make(memory)?;
        let usage = net.usage();
        console.number("inputs", net.input_count() as u32);
        console.number("outputs", net.output_count() as u32);
        console.number("arena_bytes", usage.arena_bytes as u32);
        console.number("state_bytes", usage.state_bytes as u32);
        console.number("plan_bytes", usage.plan_bytes as u32);
        console.number("total_bytes", usage.total_bytes as u32);
        if job.ops {
            ops(console, &mut net)?;
        }
    }
    for line in job.cases {
        let name = value(Some(line), "case")?;
        memory.fill(POISON);
        let outcome = make(memory).and_then(|mut net| case(&mut net, job.inputs, job.outputs, name));
        let _ = match outcome {
            Ok(invocations) => writeln!(console, "case {name} {invocations}"),
            Err(why) => writeln!(console, "failed {name} {why}"),
        };
    }
    Ok(())
}

/// One invocation step by step, with a checksum of each operator's output.
fn ops<K: Dispatch>(console: &mut Console, net: &mut Interpreter<'_, K>) -> Result<(), Failure> {
    let mut rng = Xorshift32::new(1);
    for index in 0..net.input_count() {
        rng.fill(net.input_bytes_mut(index).unwrap_or_default());
    }
    while let Some(done) = net.step().map_err(Failure::Invoke)? {
        // An operator may take several steps: its output counts when it is complete.
        if !done.op_done {
            continue;
        }
        let mut crc = Crc32::new();
        crc.update(done.output);
        console.number("op", done.op);
        console.number("op_crc32", crc.value());
    }
    Ok(())
}

/// Runs one case and returns how many invocations it had.
fn case<K: Dispatch>(
    net: &mut Interpreter<'_, K>,
    inputs: &str,
    outputs: &str,
    name: &str,
) -> Result<usize, Failure> {
    let (input_count, output_count) = (net.input_count(), net.output_count());
    if input_count > MAX_TENSORS || output_count > MAX_TENSORS {
        return Err(Failure::TooManyTensors);
    }
    let mut input_files = [const { None }; MAX_TENSORS];
    let mut output_files = [const { None }; MAX_TENSORS];
    let mut invocations = None;
    for (index, slot) in input_files.iter_mut().enumerate().take(input_count) {
        let failed = Failure::Tensor("in", index);
        let file = files::open(format_args!("{inputs}/{name}.in{index}.bin")).ok_or(failed)?;
        let length = files::length(&file).ok_or(failed)?;
        let tensor = net.input_bytes_mut(index).unwrap_or_default().len();
        if length == 0 || tensor == 0 || length % tensor != 0 {
            return Err(Failure::Length { index, file: length, tensor });
        }
        let here = length / tensor;
        let first = *invocations.get_or_insert(here);
        if first != here {
            return Err(Failure::Invocations { index, first, here });
        }
        *slot = Some(file);
    }
    for (index, slot) in output_files.iter_mut().enumerate().take(output_count) {
        let file = files::create(format_args!("{outputs}/{name}.out{index}.bin"));
        *slot = Some(file.ok_or(Failure::Tensor("out", index))?);
    }
    let invocations = invocations.unwrap_or(1);
    for _ in 0..invocations {
        for (index, file) in input_files.iter_mut().flatten().enumerate() {
            let tensor = net.input_bytes_mut(index).unwrap_or_default();
            files::read_all(file, tensor).ok_or(Failure::Tensor("in", index))?;
        }
        net.invoke().map_err(Failure::Invoke)?;
        for (index, file) in output_files.iter_mut().flatten().enumerate() {
            let tensor = net.output_bytes(index).unwrap_or_default();
            file.write_all(tensor).map_err(|_| Failure::Tensor("out", index))?;
        }
    }
    Ok(invocations)
}
