//! Model files, and getting them ready to run.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use kinglet::{ErrorKind, Interpreter, Memory, Model, Options, Usage};
use kinglet_tflite::Graph;

use crate::aligned::AlignedBytes;
use crate::args::Mode;
use crate::failure::{Failure, Kind, Result};
use crate::survey;

/// FlatBuffers have offsets of 31 bits.
const MAX_FILE_BYTES: u64 = (1 << 31) - 1;

/// The bytes of a model file, aligned.
#[derive(Debug)]
pub(crate) struct ModelFile {
    path: PathBuf,
    bytes: AlignedBytes,
}

impl ModelFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let io = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Failure::io(path, "there is no such file; give a .tflite file"),
            _ => Failure::io(path, error),
        };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(Failure::io(path, "this is a folder; give the .tflite file in it"));
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let message = "the file is larger than 2 GiB, which no .tflite file can be";
            return Err(Failure::new(Kind::Model(ErrorKind::Limit), "model", message).in_file(path));
        }
        Self::from_bytes(path, &bytes)
    }

    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        let bytes = AlignedBytes::copy_of(bytes).ok_or_else(|| out_of_memory(bytes.len()))?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn parse(&self) -> Result<Model<'_>> {
        Model::parse(self.bytes()).map_err(|error| Failure::from(error).in_file(&self.path))
    }

    /// The subgraph that runs: the first.
    pub(crate) fn graph(&self) -> Result<Graph<'_>> {
        self.parse()?.graph(0).map_err(|error| self.explain(error))
    }

    /// A refusal of this model, with the names of the operators that kinglet does not have.
    pub(crate) fn explain(&self, failure: impl Into<Failure>) -> Failure {
        let failure = failure.into();
        match (failure.kind, Model::parse(self.bytes())) {
            (Kind::Model(ErrorKind::Unsupported), Ok(model)) => survey::name_ops(&model, failure),
            _ => failure,
        }
        .in_file(&self.path)
    }
}

/// How a model is to be planned.
#[derive(Clone, Debug)]
pub(crate) struct Planning {
    pub(crate) mode: Mode,
    pub(crate) options: Options,
    /// Static mode: constant channels are taken out.
    pub(crate) slim: bool,
}

/// A model that has been planned: interpreters can be made of it, each in memory of its own.
#[derive(Debug)]
pub(crate) struct Prepared<'m> {
    file: &'m ModelFile,
    usage: Usage,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// The plan is made anew in each interpreter's memory.
    Loaded(Options),
    /// The plan is made once, as at build time.
    Static { plan: AlignedBytes, constants: AlignedBytes },
}

impl<'m> Prepared<'m> {
    pub(crate) fn new(file: &'m ModelFile, planning: &Planning) -> Result<Self> {
        file.parse()?;
        let form = match planning.mode {
            Mode::Loaded => Form::Loaded(planning.options),
            Mode::Static => {
                let compiled = compile(file, planning)?;
                let copy =
                    |bytes: &[u8]| AlignedBytes::copy_of(bytes).ok_or_else(|| out_of_memory(bytes.len()));
                Form::Static { plan: copy(&compiled.plan)?, constants: copy(&compiled.constants)? }
            }
        };
        let mut prepared = Self { file, usage: Usage::default(), form };
        prepared.usage = prepared.measure()?;
        Ok(prepared)
    }

    /// Starts with no memory at all, so that what is found is exactly what is needed.
    fn measure(&self) -> Result<Usage> {
        let mut memory = OwnMemory::default();
        loop {
            let given = (memory.working.as_slice().len(), memory.prepared.as_slice().len());
            match self.interpreter(&mut memory) {
                Ok(net) => return Ok(net.usage()),
                Err(kinglet::Error::MemoryTooSmall { needed, .. }) if needed > given.0 => {
                    memory.working = zeroed(needed)?;
                }
                Err(kinglet::Error::PreparedTooSmall { needed, .. }) if needed > given.1 => {
                    memory.prepared = zeroed(needed)?;
                }
                Err(error) => return Err(self.file.explain(error)),
            }
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Memory for one interpreter.
    pub(crate) fn memory(&self) -> Result<OwnMemory> {
        let Usage { total_bytes, prepared_bytes, .. } = self.usage;
        Ok(OwnMemory { working: zeroed(total_bytes)?, prepared: zeroed(prepared_bytes)? })
    }

    /// A fresh interpreter.
    pub(crate) fn start<'a>(&'a self, memory: &'a mut OwnMemory) -> Result<Interpreter<'a>> {
        self.interpreter(memory).map_err(|error| self.file.explain(error))
    }

    fn interpreter<'a>(
        &'a self,
        memory: &'a mut OwnMemory,
    ) -> std::result::Result<Interpreter<'a>, kinglet::Error> {
        let mut given = Memory::from(memory.working.as_mut_slice());
        match &self.form {
            Form::Loaded(options) => {
                let model = Model::parse(self.file.bytes())?;
                if options.how.prepare {
                    given = given.with_prepared(memory.prepared.as_mut_slice());
                }
                Interpreter::with_options(&model, given, options)
            }
            Form::Static { plan, constants } => {
                Interpreter::from_plan(plan.as_slice(), constants.as_slice(), given)
            }
        }
    }
}

/// Plans a model as `include_model!` does. Takes no memory for the arena.
pub(crate) fn compile(file: &ModelFile, planning: &Planning) -> Result<kinglet_build::Compiled> {
    let mut arguments = kinglet_build::Arguments::default();
    arguments.reference = planning.options.reference;
    arguments.target = Some(planning.options.how.target);
    arguments.slim = planning.slim;
    kinglet_build::plan(file.bytes(), &arguments).map_err(|error| file.explain(error))
}

/// The memory of one interpreter.
#[derive(Debug, Default)]
pub(crate) struct OwnMemory {
    working: AlignedBytes,
    /// For weights in the kernels' own layouts.
    prepared: AlignedBytes,
}

fn zeroed(bytes: usize) -> Result<AlignedBytes> {
    AlignedBytes::zeroed(bytes).ok_or_else(|| out_of_memory(bytes))
}

fn out_of_memory(bytes: usize) -> Failure {
    let message = format!("there is no memory for {bytes} bytes; take a smaller model");
    Failure::new(Kind::Io, "memory", message)
}
