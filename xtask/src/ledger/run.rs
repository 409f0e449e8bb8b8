//! Running golden folders, with the kernels of every family.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result};
use kinglet::{AllOps, ErrorKind, Interpreter, PlanError, Reference, Target};
use kinglet_build::{Arguments, Compiled};
use kinglet_cli::golden::{Difference, Folder};

use super::Entry;

/// What became of a golden folder.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) outcome: Outcome,
    /// Kernels that are not the portable ones, as "family: name".
    pub(super) fast: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum Outcome {
    /// Every byte of every invocation is right, with every family's kernels.
    #[default]
    Exact,
    /// The largest difference.
    Differs(f64),
    /// kinglet says that it does not have this, and why.
    Refused(String),
    /// It could not be run, and that is no refusal.
    Broken(String),
}

/// Runs all folders, on all processors.
pub(super) fn all(folder: &Path, entries: &[Entry]) -> Result<Vec<Run>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = entries.get(i) else { return done };
            done.push((i, one(&folder.join(&entry.name))));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut results: Vec<(usize, Run)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().ok().context("a run panicked"))
            .collect::<Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    results.sort_by_key(|(i, _)| *i);
    Ok(results.into_iter().map(|(_, run)| run).collect())
}

fn one(path: &Path) -> Run {
    let mut run = Run::default();
    let mut ran = BTreeSet::new();
    for target in Target::DEVICES {
        let mut arguments = Arguments::default();
        arguments.target = Some(target);
        let file = match fs::read(path.join("model.tflite")) {
            Ok(file) => file,
            Err(error) => {
                run.outcome = Outcome::Broken(error.to_string());
                return run;
            }
        };
        let compiled = match kinglet_build::plan(&file, &arguments) {
            Ok(compiled) => compiled,
            Err(error) => {
                run.outcome = refusal(&error);
                return run;
            }
        };
        for kernel in compiled.kernels.iter().filter(|kernel| kernel.target() != Target::Portable) {
            let path = kernel.path();
            let name = path.rsplit("::").next().unwrap_or(path);
            run.fast.insert(format!("{}: {name}", kernel.target().name()));
        }
        // Most families have most plans in common.
        if !ran.insert(compiled.plan.clone()) {
            continue;
        }
        match difference(path, &compiled) {
            Ok(found) if found.mismatched_bytes == 0 => {}
            Ok(found) => {
                run.outcome = Outcome::Differs(found.max_abs_diff);
                return run;
            }
            Err(error) => {
                run.outcome = Outcome::Broken(format!("{error:#}"));
                return run;
            }
        }
    }
    run
}

/// The reason alone: without the operator's place, which says nothing in a model of one operator.
fn refusal(error: &PlanError) -> Outcome {
    match error {
        PlanError::Model(error) if error.kind() == ErrorKind::Unsupported => {
            Outcome::Refused(error.reason.text().to_owned())
        }
        error => Outcome::Broken(error.to_string()),
    }
}

/// Runs every case on a fresh interpreter.
fn difference(path: &Path, compiled: &Compiled) -> Result<Difference> {
    let folder = Folder::open(path)?;
    anyhow::ensure!(folder.cases().len() > 0, "the folder has no cases");
    let plan = Aligned::new(&compiled.plan);
    let constants = Aligned::new(&compiled.constants);
    let mut total = Difference::default();
    for case in folder.cases() {
        let mut memory =
            Aligned::new(&vec![0; compiled.state_bytes.next_multiple_of(16) + compiled.arena_bytes]);
        let mut net: Interpreter<'_, AllOps> =
            Interpreter::from_plan(plan.bytes(), constants.bytes(), memory.bytes_mut())?;
        let inputs: Vec<_> =
            (0..net.input_count()).filter_map(|i| net.input_info(i)).map(|info| info.bytes).collect();
        let outputs: Vec<_> = (0..net.output_count()).filter_map(|i| net.output_info(i)).collect();
        let output_bytes: Vec<_> = outputs.iter().map(|info| info.bytes).collect();
        let files = folder.case(case, &inputs, &output_bytes, Reference::Tflite)?;
        for n in 0..files.invocations {
            for (i, input) in files.inputs.iter().enumerate() {
                if let Some(bytes) = net.input_bytes_mut(i) {
                    bytes.copy_from_slice(input.invocation(n));
                }
            }
            net.invoke()?;
            for (i, (output, info)) in files.outputs.iter().zip(&outputs).enumerate() {
                total.add(info.dtype, net.output_bytes(i).unwrap_or_default(), output.invocation(n));
            }
        }
    }
    Ok(total)
}

/// Bytes at a multiple of 64.
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    fn new(from: &[u8]) -> Self {
        let mut bytes = vec![0; from.len() + 64];
        let start = bytes.as_ptr().align_offset(64).min(64);
        if let Some(place) = bytes.get_mut(start..start + from.len()) {
            place.copy_from_slice(from);
        }
        Self { bytes, start, len: from.len() }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..self.start + self.len).unwrap_or_default()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.start + self.len).unwrap_or_default()
    }
}
