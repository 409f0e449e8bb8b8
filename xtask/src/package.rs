//! `cargo xtask package`: every public crate can be published as it is.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::models::root;

/// What crates.io asks for, or shows.
const FIELDS: [&str; 8] = [
    "description",
    "license",
    "readme",
    "keywords",
    "categories",
    "rust_version",
    "documentation",
    "version",
];

/// Checks what the manifests say, and has cargo build each crate from its package alone, offline.
pub(crate) fn run(no_verify: bool) -> Result<bool> {
    let mut fine = true;
    let mut names = Vec::new();
    let mut complain = |name: &str, what: &str| {
        eprintln!("error: {name}: {what}");
        fine = false;
    };
    for package in metadata()?["packages"].as_array().into_iter().flatten() {
        // null: anywhere; a list of registries, empty with `publish = false`.
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let name = package["name"].as_str().unwrap_or_default();
        for field in FIELDS {
            let missing = match &package[field] {
                Value::Null => true,
                Value::Array(list) => list.is_empty(),
                _ => false,
            };
            if missing {
                complain(name, &format!("Cargo.toml has no {field}"));
            }
        }
        let folder = package["manifest_path"].as_str().and_then(|path| Path::new(path).parent());
        for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
            if !folder.is_some_and(|folder| folder.join(file).is_file()) {
                complain(name, &format!("there is no {file}; link it: ln -s ../../{file}"));
            }
        }
        names.push(name.to_owned());
    }
    ensure!(!names.is_empty(), "the workspace has no public crates");
    let mut command = cargo();
    command.args(["package", "--quiet", "--offline", "--allow-dirty"]);
    if no_verify {
        command.arg("--no-verify");
    }
    for name in &names {
        command.args(["--package", name]);
    }
    let status = command.status().context("cargo can't be started")?;
    if status.success() && fine {
        println!("{} crates can be published: {}", names.len(), names.join(", "));
    }
    Ok(fine && status.success())
}

fn metadata() -> Result<Value> {
    let output = cargo().args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
