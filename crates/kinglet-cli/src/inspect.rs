//! `kinglet inspect`: what a model is and what it needs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kinglet::{ErrorKind, Kernel, Plan};
use serde::Serialize;

use crate::arena::ArenaMap;
use crate::args::{Inspect, value_name};
use crate::failure::{Failure, Kind, Result};
use crate::model::{ModelFile, Prepared};
use crate::output::{Output, shape, table, thousands};
use crate::survey::{self, OpReport, TensorReport};
use crate::{svg, tensor_file};

#[derive(Serialize)]
struct Report {
    file: String,
    file_bytes: usize,
    description: String,
    metadata: Vec<String>,
    subgraphs: usize,
    inputs: Vec<Option<TensorReport>>,
    outputs: Vec<Option<TensorReport>>,
    ops: Vec<OpReport>,
    macs: u64,
    weights_bytes: u64,
    target: String,
    mode: String,
    /// `null` where the model is not supported, and so on.
    arena_bytes: Option<usize>,
    state_bytes: Option<usize>,
    plan_bytes: Option<usize>,
    total_bytes: Option<usize>,
    /// The least arena in which no two tensors share a byte.
    floor_bytes: Option<u64>,
    supported: bool,
    unsupported: Vec<String>,
    /// What is planned and run, where channels that are constant are taken out.
    slimmed: Option<SlimmedReport>,
    /// The picture that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    svg: Option<PathBuf>,
}

#[derive(Serialize)]
struct SlimmedReport {
    macs: u64,
    weights_bytes: u64,
    removed: Vec<RemovedReport>,
}

/// Channels of an operator, before and after.
#[derive(Serialize)]
struct RemovedReport {
    op: u32,
    name: &'static str,
    output_channels: (u32, u32),
    input_channels: (u32, u32),
}

/// The model without channels that are constant.
struct Slimmed {
    file: ModelFile,
    report: SlimmedReport,
}

impl Slimmed {
    fn new(file: &ModelFile) -> Result<Self> {
        let slimmed = kinglet_slim::slim(file.bytes()).map_err(|error| file.explain(error))?;
        let file = ModelFile::from_bytes(file.path(), &slimmed.file)?;
        let ops = survey::ops(&file.graph()?).map_err(|error| file.explain(error))?;
        let removed = slimmed.removed.iter().map(|removed| RemovedReport {
            op: removed.op,
            name: removed.name,
            output_channels: removed.outputs,
            input_channels: removed.inputs,
        });
        let report = SlimmedReport {
            macs: survey::total_macs(&ops),
            weights_bytes: survey::weights_bytes(&file.parse()?),
            removed: removed.collect(),
        };
        Ok(Self { file, report })
    }
}

pub(crate) fn execute(args: &Inspect, output: &Output) -> Result<bool> {
    args.how.check()?;
    let file = ModelFile::read(&args.model)?;
    let model = file.parse()?;
    let graph = file.graph()?;
    let mut ops = survey::ops(&graph).map_err(|error| file.explain(error))?;
    let mut unsupported = survey::unsupported(&ops);

    // Some refusals come from the planner, which looks at more than one operator at a time.
    let mut usage = None;
    let mut map = None;
    let planning = args.how.planning(false);
    let mut slimmed = None;
    if unsupported.is_empty() && planning.slim {
        slimmed = Some(Slimmed::new(&file)?);
    }
    if unsupported.is_empty() {
        match Prepared::new(&file, &planning) {
            Ok(prepared) => {
                usage = Some(prepared.usage());
                let mut memory = prepared.memory()?;
                let plan = prepared.start(&mut memory)?.plan();
                name_kernels(&mut ops, &plan);
                // What is planned may be slimmer than the file.
                let planned = slimmed.as_ref().map_or(Ok(graph), |slimmed| slimmed.file.graph())?;
                map = Some(ArenaMap::new(&plan, &planned).map_err(|error| file.explain(error))?);
            }
            Err(failure) if failure.kind == Kind::Model(ErrorKind::Unsupported) => {
                if let Some(op) = failure.op.and_then(|op| ops.get_mut(op as usize)) {
                    op.supported = false;
                    op.reason = Some(failure.short());
                }
                unsupported.push(failure.short());
            }
            Err(failure) => return Err(failure),
        }
    }

    if let Some(path) = &args.svg {
        let Some(map) = &map else {
            let kind = Kind::Model(ErrorKind::Unsupported);
            let message = "kinglet does not run this model, so there is no arena to draw; inspect says why";
            return Err(Failure::new(kind, "--svg", message).in_file(&args.model));
        };
        // The folder tells golden folders apart, whose files have one name.
        let parts: Vec<_> = args.model.iter().map(|part| part.to_string_lossy()).collect();
        let name = parts.get(parts.len().saturating_sub(2)..).unwrap_or_default().join("/");
        tensor_file::write(path, svg::draw(map, &name).as_bytes())?;
    }

    let report = Report {
        file: args.model.display().to_string(),
        file_bytes: file.bytes().len(),
        description: survey::text(model.description()),
        metadata: model.metadata().map(|entry| survey::text(entry.name)).collect(),
        subgraphs: model.subgraph_count(),
        inputs: survey::tensors(&graph, graph.inputs().iter()),
        outputs: survey::tensors(&graph, graph.outputs().iter()),
        macs: survey::total_macs(&ops),
        ops,
        weights_bytes: survey::weights_bytes(&model),
        target: value_name(args.how.target),
        mode: value_name(args.how.mode),
        arena_bytes: usage.map(|usage| usage.arena_bytes),
        state_bytes: usage.map(|usage| usage.state_bytes),
        plan_bytes: usage.map(|usage| usage.plan_bytes),
        total_bytes: usage.map(|usage| usage.total_bytes),
        floor_bytes: map.map(|map| map.floor().0),
        supported: unsupported.is_empty(),
        unsupported,
        slimmed: slimmed.map(|slimmed| slimmed.report),
        svg: args.svg.clone(),
    };
    print(&report, output)?;
    output.object(&report)?;
    Ok(true)
}

/// Which kernel runs each operator, as the plan has it.
fn name_kernels(ops: &mut [OpReport], plan: &Plan<'_>) {
    let kernels: BTreeMap<u32, Kernel> =
        plan.steps().filter_map(|step| Some((step.op.into(), Kernel::from_id(step.kernel)?))).collect();
    for op in ops {
        op.kernel = kernels.get(&op.index).map(|kernel| {
            let path = kernel.path();
            path.rsplit("::").next().unwrap_or(path)
        });
    }
}

fn print(report: &Report, output: &Output) -> Result<()> {
    output.line(format_args!(
        "{}: {} bytes{}{}",
        report.file,
        thousands(report.file_bytes as u64),
        if report.description.is_empty() { "" } else { ", " },
        report.description,
    ))?;
    if report.subgraphs > 1 {
        output.line(format_args!("{} subgraphs; the first is the one that runs", report.subgraphs))?;
    }
    for (way, tensors) in [("input", &report.inputs), ("output", &report.outputs)] {
        for (i, tensor) in tensors.iter().enumerate() {
            output.line(format_args!("{way} {i}: {}", describe(tensor.as_ref())))?;
        }
    }
    output.line("")?;

    let mut rows = table(["#", "op", "input", "output", "MACs", "kernel"], &[0, 4]);
    let mut subgraph = 0;
    for op in &report.ops {
        if op.subgraph != subgraph {
            subgraph = op.subgraph;
            let heading = format!("subgraph {subgraph}:");
            rows.add_row([
                String::new(),
                heading,
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
        rows.add_row([
            op.index.to_string(),
            op.name.clone(),
            first_shape(&op.inputs),
            first_shape(&op.outputs),
            op.macs.map_or_else(|| "?".to_owned(), thousands),
            match (op.supported, op.kernel) {
                (false, _) => "NOT SUPPORTED",
                (true, kernel) => kernel.unwrap_or("-"),
            }
            .to_owned(),
        ]);
    }
    output.line(rows.trim_fmt())?;
    output.line("")?;

    output.line(format_args!(
        "{} ops, {} multiply-accumulates, {} bytes of weights",
        report.ops.len(),
        thousands(report.macs),
        thousands(report.weights_bytes),
    ))?;
    if let Some(slimmed) = report.slimmed.as_ref().filter(|slimmed| !slimmed.removed.is_empty()) {
        output.line(format_args!(
            "slimmed: {} multiply-accumulates, {} bytes of weights; constant channels taken out of",
            thousands(slimmed.macs),
            thousands(slimmed.weights_bytes),
        ))?;
        for removed in &slimmed.removed {
            let (outputs, inputs) = (removed.output_channels, removed.input_channels);
            output.line(format_args!(
                "  op {} {}: {} of {} outputs left, {} of {} inputs",
                removed.op, removed.name, outputs.1, outputs.0, inputs.1, inputs.0,
            ))?;
        }
    }
    if let (Some(arena), Some(state), Some(plan), Some(total)) =
        (report.arena_bytes, report.state_bytes, report.plan_bytes, report.total_bytes)
    {
        let number = |bytes: usize| thousands(bytes as u64);
        output.line(format_args!(
            "{} mode: arena {} bytes, state {}, plan {}; RAM to give: {} bytes",
            report.mode,
            number(arena),
            number(state),
            number(plan),
            number(total),
        ))?;
        if let Some(floor) = report.floor_bytes {
            let floor = thousands(floor);
            output.line(format_args!("layer-wise floor: {floor} bytes, alive at the widest step"))?;
        }
        if let Some(file) = &report.svg {
            output.line(format_args!("wrote {}", file.display()))?;
        }
        return output.line("supported: yes");
    }
    output.line("supported: no")?;
    for reason in &report.unsupported {
        output.line(format_args!("  {reason}"))?;
    }
    Ok(())
}

fn first_shape(tensors: &[Option<TensorReport>]) -> String {
    match tensors.first() {
        Some(Some(tensor)) => format!("{} {}", tensor.dtype, shape(&tensor.shape)),
        _ => "-".to_owned(),
    }
}

fn describe(tensor: Option<&TensorReport>) -> String {
    let Some(tensor) = tensor else {
        return "can't be read".to_owned();
    };
    let mut text = format!("{} {} \"{}\"", tensor.dtype, shape(&tensor.shape), tensor.name);
    if let (Some(scale), Some(zero_point)) = (tensor.scale, tensor.zero_point) {
        text.push_str(&format!(", scale {}, zero point {zero_point}", scale as f32));
    }
    text
}
