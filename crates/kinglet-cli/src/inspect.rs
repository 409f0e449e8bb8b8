//! `kinglet inspect`: what a model is and what it needs.

use std::collections::BTreeMap;

use kinglet::{ErrorKind, Kernel};
use serde::Serialize;

use crate::args::{Inspect, value_name};
use crate::failure::{Kind, Result};
use crate::model::{ModelFile, Prepared};
use crate::output::{Output, shape, table, thousands};
use crate::survey::{self, OpReport, TensorReport};

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
    supported: bool,
    unsupported: Vec<String>,
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
    if unsupported.is_empty() {
        match Prepared::new(&file, args.how.mode, &args.how.options()) {
            Ok(prepared) => {
                usage = Some(prepared.usage());
                name_kernels(&mut ops, &prepared)?;
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
        supported: unsupported.is_empty(),
        unsupported,
    };
    print(&report, output)?;
    output.object(&report)?;
    Ok(true)
}

/// Which kernel runs each operator, as the plan has it.
fn name_kernels(ops: &mut [OpReport], prepared: &Prepared<'_>) -> Result<()> {
    let mut memory = prepared.memory()?;
    let net = prepared.start(&mut memory)?;
    let kernels: BTreeMap<u32, Kernel> =
        net.plan().steps().filter_map(|step| Some((step.op.into(), Kernel::from_id(step.kernel)?))).collect();
    for op in ops {
        op.kernel = kernels.get(&op.index).map(|kernel| {
            let path = kernel.path();
            path.rsplit("::").next().unwrap_or(path)
        });
    }
    Ok(())
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
        output.line(format_args!("{} subgraphs; the first is shown", report.subgraphs))?;
    }
    for (way, tensors) in [("input", &report.inputs), ("output", &report.outputs)] {
        for (i, tensor) in tensors.iter().enumerate() {
            output.line(format_args!("{way} {i}: {}", describe(tensor.as_ref())))?;
        }
    }
    output.line("")?;

    let mut rows = table(["#", "op", "input", "output", "MACs", "kernel"], &[0, 4]);
    for op in &report.ops {
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
