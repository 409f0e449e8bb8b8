//! What the benchmarks share: models and memory for them.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

/// Bytes at an address that is a multiple of 16.
#[derive(Debug)]
pub struct AlignedBytes {
    words: Vec<u128>,
    len: usize,
}

impl AlignedBytes {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(16)], len }
    }

    /// The contents of a file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::read(path)?;
        let mut bytes = Self::zeros(file.len());
        bytes.as_mut_slice().copy_from_slice(&file);
        Ok(bytes)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The bytes.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// The golden folders with models to measure: the repository's own, and those of `KINGLET_MODELS`
/// (by default `shared/models` beside the checkout) if they are there.
pub fn model_folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let others = std::env::var_os("KINGLET_MODELS").map_or(root.join("../shared/models"), PathBuf::from);
    let mut folders = Vec::new();
    for parent in [root.join("models"), others] {
        let Ok(entries) = std::fs::read_dir(&parent) else {
            eprintln!("skipped: no models in {}", parent.display());
            continue;
        };
        folders.extend(
            entries.flatten().map(|entry| entry.path()).filter(|path| path.join("model.tflite").is_file()),
        );
    }
    folders.sort();
    folders
}
