//! Golden folders: a model with inputs and the outputs that they have to give.
//!
//! A golden folder holds `model.tflite` and, for each case K, `K.in0.bin`, `K.in1.bin`, ... and
//! `K.out0.bin`, ...: raw little-endian tensors in the model's order. A file N times as long as its tensor
//! holds N successive invocations from a fresh interpreter. `K.litert_out0.bin`, where present, takes the
//! place of `K.out0.bin` when the reference is LiteRT.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, bail, ensure};
use kinglet::{DType, Reference};
use serde::{Deserialize, Serialize};

/// A golden folder and the names of its cases.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    name: String,
    cases: BTreeMap<String, Files>,
}

/// The tensors that a case has files for, by number.
#[derive(Debug, Default)]
struct Files {
    inputs: BTreeSet<usize>,
    outputs: BTreeSet<usize>,
}

impl Folder {
    /// Lists a folder's cases. There may be none: a report of no cases is no pass.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut cases = BTreeMap::<String, Files>::new();
        for entry in fs::read_dir(path)? {
            let file = entry?.file_name();
            let Some((case, way, i)) = file.to_str().and_then(tensor_file) else {
                continue;
            };
            let files = cases.entry(case.to_owned()).or_default();
            match way {
                Way::In => files.inputs.insert(i),
                Way::Out => files.outputs.insert(i),
            };
        }
        Ok(Self { path: path.to_owned(), name: name(path), cases })
    }

    /// The folder's name: the model's name in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the model is.
    pub fn model(&self) -> PathBuf {
        self.path.join("model.tflite")
    }

    /// The cases in alphabetical order.
    pub fn cases(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cases.keys().map(String::as_str)
    }

    /// Whether a case has exactly one file for each of the model's inputs and outputs.
    ///
    /// # Errors
    /// When a file is missing, or belongs to no tensor.
    pub fn check(&self, case: &str, inputs: usize, outputs: usize) -> Result<()> {
        let empty = Files::default();
        let files = self.cases.get(case).unwrap_or(&empty);
        check_files(case, Way::In, &files.inputs, inputs)?;
        check_files(case, Way::Out, &files.outputs, outputs)
    }

    /// The file with what output `i` has to be.
    pub fn output(&self, case: &str, i: usize, reference: Reference) -> PathBuf {
        if reference == Reference::Litert {
            let litert = self.path.join(format!("{case}.litert_out{i}.bin"));
            if litert.is_file() {
                return litert;
            }
        }
        self.path.join(format!("{case}.out{i}.bin"))
    }

    /// Reads the files of a case, for a model whose inputs and outputs have these lengths in bytes.
    ///
    /// # Errors
    /// When a file is missing, belongs to no tensor, or is not as long as N invocations make it.
    pub fn case(
        &self,
        case: &str,
        inputs: &[usize],
        outputs: &[usize],
        reference: Reference,
    ) -> Result<Case> {
        self.check(case, inputs.len(), outputs.len())?;
        let mut invocations = None;
        let mut tensors = |lengths: &[usize], file: &dyn Fn(usize) -> PathBuf| {
            lengths
                .iter()
                .enumerate()
                .map(|(i, &length)| Tensor::read(&file(i), length, &mut invocations))
                .collect::<Result<Vec<_>>>()
        };
        let inputs = tensors(inputs, &|i| self.path.join(format!("{case}.in{i}.bin")))?;
        let outputs = tensors(outputs, &|i| self.output(case, i, reference))?;
        Ok(Case { invocations: invocations.unwrap_or(0), inputs, outputs })
    }

    /// The checksum of each operator's first output, where `op_crcs.json` beside the folder knows it.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub fn op_crcs(&self) -> Result<Option<Vec<OpCrc>>> {
        // ".." in place of the parent would go wrong for "." and for links.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        path.parent().map_or(Ok(None), |folder| op_crcs(folder, &self.name))
    }
}

/// A folder's last part, also for "." and the like.
pub fn name(folder: &Path) -> String {
    let full = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let last = full.file_name().unwrap_or(full.as_os_str());
    last.to_string_lossy().into_owned()
}

/// The checksum of each operator's first output, where a folder's `op_crcs.json` knows the model.
///
/// # Errors
/// When the file is there and can't be read.
pub fn op_crcs(folder: &Path, model: &str) -> Result<Option<Vec<OpCrc>>> {
    let file = folder.join("op_crcs.json");
    if !file.is_file() {
        return Ok(None);
    }
    let read = || -> Result<BTreeMap<String, Vec<OpCrc>>> { Ok(serde_json::from_slice(&fs::read(&file)?)?) };
    let mut all = read().with_context(|| file.display().to_string())?;
    Ok(all.remove(model))
}

/// An operator's name and the CRC-32 of its first output right after it has run, on inputs from
/// [`Xorshift32`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OpCrc {
    /// The operator's name in the schema.
    pub op: String,
    /// 8 hex digits.
    pub crc32: String,
}

/// The tensors of a case.
#[derive(Debug)]
pub struct Case {
    /// Number of successive invocations.
    pub invocations: usize,
    /// What goes in.
    pub inputs: Vec<Tensor>,
    /// What has to come out.
    pub outputs: Vec<Tensor>,
}

/// One tensor, for each of the invocations.
#[derive(Debug)]
pub struct Tensor {
    bytes: Vec<u8>,
    length: usize,
}

impl Tensor {
    /// Reads a file of as many `invocations` as the case's other files, if there have been any.
    fn read(path: &Path, length: usize, invocations: &mut Option<usize>) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        ensure!(
            !bytes.is_empty() && bytes.len().is_multiple_of(length.max(1)),
            "{file} has {} bytes, which is no multiple of the tensor's {length}",
            bytes.len()
        );
        let here = bytes.len() / length.max(1);
        let expected = *invocations.get_or_insert(here);
        ensure!(here == expected, "{file} holds {here} invocations, other files of the case {expected}");
        Ok(Self { bytes, length })
    }

    /// The tensor of invocation `n`; empty when there is no such invocation.
    pub fn invocation(&self, n: usize) -> &[u8] {
        let start = n.saturating_mul(self.length);
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.get(..self.length).unwrap_or_default()
    }
}

/// How far outputs are from what they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Bytes that differ.
    pub mismatched_bytes: u64,
    /// The largest difference of two elements.
    pub max_abs_diff: f64,
}

impl Difference {
    /// Takes in one tensor.
    pub fn add(&mut self, dtype: DType, got: &[u8], want: &[u8]) {
        let differing = got.iter().zip(want).filter(|(a, b)| a != b).count();
        self.mismatched_bytes += (differing + got.len().abs_diff(want.len())) as u64;
        if differing == 0 {
            return;
        }
        for (a, b) in values(dtype, got).into_iter().zip(values(dtype, want)) {
            let difference = (a - b).abs();
            // A NaN on one side only is as far off as can be.
            if a.is_nan() != b.is_nan() {
                self.max_abs_diff = f64::INFINITY;
            } else if difference > self.max_abs_diff {
                self.max_abs_diff = difference;
            }
        }
    }

    /// Takes in another difference.
    pub fn merge(&mut self, other: Self) {
        self.mismatched_bytes += other.mismatched_bytes;
        self.max_abs_diff = self.max_abs_diff.max(other.max_abs_diff);
    }
}

/// A tensor's elements as numbers; exact for all types but int64 beyond 53 bits.
pub fn values(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    fn read<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        let (elements, _) = bytes.as_chunks();
        elements.iter().map(|&element| number(element)).collect()
    }
    match dtype {
        DType::Int16 => read(bytes, |b| i16::from_le_bytes(b).into()),
        DType::Int32 => read(bytes, |b| i32::from_le_bytes(b).into()),
        DType::Int64 => read(bytes, |b| i64::from_le_bytes(b) as f64),
        DType::Float32 => read(bytes, |b| f32::from_le_bytes(b).into()),
        DType::UInt8 | DType::Bool => read(bytes, |[b]| b.into()),
        _ => read(bytes, |b| i8::from_le_bytes(b).into()),
    }
}

/// What `verify` says of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The folder's name.
    pub name: String,
    /// Number of cases.
    pub cases: usize,
    /// Number of cases whose outputs are right to the last byte.
    pub passed: usize,
    /// How far the outputs of the others are off.
    #[serde(flatten)]
    pub difference: Difference,
    /// Why the model, or its first bad case, could not be run.
    pub error: Option<String>,
}

impl Report {
    /// Every case passed, and there was one.
    pub fn is_pass(&self) -> bool {
        self.error.is_none() && self.cases > 0 && self.passed == self.cases
    }
}

/// The generator of synthetic inputs: one, seeded with 1, fills all inputs in the model's order.
#[derive(Clone, Debug)]
pub struct Xorshift32(u32);

impl Xorshift32 {
    /// Seeded with 1.
    pub const fn new() -> Self {
        Self(1)
    }

    /// Fills an input.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *byte = self.0 as u8;
        }
    }
}

impl Default for Xorshift32 {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// Splits `CASE.in0.bin`.
fn tensor_file(file: &str) -> Option<(&str, Way, usize)> {
    let (case, tensor) = file.strip_suffix(".bin")?.rsplit_once('.')?;
    let (way, i) = match tensor.strip_prefix("in") {
        Some(i) => (Way::In, i),
        None => (Way::Out, tensor.strip_prefix("out")?),
    };
    Some((case, way, i.parse().ok()?))
}

/// There is exactly one file for each of the model's inputs, or outputs.
fn check_files(case: &str, way: Way, have: &BTreeSet<usize>, need: usize) -> Result<()> {
    let way = way.name();
    if let Some(i) = (0..need).find(|i| !have.contains(i)) {
        bail!("{case}.{way}{i}.bin is missing");
    }
    if let Some(i) = have.range(need..).next() {
        bail!("{case}.{way}{i}.bin belongs to no tensor: the model has {need} {way}puts");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensor_files_are_recognised() {
        assert_eq!(tensor_file("random0.in0.bin"), Some(("random0", Way::In, 0)));
        assert_eq!(tensor_file("a.b.out12.bin"), Some(("a.b", Way::Out, 12)));
        assert_eq!(tensor_file("all256.litert_out0.bin"), None);
        assert_eq!(tensor_file("model.tflite"), None);
    }

    #[test]
    fn cases_need_every_file_and_no_other() {
        let have = [0, 1].into();
        assert!(check_files("k", Way::In, &have, 2).is_ok());
        let text = |need| check_files("k", Way::In, &have, need).unwrap_err().to_string();
        assert_eq!(text(3), "k.in2.bin is missing");
        assert!(text(1).starts_with("k.in1.bin belongs to no tensor"));
    }

    #[test]
    fn differences_are_of_elements() {
        let mut difference = Difference::default();
        difference.add(DType::Int16, &[0, 1, 0, 0], &[0, 0, 2, 0]);
        assert_eq!(difference.mismatched_bytes, 2);
        assert_eq!(difference.max_abs_diff, 256.0);
        difference.add(DType::Int8, &[0xff], &[1]);
        assert_eq!(difference.mismatched_bytes, 3);
        assert_eq!(difference.max_abs_diff, 256.0);
        difference.add(DType::Float32, &f32::NAN.to_le_bytes(), &1f32.to_le_bytes());
        assert_eq!(difference.max_abs_diff, f64::INFINITY);
    }

    #[test]
    fn the_generator_starts_as_the_protocol_says() {
        let mut bytes = [0; 4];
        Xorshift32::new().fill(&mut bytes);
        // 270369, 67634689, 2647435461, 307599695: the known start of xorshift32 from 1.
        assert_eq!(bytes, [0x21, 0x01, 0xc5, 0x4f]);
    }
}
