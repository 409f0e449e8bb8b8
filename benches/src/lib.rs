//! What the benchmarks share: models and memory for them.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kinglet::{Interpreter, Target};

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

/// A model planned as at build time.
#[derive(Debug)]
pub struct Static {
    plan: AlignedBytes,
    constants: AlignedBytes,
    memory_bytes: usize,
}

impl Static {
    /// Plans the model of a golden folder for a kernel family.
    ///
    /// # Errors
    /// When the file can't be read, or the model is refused.
    pub fn plan(folder: &Path, target: Target) -> Result<Self, Box<dyn std::error::Error>> {
        let mut arguments = kinglet_build::Arguments::default();
        arguments.target = Some(target);
        let file = std::fs::read(folder.join("model.tflite"))?;
        let compiled = kinglet_build::plan(&file, &arguments).map_err(|error| error.to_string())?;
        let copy = |bytes: &[u8]| {
            let mut copy = AlignedBytes::zeros(bytes.len());
            copy.as_mut_slice().copy_from_slice(bytes);
            copy
        };
        Ok(Self {
            plan: copy(&compiled.plan),
            constants: copy(&compiled.constants),
            memory_bytes: compiled.state_bytes.next_multiple_of(16) + compiled.arena_bytes,
        })
    }

    /// Memory for one interpreter.
    pub fn memory(&self) -> AlignedBytes {
        AlignedBytes::zeros(self.memory_bytes)
    }

    /// A fresh interpreter.
    ///
    /// # Errors
    /// When the memory is not that of [`memory`](Self::memory).
    pub fn start<'a>(&'a self, memory: &'a mut AlignedBytes) -> Result<Interpreter<'a>, kinglet::Error> {
        Interpreter::from_plan(self.plan.as_slice(), self.constants.as_slice(), memory.as_mut_slice())
    }
}

/// Fills all inputs with xorshift32 from seed 1, as the protocol of devices does. Indices in range are up to
/// the model: those of an operator that is given others fail.
pub fn fill_inputs(net: &mut Interpreter<'_>) {
    let mut x = 1u32;
    for i in 0..net.input_count() {
        for byte in net.input_bytes_mut(i).unwrap_or_default() {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            *byte = x as u8;
        }
    }
}

/// A golden folder for each operator on each type of activations, from the repository's `models/ops`: the one
/// with the largest output. `(operator, types, folder)`, sorted.
pub fn op_folders() -> Vec<(String, String, PathBuf)> {
    let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/ops");
    let manifest = std::fs::read(ops.join("manifest.json")).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let mut largest = BTreeMap::<(String, String), (u64, PathBuf)>::new();
    for model in manifest["models"].as_array().into_iter().flatten() {
        let text = |key: &str| model[key].as_str().unwrap_or_default().to_owned();
        if text("op") == "network" {
            continue;
        }
        let elements = |tensor: &serde_json::Value| {
            let dims = tensor["shape"].as_array().into_iter().flatten();
            dims.filter_map(serde_json::Value::as_u64).product::<u64>()
        };
        let size = model["outputs"].as_array().into_iter().flatten().map(elements).sum::<u64>();
        let types = text("types");
        // The first input's type, and the first weight's: int16 with int8 is not int16 alone.
        let mut words = types.split_whitespace().take_while(|word| *word != "->");
        let first = words.next().unwrap_or_default();
        let key = match words.next() {
            Some(second) if second != first && second != "int32" => format!("{first} {second}"),
            _ => first.to_owned(),
        };
        let found = largest.entry((text("op"), key)).or_default();
        // Among equals the first.
        if size > found.0 {
            *found = (size, ops.join(text("name")));
        }
    }
    largest.into_iter().map(|((op, types), (_, folder))| (op, types, folder)).collect()
}
