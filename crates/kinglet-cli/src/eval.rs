//! `kinglet eval`: a model over a data set, on all cores.

use std::fs;
use std::io::IsTerminal as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use kinglet::{DType, Interpreter};
use npyz::{NpyFile, NpyHeader};
use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use serde::Serialize;

use crate::args::Eval;
use crate::failure::{Failure, Kind, Result};
use crate::model::{ModelFile, OwnMemory, Prepared};
use crate::output::{Output, table, thousands};
use crate::tensor_file;

/// Samples that a thread takes at a time.
const BLOCK: usize = 32;

#[derive(Serialize)]
struct Report {
    samples: usize,
    threads: usize,
    seconds: f64,
    samples_per_second: f64,
    /// Of all outputs, one after the other: the same whatever the number of threads.
    output_crc32: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correct: Option<usize>,
    classes: Vec<String>,
    /// Row: the label; column: what the model says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confusion: Vec<Vec<u64>>,
    predictions: Vec<usize>,
}

/// The samples of a data set.
enum Samples {
    /// All in one block, each of so many bytes.
    Batch {
        bytes: Vec<u8>,
        size: usize,
    },
    Files(Vec<PathBuf>),
}

struct DataSet {
    samples: Samples,
    /// The class of each sample, where known.
    labels: Option<Vec<usize>>,
    /// Names of classes, where folders give them.
    classes: Vec<String>,
}

impl DataSet {
    fn len(&self) -> usize {
        match &self.samples {
            Samples::Batch { bytes, size } => bytes.len().checked_div(*size).unwrap_or(0),
            Samples::Files(files) => files.len(),
        }
    }
}

pub(crate) fn execute(args: &Eval, output: &Output) -> Result<bool> {
    args.how.check_for_timing()?;
    let file = ModelFile::read(&args.model)?;
    let prepared = Prepared::new(&file, &args.how.planning(false))?;
    let mut memory = prepared.memory()?;
    let data = {
        let net = prepared.start(&mut memory)?;
        data_set(&args.data, args.labels.as_deref(), &net)?
    };
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Failure::new(Kind::Io, "threads", format!("{error}; give fewer with --threads")))?;

    let bar = progress(data.len(), output);
    let start = Instant::now();
    let blocks: Vec<Vec<u8>> = pool.install(|| {
        (0..data.len().div_ceil(BLOCK))
            .into_par_iter()
            .with_max_len(1)
            .map_init(
                || prepared.memory(),
                |memory, block| {
                    let memory = memory.as_mut().map_err(|failure| failure.clone())?;
                    let samples = block * BLOCK..((block + 1) * BLOCK).min(data.len());
                    let count = samples.len();
                    let outputs = run_block(&prepared, memory, &data.samples, samples)?;
                    bar.inc(count as u64);
                    Ok(outputs)
                },
            )
            .collect::<Result<_>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();

    let net = prepared.start(&mut memory)?;
    let info = net.output_info(0).ok_or_else(|| Failure::usage(args.model.display(), "it has no output"))?;
    let (dtype, bytes) = (info.dtype, info.bytes.max(1));
    let mut crc = crc32fast::Hasher::new();
    blocks.iter().for_each(|block| crc.update(block));
    let outputs = blocks.iter().flat_map(|block| block.chunks_exact(bytes));
    let predictions = outputs.map(|output| greatest(dtype, output)).collect::<Result<Vec<_>>>()?;
    if let Some(path) = &args.output {
        tensor_file::write(path, &blocks.concat())?;
    }

    let report = report(&data, predictions, threads, seconds, crc.finalize());
    print(&report, output)?;
    output.object(&report)?;
    Ok(true)
}

fn progress(samples: usize, output: &Output) -> ProgressBar {
    if output.is_json() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(samples as u64);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Runs some samples, each as the first of a fresh interpreter; gives their first outputs.
fn run_block(
    prepared: &Prepared<'_>,
    memory: &mut OwnMemory,
    samples: &Samples,
    range: std::ops::Range<usize>,
) -> Result<Vec<u8>> {
    let mut net = prepared.start(memory)?;
    let mut outputs = Vec::new();
    for i in range {
        net.reset();
        match samples {
            Samples::Batch { bytes, size } => {
                let sample = bytes.get(i * size..(i + 1) * size).unwrap_or_default();
                fill(&mut net, sample)?;
            }
            Samples::Files(files) => {
                let path = files.get(i).map(PathBuf::as_path).unwrap_or(Path::new(""));
                let info = net.input_info(0).ok_or_else(no_input)?;
                let sample = tensor_file::read(path, &info)?;
                fill(&mut net, &sample)?;
            }
        }
        net.invoke()?;
        outputs.extend_from_slice(net.output_bytes(0).unwrap_or_default());
    }
    Ok(outputs)
}

fn fill(net: &mut Interpreter<'_>, sample: &[u8]) -> Result<()> {
    let input = net.input_bytes_mut(0).ok_or_else(no_input)?;
    if input.len() != sample.len() {
        return Err(no_input());
    }
    input.copy_from_slice(sample);
    Ok(())
}

fn no_input() -> Failure {
    Failure::usage("the model", "its first input can't be written; eval wants a model with one input")
}

/// The number of the greatest element, the first of several.
fn greatest(dtype: DType, bytes: &[u8]) -> Result<usize> {
    fn first_max<const N: usize, T: PartialOrd>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> usize {
        let mut best: Option<(usize, T)> = None;
        for (i, chunk) in bytes.as_chunks::<N>().0.iter().enumerate() {
            let value = read(*chunk);
            if best.as_ref().is_none_or(|(_, best)| value > *best) {
                best = Some((i, value));
            }
        }
        best.map_or(0, |(i, _)| i)
    }
    Ok(match dtype {
        DType::Int8 => first_max(bytes, i8::from_le_bytes),
        DType::UInt8 => first_max(bytes, u8::from_le_bytes),
        DType::Int16 => first_max(bytes, i16::from_le_bytes),
        DType::Int32 => first_max(bytes, i32::from_le_bytes),
        DType::Float32 => first_max(bytes, f32::from_le_bytes),
        _ => return Err(Failure::usage("the model's output", format!("{dtype} has no greatest element"))),
    })
}

/// A .npy with all samples; a folder of files; or a folder of folders, one a class.
fn data_set(path: &Path, labels: Option<&Path>, net: &Interpreter<'_>) -> Result<DataSet> {
    let input = net.input_info(0).filter(|_| net.input_count() == 1).ok_or_else(no_input)?;
    let (samples, mut found, classes) = if path.is_dir() {
        let folders: Vec<PathBuf> = entries(path)?.into_iter().filter(|entry| entry.is_dir()).collect();
        if folders.is_empty() {
            (Samples::Files(files(path)?), None, Vec::new())
        } else {
            let (mut all, mut classes, mut names) = (Vec::new(), Vec::new(), Vec::new());
            for (class, folder) in folders.iter().enumerate() {
                let files = files(folder)?;
                classes.extend(files.iter().map(|_| class));
                all.extend(files);
                names.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
            (Samples::Files(all), Some(classes), names)
        }
    } else {
        let bytes = fs::read(path).map_err(|error| Failure::io(path, error))?;
        let refuse = |message: String| Failure::usage(path.display(), message);
        let header = NpyHeader::from_reader(bytes.as_slice())
            .map_err(|error| refuse(format!("this is no .npy file: {error}; give one, or a folder")))?;
        let mut dims = input.shape.dims().to_vec();
        if let (Some(first), Some(&count)) = (dims.first_mut(), header.shape().first()) {
            if *first != 1 {
                return Err(refuse(format!("the model takes {first} samples at a time; eval wants 1")));
            }
            *first = u32::try_from(count).map_err(|_| refuse("it holds too many samples".to_owned()))?;
        }
        let data = tensor_file::npy(&bytes, input.dtype, &dims, "the batch").map_err(refuse)?;
        (Samples::Batch { bytes: data.to_vec(), size: input.bytes }, None, Vec::new())
    };
    if let Some(path) = labels {
        found = Some(read_labels(path)?);
    }
    let data = DataSet { samples, labels: found, classes };
    match &data.labels {
        _ if data.len() == 0 => Err(Failure::usage(path.display(), "it holds no samples")),
        Some(labels) if labels.len() != data.len() => {
            let message = format!("there are {} labels for {} samples", labels.len(), data.len());
            Err(Failure::usage("--labels", message))
        }
        _ => Ok(data),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |error| Failure::io(folder, error);
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>())
        .map_err(io)?;
    entries.sort();
    Ok(entries)
}

/// The samples of a folder, by name; hidden files are none.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_sample = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default();
        path.is_file() && (extension.eq_ignore_ascii_case("npy") || extension.eq_ignore_ascii_case("bin"))
    };
    Ok(entries(folder)?.into_iter().filter(is_sample).collect())
}

/// Class numbers: integers in a .npy, or in a text file, one a line.
fn read_labels(path: &Path) -> Result<Vec<usize>> {
    let bytes = fs::read(path).map_err(|error| Failure::io(path, error))?;
    let refuse = |message: String| Failure::usage(path.display(), message);
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        fn integers<T: npyz::Deserialize + TryInto<usize>>(bytes: &[u8]) -> Option<Vec<usize>> {
            let values = NpyFile::new(bytes).ok()?.into_vec::<T>().ok()?;
            values.into_iter().map(|value| value.try_into().ok()).collect()
        }
        return integers::<i64>(&bytes)
            .or_else(|| integers::<i32>(&bytes))
            .or_else(|| integers::<u8>(&bytes))
            .or_else(|| integers::<i8>(&bytes))
            .ok_or_else(|| {
                refuse("labels are class numbers: int64, int32, int8 or uint8, not negative".into())
            });
    }
    let text = String::from_utf8(bytes).map_err(|_| refuse("this is neither text nor .npy".to_owned()))?;
    let number = |(i, line): (usize, &str)| {
        line.trim().parse().map_err(|_| refuse(format!("line {}: {line:?} is no class number", i + 1)))
    };
    text.lines().enumerate().map(number).collect()
}

fn report(data: &DataSet, predictions: Vec<usize>, threads: usize, seconds: f64, crc32: u32) -> Report {
    let mut report = Report {
        samples: data.len(),
        threads,
        seconds,
        samples_per_second: data.len() as f64 / seconds.max(1e-9),
        output_crc32: format!("{crc32:08x}"),
        accuracy: None,
        correct: None,
        classes: data.classes.clone(),
        confusion: Vec::new(),
        predictions,
    };
    let Some(labels) = &data.labels else { return report };
    let classes = labels.iter().chain(&report.predictions).max().map_or(0, |greatest| greatest + 1);
    report.classes.extend((report.classes.len()..classes).map(|class| class.to_string()));
    report.confusion = vec![vec![0; report.classes.len()]; report.classes.len()];
    for (&label, &prediction) in labels.iter().zip(&report.predictions) {
        if let Some(count) = report.confusion.get_mut(label).and_then(|row| row.get_mut(prediction)) {
            *count += 1;
        }
    }
    let correct =
        labels.iter().zip(&report.predictions).filter(|(label, prediction)| label == prediction).count();
    report.correct = Some(correct);
    report.accuracy = Some(correct as f64 / data.len().max(1) as f64);
    report
}

fn print(report: &Report, output: &Output) -> Result<()> {
    if !report.confusion.is_empty() {
        let numbers: Vec<usize> = (1..=report.classes.len()).collect();
        let mut rows = table(["label"], &[]);
        rows.set_header(std::iter::once("label").chain(report.classes.iter().map(String::as_str)));
        for column in numbers {
            if let Some(column) = rows.column_mut(column) {
                column.set_cell_alignment(comfy_table::CellAlignment::Right);
            }
        }
        for (name, row) in report.classes.iter().zip(&report.confusion) {
            rows.add_row(std::iter::once(name.clone()).chain(row.iter().map(u64::to_string)));
        }
        output.line(rows.trim_fmt())?;
        output.line("")?;
    }
    if let (Some(accuracy), Some(correct)) = (report.accuracy, report.correct) {
        output.line(format_args!(
            "accuracy: {:.2} % ({} of {})",
            100.0 * accuracy,
            thousands(correct as u64),
            thousands(report.samples as u64),
        ))?;
    }
    output.line(format_args!(
        "{} samples in {:.3} s on {} threads: {} a second; outputs {}",
        thousands(report.samples as u64),
        report.seconds,
        report.threads,
        thousands(report.samples_per_second as u64),
        report.output_crc32,
    ))
}
