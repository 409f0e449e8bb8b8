//! Models on the command line, and golden folders: `model.tflite` with, for each
//! case K, `K.in0.bin`, ... and `K.out0.bin`, ....

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

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

/// The cases of a golden folder, by name: how many inputs and outputs each has.
pub(crate) fn cases(folder: &Path) -> Result<BTreeMap<String, Case>> {
    let mut cases = BTreeMap::<String, Case>::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let file = entry?.file_name();
        let Some((case, way, index)) = file.to_str().and_then(tensor_file) else {
            continue;
        };
        let case = cases.entry(case.to_owned()).or_default();
        match way {
            Way::In => case.inputs.insert(index),
            Way::Out => case.outputs.insert(index),
        };
    }
    ensure!(!cases.is_empty(), "{} has no cases (CASE.in0.bin, CASE.out0.bin)", folder.display());
    Ok(cases)
}

/// The tensor files that a case has, by number.
#[derive(Default)]
pub(crate) struct Case {
    inputs: BTreeSet<usize>,
    outputs: BTreeSet<usize>,
}

impl Case {
    /// Whether there is exactly one file for each of the model's inputs and outputs.
    pub(crate) fn check(&self, name: &str, inputs: usize, outputs: usize) -> Result<()> {
        for (have, need, way) in [(&self.inputs, inputs, "in"), (&self.outputs, outputs, "out")] {
            if let Some(index) = (0..need).find(|index| !have.contains(index)) {
                bail!("{name}.{way}{index}.bin is missing");
            }
            if let Some(index) = have.range(need..).next() {
                bail!("{name}.{way}{index}.bin belongs to no tensor: the model has {need} {way}puts");
            }
        }
        Ok(())
    }
}

enum Way {
    In,
    Out,
}

/// Splits `CASE.in0.bin`.
fn tensor_file(file: &str) -> Option<(&str, Way, usize)> {
    let (case, tensor) = file.strip_suffix(".bin")?.rsplit_once('.')?;
    let (way, index) = match tensor.strip_prefix("in") {
        Some(index) => (Way::In, index),
        None => (Way::Out, tensor.strip_prefix("out")?),
    };
    Some((case, way, index.parse().ok()?))
}

/// How far outputs are from what they should be.
#[derive(Default)]
pub(crate) struct Difference {
    pub(crate) mismatched_bytes: u64,
    pub(crate) max_abs_diff: f64,
}

impl Difference {
    /// Takes in one tensor of elements of `dtype` (as in NumPy).
    ///
    /// # Errors
    /// When the lengths differ.
    pub(crate) fn add(&mut self, file: &str, dtype: &str, got: &[u8], want: &[u8]) -> Result<()> {
        ensure!(got.len() == want.len(), "{file} has {} bytes; the model gave {}", want.len(), got.len());
        self.mismatched_bytes += got.iter().zip(want).filter(|(a, b)| a != b).count() as u64;
        for (a, b) in elements(dtype, got).zip(elements(dtype, want)) {
            let difference = (a - b).abs();
            // A NaN on one side only is as far off as can be.
            if difference.is_nan() && a.is_nan() != b.is_nan() {
                self.max_abs_diff = f64::INFINITY;
            } else if difference > self.max_abs_diff {
                self.max_abs_diff = difference;
            }
        }
        Ok(())
    }
}

fn elements<'a>(dtype: &str, bytes: &'a [u8]) -> Box<dyn Iterator<Item = f64> + 'a> {
    fn of<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> impl Iterator<Item = f64> {
        bytes.as_chunks::<N>().0.iter().map(move |&chunk| read(chunk))
    }
    match dtype {
        "int16" => Box::new(of(bytes, |b| i16::from_le_bytes(b).into())),
        "int32" => Box::new(of(bytes, |b| i32::from_le_bytes(b).into())),
        "int64" => Box::new(of(bytes, |b| i64::from_le_bytes(b) as f64)),
        "float32" => Box::new(of(bytes, |b| f32::from_le_bytes(b).into())),
        "uint8" | "bool" => Box::new(of(bytes, |[b]| b.into())),
        _ => Box::new(of(bytes, |[b]| (b as i8).into())),
    }
}

/// The checksum of each operator's first output, for networks that `op_crcs.json`
/// in the repository's `models` or in `KINGLET_MODELS` knows.
///
/// # Errors
/// When such a file is there and can't be read.
pub(crate) fn op_crcs(name: &str) -> Result<Option<Vec<(String, String)>>> {
    for folder in [root().join("models"), shared_models()] {
        let file = folder.join("op_crcs.json");
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let all: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
        let Some(ops) = all.get(name).and_then(Value::as_array) else {
            continue;
        };
        let field = |op: &Value, key: &str| {
            op[key]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("{}: an entry of {name} has no {key}", file.display()))
        };
        return ops
            .iter()
            .map(|op| Ok((field(op, "op")?, field(op, "crc32")?)))
            .collect::<Result<_>>()
            .map(Some);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensor_files_are_recognised() {
        let split = |file| tensor_file(file).map(|(case, way, i)| (case, matches!(way, Way::In), i));
        assert_eq!(split("random0.in0.bin"), Some(("random0", true, 0)));
        assert_eq!(split("a.b.out12.bin"), Some(("a.b", false, 12)));
        assert_eq!(split("all256.litert_out0.bin"), None);
        assert_eq!(split("model.tflite"), None);
    }

    #[test]
    fn cases_need_every_file_and_no_other() {
        let case = Case { inputs: [0, 1].into(), outputs: [0].into() };
        assert!(case.check("k", 2, 1).is_ok());
        assert_eq!(case.check("k", 2, 2).unwrap_err().to_string(), "k.out1.bin is missing");
        assert!(case.check("k", 1, 1).unwrap_err().to_string().starts_with("k.in1.bin belongs"));
    }

    #[test]
    fn differences_are_of_elements() {
        let mut difference = Difference::default();
        difference.add("f", "int16", &[0, 1, 0, 0], &[0, 0, 2, 0]).unwrap();
        assert_eq!((difference.mismatched_bytes, difference.max_abs_diff), (2, 256.0));
        difference.add("f", "int8", &[0xff], &[1]).unwrap();
        assert_eq!((difference.mismatched_bytes, difference.max_abs_diff), (3, 256.0));
        assert!(difference.add("f", "int8", &[0], &[]).is_err());
    }
}
