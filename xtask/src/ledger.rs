//! `cargo xtask ledger`: runs every golden folder in `models/ops` and writes what it found to
//! `docs/operators.md`: which operators run on which types, what they equal, and what is refused and why.

mod notes;
mod run;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::models::root;

/// `models/ops/manifest.json`, as far as it matters here.
#[derive(Deserialize)]
struct Manifest {
    versions: BTreeMap<String, String>,
    models: Vec<Entry>,
}

impl Manifest {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("manifest.json");
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).with_context(|| path.display().to_string())
    }
}

/// One golden folder.
#[derive(Deserialize)]
struct Entry {
    name: String,
    op: String,
    types: String,
    /// Whose outputs the golden ones are: "both" are tflite-runtime and TFLM.
    golden: String,
    /// By how much tflite-runtime and TFLM differ, where both run the model.
    largest_difference: Option<f64>,
    /// Why the golden output follows one of them.
    why: Option<String>,
    /// What other runtimes give: "equal", "differs by N", or what they say.
    #[serde(default)]
    others: BTreeMap<String, String>,
    /// What a reference says that does not run the model.
    #[serde(default)]
    refused: BTreeMap<String, String>,
}

/// The names of the references in the manifest.
const TFLM: &str = "TFLM";
const TFLITE: &str = "tflite-runtime 2.14 BUILTIN_REF";
const LITERT: &str = "LiteRT 2.3 BUILTIN_REF";

fn file() -> PathBuf {
    root().join("docs/operators.md")
}

/// What became of a folder, for [`crate::mutate`].
#[derive(Serialize, Deserialize)]
pub(crate) struct FolderOutcome {
    pub(crate) op: String,
    pub(crate) types: String,
    pub(crate) exact: bool,
}

/// Prints what became of each of the golden folders in `folder`, as JSON.
pub(crate) fn print_outcomes(folder: &Path) -> Result<bool> {
    let manifest = Manifest::read(folder)?;
    let runs = run::all(folder, &manifest.models)?;
    let outcomes: BTreeMap<String, FolderOutcome> = manifest
        .models
        .into_iter()
        .zip(runs)
        .map(|(Entry { name, op, types, .. }, run)| {
            (name, FolderOutcome { op, types, exact: run.outcome == run::Outcome::Exact })
        })
        .collect();
    println!("{}", serde_json::to_string(&outcomes)?);
    Ok(true)
}

/// Where the golden folders are.
pub(crate) fn folder() -> PathBuf {
    root().join("models/ops")
}

/// Writes the ledger, or says whether it is up to date. An operator that is not exact fails.
pub(crate) fn run(check: bool) -> Result<bool> {
    let (text, wrong) = make()?;
    for line in &wrong {
        eprintln!("error: {line}");
    }
    let file = file();
    let shown = file.strip_prefix(root()).unwrap_or(&file).display();
    if !check {
        fs::write(&file, text).with_context(|| shown.to_string())?;
        println!("wrote {shown}");
        return Ok(wrong.is_empty());
    }
    let current = fs::read_to_string(&file).with_context(|| shown.to_string())? == text;
    if current {
        println!("{shown} is up to date");
    } else {
        eprintln!("error: {shown} is not what the golden folders give; run: cargo xtask ledger");
    }
    Ok(current && wrong.is_empty())
}

/// The ledger, and what is wrong with kinglet.
fn make() -> Result<(String, Vec<String>)> {
    let folder = folder();
    let manifest = Manifest::read(&folder)?;
    let results = run::all(&folder, &manifest.models)?;
    let mut wrong = Vec::new();
    for (entry, result) in manifest.models.iter().zip(&results) {
        match &result.outcome {
            run::Outcome::Differs(by) => {
                wrong.push(format!("models/ops/{}: not exact, off by up to {by}", entry.name));
            }
            run::Outcome::Broken(why) => wrong.push(format!("models/ops/{}: {why}", entry.name)),
            run::Outcome::Exact | run::Outcome::Refused(_) => {}
        }
    }
    Ok((text::write(&manifest, &results), wrong))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_ledger_is_up_to_date() {
        let (text, wrong) = super::make().expect("models/ops is there");
        assert_eq!(wrong, Vec::<String>::new());
        let current = std::fs::read_to_string(super::file()).unwrap_or_default();
        assert!(current == text, "docs/operators.md is out of date; run: cargo xtask ledger");
    }
}
