//! The file as a whole: parsed, counted, and every part seen to be readable.

use crate::Result;
use crate::error::{ModelError, Reason};
use crate::flatbuf::{self, Vector};
use crate::generated::{BufferRef, BuiltinOperator, MetadataRef, ModelRef, OperatorCodeRef, SubGraphRef};
use crate::graph::Graph;
use crate::opcode::OpCode;
use crate::tensor::Tensor;

/// How large a model may be. Offsets in a file may lead to the same place many times, so that a small
/// file could demand endless work: these bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Subgraphs in the file.
    pub subgraphs: u32,
    /// Tensors in all subgraphs together.
    pub tensors: u32,
    /// Operators in all subgraphs together.
    pub ops: u32,
    /// Inputs and outputs of all operators and subgraphs together.
    pub indices: u32,
    /// Buffers, and operator codes, in the file.
    pub buffers: u32,
}

impl Default for Limits {
    /// Far above any model for a microcontroller: 64 subgraphs, 4,096 operators, 16,384 tensors and
    /// buffers, 65,536 indices.
    fn default() -> Self {
        Self { subgraphs: 64, tensors: 16_384, ops: 4_096, indices: 65_536, buffers: 16_384 }
    }
}

/// A model file whose structure has been checked. Copying it copies a few words, not the file.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    bytes: &'a [u8],
    root: ModelRef<'a>,
    subgraphs: Vector<'a, flatbuf::Result<SubGraphRef<'a>>>,
    pub(crate) buffers: Vector<'a, flatbuf::Result<BufferRef<'a>>>,
    codes: Vector<'a, flatbuf::Result<OperatorCodeRef<'a>>>,
}

/// A named block of bytes that travels with a model.
#[derive(Clone, Copy, Debug)]
pub struct Metadata<'a> {
    /// Its name, as bytes: a file may hold what is not UTF-8.
    pub name: &'a [u8],
    /// Its contents.
    pub bytes: &'a [u8],
}

impl<'a> Model<'a> {
    /// Reads a `.tflite` file with the default [`Limits`].
    ///
    /// # Errors
    /// [`ModelError`] when the bytes are not a TensorFlow Lite model, are damaged, or exceed the limits.
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        Self::parse_with(bytes, &Limits::default())
    }

    /// Reads a `.tflite` file with limits of your own.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn parse_with(bytes: &'a [u8], limits: &Limits) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Reason::Empty.into());
        }
        if bytes.get(4..8) != Some(b"TFL3") {
            return Err(Reason::NotTflite.into());
        }
        let root = ModelRef::read_as_root(bytes)?;
        if root.version()? != 3 {
            return Err(Reason::BadVersion.into());
        }
        let model = Self {
            bytes,
            root,
            subgraphs: root.subgraphs()?.unwrap_or_default(),
            buffers: root.buffers()?.unwrap_or_default(),
            codes: root.operator_codes()?.unwrap_or_default(),
        };
        model.check_structure(limits)?;
        Ok(model)
    }

    fn check_structure(&self, limits: &Limits) -> Result<()> {
        // Operators and tensors are numbered with 16 bits from here on, subgraphs with 8.
        let limits = &Limits {
            subgraphs: limits.subgraphs.min(255),
            tensors: limits.tensors.min(65_535),
            ops: limits.ops.min(65_535),
            ..*limits
        };
        let mut budget = *limits;
        spend(&mut budget.subgraphs, self.subgraphs.len(), Reason::TooManySubgraphs, limits.subgraphs)?;
        spend(&mut { limits.buffers }, self.buffers.len(), Reason::TooManyBuffers, limits.buffers)?;
        spend(&mut { limits.buffers }, self.codes.len(), Reason::TooManyBuffers, limits.buffers)?;
        if self.subgraphs.is_empty() {
            return Err(Reason::NoSubgraph.into());
        }
        for index in 0..self.subgraphs.len() {
            let subgraph = self.subgraph(index)?;
            let tensors = subgraph.tensors()?.unwrap_or_default();
            let ops = subgraph.operators()?.unwrap_or_default();
            spend(&mut budget.tensors, tensors.len(), Reason::TooManyTensors, limits.tensors)?;
            spend(&mut budget.ops, ops.len(), Reason::TooManyOps, limits.ops)?;
            let graph = Graph::new(*self, index as u32)?;
            let count = graph.inputs().len() + graph.outputs().len();
            spend(&mut budget.indices, count, Reason::TooManyIndices, limits.indices)?;
            for node in graph.nodes() {
                let node = node?;
                let count = node.inputs.len() + node.outputs.len();
                spend(&mut budget.indices, count, Reason::TooManyIndices, limits.indices)?;
            }
            graph.check_indices().map_err(|error| error.in_subgraph(index as u32))?;
            for (id, tensor) in tensors.iter().enumerate() {
                tensor.map_err(|error| ModelError::from(error).at_tensor(id as u32))?;
            }
        }
        Ok(())
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of subgraphs, at least 1. The first is the one that runs.
    pub fn subgraph_count(&self) -> usize {
        self.subgraphs.len()
    }

    /// The checked view of subgraph `index`.
    ///
    /// # Errors
    /// [`Reason::BadIndex`] when there is no such subgraph.
    pub fn graph(&self, index: u32) -> Result<Graph<'a>> {
        Graph::new(*self, index)
    }

    /// What the file says of itself, as bytes that may not be UTF-8.
    pub fn description(&self) -> &'a [u8] {
        match self.root.description() {
            Ok(Some(text)) => text.as_bytes(),
            _ => &[],
        }
    }

    /// The file's metadata; entries that can't be read are left out.
    pub fn metadata(&self) -> impl Iterator<Item = Metadata<'a>> + use<'a> {
        let model = *self;
        let entries = self.root.metadata().ok().flatten().unwrap_or_default();
        entries.iter().filter_map(move |entry| {
            let entry: MetadataRef<'a> = entry.ok()?;
            let name = entry.name().ok()??.as_bytes();
            let bytes = model.buffer(entry.buffer().ok()?).ok()?;
            Some(Metadata { name, bytes: bytes.bytes() })
        })
    }

    pub(crate) fn subgraph(&self, index: usize) -> Result<SubGraphRef<'a>> {
        let subgraph = self.subgraphs.get(index).ok_or(Reason::BadIndex)?;
        Ok(subgraph?)
    }

    /// The data of buffer `index`; buffer 0 is always empty.
    pub(crate) fn buffer(&self, index: u32) -> Result<Vector<'a, u8>> {
        if index == 0 {
            return Ok(Vector::default());
        }
        let buffer = self.buffers.get(index as usize).ok_or(Reason::BadIndex)??;
        // Offsets 0 and 1 say that the data is in the FlatBuffer.
        if buffer.offset()? > 1 {
            return Err(Reason::ExternalBuffer.into());
        }
        Ok(buffer.data()?.unwrap_or_default())
    }

    /// The operator code at `index`, and its custom name if it is a custom operator.
    pub(crate) fn op_code(&self, index: u32) -> Result<(OpCode, &'a [u8])> {
        let code = self.codes.get(index as usize).ok_or(Reason::BadIndex)??;
        let builtin = match code.builtin_code() {
            Ok(code) => code as i32,
            // A number newer than the schema is an operator that kinglet does not have, not a damaged file.
            Err(error) => match error.kind() {
                flatbuf::ErrorKind::UnknownEnumTag { tag } => tag,
                _ => return Err(error.into()),
            },
        };
        // Files written before the code outgrew a byte have it in the older field.
        let number = builtin.max(code.deprecated_builtin_code()?.into());
        let number = u16::try_from(number).map_err(|_| Reason::BadIndex)?;
        let custom = if number == BuiltinOperator::Custom as u16 { code.custom_code()? } else { None };
        Ok((OpCode(number), custom.map_or(&[], |name| name.as_bytes())))
    }

    /// Tensor `id` of a subgraph; see [`Graph::tensor`].
    pub(crate) fn tensor(&self, subgraph: &SubGraphRef<'a>, id: u32) -> Result<Tensor<'a>> {
        let tensors = subgraph.tensors()?.unwrap_or_default();
        let tensor = tensors.get(id as usize).ok_or(Reason::BadIndex)??;
        Tensor::new(self, tensor, id).map_err(|error| error.at_tensor(id))
    }
}

/// Takes `count` from what is left of a limit.
fn spend(left: &mut u32, count: usize, reason: Reason, limit: u32) -> Result<()> {
    match u32::try_from(count).ok().and_then(|count| left.checked_sub(count)) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(ModelError::new(reason).detail(limit)),
    }
}
