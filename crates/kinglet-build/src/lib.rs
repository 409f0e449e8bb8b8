//! Plans models at build time: what [`include_model!`](https://docs.rs/kinglet) and build scripts call.
//!
//! In a build script:
//!
//! ```no_run
//! // build.rs
//! kinglet_build::compile("models/kws.tflite", "Kws", &kinglet_build::Arguments::default())
//!     .unwrap_or_else(|error| panic!("{error}"));
//! ```
//!
//! and where the model is used: `include!(concat!(env!("OUT_DIR"), "/Kws.rs"));`
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kinglet_kernels::{Kernel, Place, Region, Target};
use kinglet_plan::{Constants, Options, Plan, PlanError, Planner, Reference};
use kinglet_tflite::{AllOps, Model};

/// How a model is to be planned: the arguments of `include_model!`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arguments {
    /// The arithmetic to follow.
    pub reference: Reference,
    /// The kernel family to plan for; this machine's by default. `include_model!` and build scripts plan for
    /// every family that a device can have, and the compiler keeps one.
    pub target: Option<Target>,
    /// Channels that are constant are taken out; see [`kinglet_slim`].
    pub slim: bool,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { reference: Reference::default(), target: None, slim: true }
    }
}

impl Arguments {
    /// Sets the argument `key` to `value`, as written after the path in `include_model!`.
    ///
    /// # Errors
    /// A sentence that says what is possible.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match (key, value) {
            ("reference", "tflite") => self.reference = Reference::Tflite,
            ("reference", "litert") => self.reference = Reference::Litert,
            ("slim", "on") => self.slim = true,
            ("slim", "off") => self.slim = false,
            ("feed", "whole") => {}
            ("reference", _) => {
                return Err(format!("reference = {value}: it can be tflite or litert"));
            }
            ("slim", _) => {
                return Err(format!("slim = {value}: it can be on or off"));
            }
            ("feed", _) => {
                return Err(format!("feed = {value}: inputs are not fed by rows yet; it can be whole"));
            }
            _ => {
                return Err(format!("{key}: no such argument; there are name, reference, slim and feed"));
            }
        }
        Ok(())
    }
}

/// A model that has been planned: what static mode puts into flash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compiled {
    /// The plan, little-endian words.
    pub plan: Vec<u8>,
    /// The constants that the plan names.
    pub constants: Vec<u8>,
    /// Bytes of arena.
    pub arena_bytes: usize,
    /// Bytes of state memory.
    pub state_bytes: usize,
    /// The kernels that the plan calls.
    pub kernels: Vec<Kernel>,
}

/// Gathers the constants that a plan names, each once.
#[derive(Default)]
struct Gathered {
    /// What offsets of prepared constants are a multiple of.
    alignment: usize,
    bytes: Vec<u8>,
    /// By offset and length in the file.
    places: HashMap<(u32, usize), Place>,
}

impl Constants for Gathered {
    fn place(&mut self, offset: u32, bytes: &[u8]) -> Option<Place> {
        if let Some(&place) = self.places.get(&(offset, bytes.len())) {
            return Some(place);
        }
        // Weights that start at a multiple of 16 suit every kernel.
        self.bytes.resize(self.bytes.len().next_multiple_of(if bytes.len() >= 16 { 16 } else { 4 }), 0);
        let place = Place::new(Region::Constants, u32::try_from(self.bytes.len()).ok()?)?;
        self.bytes.extend_from_slice(bytes);
        self.places.insert((offset, bytes.len()), place);
        Some(place)
    }

    fn prepare(&mut self, len: u32, fill: &mut dyn FnMut(&mut [u8])) -> Option<Place> {
        let mut block = vec![0; len as usize];
        fill(&mut block);
        self.bytes.resize(self.bytes.len().next_multiple_of(self.alignment.max(16)), 0);
        let place = Place::new(Region::Constants, u32::try_from(self.bytes.len()).ok()?)?;
        self.bytes.extend_from_slice(&block);
        Some(place)
    }

    fn len(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn prepared_len(&self) -> u32 {
        0
    }
}

/// Plans the model in `file`.
///
/// # Errors
/// Why the model is refused, in a sentence that names the operator and the reason.
pub fn plan(file: &[u8], arguments: &Arguments) -> Result<Compiled, PlanError> {
    let slimmed = if arguments.slim { Some(kinglet_slim::slim(file)?) } else { None };
    let model = Model::parse(slimmed.as_ref().map_or(file, |slimmed| &slimmed.file))?;
    let options = Options::default()
        .with_reference(arguments.reference)
        .with_target(arguments.target.unwrap_or(Target::native()))
        .with_prepared(true);
    let mut working = vec![0; 4 * 1024];
    let (words, constants) = loop {
        // Hosts read packed weights by cache lines.
        let alignment = if Target::HOSTS.contains(&options.how.target) { 64 } else { 16 };
        let mut constants = Gathered { alignment, ..Gathered::default() };
        let planned = Planner::new::<AllOps>(model.graph(0)?, options, &mut working)
            .and_then(|planner| planner.write::<AllOps>(&mut constants));
        match planned {
            Ok(len) => {
                working.truncate(len);
                break (working, constants.bytes);
            }
            // A plan is some kilobytes; a model that needs gigabytes of it is not planned.
            Err(PlanError::MemoryTooSmall { .. }) if working.len() < 1 << 28 => {
                working.resize(working.len() * 2, 0)
            }
            Err(error) => return Err(error),
        }
    };
    let plan = Plan::new(&words)?;
    let kernels: BTreeSet<u16> = plan.steps().map(|step| step.kernel).collect();
    Ok(Compiled {
        arena_bytes: plan.arena_bytes(),
        state_bytes: plan.state_bytes(),
        kernels: kernels.into_iter().filter_map(Kernel::from_id).collect(),
        plan: words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        constants,
    })
}

/// The type name that a model gets when none is given: `wake_word.tflite` becomes `WakeWord`.
pub fn type_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = String::new();
    for word in stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Model{name}") }
}

/// The Rust source of a model: a type `name` with its sizes and an `interpreter` function.
///
/// # Errors
/// A sentence that says what is wrong with the file, and where.
pub fn generate(path: &Path, name: &str, arguments: &Arguments) -> Result<String, String> {
    let shown = path.display();
    let file = std::fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
    // Families with the same plan share it.
    let mut plans: Vec<(Compiled, String)> = Vec::new();
    for target in Target::DEVICES {
        let arguments = Arguments { target: Some(target), ..arguments.clone() };
        let compiled = plan(&file, &arguments).map_err(|error| format!("{shown}: {error}"))?;
        match plans.iter_mut().find(|(other, _)| *other == compiled) {
            Some((_, families)) => {
                families.push(' ');
                families.push_str(target.name());
            }
            None => plans.push((compiled, target.name().to_owned())),
        }
    }
    let blocks = plans.iter().map(|(compiled, families)| {
        format!("{{ {families} }} {{\n{source}}}\n", source = source(compiled, path, name))
    });
    Ok(format!("::kinglet::for_family! {{\n{}}}\n", blocks.collect::<String>()))
}

fn source(model: &Compiled, path: &Path, name: &str) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut arms = String::new();
    let jumps = model.kernels.contains(&Kernel::Jump);
    for kernel in model.kernels.iter().filter(|&&kernel| kernel != Kernel::Jump) {
        // Writing to a String does not fail.
        let _ = writeln!(arms, "            {} => ::kinglet::kernels::{}(call),", kernel.id(), kernel.path());
    }
    format!(
        r#"/// The model `{file}`, planned at build time.
#[derive(Clone, Copy, Debug)]
pub struct {name};

impl {name} {{
    /// Bytes of arena: inputs, outputs, activations, scratch.
    pub const ARENA_BYTES: usize = {arena};
    /// Bytes of state: variables.
    pub const STATE_BYTES: usize = {state};
    /// Bytes of plan, in flash.
    pub const PLAN_BYTES: usize = {plan_len};
    /// Bytes of weights and other constants, in flash.
    pub const CONSTANT_BYTES: usize = {constants_len};
    /// Bytes of memory that `interpreter` needs when it is given as one slice.
    pub const MEMORY_BYTES: usize = {memory};

    /// Makes the model ready to run in the memory given.
    ///
    /// # Errors
    /// When the memory is too small or not aligned to 16 bytes.
    pub fn interpreter<'a>(
        memory: impl ::core::convert::Into<::kinglet::Memory<'a>>,
    ) -> ::core::result::Result<::kinglet::Interpreter<'a, {name}Kernels>, ::kinglet::Error> {{
        static PLAN: ::kinglet::Aligned<[u8; {plan_len}]> = ::kinglet::Aligned(*b"{plan}");
        static CONSTANTS: ::kinglet::Aligned<[u8; {constants_len}]> = ::kinglet::Aligned(*b"{constants}");
        ::kinglet::Interpreter::from_plan(&PLAN.0, &CONSTANTS.0, memory)
    }}
}}

/// The kernels of [`{name}`].
#[derive(Clone, Copy, Debug)]
pub struct {name}Kernels;

impl ::kinglet::Dispatch for {name}Kernels {{
    const JUMPS: bool = {jumps};

    #[inline]
    fn run(kernel: u16, call: &::kinglet::Call<'_>) -> ::core::result::Result<(), ::kinglet::Fault> {{
        match kernel {{
{arms}            _ => ::core::result::Result::Err(::kinglet::Fault::MissingKernel),
        }}
    }}
}}

const _: &[u8] = ::core::include_bytes!({path:?});
"#,
        arena = model.arena_bytes,
        state = model.state_bytes,
        memory = model.state_bytes.next_multiple_of(16) + model.arena_bytes,
        plan_len = model.plan.len(),
        constants_len = model.constants.len(),
        plan = escape(&model.plan),
        constants = escape(&model.constants),
    )
}

/// The inside of a byte string literal.
fn escape(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|&byte| std::ascii::escape_default(byte)).map(char::from).collect()
}

/// For build scripts: plans the model at `path` (relative to the crate's manifest) and writes its source
/// to `NAME.rs` in Cargo's `OUT_DIR`. Returns the path of that file.
///
/// # Errors
/// A sentence that says what is wrong with the file, and where; nothing is written then.
pub fn compile(path: impl AsRef<Path>, name: &str, arguments: &Arguments) -> Result<PathBuf, String> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .ok_or(format!("{name} is not set: call this from a build script"))
    };
    let path = variable("CARGO_MANIFEST_DIR")?.join(path);
    let source = generate(&path, name, arguments)?;
    println!("cargo::rerun-if-changed={}", path.display());
    let target = variable("OUT_DIR")?.join(name).with_extension("rs");
    std::fs::write(&target, source).map_err(|error| format!("{}: {error}", target.display()))?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names() {
        assert_eq!(type_name(Path::new("a/wake_word.tflite")), "WakeWord");
        assert_eq!(type_name(Path::new("pretrainedResnet_quant.tflite")), "PretrainedResnetQuant");
        assert_eq!(type_name(Path::new("96x96.tflite")), "Model96x96");
    }

    #[test]
    fn planning_is_reproducible() {
        let file = std::fs::read("../../models/digits/model.tflite").unwrap();
        let one = plan(&file, &Arguments::default()).unwrap();
        let two = plan(&file, &Arguments::default()).unwrap();
        assert_eq!((one.plan, one.constants), (two.plan, two.constants));
    }

    #[test]
    fn a_bad_file_is_named() {
        let error = generate(Path::new("no/such.tflite"), "X", &Arguments::default()).unwrap_err();
        assert!(error.starts_with("no/such.tflite: "), "{error}");
        let error = generate(Path::new("Cargo.toml"), "X", &Arguments::default()).unwrap_err();
        assert!(error.contains("not a TensorFlow Lite model"), "{error}");
    }
}
