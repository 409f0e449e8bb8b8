//! `device symbols`: no panic and no allocator in the static firmware.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::{
    elf,
    how::{How, Mode},
    toolchain::Toolchain,
};
use crate::models::{self, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// .tflite files or golden folders
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<bool> {
    let way = args.how.or(Mode::Static, false);
    let toolchain = Toolchain::find(way.target.triple)?;
    let mut fine = true;
    let mut rows = Vec::new();
    for argument in &args.models {
        let (name, outcome) = match models::find(argument) {
            Found::Model { name, file } => {
                let built = super::bench::firmware(&toolchain, &way, &name, &file);
                let found = built.and_then(|elf| Ok((elf::forbidden(&elf)?, elf)));
                (name, found)
            }
            Found::Missing { name, why } => (name, Err(anyhow::anyhow!(why))),
            Found::Skipped { name } => {
                fine &= !models::skipped(&name);
                rows.push(json!({ "name": name, "skipped": true }));
                continue;
            }
        };
        match outcome {
            Ok((found, elf)) => {
                fine &= found.is_empty();
                if !args.json {
                    println!("{name}: {}", if found.is_empty() { "clean" } else { "NOT clean" });
                    for symbol in &found {
                        println!("    {symbol}");
                    }
                }
                rows.push(json!({ "name": name, "elf": elf, "found": found, "error": null }));
            }
            Err(error) => {
                fine = false;
                eprintln!("error: {name}: {error:#}");
                rows.push(json!({
                    "name": name, "elf": null, "found": null, "error": format!("{error:#}"),
                }));
            }
        }
    }
    if args.json {
        println!("{}", json!({ "models": rows }));
    }
    Ok(fine)
}
