//! `kinglet bench`: how long a model takes on this machine.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use serde::Serialize;

use crate::args::{Bench, Mode, value_name};
use crate::failure::{Failure, Result};
use crate::invoke::{self, nanoseconds};
use crate::model::{ModelFile, Prepared};
use crate::output::{Output, table, thousands, time};
use crate::survey;

/// Loads are short: the best of some is what loading takes.
const LOADS: u32 = 20;

/// The least time that is measured, in nanoseconds.
const MIN_TIMED_NS: u64 = 20_000;

#[derive(Serialize)]
struct Report {
    median_ns: u64,
    min_ns: u64,
    load_ns: u64,
    runs: u32,
    isa: &'static str,
    mode: String,
    arena_bytes: usize,
    macs: u64,
    /// Multiply-accumulates a second with dot products in registers alone, where the family has them.
    peak_macs_per_second: Option<u64>,
    ops: Vec<OpTime>,
}

#[derive(Serialize)]
struct OpTime {
    name: String,
    macs: Option<u64>,
    median_ns: u64,
}

pub(crate) fn execute(args: &Bench, output: &Output) -> Result<bool> {
    args.how.check_for_timing()?;
    let file = ModelFile::read(&args.model)?;
    let prepared = Prepared::new(&file, &args.how.planning(false))?;
    let graph = file.graph()?;
    let ops = survey::ops(&graph).map_err(|error| file.explain(error))?;
    let mut memory = prepared.memory()?;

    let mut load_ns = u64::MAX;
    for _ in 0..LOADS {
        let start = Instant::now();
        black_box(prepared.start(&mut memory)?);
        load_ns = load_ns.min(nanoseconds(start.elapsed()));
    }

    let in_file = |error| Failure::from(error).in_file(&args.model);
    let mut net = prepared.start(&mut memory)?;
    // Reading the clock takes as long as a tiny model: several runs are timed together.
    let mut run = |times: u64| -> Result<u64> {
        // The last run may have overwritten the inputs.
        invoke::fill_inputs(&mut net);
        let start = Instant::now();
        for _ in 0..times {
            net.invoke().map_err(in_file)?;
        }
        Ok(nanoseconds(start.elapsed()).checked_div(times).unwrap_or(0))
    };
    run(1)?;
    let together = (MIN_TIMED_NS / run(1)?.max(1)).clamp(1, 1000);
    let mut times = (0..args.runs).map(|_| run(together)).collect::<Result<Vec<_>>>()?;

    let mut op_times = BTreeMap::<u32, Vec<u64>>::new();
    for _ in 0..args.runs {
        invoke::fill_inputs(&mut net);
        for run in invoke::times(&mut net).map_err(in_file)? {
            op_times.entry(run.op).or_default().push(nanoseconds(run.time));
        }
    }
    let ops = op_times
        .into_iter()
        .filter_map(|(op, mut times)| {
            let report = ops.get(op as usize)?;
            Some(OpTime { name: report.name.clone(), macs: report.macs, median_ns: median(&mut times) })
        })
        .collect::<Vec<_>>();

    let report = Report {
        median_ns: median(&mut times),
        min_ns: times.iter().copied().min().unwrap_or(0),
        load_ns,
        runs: args.runs,
        isa: args.how.family().name(),
        mode: value_name(args.how.mode),
        arena_bytes: prepared.usage().arena_bytes,
        macs: ops.iter().filter_map(|op| op.macs).sum(),
        peak_macs_per_second: peak(args.how.family()),
        ops,
    };
    print(&report, args, output)?;
    output.object(&report)?;
    Ok(true)
}

/// The best of some runs of dot products in registers.
fn peak(family: kinglet::Target) -> Option<u64> {
    let once = || {
        let start = Instant::now();
        let (macs, _) = black_box(family.dot_products(black_box(20_000)))?;
        Some(macs.saturating_mul(1_000_000_000) / nanoseconds(start.elapsed()).max(1))
    };
    (0..LOADS).filter_map(|_| once()).max()
}

fn median(times: &mut [u64]) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}

fn print(report: &Report, args: &Bench, output: &Output) -> Result<()> {
    let mut rows = table(["#", "op", "MACs", "median", "share"], &[0, 2, 3, 4]);
    let total: u64 = report.ops.iter().map(|op| op.median_ns).sum();
    for (i, op) in report.ops.iter().enumerate() {
        let share = op.median_ns as f64 / total.max(1) as f64;
        rows.add_row([
            i.to_string(),
            op.name.clone(),
            op.macs.map_or_else(|| "?".to_owned(), thousands),
            time(op.median_ns),
            format!("{:.1} %", 100.0 * share),
        ]);
    }
    output.line(rows.trim_fmt())?;
    output.line("")?;
    output.line(format_args!(
        "invoke: median {}, least {} ({} runs, {} kernels, one thread)",
        time(report.median_ns),
        time(report.min_ns),
        report.runs,
        report.isa,
    ))?;
    let load = match args.how.mode {
        Mode::Loaded => "parse, check and plan",
        Mode::Static => "load a plan that was made before",
    };
    output.line(format_args!("{load}: {}", time(report.load_ns)))?;
    let per_second = report.macs as f64 / report.median_ns.max(1) as f64;
    output.line(format_args!(
        "{} multiply-accumulates, {per_second:.2} billion a second; {} bytes of arena",
        thousands(report.macs),
        thousands(report.arena_bytes as u64),
    ))
}
