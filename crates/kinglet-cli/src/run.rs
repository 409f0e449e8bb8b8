//! `kinglet run`: a model on tensors from files.

use std::path::PathBuf;
use std::time::Instant;

use kinglet::{DType, Interpreter, TensorInfo};
use kinglet_cli::golden;
use serde::Serialize;
use serde_json::Value;

use crate::args::Run;
use crate::failure::{Failure, Result};
use crate::invoke::{self, OpRun, nanoseconds};
use crate::model::{ModelFile, Prepared};
use crate::output::{Output, shape, thousands, time};
use crate::survey;
use crate::tensor_file;

#[derive(Serialize)]
struct Report {
    outputs: Vec<OutputReport>,
    arena_bytes: usize,
    invoke_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_crc32: Option<Vec<String>>,
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct OutputReport {
    name: String,
    shape: Vec<u32>,
    dtype: &'static str,
    /// `null` when the output is not quantised.
    scale: Option<f64>,
    zero_point: Option<i32>,
    /// In row-major order, as they are: not dequantised.
    values: Vec<Value>,
}

pub(crate) fn execute(args: &Run, output: &Output) -> Result<bool> {
    args.how.check()?;
    let file = ModelFile::read(&args.model)?;
    let graph = file.graph()?;
    let prepared = Prepared::new(&file, &args.how.planning(args.ops))?;
    let mut memory = prepared.memory()?;
    let mut net = prepared.start(&mut memory)?;
    let inputs = read_inputs(&net, &args.inputs)?;
    for (i, input) in inputs.iter().enumerate() {
        if let Some(bytes) = net.input_bytes_mut(i) {
            bytes.copy_from_slice(input);
        }
    }

    let in_file = |error| Failure::from(error).in_file(&args.model);
    let (ops, time) = if args.ops {
        let ops = invoke::by_ops(&mut net).map_err(in_file)?;
        let time = ops.iter().map(|run| run.time).sum();
        (Some(ops), time)
    } else {
        let start = Instant::now();
        net.invoke().map_err(in_file)?;
        (None, start.elapsed())
    };

    let tensors: Vec<(TensorInfo<'_>, &[u8])> =
        (0..net.output_count()).filter_map(|i| Some((net.output_info(i)?, net.output_bytes(i)?))).collect();
    let mut files = Vec::new();
    if let Some(folder) = &args.output_dir {
        let named: Vec<_> =
            tensors.iter().enumerate().map(|(i, (_, bytes))| (format!("out{i}.bin"), *bytes)).collect();
        tensor_file::write_all(folder, &named)?;
        files = named.iter().map(|(name, _)| folder.join(name)).collect();
    }
    let report = Report {
        outputs: tensors.iter().map(|(info, bytes)| OutputReport::new(info, bytes)).collect(),
        arena_bytes: net.usage().arena_bytes,
        invoke_ns: nanoseconds(time),
        op_crc32: ops.as_ref().map(|ops| ops.iter().map(OpRun::crc32).collect()),
        files,
    };
    print(&report, output)?;
    for run in ops.iter().flatten() {
        let name = survey::op_name_at(&graph, run.op);
        output.line(format_args!("op {:<3} {name:<20} CRC-32 {}", run.op, run.crc32()))?;
    }
    output.object(&report)?;
    Ok(true)
}

/// The inputs' bytes, in the model's order.
fn read_inputs(net: &Interpreter<'_>, arguments: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
    let tensors: Vec<_> = (0..net.input_count()).filter_map(|i| net.input_info(i)).collect();
    let mut inputs: Vec<Option<Vec<u8>>> = vec![None; tensors.len()];
    let known = || {
        let names: Vec<_> = tensors.iter().map(|t| survey::text(t.name)).collect();
        match names.len() {
            1 => format!("the model has one input, {}", names.concat()),
            n => format!("the model has {n} inputs: {}", names.join(", ")),
        }
    };
    let mut unnamed = Vec::new();
    for argument in arguments {
        let is_name = |name: &str| net.input_named(name).is_some();
        let Some((name, path)) = tensor_file::split_name(argument, is_name) else {
            unnamed.push(argument);
            continue;
        };
        let i = net.input_named(name).unwrap_or_default();
        if let (Some(slot), Some(tensor)) = (inputs.get_mut(i), tensors.get(i)) {
            if slot.is_some() {
                let message = "the input is given twice; leave one out";
                return Err(Failure::usage(format!("--input {name}"), message));
            }
            *slot = Some(tensor_file::read(path, tensor)?);
        }
    }
    let mut empty = inputs.iter_mut().zip(&tensors).filter(|(slot, _)| slot.is_none());
    for path in unnamed {
        let shown = path.display();
        if path.to_string_lossy().contains('=') && !path.exists() {
            let message = format!("there is no such input and no such file; {}", known());
            return Err(Failure::usage(format!("--input {shown}"), message));
        }
        let Some((slot, tensor)) = empty.next() else {
            let message = format!("one input too many; {}", known());
            return Err(Failure::usage(format!("--input {shown}"), message));
        };
        *slot = Some(tensor_file::read(path, tensor)?);
    }
    let given = inputs.iter().flatten().count();
    let complete: Option<Vec<_>> = inputs.into_iter().collect();
    complete.ok_or_else(|| {
        let message = format!("{given} given; {}: give each as --input [NAME=]FILE", known());
        Failure::usage("--input", message)
    })
}

impl OutputReport {
    fn new(info: &TensorInfo<'_>, bytes: &[u8]) -> Self {
        let is_quantized = info.scale != 0.0;
        Self {
            name: survey::text(info.name),
            shape: info.shape.dims().to_vec(),
            dtype: info.dtype.name(),
            scale: is_quantized.then(|| info.scale.into()),
            zero_point: is_quantized.then_some(info.zero_point),
            values: values(info.dtype, bytes),
        }
    }
}

fn values(dtype: DType, bytes: &[u8]) -> Vec<Value> {
    match dtype {
        DType::Float32 => golden::values(dtype, bytes).into_iter().map(Value::from).collect(),
        // Beyond 53 bits a float would round.
        DType::Int64 => {
            let (elements, _) = bytes.as_chunks();
            elements.iter().map(|&element| i64::from_le_bytes(element).into()).collect()
        }
        DType::Bool => bytes.iter().map(|&byte| (byte != 0).into()).collect(),
        _ => golden::values(dtype, bytes).into_iter().map(|value| (value as i64).into()).collect(),
    }
}

/// The most values that are shown to people.
const SHOWN: usize = 16;

fn print(report: &Report, output: &Output) -> Result<()> {
    for (i, tensor) in report.outputs.iter().enumerate() {
        let mut header = format!("output {i}: {} {} \"{}\"", tensor.dtype, shape(&tensor.shape), tensor.name);
        if let (Some(scale), Some(zero_point)) = (tensor.scale, tensor.zero_point) {
            header.push_str(&format!(", scale {}, zero point {zero_point}", scale as f32));
        }
        output.line(header)?;
        let shown = tensor.values.get(..SHOWN).unwrap_or(&tensor.values);
        let values: Vec<_> = shown.iter().map(Value::to_string).collect();
        let rest = match tensor.values.len() - shown.len() {
            0 => String::new(),
            more => format!(" ... and {more} more (--json shows all)"),
        };
        output.line(format_args!("  values: {}{rest}", values.join(" ")))?;
        if let (Some(scale), Some(zero_point)) = (tensor.scale, tensor.zero_point) {
            let reals: Vec<_> = shown
                .iter()
                .filter_map(Value::as_f64)
                .map(|value| format!("{:.4}", scale * (value - f64::from(zero_point))))
                .collect();
            output.line(format_args!("  real:   {}", reals.join(" ")))?;
        }
    }
    for file in &report.files {
        output.line(format_args!("wrote {}", file.display()))?;
    }
    output.line(format_args!(
        "{}, {} bytes of arena",
        time(report.invoke_ns),
        thousands(report.arena_bytes as u64)
    ))
}
