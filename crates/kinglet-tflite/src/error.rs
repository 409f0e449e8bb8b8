//! Why a model file is refused.

use core::fmt;

use crate::flatbuf;
use crate::opcode::OpCode;

/// Why a model is refused: what is wrong, and where.
///
/// Small and `Copy`: it travels through `Result`s on a microcontroller. `Display` makes a sentence of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// What is wrong.
    pub reason: Reason,
    /// Which operator is concerned, if one is.
    op: u16,
    code: OpCode,
    tensor: u16,
    /// In which subgraph.
    subgraph: u8,
    /// What belongs to the reason: an offset in the file, a limit, a number of things expected.
    detail: u32,
}

/// No operator, or no tensor.
const NONE: u16 = u16::MAX;
/// No subgraph named yet.
const NO_SUBGRAPH: u8 = u8::MAX;

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file is damaged or contradicts itself: no runtime should run it.
    Malformed,
    /// The file may be sound, but kinglet does not run it.
    Unsupported,
    /// The file asks for more than the [`Limits`](crate::Limits) allow.
    Limit,
}

impl ErrorKind {
    /// The kind in one lower-case word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
        }
    }
}

macro_rules! reasons {
    ($($(#[$meta:meta])* $Reason:ident: $Kind:ident, $text:literal;)*) => {
        /// What can be wrong with a model.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $text] $Reason,)*
        }

        impl Reason {
            /// What kind of refusal it is.
            pub const fn kind(self) -> ErrorKind {
                match self {
                    $(Self::$Reason => ErrorKind::$Kind,)*
                }
            }

            /// The reason in words, without place or detail.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$Reason => $text,)*
                }
            }
        }
    };
}

reasons! {
    Empty: Malformed, "the file is empty";
    NotTflite: Malformed, "this is not a TensorFlow Lite model (no \"TFL3\" at byte 4); give the .tflite file that the converter wrote";
    Truncated: Malformed, "the file is damaged or cut short at the byte named; copy it again";
    BadVersion: Malformed, "the schema version is not 3";
    NoSubgraph: Malformed, "the model has no subgraph";
    BadIndex: Malformed, "an index points outside its list";
    UnknownValue: Unsupported, "an option has a value that this version of kinglet does not know";
    MissingOptions: Malformed, "the operator's options are missing";
    WrongOptions: Malformed, "the options belong to another operator";
    WrongArity: Malformed, "the operator has the wrong number of inputs or outputs";
    MissingInput: Malformed, "an input that the operator needs is absent";
    BadShape: Malformed, "a dimension is zero or negative";
    WrongRank: Malformed, "the tensor has the wrong number of dimensions";
    ShapeMismatch: Malformed, "the shape does not fit the operator's other tensors and options";
    WrongType: Malformed, "the type does not fit the operator's other tensors";
    NotConstant: Unsupported, "the tensor has to be a constant";
    ConstantActivation: Unsupported, "kinglet does not run this operator on a constant or a variable";
    BufferLength: Malformed, "the buffer's length does not fit the tensor's shape and type";
    ConstantWritten: Malformed, "the operator writes to a constant, an input of the model or a variable";
    WrittenTwice: Malformed, "two operators write to the tensor";
    NotProduced: Malformed, "the tensor is read before anything has written to it";
    ConstantInput: Malformed, "an input of the model is a constant or a variable";
    NeverAssigned: Malformed, "nothing assigns to the variable, so that it has no type";
    VariableDiffers: Malformed, "the variable is assigned to with another type or number of elements";
    UnknownHandle: Unsupported, "which variable the handle means can't be told before the model runs";
    HandlesDiffer: Unsupported, "the subgraph gets the handles of different variables";
    VariableInSubgraph: Unsupported, "operators with state of their own have to stand in the first subgraph";
    NestedTooDeep: Unsupported, "subgraphs call each other in a circle, or more than 8 deep";
    NotVariable: Malformed, "the tensor has to be a variable";
    NoQuantization: Malformed, "the tensor has no scale and zero point";
    QuantizationCount: Malformed, "the numbers of scales, zero points and channels do not agree";
    BadScale: Malformed, "a scale is not positive and finite";
    BadZeroPoint: Malformed, "a zero point lies outside the tensor's type";
    BadStride: Malformed, "a stride or dilation factor is zero, negative or above 65535";
    BadWindow: Malformed, "the window's height or width is zero, negative or above 65535";
    WindowTooLarge: Malformed, "the window is larger than its input, and padding is VALID";
    BadOption: Malformed, "an option is out of range";
    DivisionByZero: Malformed, "the constant divides integers by 0";
    IndexOutOfRange: Malformed, "an index in the constant lies outside the tensor that it points into";
    UnsupportedOp: Unsupported, "kinglet does not have this operator";
    CustomOp: Unsupported, "custom operators are not supported";
    OpNotSelected: Unsupported, "the operator is not among those this program was built with; add it to its ops![...] list";
    UnsupportedType: Unsupported, "kinglet does not have this operator for these types";
    FloatModel: Unsupported, "this is a float32 model; kinglet runs int8. Convert it with full-integer quantisation: \
        set converter.optimizations, converter.representative_dataset and \
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]";
    DynamicRange: Unsupported, "this model has int8 weights but float32 activations (dynamic-range quantisation); \
        kinglet runs int8. Convert it again with a representative data set: \
        set converter.representative_dataset and \
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]";
    DynamicShape: Unsupported, "the tensor's shape is not known before the model runs";
    RankTooHigh: Unsupported, "the tensor has more than 6 dimensions";
    TensorTooLarge: Unsupported, "the tensor takes 1 GiB or more";
    DimensionTooLarge: Unsupported, "a height or width is above 65535";
    Sparse: Unsupported, "sparse tensors are not supported";
    ExternalBuffer: Unsupported, "buffers outside the FlatBuffer are not supported";
    AsymmetricWeights: Unsupported, "weights with a zero point other than 0 are not supported";
    UnsupportedActivation: Unsupported, "the fused activation is not supported for integers";
    UnsupportedOption: Unsupported, "an option of the operator is not supported";
    TooManyCalls: Limit, "the subgraphs, each counted wherever it is called, have more operators than the limit";
    TooManyPieces: Unsupported, "the operator has more than 1024 inputs, outputs or positions in a block";
    UnsupportedWeights: Unsupported, "the weights' format is not supported";
    ScaleRatio: Unsupported, "the scales differ so much that TFLite's arithmetic can't express their ratio";
    ScalesDiffer: Unsupported, "input and output have to have the same scale and zero point";
    OutputScale: Unsupported, "TFLite fixes this operator's output scale and zero point, and the model has others";
    FloatFunction: Unsupported, "the last bit of this float32 function differs between C libraries: kinglet runs it only where QUANTIZE takes its result; quantise the operator to int8 or int16";
    TooManySubgraphs: Limit, "the model has more subgraphs than the limit";
    TooManyTensors: Limit, "the model has more tensors than the limit";
    TooManyOps: Limit, "the model has more operators than the limit";
    TooManyIndices: Limit, "the model's operators have more inputs and outputs than the limit";
    TooManyBuffers: Limit, "the model has more buffers or operator codes than the limit";
}

impl ModelError {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self { reason, op: NONE, code: OpCode::NONE, tensor: NONE, subgraph: NO_SUBGRAPH, detail: u32::MAX }
    }

    pub(crate) const fn detail(mut self, detail: u32) -> Self {
        self.detail = detail;
        self
    }

    /// The same, about tensor `tensor` unless it names one already.
    #[must_use]
    pub const fn at_tensor(mut self, tensor: u32) -> Self {
        if self.tensor == NONE && tensor < NONE as u32 {
            self.tensor = tensor as u16;
        }
        self
    }

    /// The same, about operator `op` of kind `code` unless it names one, or a subgraph, already.
    #[must_use]
    pub const fn at_op(mut self, op: u32, code: OpCode) -> Self {
        if self.op == NONE && self.subgraph == NO_SUBGRAPH && op < NONE as u32 {
            self.op = op as u16;
            self.code = code;
        }
        self
    }

    /// The same, about subgraph `index` unless it names one already.
    #[must_use]
    pub const fn in_subgraph(mut self, index: u32) -> Self {
        if self.subgraph == NO_SUBGRAPH && index < NO_SUBGRAPH as u32 {
            self.subgraph = index as u8;
        }
        self
    }

    /// What kind of refusal it is.
    pub const fn kind(self) -> ErrorKind {
        self.reason.kind()
    }

    /// The subgraph that operator and tensor are numbered in: 0 is the one that runs.
    pub const fn subgraph(self) -> u32 {
        if self.subgraph == NO_SUBGRAPH { 0 } else { self.subgraph as u32 }
    }

    /// Number of the operator concerned, in its subgraph's order, if one is.
    pub const fn op(self) -> Option<u32> {
        if self.op == NONE { None } else { Some(self.op as u32) }
    }

    /// What operator that is.
    pub const fn op_code(self) -> Option<OpCode> {
        if self.op == NONE { None } else { Some(self.code) }
    }

    /// Number of the tensor concerned, if one is.
    pub const fn tensor(self) -> Option<u32> {
        if self.tensor == NONE { None } else { Some(self.tensor as u32) }
    }

    /// Where the fault lies, in words: "op 3 (CONV_2D), tensor 7".
    pub fn place(self) -> impl fmt::Display {
        Place(self)
    }
}

impl From<Reason> for ModelError {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl From<flatbuf::Error> for ModelError {
    fn from(error: flatbuf::Error) -> Self {
        match error.kind() {
            flatbuf::ErrorKind::Malformed { offset } => Self::new(Reason::Truncated).detail(offset),
            flatbuf::ErrorKind::UnknownEnumTag { tag } => Self::new(Reason::UnknownValue).detail(tag as u32),
            flatbuf::ErrorKind::UnknownUnionTag { tag } => Self::new(Reason::UnknownValue).detail(tag.into()),
        }
    }
}

struct Place(ModelError);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.0;
        if error.subgraph() > 0 {
            write!(f, "subgraph {}", error.subgraph())?;
            if error.op().is_some() || error.tensor().is_some() {
                f.write_str(", ")?;
            } else {
                return Ok(());
            }
        }
        match (error.op(), error.tensor()) {
            (Some(op), Some(tensor)) => write!(f, "op {op} ({}), tensor {tensor}", error.code),
            (Some(op), None) => write!(f, "op {op} ({})", error.code),
            (None, Some(tensor)) => write!(f, "tensor {tensor}"),
            (None, None) if error.detail != u32::MAX && matches!(error.reason, Reason::Truncated) => {
                write!(f, "byte {}", error.detail)
            }
            (None, None) => f.write_str("model"),
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason.text())?;
        if self.detail != u32::MAX {
            match self.reason {
                Reason::Truncated if self.op().is_some() || self.tensor().is_some() => {
                    write!(f, " (byte {})", self.detail)?;
                }
                Reason::UnknownValue => write!(f, " ({})", self.detail as i32)?,
                _ if self.kind() == ErrorKind::Limit => write!(f, " of {}", self.detail)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl core::error::Error for ModelError {}

const _: () = assert!(size_of::<ModelError>() <= 16);
