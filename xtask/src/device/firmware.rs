//! Builds the firmware in `firmware/`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use kinglet_tflite::{DType, Model, OpKind};
use serde_json::Value;

use super::{
    how::{Mode, Way},
    toolchain::Toolchain,
    work_dir,
};

/// One firmware: a package of `firmware/` in one of its variants.
pub(crate) struct Firmware<'a> {
    pub(crate) package: &'a str,
    pub(crate) features: &'a str,
    /// The model it contains.
    pub(crate) model: Option<&'a Path>,
    /// The operators it links in loaded mode; all of them if `None`.
    pub(crate) ops: Option<&'a str>,
    /// What to call the program.
    pub(crate) name: &'a str,
}

impl Firmware<'_> {
    /// Builds it and returns the program's path.
    ///
    /// # Errors
    /// When it does not compile: the compiler has said why on standard error.
    pub(crate) fn build(&self, toolchain: &Toolchain, way: &Way) -> Result<PathBuf> {
        let target = way.target;
        let folder = work_dir().join("elf").join(target.name);
        fs::create_dir_all(&folder)?;
        // Between building and copying, no other build may replace the program.
        let lock = File::create(work_dir().join("build.lock"))?;
        lock.lock()?;
        let mut command = toolchain.build(target.triple, target.rustflags);
        command
            .current_dir(crate::models::root().join("firmware"))
            .args(["--quiet", "--message-format=json-render-diagnostics"])
            .args(["--package", self.package])
            .env("KINGLET_MEMORY", target.memory_map())
            .env("KINGLET_REFERENCE", way.reference.to_string())
            .env("KINGLET_SLIM", if way.slim { "on" } else { "off" })
            .env_remove("KINGLET_MODEL")
            .env_remove("KINGLET_OPS")
            .stderr(Stdio::inherit());
        if !self.features.is_empty() {
            command.args(["--features", self.features]);
        }
        if let Some(model) = self.model {
            command.env("KINGLET_MODEL", fs::canonicalize(model)?);
        }
        if let Some(ops) = self.ops {
            command.env("KINGLET_OPS", ops);
        }
        let output = command.output().context("cargo")?;
        ensure!(output.status.success(), "the firmware does not compile (see above)");
        let messages = String::from_utf8(output.stdout)?;
        let program = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .next_back()
            .context("cargo named no program")?;
        let elf = fs::canonicalize(&folder)?.join(self.name).with_added_extension("elf");
        if let Some(folder) = elf.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&program, &elf).with_context(|| program.display().to_string())?;
        Ok(elf)
    }
}

/// The features that choose a mode.
pub(crate) fn mode_features(mode: Mode) -> &'static str {
    match mode {
        Mode::Static => "static",
        Mode::Loaded => "loaded",
    }
}

/// The operators of a model as `kinglet::ops!` takes them; `None` where the model
/// or one of its operators is beyond this build of kinglet.
pub(crate) fn operators(file: &[u8]) -> Option<String> {
    let model = Model::parse(file).ok()?;
    let mut names = Vec::new();
    for index in 0..model.subgraph_count() {
        for node in model.graph(u32::try_from(index).ok()?).ok()?.nodes() {
            let name = format!("{:?}", OpKind::from_code(node.ok()?.code)?);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort();
    Some(names.join(", "))
}

/// The types of a model's outputs.
pub(crate) fn output_types(file: &[u8]) -> Option<Vec<DType>> {
    let graph = Model::parse(file).ok()?.graph(0).ok()?;
    graph.outputs().iter().map(|id| Some(graph.tensor(id?).ok()?.dtype)).collect()
}
