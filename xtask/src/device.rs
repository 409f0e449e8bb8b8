//! `cargo xtask device`: models on emulated boards.

mod bench;
mod elf;
mod firmware;
mod how;
mod qemu;
mod symbols;
mod target;
mod toolchain;
mod verify;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Prepare to build for the boards: toolchain, emulator, cycle counter
    Setup {
        /// Only this target
        #[arg(long, value_parser = target::parse())]
        target: Option<&'static target::Target>,
    },
    /// Run every case of golden folders and compare byte for byte
    Verify(verify::Args),
    /// Measure one warm invoke: instructions, cycles, RAM, stack, flash
    Bench(bench::Args),
    /// Check that the static firmware links neither panics nor an allocator
    Symbols(symbols::Args),
}

/// Runs a task; false when what it checks failed.
pub(crate) fn run(task: Task) -> Result<bool> {
    match task {
        Task::Setup { target } => setup(target),
        Task::Verify(args) => verify::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Symbols(args) => symbols::run(&args),
    }
}

fn setup(only: Option<&'static target::Target>) -> Result<bool> {
    let mut ready = true;
    let mut triples = Vec::new();
    for target in target::ALL.iter().filter(|t| only.is_none_or(|o| o.name == t.name)) {
        if !triples.contains(&target.triple) {
            triples.push(target.triple);
        }
    }
    for triple in triples {
        match toolchain::install(triple) {
            Ok(how) => println!("{triple}: {how}"),
            Err(error) => {
                ready = false;
                println!("{triple}: {error:#}");
            }
        }
    }
    let mut emulators: Vec<_> = target::ALL.iter().map(|t| t.qemu).collect();
    emulators.dedup();
    for emulator in emulators {
        match qemu::version(emulator) {
            Ok(version) => println!("{emulator}: {version}"),
            Err(error) => {
                ready = false;
                println!("{emulator}: {error:#}");
            }
        }
    }
    match qemu::plugin() {
        Ok(_) => println!("cycle counter: built"),
        Err(error) => println!("cycle counter: {error:#} (counts will be null)"),
    }
    Ok(ready)
}

/// Where everything that is made for devices goes.
fn work_dir() -> PathBuf {
    crate::models::root().join("target/device")
}
