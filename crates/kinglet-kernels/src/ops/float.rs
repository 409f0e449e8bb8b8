//! Functions of float32 numbers that the core library lacks.

/// The square root, correctly rounded as IEEE 754 demands.
pub fn sqrt(x: f32) -> f32 {
    if x.is_nan() || x == 0.0 || x == f32::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f32::NAN;
    }
    // x = mantissa * 2^exponent, mantissa in 2^23..2^24; subnormal numbers have fewer bits of their own.
    let bits = x.to_bits();
    let (field, fraction) = ((bits >> 23) as i32, bits & 0x7f_ffff);
    let (mantissa, exponent) = if field == 0 {
        let up = fraction.leading_zeros().saturating_sub(8);
        (fraction.wrapping_shl(up), (-149i32).wrapping_sub(up as i32))
    } else {
        (fraction | 1 << 23, field.wrapping_sub(150))
    };
    // A square of 49 or 50 bits has a root of 25: one more than a float32, for rounding.
    let up = if exponent & 1 == 0 { 26 } else { 25 };
    let root = (u64::from(mantissa) << up).isqrt() as u32;
    // The root of a number of 24 bits is never halfway between two such numbers.
    let rounded = root.wrapping_add(1) >> 1;
    // 2^24 where the rounding carried: then the exponent grows by itself.
    let exponent = (exponent.wrapping_sub(up) >> 1).wrapping_add(1);
    let field = exponent.wrapping_add(149) as u32;
    f32::from_bits((field << 23).wrapping_add(rounded))
}

/// The greatest integer that is not greater than `x`; the sign of a zero stays.
pub fn floor_f64(x: f64) -> f64 {
    // From 2^52 on, numbers have no fraction.
    if x.is_nan() || x == 0.0 || !(-4_503_599_627_370_496.0..=4_503_599_627_370_496.0).contains(&x) {
        return x;
    }
    let whole = x as i64 as f64;
    if whole > x { whole - 1.0 } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_roots_are_the_standard_librarys() {
        let mut seed = 1u32;
        for _ in 0..300_000 {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let x = f32::from_bits(seed);
            assert!(
                sqrt(x).to_bits() == x.sqrt().to_bits() || x.sqrt().is_nan() && sqrt(x).is_nan(),
                "{x:e}"
            );
        }
        for x in [0.0, -0.0, f32::MIN_POSITIVE, 1e-45, 1.0, 2.0, 4.0, f32::MAX, f32::INFINITY] {
            assert_eq!(sqrt(x).to_bits(), x.sqrt().to_bits(), "{x:e}");
        }
    }

    #[test]
    fn floors_are_the_standard_librarys() {
        for x in [0.0, -0.0, 0.5, 0.999, 1.0, 1.5, 4e15 + 0.5, 4.6e15, 1e300, f64::INFINITY] {
            assert_eq!(floor_f64(x).to_bits(), x.floor().to_bits(), "{x}");
            assert_eq!(floor_f64(-x), (-x).floor(), "-{x}");
        }
        assert!(floor_f64(f64::NAN).is_nan());
    }
}
