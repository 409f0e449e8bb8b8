//! `cargo xtask mutate`: breaks kernels, one small change each, and demands that the ledger's rows notice.
//!
//! The changes are made in a copy of the sources below `target/mutants`. Those of one round are made together:
//! no two of a round touch the same row, so each has to make its own row fail. A change whose text is not
//! found, or found twice, is an error: then the kernel was rewritten, and the change has to be written anew.

mod mutations;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::ledger::FolderOutcome;
use crate::models::root;

/// A small change that breaks a kernel.
struct Mutation {
    name: &'static str,
    /// What goes wrong.
    what: &'static str,
    round: u32,
    /// Below `crates/kinglet-kernels/src`.
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// The rows of the ledger that have to notice: operator, and how its types begin.
    rows: &'static [(&'static str, &'static str)],
}

/// How many folders of a row notice.
struct Caught {
    row: String,
    broken: usize,
    /// Folders that are exact without the change.
    of: usize,
}

/// What the workspace needs to build.
const SOURCES: [&str; 10] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo",
    "benches",
    "crates",
    "tests",
    "xtask",
    "models/digits",
    "models/hello_sine",
    "models/manifest.json",
];

/// Runs all rounds and writes `docs/mutations.md`, or with `check` only says what survives.
pub(crate) fn run(check: bool) -> Result<bool> {
    let tree = root().join("target/mutants/tree");
    let all = mutations::ALL;
    for source in SOURCES {
        copy(&root().join(source), &tree.join(source))?;
    }
    let sound = outcomes(&tree)?;
    let mut caught = BTreeMap::new();
    let rounds: BTreeSet<u32> = all.iter().map(|mutation| mutation.round).collect();
    for round in rounds {
        let here = || all.iter().enumerate().filter(|(_, mutation)| mutation.round == round);
        let mut changed = BTreeMap::<PathBuf, String>::new();
        for (_, mutation) in here() {
            let path = tree.join("crates/kinglet-kernels/src").join(mutation.file);
            let text = match changed.remove(&path) {
                Some(text) => text,
                None => fs::read_to_string(&path).with_context(|| path.display().to_string())?,
            };
            let found = text.matches(mutation.from).count();
            let Mutation { name, file, .. } = mutation;
            ensure!(found == 1, "{name}: its text is {found} times in {file}; write the mutation anew");
            changed.insert(path, text.replace(mutation.from, mutation.to));
        }
        for (path, text) in &changed {
            fs::write(path, text)?;
        }
        let broken = outcomes(&tree);
        for path in changed.keys() {
            let source = path.strip_prefix(&tree)?;
            fs::copy(root().join(source), path)?;
        }
        let broken = broken?;
        for (i, mutation) in here() {
            caught.insert(i, rows(mutation, &sound, &broken)?);
        }
    }

    let mut fine = true;
    for (mutation, rows) in all.iter().zip(caught.values()) {
        for Caught { row, broken, of } in rows {
            println!("{:<28} {row}: {broken} of {of} folders notice", mutation.name);
            if *broken == 0 {
                eprintln!("error: {}: {row} does not notice", mutation.name);
                fine = false;
            }
        }
    }
    if !check && fine {
        let file = root().join("docs/mutations.md");
        fs::write(&file, text(all, &caught)?).with_context(|| file.display().to_string())?;
        println!("wrote docs/mutations.md");
    }
    Ok(fine)
}

/// How many folders of each row were exact before the change and are not after it.
fn rows(
    mutation: &Mutation,
    sound: &BTreeMap<String, FolderOutcome>,
    broken: &BTreeMap<String, FolderOutcome>,
) -> Result<Vec<Caught>> {
    let mut caught = Vec::new();
    for (op, types) in mutation.rows {
        let of: Vec<&String> = sound
            .iter()
            .filter(|(_, found)| found.op == *op && found.types.starts_with(types) && found.exact)
            .map(|(name, _)| name)
            .collect();
        if of.is_empty() {
            bail!("{}: the ledger has no exact folder for {op} {types}", mutation.name);
        }
        let notices = |name: &&&String| broken.get(name.as_str()).is_none_or(|found| !found.exact);
        let row = format!("{op} {types}");
        caught.push(Caught { row, broken: of.iter().filter(notices).count(), of: of.len() });
    }
    Ok(caught)
}

/// Builds the copy and runs its ledger on the golden folders of the repository.
fn outcomes(tree: &Path) -> Result<BTreeMap<String, FolderOutcome>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "xtask", "--", "ledger", "--outcomes", "--folder"])
        .arg(root().join("models/ops"))
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", root().join("target/mutants/target"))
        .output()
        .context("cargo can't be started")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the copy's ledger gave no outcomes")
}

/// Copies a file or a folder. What is the same already is left alone, so that little has to be built again.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let context = || from.display().to_string();
    if from.is_dir() {
        fs::create_dir_all(to).with_context(context)?;
        let mut kept = BTreeSet::new();
        for entry in fs::read_dir(from).with_context(context)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
            kept.insert(name);
        }
        for entry in fs::read_dir(to).with_context(context)? {
            let entry = entry?;
            if !kept.contains(&entry.file_name()) && entry.path().is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        return Ok(());
    }
    let new = fs::read(from).with_context(context)?;
    if fs::read(to).is_ok_and(|old| old == new) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, new).with_context(|| to.display().to_string())
}

fn text(all: &[Mutation], caught: &BTreeMap<usize, Vec<Caught>>) -> Result<String> {
    let mut text = String::from(
        "# Broken kernels, and who notices\n\n\
         Made by `cargo xtask mutate`: each small change below was made to a copy of the sources, and the golden folders were\n\
         run. A row of the [ledger](operators.md) that a broken kernel serves has to fail. This is a sample.\n\n\
         | change | what goes wrong | in | rows: folders that notice, of those exact without it |\n|---|---|---|---|\n",
    );
    for (mutation, rows) in all.iter().zip(caught.values()) {
        let rows: Vec<_> =
            rows.iter().map(|row| format!("{}: {} of {}", row.row, row.broken, row.of)).collect();
        let Mutation { name, what, file, .. } = mutation;
        writeln!(text, "| {name} | {what} | `{file}` | {} |", rows.join("; "))?;
    }
    Ok(text)
}
