//! Decimals as JSON numbers.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

/// A decimal that is written to JSON as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number(pub Decimal);

impl From<Decimal> for Number {
    fn from(value: Decimal) -> Self {
        Self(value)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(whole) if self.0.is_integer() => serializer.serialize_i64(whole),
            // The nearest double, which prints as the same digits up to 15 of them.
            _ => serializer.serialize_f64(self.0.to_string().parse().unwrap_or(f64::NAN)),
        }
    }
}
