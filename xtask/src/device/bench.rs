//! `device bench`: what one warm `invoke` costs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use kinglet_cli::golden::OpCrc;
use serde_json::{Value, json};

use super::{
    elf,
    firmware::{self, Firmware},
    how::{How, Mode, Reference, Way},
    qemu,
    target::{self, Target},
    toolchain::Toolchain,
};
use crate::models::{self, Found};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// .tflite files or golden folders
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Also the checksum of each operator's first output, compared with op_crcs.json
    /// for the networks it knows
    #[arg(long)]
    ops: bool,
    /// Also the N functions that take the most cycles
    #[arg(long, value_name = "N")]
    functions: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is measured of one model.
struct Figures {
    elf: PathBuf,
    region: Option<qemu::Region>,
    arena_bytes: u64,
    state_bytes: u64,
    plan_bytes: u64,
    total_bytes: u64,
    ram_bytes: u64,
    stack_bytes: u64,
    flash_bytes: u64,
    model_bytes: u64,
    crc32: String,
    op_crc32: Option<Vec<String>>,
    /// The boards it ran on.
    boards: Vec<&'static str>,
    /// What is wrong with the outputs.
    wrong: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<bool> {
    let way = args.how.or(Mode::Static, args.ops);
    let (target, mode) = (way.target, way.mode);
    let bench = Bench::new(way, args.ops)?;
    let mut fine = true;
    let mut rows = Vec::new();
    if !args.json {
        println!("{}, {mode} mode, rustc {}", target.name, bench.toolchain.name());
        println!("{}", heading());
    }
    for argument in &args.models {
        let (name, outcome) = match models::find(argument) {
            Found::Model { name, file } => {
                let outcome = bench.measure(&name, &file);
                (name, outcome)
            }
            Found::Missing { name, why } => (name, Err(anyhow::anyhow!(why))),
            Found::Skipped { name } => {
                fine &= !models::skipped(&name);
                rows.push(json!({ "name": name, "skipped": true }));
                continue;
            }
        };
        let error = match &outcome {
            Ok(figures) => figures.wrong.clone(),
            Err(error) => Some(format!("{error:#}")),
        };
        if !args.json
            && let Ok(figures) = &outcome
        {
            println!("{}", figures.line(&name));
            figures.print_more(args.functions.unwrap_or(0));
        }
        if let Some(error) = &error {
            fine = false;
            eprintln!("error: {name}: {error}");
        }
        let mut row = match &outcome {
            Ok(figures) => figures.json(args.functions),
            Err(_) => Figures::no_json(),
        };
        row["name"] = json!(name);
        row["error"] = json!(error);
        rows.push(row);
    }
    if args.json {
        println!(
            "{}",
            json!({
                "target": target.name,
                "mode": mode.to_string(),
                "reference": way.reference.to_string(),
                "rustc": bench.toolchain.name(),
                "models": rows,
            })
        );
    }
    Ok(fine)
}

/// Builds the firmware that is measured.
pub(crate) fn firmware(toolchain: &Toolchain, way: &Way, name: &str, file: &Path) -> Result<PathBuf> {
    build(toolchain, way, name, file, "")
}

fn build(toolchain: &Toolchain, way: &Way, name: &str, file: &Path, variant: &str) -> Result<PathBuf> {
    let mode = way.mode;
    let ops = match mode {
        Mode::Static => None,
        Mode::Loaded => firmware::operators(&fs::read(file)?),
    };
    let mut features = firmware::mode_features(mode).to_owned();
    let mut program = format!("{mode}/{name}");
    if !variant.is_empty() {
        features += &format!(",{variant}");
        program += &format!("-{variant}");
    }
    Firmware { package: "bench", features: &features, model: Some(file), ops: ops.as_deref(), name: &program }
        .build(toolchain, way)
}

struct Bench {
    way: Way,
    ops: bool,
    toolchain: Toolchain,
    plugin: Option<PathBuf>,
    /// The firmware without model and invoke.
    empty: elf::Sizes,
}

impl Bench {
    fn new(way: Way, ops: bool) -> Result<Self> {
        let toolchain = Toolchain::find(way.target.triple)?;
        let plugin = match qemu::plugin() {
            Ok(plugin) => Some(plugin),
            Err(error) => {
                eprintln!("no counts: {error:#}");
                None
            }
        };
        let features = format!("{},empty", firmware::mode_features(way.mode));
        let name = format!("{}-empty", way.mode);
        let empty = Firmware { package: "bench", features: &features, model: None, ops: None, name: &name }
            .build(&toolchain, &way)?;
        let empty = elf::sizes(&empty)?;
        Ok(Self { way, ops, toolchain, plugin, empty })
    }

    fn measure(&self, name: &str, file: &Path) -> Result<Figures> {
        let elf = firmware(&self.toolchain, &self.way, name, file)?;
        let run = match qemu::run(self.way.target, &elf, None, self.plugin.as_deref()) {
            // Emulators can be built without plugins.
            Err(error) if self.plugin.is_some() && format!("{error:#}").contains("-plugin") => {
                eprintln!("no counts: {} has no plugins", self.way.target.qemu);
                qemu::run(self.way.target, &elf, None, None)?
            }
            run => run?,
        };
        let sizes = elf::sizes(&elf)?;
        let crc32 = run.text("crc32")?.to_owned();
        let state_bytes = run.number("state_bytes")?;
        let mut wrong = Vec::new();
        if state_bytes == 0 && run.text("crc32_again")? != crc32 {
            wrong.push("the second invoke gives other outputs than the first".to_owned());
        }
        let expected = match self.way.reference {
            Reference::Tflite => models::op_crcs(name)?,
            Reference::Litert => None,
        };
        if let Some(last) = expected.as_deref().and_then(<[_]>::last)
            && last.crc32 != crc32
        {
            wrong.push(format!("the output's CRC-32 is {crc32}, not {}", last.crc32));
        }
        let mut op_crc32 = None;
        if self.ops {
            let elf = build(&self.toolchain, &self.way, name, file, "ops")?;
            let run = qemu::run(self.way.target, &elf, None, None)?;
            ensure!(run.text("crc32")? == crc32, "invoke and step give different outputs");
            let crcs = run.op_crcs();
            wrong.extend(expected.as_deref().and_then(|expected| compare_ops(&crcs, expected)));
            op_crc32 = Some(crcs);
        }
        let mut figures = Figures {
            region: run.region(),
            arena_bytes: run.number("arena_bytes")?,
            state_bytes,
            plan_bytes: run.number("plan_bytes")?,
            total_bytes: run.number("total_bytes")?,
            ram_bytes: sizes.statics + run.number("outside_statics_bytes")? + run.number("held_bytes")?,
            stack_bytes: run.number("stack_bytes")?,
            flash_bytes: sizes.flash.saturating_sub(self.empty.flash),
            model_bytes: run.number("model_bytes")?,
            crc32,
            op_crc32,
            boards: vec![self.way.target.machine],
            elf,
            wrong: (!wrong.is_empty()).then(|| wrong.join("; ")),
        };
        if let Some(smaller) = self.way.target.smaller.and_then(target::named)
            && self.way.mode == Mode::Static
            && sizes.flash <= smaller.length("FLASH")
            && figures.ram_bytes + figures.stack_bytes <= smaller.length("RAM")
        {
            self.measure_smaller(smaller, name, file, &mut figures)
                .with_context(|| format!("on {}", smaller.machine))?;
        }
        Ok(figures)
    }

    /// Runs the model on the smaller board, too: same outputs, same stack.
    fn measure_smaller(
        &self,
        smaller: &'static Target,
        name: &str,
        file: &Path,
        figures: &mut Figures,
    ) -> Result<()> {
        let elf = firmware(&self.toolchain, &Way { target: smaller, ..self.way }, name, file)?;
        let run = qemu::run(smaller, &elf, None, None)?;
        let crc32 = run.text("crc32")?;
        ensure!(crc32 == figures.crc32, "the output's CRC-32 is {crc32}, not {}", figures.crc32);
        figures.boards.push(smaller.machine);
        Ok(())
    }
}

/// The first operator whose output is not what it should be.
pub(crate) fn compare_ops(crcs: &[String], expected: &[OpCrc]) -> Option<String> {
    for (index, OpCrc { op, crc32: want }) in expected.iter().enumerate() {
        match crcs.get(index) {
            Some(got) if got == want => {}
            Some(got) => {
                return Some(format!("operator {index} ({op}): CRC-32 is {got}, not {want}"));
            }
            None => return Some(format!("operator {index} ({op}) did not run")),
        }
    }
    (crcs.len() > expected.len()).then(|| format!("{} operators ran, not {}", crcs.len(), expected.len()))
}

fn heading() -> String {
    format!(
        "{:24} {:>12} {:>12} {:>8} {:>7} {:>8} {:>6} {:>8} {:>8}  {:8}",
        "model", "instructions", "cycles_m4", "arena", "plan", "ram", "stack", "flash", "of model", "crc32"
    )
}

impl Figures {
    fn line(&self, name: &str) -> String {
        let count = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
        format!(
            "{name:24} {:>12} {:>12} {:>8} {:>7} {:>8} {:>6} {:>8} {:>8}  {:8}{}",
            count(self.region.as_ref().map(|region| region.instructions)),
            count(self.region.as_ref().map(|region| region.cycles_m4)),
            self.arena_bytes + self.state_bytes,
            self.plan_bytes,
            self.ram_bytes,
            self.stack_bytes,
            self.flash_bytes,
            self.model_bytes,
            self.crc32,
            if self.boards.len() > 1 { "  (also on microbit)" } else { "" },
        )
    }

    fn print_more(&self, functions: usize) {
        for (cycles, instructions, name) in
            self.region.iter().flat_map(|region| &region.functions).take(functions)
        {
            println!("    {cycles:>12} cycles {instructions:>12} instructions  {}", elf::readable(name));
        }
        if let Some(crcs) = &self.op_crc32 {
            println!("    {}", crcs.join(" "));
        }
    }

    fn json(&self, functions: Option<usize>) -> Value {
        let mut row = json!({
            "elf": self.elf,
            "instructions": self.region.as_ref().map(|region| region.instructions),
            "cycles_m4": self.region.as_ref().map(|region| region.cycles_m4),
            "arena_bytes": self.arena_bytes,
            "state_bytes": self.state_bytes,
            "plan_bytes": self.plan_bytes,
            "total_bytes": self.total_bytes,
            "ram_bytes": self.ram_bytes,
            "stack_bytes": self.stack_bytes,
            "flash_bytes": self.flash_bytes,
            "model_bytes": self.model_bytes,
            "crc32": self.crc32,
            "boards": self.boards,
        });
        if let Some(crcs) = &self.op_crc32 {
            row["op_crc32"] = json!(crcs);
        }
        if let Some(n) = functions {
            let functions = self.region.iter().flat_map(|region| &region.functions).take(n);
            row["functions"] = functions
                .map(|(cycles, instructions, name)| {
                    json!({ "name": elf::readable(name), "instructions": instructions, "cycles_m4": cycles })
                })
                .collect();
        }
        row
    }

    /// The row of a model that could not be measured.
    fn no_json() -> Value {
        let keys = [
            "elf",
            "instructions",
            "cycles_m4",
            "arena_bytes",
            "ram_bytes",
            "stack_bytes",
            "flash_bytes",
            "model_bytes",
            "crc32",
        ];
        keys.into_iter().map(|key| (key.to_owned(), Value::Null)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{OpCrc, compare_ops};

    #[test]
    fn operators_are_compared_in_order() {
        let expected = [("ADD", "1"), ("SOFTMAX", "2")]
            .map(|(op, crc32)| OpCrc { op: op.to_owned(), crc32: crc32.to_owned() });
        let compare = |crcs: &[&str]| {
            let crcs: Vec<_> = crcs.iter().map(|&crc| crc.to_owned()).collect();
            compare_ops(&crcs, &expected)
        };
        assert_eq!(compare(&["1", "2"]), None);
        assert_eq!(compare(&["1", "3"]).unwrap(), "operator 1 (SOFTMAX): CRC-32 is 3, not 2");
        assert_eq!(compare(&["1"]).unwrap(), "operator 1 (SOFTMAX) did not run");
        assert_eq!(compare(&["1", "2", "3"]).unwrap(), "3 operators ran, not 2");
    }
}
