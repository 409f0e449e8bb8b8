//! Inputs and outputs.

use kinglet_plan::IoTensor;
use kinglet_tflite::{DType, Shape};

/// What an input or output of a model is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorInfo<'a> {
    /// Its name, as bytes: a file may hold what is not UTF-8.
    pub name: &'a [u8],
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub shape: Shape,
    /// Scale: a real value is `scale * (q - zero_point)`. 0 when the tensor is not quantised.
    pub scale: f32,
    /// Zero point.
    pub zero_point: i32,
    /// Length in bytes.
    pub bytes: usize,
}

impl<'a> TensorInfo<'a> {
    pub(crate) fn new(io: &IoTensor, constants: &'a [u8]) -> Self {
        let start = io.name.offset();
        let name = constants.get(start..).and_then(|rest| rest.get(..io.name_bytes as usize));
        Self {
            name: name.unwrap_or(&[]),
            dtype: io.dtype,
            shape: io.shape,
            scale: io.scale,
            zero_point: io.zero_point,
            bytes: io.bytes as usize,
        }
    }
}

/// A type that a tensor's elements can be seen as.
pub trait Element: bytemuck::Pod {
    /// The tensor's element type.
    const DTYPE: DType;
}

macro_rules! element {
    ($($ty:ty: $DType:ident),*) => {
        $(impl Element for $ty {
            const DTYPE: DType = DType::$DType;
        })*
    };
}
element!(i8: Int8, u8: UInt8, i16: Int16, i32: Int32, f32: Float32);
