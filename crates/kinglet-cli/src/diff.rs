//! `kinglet diff`: which layer differs from what another runtime gave.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use kinglet::{DType, Interpreter};
use kinglet_cli::golden::{self, Case, Folder};
use kinglet_plan::check::Named;
use kinglet_plan::layout::{Frame, Places as _};
use kinglet_tflite::{Graph, Tensor};
use serde::Serialize;
use zip::ZipArchive;

use crate::args::Diff;
use crate::failure::{Failure, Result};
use crate::model::{ModelFile, Prepared};
use crate::output::{Output, shape, table, thousands};
use crate::{survey, tensor_file};

/// The most positions that are named for one layer.
const POSITIONS: usize = 5;

#[derive(Serialize)]
struct Report {
    equal: bool,
    layers_compared: usize,
    layers_different: usize,
    /// In the order in which the operators run.
    first: Option<Layer>,
    layers: Vec<Layer>,
    /// Operators' outputs that the dump does not have.
    not_in_dump: Vec<String>,
}

/// One output of one operator, over all cases and invocations of the dump.
#[derive(Clone, Debug, Serialize)]
struct Layer {
    op: u32,
    name: String,
    /// Which of the operator's outputs.
    output: usize,
    tensor: u32,
    tensor_name: String,
    dtype: &'static str,
    shape: Vec<u32>,
    /// Values compared.
    values: u64,
    different: u64,
    /// `null` where only one of two values is a number.
    max_abs_diff: f64,
    positions: Vec<Position>,
    #[serde(skip)]
    kind: DType,
}

/// A value that differs.
#[derive(Clone, Debug, Serialize)]
struct Position {
    case: String,
    invocation: usize,
    index: Vec<u32>,
    got: f64,
    want: f64,
}

pub(crate) fn execute(args: &Diff, output: &Output) -> Result<bool> {
    args.how.check()?;
    let file = ModelFile::read(&args.model)?;
    let graph = file.graph()?;
    let prepared = Prepared::new(&file, &args.how.planning(true))?;
    let mut dump = Dump::open(&args.layers)?;
    dump.check_model(&file)?;

    let mut layers = layers(&graph).map_err(|error| file.explain(error))?;
    for (case, invocations) in dump.cases.clone() {
        let mut memory = prepared.memory()?;
        let mut net = prepared.start(&mut memory)?;
        let inputs = inputs(&args.folder, &case, &net, args)?;
        for n in 0..=invocations.last().copied().unwrap_or(0) {
            set_inputs(&mut net, &inputs, n, &args.folder, &case)?;
            // An operator that runs subgraphs is done more than once: the last time counts.
            let mut outputs = BTreeMap::new();
            while let Some(done) = net.step().map_err(|error| Failure::from(error).in_file(&args.model))? {
                let op = done.op;
                if done.op_done && invocations.contains(&n) {
                    keep(&mut outputs, &layers, op, &net, &graph);
                }
            }
            for (i, got) in outputs {
                let Some(layer) = layers.get_mut(i) else { continue };
                let tensor = graph.tensor(layer.tensor).map_err(|error| file.explain(error))?;
                let entry = format!("{case}/{n}/{}", layer.tensor);
                if let Some(want) = dump.tensor(&entry, &tensor)? {
                    layer.add(&case, n, &got, &want);
                }
            }
        }
    }

    let not_in_dump = layers.iter().filter(|layer| layer.values == 0).map(Layer::to_string).collect();
    layers.retain(|layer| layer.values > 0);
    if layers.is_empty() {
        let message =
            "none of the model's layers is in the dump; make one with models/scripts/dump_layers.py";
        return Err(dump.refuse(message));
    }
    let different: Vec<&Layer> = layers.iter().filter(|layer| layer.different > 0).collect();
    let report = Report {
        equal: different.is_empty(),
        layers_compared: layers.len(),
        layers_different: different.len(),
        first: different.first().copied().cloned(),
        not_in_dump,
        layers,
    };
    print(&report, output)?;
    output.object(&report)?;
    Ok(report.equal)
}

/// Every output of every operator.
fn layers(graph: &Graph<'_>) -> std::result::Result<Vec<Layer>, kinglet::ModelError> {
    let mut layers = Vec::new();
    for node in graph.nodes() {
        let node = node?;
        for (output, id) in node.outputs.iter().enumerate() {
            let Some(id) = id else { continue };
            let tensor = graph.tensor(id)?;
            layers.push(Layer {
                op: node.index,
                name: survey::op_name_at(graph, node.index),
                output,
                tensor: id,
                tensor_name: survey::text(tensor.name),
                dtype: tensor.dtype.name(),
                shape: tensor.shape.dims().to_vec(),
                values: 0,
                different: 0,
                max_abs_diff: 0.0,
                positions: Vec::new(),
                kind: tensor.dtype,
            });
        }
    }
    Ok(layers)
}

/// The inputs of one case.
fn inputs(path: &Path, case: &str, net: &Interpreter<'_>, args: &Diff) -> Result<Case> {
    let refuse = |error: anyhow::Error| Failure::io(path, format!("{error:#}"));
    let folder = Folder::open(path).map_err(|error| Failure::io(path, error))?;
    let bytes = |info: Option<kinglet::TensorInfo<'_>>| info.map_or(0, |info| info.bytes);
    let input_bytes: Vec<_> = (0..net.input_count()).map(|i| bytes(net.input_info(i))).collect();
    let output_bytes: Vec<_> = (0..net.output_count()).map(|i| bytes(net.output_info(i))).collect();
    folder.case(case, &input_bytes, &output_bytes, args.how.reference()).map_err(refuse)
}

fn set_inputs(net: &mut Interpreter<'_>, case: &Case, n: usize, folder: &Path, name: &str) -> Result<()> {
    if n >= case.invocations {
        let message = format!("case {name} has {} invocations, the dump more", case.invocations);
        return Err(Failure::io(folder, message));
    }
    for (i, input) in case.inputs.iter().enumerate() {
        if let Some(bytes) = net.input_bytes_mut(i) {
            bytes.copy_from_slice(input.invocation(n));
        }
    }
    Ok(())
}

/// Keeps the outputs of an operator that has just run, by the layer's place in the list.
fn keep(
    outputs: &mut BTreeMap<usize, Vec<u8>>,
    layers: &[Layer],
    op: u32,
    net: &Interpreter<'_>,
    graph: &Graph<'_>,
) {
    let plan = net.plan();
    let places = Named::new(&plan, graph);
    for (i, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.op == op) {
        let Ok(tensor) = graph.tensor(layer.tensor) else { continue };
        let place = places.place(&Frame::default(), &tensor);
        if let Some(bytes) = place.and_then(|place| net.bytes_at(place, tensor.byte_len())) {
            outputs.insert(i, bytes.to_vec());
        }
    }
}

impl Layer {
    fn add(&mut self, case: &str, invocation: usize, got: &[u8], want: &[u8]) {
        let size = (self.kind.bits() as usize / 8).max(1);
        self.values += (got.len() / size) as u64;
        let numbers = |bytes| golden::values(self.kind, bytes).first().copied().unwrap_or(f64::NAN);
        for (i, (a, b)) in got.chunks(size).zip(want.chunks(size)).enumerate() {
            if a == b {
                continue;
            }
            let (got, want) = (numbers(a), numbers(b));
            let difference = match got.is_nan() != want.is_nan() {
                true => f64::INFINITY,
                false => (got - want).abs(),
            };
            self.different += 1;
            self.max_abs_diff = self.max_abs_diff.max(difference);
            if self.positions.len() < POSITIONS {
                let index = position(i, &self.shape);
                self.positions.push(Position { case: case.to_owned(), invocation, index, got, want });
            }
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { op, name, output, tensor_name, .. } = self;
        write!(f, "op {op} {name}, output {output} \"{tensor_name}\"")
    }
}

/// Where element `i` is in a tensor.
fn position(i: usize, dims: &[u32]) -> Vec<u32> {
    let mut rest = i;
    let mut index: Vec<u32> = dims
        .iter()
        .rev()
        .map(|&dim| {
            let dim = (dim as usize).max(1);
            let at = rest % dim;
            rest /= dim;
            at as u32
        })
        .collect();
    index.reverse();
    index
}

/// A dump of layers.
struct Dump {
    path: String,
    archive: ZipArchive<BufReader<File>>,
    /// The cases that it has tensors of, and which invocations of each.
    cases: BTreeMap<String, BTreeSet<usize>>,
}

impl Dump {
    fn open(path: &Path) -> Result<Self> {
        let io = |error: &dyn std::fmt::Display| Failure::io(path, error);
        let file = File::open(path).map_err(|error| io(&error))?;
        let archive = ZipArchive::new(BufReader::new(file))
            .map_err(|error| io(&format!("this is no .npz file: {error}; see kinglet diff --help")))?;
        let mut cases = BTreeMap::<String, BTreeSet<usize>>::new();
        for (case, invocation) in archive.file_names().filter_map(entry) {
            cases.entry(case.to_owned()).or_default().insert(invocation);
        }
        let dump = Self { path: path.display().to_string(), archive, cases };
        if dump.cases.is_empty() {
            return Err(dump.refuse("it has no entries CASE/INVOCATION/TENSOR; see kinglet diff --help"));
        }
        Ok(dump)
    }

    fn refuse(&self, message: impl std::fmt::Display) -> Failure {
        Failure::io(Path::new(&self.path), message)
    }

    /// The dump is of this model, if it says of which it is.
    fn check_model(&mut self, file: &ModelFile) -> Result<()> {
        let Some(entry) = self.entry("model_crc32", 1024)? else {
            return Ok(());
        };
        // The header of a number is of varying length; the number comes last.
        let theirs = entry.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let ours = crc32fast::hash(file.bytes());
        if theirs == ours {
            return Ok(());
        }
        let message = format!(
            "it was made of another file: the CRC-32 of that was {theirs:08x}, that of {} is {ours:08x}",
            file.path().display()
        );
        Err(self.refuse(message))
    }

    /// The tensor of an entry; `None` where there is none.
    fn tensor(&mut self, name: &str, tensor: &Tensor<'_>) -> Result<Option<Vec<u8>>> {
        // A header of .npy has 64 KiB at most in version 1.
        let most = u64::from(tensor.byte_len()) + (1 << 16) + 10;
        let Some(file) = self.entry(name, most)? else {
            return Ok(None);
        };
        let what = format!("the model's tensor \"{}\"", survey::text(tensor.name));
        let data = tensor_file::npy(&file, tensor.dtype, tensor.shape.dims(), &what)
            .map_err(|message| self.refuse(format!("{name}: {message}")))?;
        if data.len() != tensor.byte_len() as usize {
            let message = format!("{name}: {} bytes; {what} has {}", data.len(), tensor.byte_len());
            return Err(self.refuse(message));
        }
        Ok(Some(data.to_vec()))
    }

    /// The bytes of an entry, at most `most` of them.
    fn entry(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let path = Path::new(&self.path);
        let fail = |error: &dyn std::fmt::Display| Failure::io(path, format!("{name}: {error}"));
        let file = match self.archive.by_name(&format!("{name}.npy")) {
            Ok(file) => file,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(fail(&error)),
        };
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).map_err(|error| fail(&error))?;
        Ok(Some(bytes))
    }
}

/// Splits `CASE/INVOCATION/TENSOR.npy`.
fn entry(name: &str) -> Option<(&str, usize)> {
    let (rest, tensor) = name.strip_suffix(".npy")?.rsplit_once('/')?;
    let (case, invocation) = rest.rsplit_once('/')?;
    let _: u32 = tensor.parse().ok()?;
    Some((case, invocation.parse().ok()?))
}

fn print(report: &Report, output: &Output) -> Result<()> {
    let mut rows = table(["#", "op", "tensor", "", "values", "different", "by at most"], &[0, 4, 5, 6]);
    for layer in &report.layers {
        let (different, most) = match layer.different {
            0 => ("-".to_owned(), "-".to_owned()),
            n => (thousands(n), layer.max_abs_diff.to_string()),
        };
        rows.add_row([
            layer.op.to_string(),
            layer.name.clone(),
            layer.tensor_name.split(';').next().unwrap_or_default().to_owned(),
            format!("{} {}", layer.dtype, shape(&layer.shape)),
            thousands(layer.values),
            different,
            most,
        ]);
    }
    output.line(rows.trim_fmt())?;
    output.line("")?;
    for layer in &report.not_in_dump {
        output.line(format_args!("not in the dump: {layer}"))?;
    }
    let Some(first) = &report.first else {
        return output
            .line(format_args!("all {} layers are the same to the last byte", report.layers_compared));
    };
    output.line(format_args!("first to differ: {first}"))?;
    for Position { case, invocation, index, got, want } in &first.positions {
        let index = shape(index);
        output.line(format_args!(
            "  case {case}, invocation {invocation}, {index}: {got}, in the dump {want}"
        ))?;
    }
    let more = first.different - first.positions.len() as u64;
    if more > 0 {
        output.line(format_args!("  and {} more", thousands(more)))?;
    }
    output.line(format_args!("{} of {} layers differ", report.layers_different, report.layers_compared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_recognised() {
        assert_eq!(entry("random0/0/12.npy"), Some(("random0", 0)));
        assert_eq!(entry("a/b/3/12.npy"), Some(("a/b", 3)));
        assert_eq!(entry("model_crc32.npy"), None);
        assert_eq!(entry("x/0/12"), None);
        assert_eq!(entry("x/y/z.npy"), None);
    }

    #[test]
    fn positions_are_row_major() {
        assert_eq!(position(0, &[]), Vec::<u32>::new());
        assert_eq!(position(23, &[1, 2, 3, 4]), [0, 1, 2, 3]);
        assert_eq!(position(4, &[2, 4]), [1, 0]);
    }
}
