//! The repository's own tasks: `cargo xtask <task>`.

mod codegen;

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
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Codegen { check } => codegen::run(check),
    }
}
