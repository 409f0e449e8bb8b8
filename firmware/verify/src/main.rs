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
// A failure carries its text: there is one at a time, and stack enough.
#![allow(clippy::result_large_err)]

mod files;

use core::fmt::{self, Write};

use files::{Path, read_all};
use firmware_rt::{Console, Crc32, Xorshift32, entry, exit, stack};
use kinglet::{Dispatch, Interpreter};
use semihosting::io::Write as _;

#[cfg(feature = "static")]
include!(concat!(env!("OUT_DIR"), "/model.rs"));

/// Inputs and outputs of a model, at most.
const MAX_TENSORS: usize = 16;

/// What is left in memory that nothing has written to.
const POISON: u8 = 0xa5;

struct Job<'a> {
    lines: core::str::Lines<'a>,
    inputs: &'a str,
    outputs: &'a str,
    ops: bool,
}

#[entry]
fn main() -> ! {
    let mut console = Console::open();
    // SAFETY: the only call.
    let ram = unsafe { stack::free_ram() };
    match work(&mut console, ram) {
        Ok(()) => exit(0),
        Err(why) => {
            let _ = writeln!(console, "error {why}");
            exit(1)
        }
    }
}

/// One line that says what went wrong.
struct Failure {
    text: [u8; 240],
    length: usize,
}

impl Failure {
    fn new(why: impl fmt::Display) -> Self {
        let mut failure = Self { text: [0; 240], length: 0 };
        let _ = write!(failure, "{why}");
        failure
    }
}

impl Write for Failure {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if let Some(slot) = self.text.get_mut(self.length) {
                *slot = if byte == b'\n' { b' ' } else { byte };
                self.length += 1;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.text[..self.length]).unwrap_or("?"))
    }
}

macro_rules! failure {
    ($($text:tt)*) => { Failure::new(format_args!($($text)*)) };
}

fn work(console: &mut Console, ram: &'static mut [u8]) -> Result<(), Failure> {
    let mut command_line = [core::mem::MaybeUninit::uninit(); 1024];
    let command_line = semihosting::sys::arm_compat::sys_get_cmdline_uninit(&mut command_line)
        .map_err(|_| failure!("no command line"))?;
    let command_line = core::str::from_utf8(command_line)
        .map_err(|_| failure!("the command line is not valid UTF-8"))?
        .trim_end_matches('\0');
    // The emulator puts the program's own name first where it gives one.
    let (_, path) = command_line
        .split_once("job=")
        .ok_or_else(|| failure!("the command line has no job=FILE: {command_line}"))?;

    let mut pool = Pool(ram);
    let text = pool.read(path)?;
    let text = core::str::from_utf8(text).map_err(|_| failure!("the job file is not valid UTF-8"))?;
    let mut lines = text.lines();

    #[cfg(not(feature = "static"))]
    let bytes = pool.read(value(lines.next(), "model")?)?;
    #[cfg(not(feature = "static"))]
    let options = kinglet::Options::default().with_reference(match value(lines.next(), "reference")? {
        "tflite" => kinglet::Reference::Tflite,
        "litert" => kinglet::Reference::Litert,
        other => return Err(failure!("reference {other}: tflite or litert")),
    });
    let inputs = value(lines.next(), "in")?;
    let outputs = value(lines.next(), "out")?;
    let ops = lines.clone().next() == Some("ops");
    if ops {
        lines.next();
    }
    let job = Job { lines, inputs, outputs, ops };

    #[cfg(feature = "static")]
    {
        let memory = pool.take(Compiled::MEMORY_BYTES)?;
        run(console, job, memory, |memory| Compiled::interpreter(memory).map_err(Failure::new))
    }
    #[cfg(not(feature = "static"))]
    {
        let model = kinglet::Model::parse(bytes).map_err(Failure::new)?;
        let needed = {
            let net = Interpreter::<kinglet::AllOps>::with_options(&model, &mut *pool.0, &options)
                .map_err(Failure::new)?;
            net.usage().total_bytes
        };
        let memory = pool.take(needed)?;
        run(console, job, memory, |memory| {
            Interpreter::<kinglet::AllOps>::with_options(&model, memory, &options).map_err(Failure::new)
        })
    }
}

/// The value of a `key value` line.
fn value<'a>(line: Option<&'a str>, key: &str) -> Result<&'a str, Failure> {
    line.and_then(|line| line.strip_prefix(key))
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or_else(|| failure!("the job file has no '{key}' where it belongs"))
}

/// The board's free memory, handed out from the front.
struct Pool(&'static mut [u8]);

impl Pool {
    fn take(&mut self, length: usize) -> Result<&'static mut [u8], Failure> {
        let rounded = length.next_multiple_of(16);
        match core::mem::take(&mut self.0).split_at_mut_checked(rounded) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(&mut taken[..length])
            }
            None => Err(failure!("the board's memory is too small: {length} bytes more are needed")),
        }
    }

    fn read(&mut self, path: &str) -> Result<&'static [u8], Failure> {
        let mut file = files::open(&Path::new(path)?)?;
        let bytes = self.take(files::length(&file)?)?;
        read_all(&mut file, bytes)?;
        Ok(bytes)
    }
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
    for line in job.lines {
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
    while let Some(done) = net.step().map_err(Failure::new)? {
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
        return Err(failure!("more than {MAX_TENSORS} inputs or outputs"));
    }
    let mut input_files = [const { None }; MAX_TENSORS];
    let mut output_files = [const { None }; MAX_TENSORS];
    let mut invocations = None;
    for (index, slot) in input_files.iter_mut().enumerate().take(input_count) {
        let file = files::open(&Path::of_tensor(inputs, name, "in", index)?)?;
        let length = files::length(&file)?;
        let tensor = net.input_bytes_mut(index).unwrap_or_default().len();
        if length == 0 || tensor == 0 || length % tensor != 0 {
            return Err(failure!("{name}.in{index}.bin has {length} bytes; the tensor has {tensor}"));
        }
        let here = length / tensor;
        if *invocations.get_or_insert(here) != here {
            return Err(failure!(
                "{name}.in{index}.bin holds {here} invocations, {name}.in0.bin another number"
            ));
        }
        *slot = Some(file);
    }
    for (index, slot) in output_files.iter_mut().enumerate().take(output_count) {
        *slot = Some(files::create(&Path::of_tensor(outputs, name, "out", index)?)?);
    }
    let invocations = invocations.unwrap_or(1);
    for _ in 0..invocations {
        for (index, file) in input_files.iter_mut().flatten().enumerate() {
            read_all(file, net.input_bytes_mut(index).unwrap_or_default())?;
        }
        net.invoke().map_err(Failure::new)?;
        for (index, file) in output_files.iter_mut().flatten().enumerate() {
            file.write_all(net.output_bytes(index).unwrap_or_default())
                .map_err(|_| failure!("cannot write {name}.out{index}.bin"))?;
        }
    }
    Ok(invocations)
}
