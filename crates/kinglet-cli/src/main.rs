//! `kinglet`: runs, verifies, inspects, checks and times int8 TensorFlow Lite models.
#![forbid(unsafe_code)]

mod aligned;
mod arena;
mod args;
mod bench;
mod check;
mod datasheet;
mod diff;
mod digits;
mod eval;
mod failure;
mod footprint;
mod inspect;
mod invoke;
mod macs;
mod model;
mod output;
mod picture;
mod report;
mod run;
mod survey;
mod svg;
mod tensor_file;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use serde_json::json;

use args::{Cli, Command};
use failure::{Failure, Result};
use output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    let output = Output::new(cli.json);
    match execute(cli.command, &output) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Runs a command: whether what it looked at is as it should be. Prints one object in any case.
fn execute(command: Option<Command>, output: &Output) -> Result<bool> {
    let outcome = match &command {
        None => digits::execute(output),
        Some(Command::Run(args)) => run::execute(args, output),
        Some(Command::Verify(args)) => verify::execute(args, output),
        Some(Command::Inspect(args)) => inspect::execute(args, output),
        Some(Command::Check(args)) => check::execute(args, output),
        Some(Command::Diff(args)) => diff::execute(args, output),
        Some(Command::Eval(args)) => eval::execute(args, output),
        Some(Command::Bench(args)) => bench::execute(args, output),
        Some(Command::Footprint(args)) => footprint::execute(args, output),
        Some(Command::Datasheet(args)) => datasheet::execute(args, output),
        Some(Command::Risk(args)) => datasheet::execute_risk(args, output),
    };
    if let Err(failure) = &outcome {
        let error = failure.to_json();
        match command {
            Some(Command::Check(_)) => output.object(&json!({ "ok": false, "error": error }))?,
            _ => output.object(&json!({ "error": error }))?,
        }
    }
    outcome
}

/// Help and version go to standard output; a mistake on the command line becomes one line.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nothing is left to be done when standard output is closed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let text = text.split("\n\nUsage:").next().unwrap_or(&text);
    let text = text.split("\n\nFor more").next().unwrap_or(text);
    let paragraphs = text.trim().split("\n\n");
    let lines: Vec<_> =
        paragraphs.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let line = lines.join("; ");
    let message = line.strip_prefix("error: ").unwrap_or(&line);
    let failure = Failure::usage("command line", format!("{message}; see kinglet --help"));
    if std::env::args_os().any(|argument| argument == "--json") {
        let _ = Output::new(true).object(&json!({ "error": failure.to_json() }));
    }
    eprintln!("error: {failure}");
    ExitCode::from(failure.exit_code())
}
