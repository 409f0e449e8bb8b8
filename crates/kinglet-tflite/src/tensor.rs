//! Tensors: type, shape, quantisation, and where their data comes from.

use core::fmt;

use crate::Result;
use crate::error::Reason;
use crate::flatbuf::Vector;
use crate::generated::{TensorRef, TensorType};
use crate::model::Model;

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 8-bit unsigned integer.
    UInt8,
    /// One byte, 0 or 1.
    Bool,
    /// IEEE 754 binary32.
    Float32,
    /// 4-bit signed integers, two in a byte, the first in the low half.
    Int4,
    /// A handle of a resource variable: it names the variable and takes no memory.
    Resource,
    /// A type that kinglet does not compute with.
    Other,
}

impl DType {
    /// The type's name as in NumPy; "other" for types that kinglet does not compute with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt8 => "uint8",
            Self::Bool => "bool",
            Self::Float32 => "float32",
            Self::Int4 => "int4",
            Self::Resource => "resource",
            Self::Other => "other",
        }
    }

    /// Bits an element takes; 0 for [`DType::Resource`] and [`DType::Other`].
    pub const fn bits(self) -> u32 {
        match self {
            Self::Int4 => 4,
            Self::Int8 | Self::UInt8 | Self::Bool => 8,
            Self::Int16 => 16,
            Self::Int32 | Self::Float32 => 32,
            Self::Int64 => 64,
            Self::Resource | Self::Other => 0,
        }
    }

    /// Least and greatest value of an integer type of at most 32 bits.
    pub const fn range(self) -> Option<(i32, i32)> {
        match self {
            Self::Int4 => Some((-8, 7)),
            Self::Int8 => Some((-128, 127)),
            Self::UInt8 => Some((0, 255)),
            Self::Int16 => Some((-32_768, 32_767)),
            Self::Int32 => Some((i32::MIN, i32::MAX)),
            _ => None,
        }
    }

    fn new(wire: TensorType) -> Self {
        match wire {
            TensorType::Int8 => Self::Int8,
            TensorType::Int16 => Self::Int16,
            TensorType::Int32 => Self::Int32,
            TensorType::Int64 => Self::Int64,
            TensorType::Uint8 => Self::UInt8,
            TensorType::Bool => Self::Bool,
            TensorType::Float32 => Self::Float32,
            TensorType::Int4 => Self::Int4,
            TensorType::Resource => Self::Resource,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Dimensions of a tensor: at most 6, each at least 1; their product fits in 30 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rank: u8,
    dims: [u32; Self::MAX_RANK],
}

impl Shape {
    /// The most dimensions a tensor can have.
    pub const MAX_RANK: usize = 6;

    /// A shape of these dimensions.
    ///
    /// # Errors
    /// [`Reason::RankTooHigh`], [`Reason::BadShape`] for a dimension below 1,
    /// [`Reason::TensorTooLarge`] for 2^30 elements and more.
    pub fn new(dims: impl IntoIterator<Item = i32>) -> core::result::Result<Self, Reason> {
        let mut shape = Self { rank: 0, dims: [1; Self::MAX_RANK] };
        let mut len = 1u32;
        for dim in dims {
            let size = u32::try_from(dim).ok().filter(|&size| size > 0).ok_or(Reason::BadShape)?;
            *shape.dims.get_mut(usize::from(shape.rank)).ok_or(Reason::RankTooHigh)? = size;
            shape.rank += 1;
            len = len.checked_mul(size).filter(|&len| len < 1 << 30).ok_or(Reason::TensorTooLarge)?;
        }
        Ok(shape)
    }

    /// The dimensions, outermost first; none for a scalar.
    pub fn dims(&self) -> &[u32] {
        self.dims.get(..usize::from(self.rank)).unwrap_or(&[])
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.rank.into()
    }

    /// Number of elements.
    pub fn len(&self) -> u32 {
        self.dims.iter().product()
    }

    /// A shape has at least one element.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The innermost dimension; 1 for a scalar.
    pub fn last(&self) -> u32 {
        self.dims().last().copied().unwrap_or(1)
    }

    /// Exactly four dimensions: batch, height, width, channels.
    pub fn nhwc(&self) -> core::result::Result<[u32; 4], Reason> {
        <[u32; 4]>::try_from(self.dims()).map_err(|_| Reason::WrongRank)
    }

    /// Exactly two dimensions.
    pub fn matrix(&self) -> core::result::Result<[u32; 2], Reason> {
        <[u32; 2]>::try_from(self.dims()).map_err(|_| Reason::WrongRank)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.dims()).finish()
    }
}

/// Where a tensor's data comes from.
#[derive(Clone, Copy, Debug)]
pub enum Storage<'a> {
    /// Written by an operator or by the caller, for the length of one inference.
    Activation,
    /// Kept from one inference to the next.
    Variable,
    /// In the file.
    Constant {
        /// Position in the file, in bytes; any alignment.
        offset: u32,
        /// The data; its length fits shape and type.
        bytes: &'a [u8],
    },
}

/// Scales and zero points of a tensor: one pair for the whole, or one for each slice along an axis.
#[derive(Clone, Copy)]
pub struct Quantization<'a> {
    scales: Vector<'a, f32>,
    zero_points: Vector<'a, i64>,
    axis: i32,
}

impl Quantization<'_> {
    /// Number of scales; 0 for a tensor that is not quantised.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// The tensor is not quantised.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Scale `i`.
    pub fn scale(&self, i: usize) -> Option<f32> {
        self.scales.get(i)
    }

    /// Zero point `i`. Where the file gives none, 0; where it gives one, that one for all.
    pub fn zero_point(&self, i: usize) -> Option<i64> {
        match self.zero_points.len() {
            0 => Some(0),
            1 => self.zero_points.get(0),
            _ => self.zero_points.get(i),
        }
    }

    /// Both have the same first scale and zero point, or none.
    pub(crate) fn is_same(&self, other: &Quantization<'_>) -> bool {
        let first = |q: &Quantization<'_>| (q.scale(0).unwrap_or(0.0), q.zero_point(0).unwrap_or(0));
        first(self) == first(other)
    }

    /// The dimension that scales and zero points run along when there are several.
    pub fn axis(&self) -> i32 {
        self.axis
    }
}

impl fmt::Debug for Quantization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantization")
            .field("scale", &self.scale(0))
            .field("zero_point", &self.zero_point(0))
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A tensor whose shape, type and buffer agree.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Its number in the subgraph.
    pub id: u32,
    /// Its name, as bytes: a file may hold what is not UTF-8.
    pub name: &'a [u8],
    /// Where the name lies in the file, in bytes.
    pub name_offset: u32,
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub shape: Shape,
    /// Where its data comes from.
    pub storage: Storage<'a>,
    /// Scales and zero points.
    pub quantization: Quantization<'a>,
}

impl<'a> Tensor<'a> {
    pub(crate) fn new(model: &Model<'a>, wire: TensorRef<'a>, id: u32) -> Result<Self> {
        let shape = Shape::new(wire.shape()?.unwrap_or_default())?;
        let dtype = DType::new(wire.type_()?);
        if wire.sparsity()?.is_some() {
            return Err(Reason::Sparse.into());
        }
        let bits = u64::from(shape.len()) * u64::from(dtype.bits());
        if bits >= 1 << 33 {
            return Err(Reason::TensorTooLarge.into());
        }
        let data = model.buffer(wire.buffer()?)?;
        let storage = if wire.is_variable()? {
            Storage::Variable
        } else if data.is_empty() {
            Storage::Activation
        } else {
            if dtype.bits() > 0 && data.len() as u64 != bits.div_ceil(8) {
                return Err(Reason::BufferLength.into());
            }
            Storage::Constant { offset: data.offset(), bytes: data.bytes() }
        };
        let quantization = match wire.quantization()? {
            Some(quantization) => Quantization {
                scales: quantization.scale()?.unwrap_or_default(),
                zero_points: quantization.zero_point()?.unwrap_or_default(),
                axis: quantization.quantized_dimension()?,
            },
            None => Quantization { scales: Vector::default(), zero_points: Vector::default(), axis: 0 },
        };
        let name = wire.name()?.unwrap_or_default();
        Ok(Self {
            id,
            name: name.as_bytes(),
            name_offset: name.offset(),
            dtype,
            shape,
            storage,
            quantization,
        })
    }

    /// Bytes the tensor takes.
    pub fn byte_len(&self) -> u32 {
        (u64::from(self.shape.len()) * u64::from(self.dtype.bits())).div_ceil(8) as u32
    }

    /// It is of a type that has a size: it can be moved, whatever it holds.
    pub fn has_size(&self) -> bool {
        self.dtype.bits() > 0
    }

    /// Its data lies in the file.
    pub fn is_constant(&self) -> bool {
        matches!(self.storage, Storage::Constant { .. })
    }

    /// Scale and zero point of a tensor that is quantised as a whole.
    ///
    /// # Errors
    /// [`Reason::NoQuantization`], [`Reason::QuantizationCount`] when it has several,
    /// [`Reason::BadScale`], [`Reason::BadZeroPoint`].
    pub fn per_tensor(&self) -> Result<(f32, i32)> {
        let at = |reason: Reason| crate::ModelError::new(reason).at_tensor(self.id);
        match self.quantization.len() {
            0 => return Err(at(Reason::NoQuantization)),
            1 => {}
            _ => return Err(at(Reason::QuantizationCount)),
        }
        let scale = self.scale(0).map_err(at)?;
        let zero_point = self.quantization.zero_point(0).and_then(|zero| i32::try_from(zero).ok());
        let (min, max) = self.dtype.range().ok_or(at(Reason::WrongType))?;
        match zero_point {
            Some(zero_point) if (min..=max).contains(&zero_point) => Ok((scale, zero_point)),
            _ => Err(at(Reason::BadZeroPoint)),
        }
    }

    /// Checks that the tensor is symmetric: one scale, or one for each of `channels` along `axis`, all
    /// positive and finite, and all zero points 0.
    ///
    /// # Errors
    /// [`Reason::NoQuantization`], [`Reason::QuantizationCount`], [`Reason::BadScale`],
    /// [`Reason::AsymmetricWeights`].
    pub(crate) fn check_symmetric(&self, axis: i32, channels: u32) -> Result<()> {
        let at = |reason: Reason| crate::ModelError::new(reason).at_tensor(self.id);
        let q = &self.quantization;
        let count_fits = match q.len() {
            0 => return Err(at(Reason::NoQuantization)),
            1 => true,
            len => len == channels as usize && q.axis == axis,
        };
        let zero_points = q.zero_points.len();
        if !count_fits || (zero_points > 1 && zero_points != q.len()) {
            return Err(at(Reason::QuantizationCount));
        }
        for i in 0..q.len() {
            self.scale(i).map_err(at)?;
        }
        if q.zero_points.iter().any(|zero| zero != 0) {
            return Err(at(Reason::AsymmetricWeights));
        }
        Ok(())
    }

    fn scale(&self, i: usize) -> core::result::Result<f32, Reason> {
        match self.quantization.scale(i) {
            Some(scale) if scale.is_finite() && scale > 0.0 => Ok(scale),
            Some(_) => Err(Reason::BadScale),
            None => Err(Reason::NoQuantization),
        }
    }
}
