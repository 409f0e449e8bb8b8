//! `device verify`: golden folders on an emulated board.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::{
    bench,
    firmware::{self, Firmware},
    how::{How, Mode, Reference, Way},
    qemu::{self, Run},
    toolchain::Toolchain,
    work_dir,
};
use crate::golden::{self, Difference, Found};

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

/// What came of one folder.
#[derive(Default)]
struct Outcome {
    cases: usize,
    passed: usize,
    difference: Difference,
    /// What is wrong, beyond bytes that differ.
    errors: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<bool> {
    let verify = Verify::new(args)?;
    let (mut passed, mut failed) = (0, 0);
    let mut fine = true;
    let mut rows = Vec::new();
    for argument in &args.folders {
        let (name, outcome) = match golden::find(argument) {
            Found::Model { name, file } => {
                let outcome = verify.folder(&name, &file);
                (name, outcome)
            }
            Found::Missing { name, why } => (name, Err(anyhow!(why))),
            Found::Skipped { name } => {
                fine &= !bench::skipped(&name);
                rows.push(json!({ "name": name, "skipped": true }));
                continue;
            }
        };
        let outcome = outcome
            .unwrap_or_else(|error| Outcome { errors: vec![format!("{error:#}")], ..Outcome::default() });
        if outcome.is_fine() {
            passed += 1;
        } else {
            failed += 1;
        }
        if !args.json {
            outcome.print(&name);
        }
        rows.push(outcome.json(&name));
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
        let way = args.how.or(Mode::Loaded);
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

    fn folder(&self, name: &str, model: &Path) -> Result<Outcome> {
        let folder = model.parent().context("a file is in a folder")?;
        let folder = fs::canonicalize(folder)?;
        let cases = golden::cases(&folder)?;
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
            Reference::Tflite if self.ops => golden::op_crcs(name)?,
            _ => None,
        };

        // The job, and the outputs, in a folder of this process's own.
        let work = work_dir().join("verify").join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&work)?;
        let work = fs::canonicalize(&work)?;
        let outcome =
            self.run_job(&elf, model, &folder, &work, &cases, expected_ops.is_some()).and_then(|run| {
                let mut outcome = self.compare(model, &folder, &work, &cases, &run)?;
                if let Some(expected) = expected_ops {
                    outcome.errors.extend(bench::compare_ops(&run.op_crcs(), &expected));
                }
                Ok(outcome)
            });
        fs::remove_dir_all(&work)?;
        outcome
    }

    /// Writes the job file and runs the firmware on it; outputs go into `work`.
    fn run_job(
        &self,
        elf: &Path,
        model: &Path,
        folder: &Path,
        work: &Path,
        cases: &BTreeMap<String, golden::Case>,
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
        for case in cases.keys() {
            job += &format!("case {case}\n");
        }
        let file = work.join("job.txt");
        fs::write(&file, job)?;
        qemu::run(self.way.target, elf, Some(&format!("job={}", file.display())), None)
    }

    /// The file with what an output should be.
    fn expected(&self, folder: &Path, case: &str, index: usize) -> String {
        let litert = format!("{case}.litert_out{index}.bin");
        if self.way.reference == Reference::Litert && folder.join(&litert).is_file() {
            return litert;
        }
        format!("{case}.out{index}.bin")
    }

    /// Compares what the device wrote into `work` with what is in the golden folder.
    fn compare(
        &self,
        model: &Path,
        folder: &Path,
        work: &Path,
        cases: &BTreeMap<String, golden::Case>,
        run: &Run,
    ) -> Result<Outcome> {
        let types = firmware::output_types(&fs::read(model)?).unwrap_or_default();
        let inputs = usize::try_from(run.number("inputs")?)?;
        let outputs = usize::try_from(run.number("outputs")?)?;
        let mut reports = BTreeMap::new();
        for (key, value) in &run.lines {
            if let ("case" | "failed", Some((case, rest))) = (key.as_str(), value.split_once(' ')) {
                reports.insert(case, (key == "case").then_some(()).ok_or(rest));
            }
        }
        let mut outcome = Outcome { cases: cases.len(), ..Outcome::default() };
        for (name, case) in cases {
            let before = outcome.difference.mismatched_bytes;
            let compared = case.check(name, inputs, outputs).and_then(|()| {
                match reports.get(name.as_str()) {
                    Some(Ok(())) => {}
                    Some(Err(why)) => return Err(anyhow!("{name}: {why}")),
                    None => return Err(anyhow!("{name}: the firmware did not run it")),
                }
                for index in 0..outputs {
                    let file = format!("{name}.out{index}.bin");
                    let got = fs::read(work.join(&file)).with_context(|| file.clone())?;
                    let file = self.expected(folder, name, index);
                    let want = fs::read(folder.join(&file)).with_context(|| file.clone())?;
                    ensure!(!want.is_empty(), "{file} is empty");
                    let dtype = types.get(index).copied().unwrap_or("int8");
                    outcome.difference.add(&file, dtype, &got, &want)?;
                }
                Ok(())
            });
            match compared {
                Ok(()) if outcome.difference.mismatched_bytes == before => outcome.passed += 1,
                Ok(()) => {}
                Err(error) => outcome.errors.push(format!("{error:#}")),
            }
        }
        Ok(outcome)
    }
}

impl Outcome {
    fn is_fine(&self) -> bool {
        self.errors.is_empty() && self.cases > 0 && self.passed == self.cases
    }

    fn print(&self, name: &str) {
        let verdict = if self.is_fine() { "ok" } else { "FAILED" };
        print!("{name:24} {:>3} of {:>3} cases  {verdict}", self.passed, self.cases);
        if self.difference.mismatched_bytes > 0 {
            print!(
                "  {} bytes differ, by up to {}",
                self.difference.mismatched_bytes, self.difference.max_abs_diff
            );
        }
        println!();
        for error in &self.errors {
            eprintln!("error: {name}: {error}");
        }
    }

    fn json(&self, name: &str) -> Value {
        let difference = self.difference.max_abs_diff;
        // Integers are printed as such.
        let max_abs_diff = if difference.fract() == 0.0 && difference < 9e15 {
            json!(difference as u64)
        } else {
            json!(difference)
        };
        json!({
            "name": name,
            "cases": self.cases,
            "passed": self.passed,
            "mismatched_bytes": self.difference.mismatched_bytes,
            "max_abs_diff": max_abs_diff,
            "error": (!self.errors.is_empty()).then(|| self.errors.join("; ")),
        })
    }
}
