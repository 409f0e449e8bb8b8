//! `device verify`: golden folders on an emulated board.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use kinglet::DType;
use kinglet_cli::golden::{Folder, Report};
use serde_json::{Value, json};

use super::{
    bench,
    firmware::{self, Firmware},
    how::{How, Mode, Reference, Way},
    qemu::{self, Run},
    toolchain::Toolchain,
    work_dir,
};
use crate::models::{self, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Golden folders
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Also compare each operator's first output with op_crcs.json, for the networks
    /// it knows
    #[arg(long)]
    ops: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<bool> {
    let verify = Verify::new(args)?;
    let (mut passed, mut failed) = (0, 0);
    let mut fine = true;
    let mut rows = Vec::new();
    for argument in &args.folders {
        let (name, report) = match models::find(argument) {
            Found::Model { name, file } => {
                let report = verify.folder(&name, &file);
                (name, report)
            }
            Found::Missing { name, why } => (name, Err(anyhow!(why))),
            Found::Skipped { name } => {
                fine &= !models::skipped(&name);
                rows.push(json!({ "name": name, "skipped": true }));
                continue;
            }
        };
        let mut report =
            report.unwrap_or_else(|error| Report { error: Some(format!("{error:#}")), ..Report::default() });
        report.name = name;
        if report.is_pass() {
            passed += 1;
        } else {
            failed += 1;
        }
        if !args.json {
            print(&report);
        }
        rows.push(row(&report));
    }
    if args.json {
        println!("{}", json!({ "models": rows, "passed": passed, "failed": failed }));
    } else {
        println!("{passed} models passed, {failed} failed");
    }
    Ok(fine && failed == 0)
}

struct Verify {
    way: Way,
    ops: bool,
    toolchain: Toolchain,
    /// The firmware for every model, in loaded mode.
    loaded: Option<PathBuf>,
}

impl Verify {
    fn new(args: &Args) -> Result<Self> {
        let way = args.how.or(Mode::Loaded, args.ops);
        let toolchain = Toolchain::find(way.target.triple)?;
        let loaded = match way.mode {
            Mode::Static => None,
            Mode::Loaded => {
                let firmware =
                    Firmware { package: "verify", features: "", model: None, ops: None, name: "verify" };
                Some(firmware.build(&toolchain, &way)?)
            }
        };
        Ok(Self { way, ops: args.ops, toolchain, loaded })
    }

    fn folder(&self, name: &str, model: &Path) -> Result<Report> {
        let folder = model.parent().context("a file is in a folder")?;
        let folder = fs::canonicalize(folder)?;
        let golden = Folder::open(&folder).with_context(|| folder.display().to_string())?;
        ensure!(golden.cases().len() > 0, "{} has no cases (CASE.in0.bin, CASE.out0.bin)", folder.display());
        let elf = match &self.loaded {
            Some(elf) => elf.clone(),
            None => {
                let program = format!("{}/verify-{name}", self.way.mode);
                let firmware = Firmware {
                    package: "verify",
                    features: firmware::mode_features(self.way.mode),
                    model: Some(model),
                    ops: None,
                    name: &program,
                };
                firmware.build(&self.toolchain, &self.way)?
            }
        };
        let expected_ops = match self.way.reference {
            Reference::Tflite if self.ops => models::op_crcs(name)?,
            _ => None,
        };

        // The job, and the outputs, in a folder of this process's own.
        let work = work_dir().join("verify").join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&work)?;
        let work = fs::canonicalize(&work)?;
        let report =
            self.run_job(&elf, model, &folder, &work, &golden, expected_ops.is_some()).and_then(|run| {
                let (mut report, mut errors) = self.compare(model, &work, &golden, &run)?;
                if let Some(expected) = expected_ops {
                    errors.extend(bench::compare_ops(&run.op_crcs(), &expected));
                }
                report.error = (!errors.is_empty()).then(|| errors.join("; "));
                Ok(report)
            });
        fs::remove_dir_all(&work)?;
        report
    }

    /// Writes the job file and runs the firmware on it; outputs go into `work`.
    fn run_job(
        &self,
        elf: &Path,
        model: &Path,
        folder: &Path,
        work: &Path,
        golden: &Folder,
        ops: bool,
    ) -> Result<Run> {
        let mut job = String::new();
        if self.loaded.is_some() {
            job += &format!("model {}\n", fs::canonicalize(model)?.display());
            job += &format!("reference {}\n", self.way.reference);
        }
        job += &format!("in {}\nout {}\n", folder.display(), work.display());
        if ops {
            job += "ops\n";
        }
        for case in golden.cases() {
            job += &format!("case {case}\n");
        }
        let file = work.join("job.txt");
        fs::write(&file, job)?;
        qemu::run(self.way.target, elf, Some(&format!("job={}", file.display())), None)
    }

    /// Compares what the device wrote into `work` with what is in the golden folder.
    /// Returns also what is wrong beyond bytes that differ.
    fn compare(
        &self,
        model: &Path,
        work: &Path,
        golden: &Folder,
        run: &Run,
    ) -> Result<(Report, Vec<String>)> {
        let types = firmware::output_types(&fs::read(model)?).unwrap_or_default();
        let inputs = usize::try_from(run.number("inputs")?)?;
        let outputs = usize::try_from(run.number("outputs")?)?;
        let mut ended = BTreeMap::new();
        for (key, value) in &run.lines {
            if let ("case" | "failed", Some((case, rest))) = (key.as_str(), value.split_once(' ')) {
                ended.insert(case, (key == "case").then_some(()).ok_or(rest));
            }
        }
        let mut report = Report { cases: golden.cases().len(), ..Report::default() };
        let mut errors = Vec::new();
        for case in golden.cases() {
            let before = report.difference.mismatched_bytes;
            let compared = golden.check(case, inputs, outputs).and_then(|()| {
                match ended.get(case) {
                    Some(Ok(())) => {}
                    Some(Err(why)) => return Err(anyhow!("{case}: {why}")),
                    None => return Err(anyhow!("{case}: the firmware did not run it")),
                }
                for index in 0..outputs {
                    let file = format!("{case}.out{index}.bin");
                    let got = fs::read(work.join(&file)).with_context(|| file.clone())?;
                    let path = golden.output(case, index, self.way.reference.into());
                    let file = path.file_name().unwrap_or_default().display();
                    let want = fs::read(&path).with_context(|| file.to_string())?;
                    ensure!(!want.is_empty(), "{file} is empty");
                    let same = got.len() == want.len();
                    ensure!(same, "{file} has {} bytes; the model gave {}", want.len(), got.len());
                    let dtype = types.get(index).copied().unwrap_or(DType::Int8);
                    report.difference.add(dtype, &got, &want);
                }
                Ok(())
            });
            match compared {
                Ok(()) if report.difference.mismatched_bytes == before => report.passed += 1,
                Ok(()) => {}
                Err(error) => errors.push(format!("{error:#}")),
            }
        }
        Ok((report, errors))
    }
}

fn print(report: &Report) {
    let verdict = if report.is_pass() { "ok" } else { "FAILED" };
    print!("{:24} {:>3} of {:>3} cases  {verdict}", report.name, report.passed, report.cases);
    let difference = &report.difference;
    if difference.mismatched_bytes > 0 {
        print!("  {} bytes differ, by up to {}", difference.mismatched_bytes, difference.max_abs_diff);
    }
    println!();
    if let Some(error) = &report.error {
        eprintln!("error: {}: {error}", report.name);
    }
}

fn row(report: &Report) -> Value {
    let mut row = json!(report);
    let difference = report.difference.max_abs_diff;
    // Integers are printed as such.
    if difference.fract() == 0.0 && difference < 9e15 {
        row["max_abs_diff"] = json!(difference as u64);
    }
    row
}
