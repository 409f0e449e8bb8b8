//! The repository's own tasks: `cargo xtask <task>`.

mod codegen;
mod device;
mod instructions;
mod ledger;
mod models;
mod mutate;
mod package;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compile the schema of .tflite files to the readers in kinglet-tflite
    Codegen {
        /// Write nothing; fail if the readers are not what the schema gives
        #[arg(long)]
        check: bool,
    },
    /// Run every golden folder of an operator and write docs/operators.md
    Ledger {
        /// Write nothing; fail if docs/operators.md is not what the run gives
        #[arg(long)]
        check: bool,
        /// Write nothing; print what became of each folder, as JSON
        #[arg(long, conflicts_with = "check")]
        outcomes: bool,
        /// With --outcomes: other folders than those in models/ops
        #[arg(long, requires = "outcomes")]
        folder: Option<PathBuf>,
    },
    /// Count the instructions of models under valgrind; fail when there are over 1 % more than recorded
    Instructions(instructions::Args),
    /// Break kernels in a copy of the sources, see that the golden folders notice, and write docs/mutations.md
    Mutate {
        /// Write nothing
        #[arg(long)]
        check: bool,
    },
    /// Can every public crate be published? Checks the metadata and builds each from its package, offline
    Package {
        /// Make the packages, but do not build them
        #[arg(long)]
        no_verify: bool,
    },
    /// Run models on emulated boards: are the outputs right, and what do they cost?
    #[command(subcommand)]
    Device(device::Task),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().task {
        Task::Codegen { check } => codegen::run(check).map(|()| true),
        Task::Ledger { outcomes: true, folder, .. } => {
            ledger::print_outcomes(&folder.unwrap_or_else(ledger::folder))
        }
        Task::Ledger { check, .. } => ledger::run(check),
        Task::Instructions(args) => instructions::run(&args),
        Task::Mutate { check } => mutate::run(check),
        Task::Package { no_verify } => package::run(no_verify),
        Task::Device(task) => device::run(task),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
