//! Operators on two tensors, element by element, with broadcasting, that give truth values: EQUAL, NOT_EQUAL,
//! GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, LOGICAL_AND, LOGICAL_OR.

use core::cmp::Ordering;

use crate::ops::cast::CastType;
use crate::ops::elements::for_each_pair;
use crate::params::params;
use crate::quant::Multiplier;
use crate::{Call, Element, Fault, Place, Word};

/// What is asked of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Relation {
    /// `a == b`
    Equal,
    /// `a != b`
    NotEqual,
    /// `a > b`
    Greater,
    /// `a >= b`
    GreaterEqual,
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    /// Both are true.
    And,
    /// One is true, or both.
    Or,
}

impl Word for Relation {
    fn from_word(word: u32) -> Self {
        match word {
            0 => Self::Equal,
            1 => Self::NotEqual,
            2 => Self::Greater,
            3 => Self::GreaterEqual,
            4 => Self::Less,
            5 => Self::LessEqual,
            6 => Self::And,
            _ => Self::Or,
        }
    }
    fn to_word(self) -> u32 {
        self as u32
    }
}

params! {
    /// Parameters of [`relation`]. A row is `row_len` elements of the output.
    pub struct RelationParams {
        /// What is asked.
        pub relation: Relation,
        /// Type of the inputs.
        pub ty: CastType,
        /// First input, anywhere.
        pub input1: Place,
        /// Elements of the first input.
        pub len1: u32,
        /// Second input, anywhere.
        pub input2: Place,
        /// Elements of the second input.
        pub len2: u32,
        /// Output.
        pub output: Place,
        /// Elements of the output.
        pub len: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Where the dimensions stand in the plan, as for [`BinaryParams`](crate::ops::binary::BinaryParams).
        pub dims: u32,
        /// Their number.
        pub dims_len: u32,
        /// Zero points of int8 and int16 inputs.
        pub zero_points: [i16; 2],
        /// Multiplier of the first, for int8 and int16.
        pub multiplier1: i32,
        /// Multiplier of the second.
        pub multiplier2: i32,
        /// Shifts of the two; the rest is 0.
        pub shifts: [i8; 4],
    }
}

/// Bits by which int8 and int16 inputs are shifted left before they are rescaled.
const LEFT_SHIFT: u32 = 8;

/// Portable comparisons and logic. int8 and int16 are compared as TFLite does, brought to one scale
/// (`ComparisonWithScaling`). Nothing holds of NaN but NOT_EQUAL. May run in place on an input of one byte an
/// element.
pub fn relation(call: &Call<'_>) -> Result<(), Fault> {
    let p: RelationParams = call.params()?;
    match p.ty {
        CastType::S8 => rescaled::<i8>(call, &p),
        CastType::S16 => rescaled::<i16>(call, &p),
        CastType::U8 => compare::<u8>(call, &p),
        CastType::S32 => compare::<i32>(call, &p),
        CastType::S64 => compare::<i64>(call, &p),
        CastType::F32 => compare::<f32>(call, &p),
        CastType::Bool => meet::<u8>(call, &p, |a, b| {
            let (a, b) = (a != 0, b != 0);
            match p.relation {
                Relation::And => a && b,
                Relation::Or => a || b,
                Relation::NotEqual => a != b,
                _ => a == b,
            }
        }),
    }
}

fn rescaled<T: Element>(call: &Call<'_>, p: &RelationParams) -> Result<(), Fault> {
    let [zero1, zero2] = p.zero_points.map(i32::from);
    let [shift1, shift2, ..] = p.shifts;
    let factor1 = Multiplier { multiplier: p.multiplier1, shift: shift1 };
    let factor2 = Multiplier { multiplier: p.multiplier2, shift: shift2 };
    let scaled =
        |x: i32, zero: i32, factor: Multiplier| factor.apply(x.wrapping_sub(zero).wrapping_shl(LEFT_SHIFT));
    meet::<T>(call, p, |a, b| {
        holds(p.relation, Some(scaled(a.as_(), zero1, factor1).cmp(&scaled(b.as_(), zero2, factor2))))
    })
}

fn compare<T: Element + PartialOrd>(call: &Call<'_>, p: &RelationParams) -> Result<(), Fault> {
    meet::<T>(call, p, |a, b| holds(p.relation, a.partial_cmp(&b)))
}

fn holds(relation: Relation, order: Option<Ordering>) -> bool {
    match relation {
        Relation::Equal => order == Some(Ordering::Equal),
        Relation::NotEqual => order != Some(Ordering::Equal),
        Relation::Greater => order == Some(Ordering::Greater),
        Relation::GreaterEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Relation::Less => order == Some(Ordering::Less),
        Relation::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Relation::And | Relation::Or => false,
    }
}

fn meet<T: Element>(call: &Call<'_>, p: &RelationParams, ask: impl Fn(T, T) -> bool) -> Result<(), Fault> {
    let input1 = call.source::<T>(p.input1, p.len1 as usize)?;
    let input2 = call.source::<T>(p.input2, p.len2 as usize)?;
    let output = call.view::<u8>(p.output, p.len as usize)?;
    let dims = (p.dims_len as usize)
        .checked_mul(3)
        .and_then(|words| call.plan.get(p.dims as usize..)?.get(..words))
        .ok_or(Fault::BadPlan)?;
    for_each_pair(call, p.row_len, dims, |i, i1, i2| {
        output.set(i, ask(input1.get(i1)?, input2.get(i2)?).into())
    })
}
