//! `kinglet verify`: golden folders.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kinglet_cli::golden::{self, Difference, Folder};
use serde::Serialize;
use serde_json::json;

use crate::args::{How, Verify};
use crate::failure::{self, Failure};
use crate::invoke::{self, OpRun};
use crate::model::{ModelFile, Prepared};
use crate::output::Output;

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    golden: golden::Report,
    /// With `--ops`: the checksums found; empty where `op_crcs.json` does not know the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    op_crc32: Option<Vec<String>>,
}

pub(crate) fn execute(args: &Verify, output: &Output) -> failure::Result<bool> {
    args.how.check()?;
    if args.ops && args.how.reference() == kinglet::Reference::Litert {
        let message = "op_crcs.json holds checksums of the tflite reference; leave one of the two out";
        return Err(Failure::usage("--ops with --reference litert", message));
    }
    let mut reports = Vec::new();
    for path in &args.folders {
        let report = verify(path, args);
        output.line(describe(&report))?;
        if let Some(error) = &report.golden.error {
            eprintln!("error: {}: {error}", path.display());
        }
        reports.push(report);
    }
    let passed = reports.iter().filter(|report| report.golden.is_pass()).count();
    let failed = reports.len() - passed;
    output.line(format_args!("{passed} passed, {failed} failed"))?;
    output.object(&json!({ "models": reports, "passed": passed, "failed": failed }))?;
    Ok(failed == 0)
}

fn verify(path: &Path, args: &Verify) -> Report {
    let mut report = Report {
        golden: golden::Report { name: golden::name(path), ..golden::Report::default() },
        op_crc32: None,
    };
    if let Err(error) = run(path, args, &mut report) {
        report.golden.error = Some(format!("{error:#}"));
    }
    report
}

fn run(path: &Path, args: &Verify, report: &mut Report) -> Result<()> {
    let folder = Folder::open(path).context("the folder can't be read")?;
    report.golden.cases = folder.cases().len();
    ensure!(report.golden.cases > 0, "the folder has no cases (CASE.in0.bin, CASE.out0.bin)");
    let without_place = |failure: Failure| anyhow::Error::msg(failure.short());
    let file = ModelFile::read(&folder.model()).map_err(without_place)?;
    let prepared = Prepared::new(&file, &args.how.planning(args.ops)).map_err(without_place)?;

    let mut first_error = None;
    for case in folder.cases() {
        match run_case(&folder, case, &prepared, &args.how) {
            Ok(difference) => {
                if difference.mismatched_bytes == 0 {
                    report.golden.passed += 1;
                }
                report.golden.difference.merge(difference);
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    if args.ops {
        let found = check_ops(&folder, &prepared, &mut report.op_crc32);
        first_error = first_error.or(found.err());
    }
    first_error.map_or(Ok(()), Err)
}

/// Runs a case on a fresh interpreter.
fn run_case(folder: &Folder, case: &str, prepared: &Prepared<'_>, how: &How) -> Result<Difference> {
    let mut memory = prepared.memory()?;
    let mut net = prepared.start(&mut memory)?;
    let inputs = (0..net.input_count()).filter_map(|i| net.input_info(i));
    let outputs = (0..net.output_count()).filter_map(|i| net.output_info(i));
    let input_bytes: Vec<_> = inputs.map(|info| info.bytes).collect();
    let (dtypes, output_bytes): (Vec<_>, Vec<_>) = outputs.map(|info| (info.dtype, info.bytes)).unzip();
    let files = folder.case(case, &input_bytes, &output_bytes, how.reference())?;
    let mut difference = Difference::default();
    for n in 0..files.invocations {
        for (i, input) in files.inputs.iter().enumerate() {
            if let Some(bytes) = net.input_bytes_mut(i) {
                bytes.copy_from_slice(input.invocation(n));
            }
        }
        net.invoke()?;
        for (i, (output, &dtype)) in files.outputs.iter().zip(&dtypes).enumerate() {
            let got = net.output_bytes(i).unwrap_or_default();
            difference.add(dtype, got, output.invocation(n));
        }
    }
    Ok(difference)
}

/// Compares each operator's first output with what `op_crcs.json` says, if it knows the model.
fn check_ops(folder: &Folder, prepared: &Prepared<'_>, found: &mut Option<Vec<String>>) -> Result<()> {
    let Some(want) = folder.op_crcs()? else {
        *found = Some(Vec::new());
        return Ok(());
    };
    let mut memory = prepared.memory()?;
    let mut net = prepared.start(&mut memory)?;
    invoke::fill_inputs(&mut net);
    let got = found.insert(invoke::by_ops(&mut net)?.iter().map(OpRun::crc32).collect());
    ensure!(got.len() == want.len(), "op_crcs.json has {} ops, the model {}", want.len(), got.len());
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        ensure!(
            *got == want.crc32,
            "op {i} ({}): the CRC-32 of its output is {got}; op_crcs.json has {}",
            want.op,
            want.crc32
        );
    }
    Ok(())
}

fn describe(report: &Report) -> String {
    let golden = &report.golden;
    let mut text = format!(
        "{:<5} {:<26} {} of {} cases",
        if golden.is_pass() { "pass" } else { "FAIL" },
        golden.name,
        golden.passed,
        golden.cases,
    );
    let difference = &golden.difference;
    if difference.mismatched_bytes > 0 {
        text.push_str(&format!(
            ", {} bytes differ, by at most {}",
            difference.mismatched_bytes, difference.max_abs_diff
        ));
    }
    match &report.op_crc32 {
        Some(crcs) if crcs.is_empty() => text.push_str(", op_crcs.json does not know its ops"),
        Some(crcs) if golden.is_pass() => {
            text.push_str(&format!(", {} ops right", crcs.len()));
        }
        _ => {}
    }
    text
}
