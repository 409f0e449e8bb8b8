//! The repository's own tasks: `cargo xtask <task>`.

mod codegen;
mod device;
mod models;

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
    /// Run models on emulated boards: are the outputs right, and what do they cost?
    #[command(subcommand)]
    Device(device::Task),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().task {
        Task::Codegen { check } => codegen::run(check).map(|()| true),
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
