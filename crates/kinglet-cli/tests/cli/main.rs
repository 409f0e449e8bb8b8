//! The binary as its users call it: what it prints, and how it ends.

mod bad_models;
mod commands;
mod datasheet;
mod footprint;
mod golden_folders;
mod layers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// What a call of the binary gave.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    /// The one JSON object on standard output.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Failed with this exit code and exactly one line that holds all of `parts`.
    fn assert_error(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {}", self.stderr);
        }
    }

    #[track_caller]
    fn assert_fine(&self) -> &Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }
}

/// Calls the binary in the repository's root.
fn kinglet<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_kinglet"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the binary can be started");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// As a line in a shell; arguments hold no blanks.
fn line(arguments: &str) -> Outcome {
    kinglet(arguments.split_whitespace())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const DIGITS: &str = "models/digits/model.tflite";

fn read(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).expect("the repository's files are there")
}

/// An empty folder for one test.
fn folder(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if path.exists() {
        fs::remove_dir_all(&path).expect("the folder can be emptied");
    }
    fs::create_dir_all(&path).expect("the folder can be made");
    path
}

fn write(path: &Path, bytes: &[u8]) -> String {
    fs::write(path, bytes).expect("the file can be written");
    path.to_str().expect("the path is UTF-8").to_owned()
}
