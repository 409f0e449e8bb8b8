//! `cargo xtask instructions`: counts the instructions of models and operators under valgrind, with the
//! portable kernels, and compares with `benches/instructions.json`.
//!
//! Counts are the same on every run, so one run is enough and a change of 1 % means something. They are not times.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::models::root;

/// The models of the gate, below `models`.
const MODELS: [&str; 5] =
    ["digits", "hello_sine", "ops/network_ds_cnn", "ops/network_mobilenet_v3", "ops/network_unet"];

/// What more instructions than recorded are still no failure: one in a hundred.
const TOLERANCE: f64 = 0.01;

/// `benches/instructions.json`.
#[derive(Serialize, Deserialize)]
struct Baseline {
    /// The compiler that the counts were made with: another one gives others.
    rustc: String,
    models: BTreeMap<String, Counts>,
    /// Instructions of one inference: operator, types and golden folder.
    ops: BTreeMap<String, u64>,
}

/// Instructions of one model.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Counts {
    /// Parse, check and plan, in loaded mode.
    load: u64,
    /// One inference, in static mode.
    invoke: u64,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the counts to benches/instructions.json
    #[arg(long)]
    update: bool,
    /// Count operators as well: one golden folder for each, never a failure (--update always does)
    #[arg(long)]
    ops: bool,
}

pub(crate) fn run(args: &Args) -> Result<bool> {
    let file = root().join("benches/instructions.json");
    let program = build()?;
    let mut models = BTreeMap::new();
    for model in MODELS {
        let folder = root().join("models").join(model);
        let counts = Counts {
            load: count(&program, "load", &folder)?.with_context(|| model.to_owned())?,
            invoke: count(&program, "invoke", &folder)?.with_context(|| model.to_owned())?,
        };
        models.insert(model.to_owned(), counts);
    }
    let mut ops = BTreeMap::new();
    if args.ops || args.update {
        for (op, types, folder) in kinglet_benches::op_folders() {
            // Those that are refused have no count.
            if let Some(instructions) = count(&program, "invoke", &folder)? {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                ops.insert(format!("{op} {types} ({name})"), instructions);
            }
        }
    }
    let counted = Baseline { rustc: rustc()?, models, ops };
    if args.update {
        let text = serde_json::to_string_pretty(&counted)? + "\n";
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        println!("wrote benches/instructions.json");
        return Ok(true);
    }
    let text = fs::read(&file).with_context(|| file.display().to_string())?;
    let recorded: Baseline = serde_json::from_slice(&text).with_context(|| file.display().to_string())?;
    Ok(compare(&recorded, &counted))
}

/// Prints how the counts have changed; whether none has become worse than may be.
fn compare(recorded: &Baseline, counted: &Baseline) -> bool {
    let mut fine = true;
    println!("{:<28} {:>7} {:>14} {:>14} {:>9}", "model", "", "recorded", "now", "change");
    for (name, now) in &counted.models {
        let Some(before) = recorded.models.get(name) else {
            println!("{name:<28} is not recorded");
            fine = false;
            continue;
        };
        for (what, before, now) in [("load", before.load, now.load), ("invoke", before.invoke, now.invoke)] {
            let change = now as f64 / before.max(1) as f64 - 1.0;
            let worse = change > TOLERANCE;
            fine &= !worse;
            let mark = if worse { "  WORSE" } else { "" };
            println!("{name:<28} {what:>7} {before:>14} {now:>14} {:>+8.2}%{mark}", 100.0 * change);
        }
    }
    for (name, now) in &counted.ops {
        let change = match recorded.ops.get(name) {
            Some(&before) => format!("{:+.2}%", 100.0 * (*now as f64 / before.max(1) as f64 - 1.0)),
            None => "new".to_owned(),
        };
        println!("{name:<70} {now:>12} {change:>9}");
    }
    if recorded.rustc != counted.rustc {
        println!("recorded with {}, counted with {}", recorded.rustc, counted.rustc);
    }
    if !fine {
        eprintln!(
            "error: more than {} % more instructions than recorded. If that is meant, or another compiler's doing: \
             cargo xtask instructions --update, and say why in the commit",
            100.0 * TOLERANCE
        );
    }
    fine
}

/// Builds the program that is counted.
fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "kinglet-benches", "--bin", "count"])
        .current_dir(root())
        .status()
        .context("cargo can't be started")?;
    ensure!(status.success(), "the program to be counted can't be built");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release/count"))
}

/// Instructions of what the program does with a model; `None` when it can't.
fn count(program: &Path, what: &str, folder: &Path) -> Result<Option<u64>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg(format!("--toggle-collect=*counted_{what}*"))
        .arg(program)
        .arg(what)
        .arg(folder)
        .output()
        .context("valgrind can't be started; on Debian: apt-get install valgrind")?;
    if !output.status.success() {
        return Ok(None);
    }
    let log = String::from_utf8_lossy(&output.stderr);
    let line = log.lines().find_map(|line| line.split_once("Collected : "));
    let Some((_, number)) = line else { bail!("valgrind says nothing of instructions: {log}") };
    let number: u64 = number.trim().parse().with_context(|| number.to_owned())?;
    ensure!(number > 0, "valgrind did not find the function counted_{what}");
    Ok(Some(number))
}

/// The compiler's version.
fn rustc() -> Result<String> {
    let output = Command::new("rustc").arg("--version").current_dir(root()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
