//! Models on the command line: where they are, and what is known of them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use kinglet_cli::golden::{self, OpCrc};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where model folders outside the repository are.
fn shared_models() -> PathBuf {
    env::var_os("KINGLET_MODELS").map_or_else(|| root().join("../shared/models"), PathBuf::from)
}

/// What an argument that names a model stands for.
pub(crate) enum Found {
    /// The model's name and its `.tflite` file.
    Model { name: String, file: PathBuf },
    /// It is outside the repository, where there are no models at all.
    Skipped { name: String },
    /// There is no such thing.
    Missing { name: String, why: String },
}

/// Finds a `.tflite` file or a model folder: by path, or by name in the
/// repository's `models` and in `KINGLET_MODELS`.
pub(crate) fn find(argument: &Path) -> Found {
    let name = name_of(argument);
    let shared = shared_models();
    let bare = argument.components().count() == 1;
    let mut places = vec![argument.to_owned()];
    if bare {
        places.push(root().join("models").join(argument));
        places.push(shared.join(argument));
    }
    for place in places {
        if place.is_file() {
            return Found::Model { name, file: place };
        }
        let file = place.join("model.tflite");
        if file.is_file() {
            return Found::Model { name, file };
        }
        if place.is_dir() {
            let why = format!("{} has no model.tflite", place.display());
            return Found::Missing { name, why };
        }
    }
    if !shared.is_dir() && (bare || argument.starts_with(&shared)) {
        return Found::Skipped { name };
    }
    Found::Missing { name, why: format!("{}: no such file or folder", argument.display()) }
}

/// A folder's name, a file's name without its extension; `model.tflite` is named
/// after its folder.
fn name_of(argument: &Path) -> String {
    let full = fs::canonicalize(argument).unwrap_or_else(|_| argument.to_owned());
    let stem = if full.is_dir() { full.file_name() } else { full.file_stem() };
    let name = match stem {
        Some(stem) if stem == "model" => full.parent().and_then(Path::file_name).unwrap_or(stem),
        Some(stem) => stem,
        None => full.as_os_str(),
    };
    name.to_string_lossy().into_owned()
}

/// Says that a model is not here; returns whether that is a failure.
pub(crate) fn skipped(name: &str) -> bool {
    eprintln!("skipped: {name}: no folder of models outside the repository (KINGLET_MODELS)");
    env::var_os("CI").is_some_and(|value| value != "false")
}

/// The checksum of each operator's first output, for networks that `op_crcs.json`
/// in the repository's `models` or in `KINGLET_MODELS` knows.
///
/// # Errors
/// When such a file is there and can't be read.
pub(crate) fn op_crcs(name: &str) -> Result<Option<Vec<OpCrc>>> {
    for folder in [root().join("models"), shared_models()] {
        let crcs = golden::op_crcs(&folder, name)?;
        if crcs.is_some() {
            return Ok(crcs);
        }
    }
    Ok(None)
}
