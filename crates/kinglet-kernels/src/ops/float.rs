//! Functions of float32 numbers that the core library lacks.
//!
//! Those that are not exact are computed in float64 and rounded once: they are within a unit in the last place
//! of any C library, and nearer to the real number than the one that the references call.

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

/// `exp(x)`; 0 or infinity beyond what float64 has.
const fn exp_f64(x: f64) -> f64 {
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    if x < -700.0 {
        return 0.0;
    }
    if x > 700.0 {
        return f64::INFINITY;
    }
    // exp(x) = 2^k exp(r), |r| <= ln(2) / 2
    let halves = x * LOG2_E + if x < 0.0 { -0.5 } else { 0.5 };
    let k = halves as i64;
    let r = (x - k as f64 * LN_2_HIGH) - k as f64 * LN_2_LOW;
    // The Taylor series, from its small end: what comes after 14 terms is below 2^-57.
    let mut series = 1.0;
    let mut n = 14u8;
    while n > 0 {
        series = 1.0 + series * r / n as f64;
        n -= 1;
    }
    let power = f64::from_bits((k.wrapping_add(1023) as u64) << 52);
    series * power
}

/// ln(2) in two parts: the first has so few bits that its products with small integers are exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `exp(x)`
pub const fn exp(x: f32) -> f32 {
    exp_f64(x as f64) as f32
}

/// `exp(x) - 1`
pub fn exp_minus_1(x: f32) -> f32 {
    let x = f64::from(x);
    // Near 0, where the difference would lose its bits, the start of the Taylor series.
    if -1e-4 < x && x < 1e-4 {
        return (x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x / 24.0)))) as f32;
    }
    (exp_f64(x) - 1.0) as f32
}

/// The natural logarithm; NaN for negative numbers.
pub fn ln(x: f32) -> f32 {
    if x.is_nan() || x == f32::INFINITY {
        return x;
    }
    if x <= 0.0 {
        return if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    }
    // x = m 2^k with m in sqrt(1/2)..sqrt(2); no float32 is subnormal in float64.
    let bits = f64::from(x).to_bits();
    let mut k = ((bits >> 52) as i64).wrapping_sub(1023);
    let mut m = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if m > core::f64::consts::SQRT_2 {
        m *= 0.5;
        k = k.wrapping_add(1);
    }
    // ln(m) = 2 artanh(s), whose series goes on with s^2 <= 0.03: what comes after 12 terms is below 2^-60.
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    let k = k as f64;
    (k * LN_2_HIGH + (k * LN_2_LOW + 2.0 * s * series)) as f32
}

/// `tanh(x)`
pub fn tanh(x: f32) -> f32 {
    let wide = f64::from(x);
    if -1e-4 < wide && wide < 1e-4 {
        return (wide - wide * wide * wide / 3.0) as f32;
    }
    let magnitude = if wide < 0.0 { -wide } else { wide };
    let e = exp_f64(-2.0 * magnitude);
    let t = (1.0 - e) / (1.0 + e);
    (if wide < 0.0 { -t } else { t }) as f32
}

/// `1 / (1 + exp(-x))` as TFLite computes it in float32.
pub fn logistic(x: f32) -> f32 {
    if x > 16.619_047 {
        1.0
    } else if x < -9.0 {
        exp(x)
    } else {
        1.0 / (1.0 + exp(-x))
    }
}

/// The error function.
pub fn erf(x: f32) -> f32 {
    let x = f64::from(x);
    let magnitude = if x < 0.0 { -x } else { x };
    // From 4 on, float32 has no number between this and 1.
    if magnitude > 4.0 {
        return if x < 0.0 { -1.0 } else { 1.0 };
    }
    // erf(x) = 2 / sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n + 1)): all terms are positive.
    let square = 2.0 * x * x;
    let series = (1..90).rev().fold(1.0, |sum, n| 1.0 + sum * square / f64::from(2 * n + 1));
    (core::f64::consts::FRAC_2_SQRT_PI * exp_f64(-x * x) * x * series) as f32
}

/// `sin(x)`
pub fn sin(x: f32) -> f32 {
    quarter(x, 0)
}

/// `cos(x)`
pub fn cos(x: f32) -> f32 {
    quarter(x, 1)
}

/// `sin(x + quarters * pi / 2)`
fn quarter(x: f32, quarters: u32) -> f32 {
    if x.is_nan() || x.is_infinite() {
        return f32::NAN;
    }
    let (k, r) = reduce(x);
    let square = r * r;
    // Taylor series on |r| <= pi / 4: what comes after 9 terms is below 2^-60.
    let series = |first: f64, n: u32| {
        let term = |sum: f64, i: u32| {
            let n = n.wrapping_add(i.wrapping_mul(2));
            1.0 - sum * square / (f64::from(n.wrapping_add(1)) * f64::from(n.wrapping_add(2)))
        };
        first * (0..9).rev().fold(1.0, term)
    };
    let quarter = k.wrapping_add(quarters);
    let value = if quarter & 1 == 0 { series(r, 1) } else { series(1.0, 0) };
    (if quarter & 2 == 0 { value } else { -value }) as f32
}

/// The multiple of pi / 2 next to `x`, modulo 4, and what is left of `x` without it.
fn reduce(x: f32) -> (u32, f64) {
    /// pi / 2 in three parts; the first two have so few bits that their products with small integers are exact.
    const PARTS: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
    let wide = f64::from(x);
    if -1e5 < wide && wide < 1e5 {
        let halves = wide * core::f64::consts::FRAC_2_PI + if wide < 0.0 { -0.5 } else { 0.5 };
        let k = halves as i64;
        let [high, middle, low] = PARTS.map(|part| part * k as f64);
        return (k as u32, wide - high - middle - low);
    }
    /// The binary digits of 2 / pi.
    const DIGITS: [u32; 7] =
        [0xa2f9_836e, 0x4e44_1529, 0xfc27_57d1, 0xf534_ddc0, 0xdb62_9599, 0x3c43_9041, 0xfe51_63ab];
    // x = m 2^e with m below 2^24. Of x * 2 / pi only what is below 4 matters: digits from number e - 2 on, of
    // which 96 make the product with m exact to 70 binary places.
    let e = (x.to_bits() >> 23 & 0xff).wrapping_sub(150) as i32;
    let m = x.to_bits() & 0x7f_ffff | 1 << 23;
    // Digit number 0 stands for 1/2; before it there are only zeros.
    let digit = |i: i32| {
        let i = usize::try_from(i).ok()?;
        Some(DIGITS.get(i >> 5)? >> (31usize.wrapping_sub(i & 31)) & 1)
    };
    let first = e.wrapping_sub(2);
    let window =
        (first..first.wrapping_add(96)).fold(0u128, |w, i| w << 1 | u128::from(digit(i).unwrap_or(0)));
    // In units of 2^-94, modulo 4.
    let product = window.wrapping_mul(m.into()) & ((1 << 96) - 1);
    let k = (product.wrapping_add(1 << 93) >> 94) as u32;
    let rest = (product as i128).wrapping_sub(i128::from(k) << 94);
    let r = rest as f64 * (1.0 / (1u128 << 94) as f64) * core::f64::consts::FRAC_PI_2;
    if x < 0.0 { (k.wrapping_neg(), -r) } else { (k, r) }
}

/// -1, 0 or 1; NaN stays.
pub fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
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

    fn is_near(ours: f32, theirs: f32, units: u32) -> bool {
        ours == theirs
            || ours.is_nan() && theirs.is_nan()
            || ours.to_bits().abs_diff(theirs.to_bits()) <= units
    }

    #[test]
    fn functions_are_within_a_unit_of_the_standard_library() {
        type Pair = (&'static str, fn(f32) -> f32, fn(f64) -> f64);
        let pairs: [Pair; 6] = [
            ("exp", exp, f64::exp),
            ("exp_minus_1", exp_minus_1, f64::exp_m1),
            ("ln", ln, f64::ln),
            ("tanh", tanh, f64::tanh),
            ("sin", sin, f64::sin),
            ("cos", cos, f64::cos),
        ];
        let mut seed = 1u32;
        let mut samples: std::vec::Vec<f32> = (-104_000..89_000).map(|i| i as f32 / 1000.0).collect();
        for _ in 0..100_000 {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            samples.push(f32::from_bits(seed));
        }
        for (name, ours, theirs) in pairs {
            for &x in &samples {
                let (got, real) = (ours(x), theirs(x.into()) as f32);
                assert!(is_near(got, real, 1), "{name}({x:e}): {got:e} {real:e}");
            }
        }
        assert_eq!([exp(0.0), exp(-1e30), exp(1e30)], [1.0, 0.0, f32::INFINITY]);
        assert_eq!([ln(1.0), ln(0.0)], [0.0, f32::NEG_INFINITY]);
        assert_eq!([sign(-3.0), sign(0.0), sign(0.1)], [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn erf_is_its_integral() {
        // Simpson's rule on small steps.
        let (mut sum, step) = (0.0f64, 1.0 / 2048.0);
        let f = |x: f64| (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI;
        for i in 0..4 * 2048 {
            let x = f64::from(i) * step;
            assert!((f64::from(erf(x as f32)) - sum).abs() < 1e-7, "{x}");
            assert_eq!(erf(-x as f32), -erf(x as f32));
            sum += step / 6.0 * (f(x) + 4.0 * f(x + step / 2.0) + f(x + step));
        }
    }
}
