//! 512-bit vectors with AVX-512 VNNI.

use core::arch::x86_64::*;

use crate::arch::wide::pack::Column;
use crate::arch::wide::vector::Vector;
use crate::arch::x86::ymm::{MAGIC_HIGH, SIGN};

/// Sixteen lanes; a lane is the product of four unsigned and four signed bytes (VPDPBUSD).
#[derive(Clone, Copy)]
pub(crate) struct Zmm(__m512i);

/// Each factor twice: for the lower two and the upper two of each four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    m: [__m512d; 2],
    c: [__m512d; 2],
    s: [__m512d; 2],
    z: [__m512d; 2],
}

// SAFETY: loads and stores touch 64 bytes.
unsafe impl Vector for Zmm {
    const LANES: usize = 16;
    const GROUP: usize = 4;
    type Factors = Factors;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: as the caller promises.
        unsafe { Self(_mm512_loadu_si512(from.cast())) }
    }

    #[inline(always)]
    unsafe fn splat(from: *const u8) -> Self {
        // SAFETY: as the caller promises; entries have the instruction set.
        unsafe { Self(_mm512_set1_epi32(from.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    fn splat_group(raw: u32) -> Self {
        Self::splat_i32(raw as i32 ^ SIGN)
    }

    #[inline(always)]
    fn splat_i32(value: i32) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm512_set1_epi32(value)) }
    }

    #[inline(always)]
    unsafe fn widen(from: *const i8) -> Self {
        // SAFETY: 16 bytes, as the caller promises.
        unsafe { Self(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast()))) }
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm512_sub_epi32(self.0, other.0)) }
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm512_mullo_epi32(self.0, other.0)) }
    }

    #[inline(always)]
    fn dot(self, activations: Self, weights: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm512_dpbusd_epi32(self.0, activations.0, weights.0)) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm512_add_epi32(self.0, other.0)) }
    }

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm512_setzero_si512()) }
    }

    #[inline(always)]
    unsafe fn convert(to: *mut u8, from: *const i8, len: usize) {
        // SAFETY: full vectors lie within `len`; the mask keeps the rest within it.
        unsafe {
            let sign = _mm512_set1_epi32(SIGN);
            let mut at = 0;
            while at + 64 <= len {
                let raw = _mm512_loadu_si512(from.add(at).cast());
                _mm512_storeu_si512(to.add(at).cast(), _mm512_xor_si512(raw, sign));
                at += 64;
            }
            if at < len {
                let mask = u64::MAX >> (64 - (len - at));
                let raw = _mm512_maskz_loadu_epi8(mask, from.add(at));
                _mm512_mask_storeu_epi8(to.add(at).cast(), mask, _mm512_xor_si512(raw, sign));
            }
        }
    }

    #[inline(always)]
    fn ready_byte(value: i8) -> u8 {
        value as u8 ^ 0x80
    }

    #[inline(always)]
    unsafe fn interleave(rows: [*const u8; 4]) -> [Self; 4] {
        // SAFETY: 64 bytes of each row, as the caller promises.
        unsafe {
            let (Self(a), Self(b)) = (Self::load(rows[0]), Self::load(rows[1]));
            let (Self(c), Self(d)) = (Self::load(rows[2]), Self::load(rows[3]));
            let (ab, cd) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
            let (ab2, cd2) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
            [
                Self(_mm512_unpacklo_epi16(ab, cd)),
                Self(_mm512_unpackhi_epi16(ab, cd)),
                Self(_mm512_unpacklo_epi16(ab2, cd2)),
                Self(_mm512_unpackhi_epi16(ab2, cd2)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn factors(column: *const u8) -> Factors {
        // SAFETY: a column has two vectors of doubles at each of these places.
        unsafe {
            Factors {
                m: pair(column, Column::M),
                c: pair(column, Column::C),
                s: pair(column, Column::S),
                z: pair(column, Column::Z),
            }
        }
    }

    #[inline(always)]
    fn rescale(self, f: &Factors) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe {
            // An integer with this high word before it is a double: 2^52 more.
            let high = _mm512_set1_epi32(MAGIC_HIGH);
            let low = half(_mm512_unpacklo_epi32(self.0, high), f, 0);
            let up = half(_mm512_unpackhi_epi32(self.0, high), f, 1);
            Self(_mm512_castps_si512(_mm512_shuffle_ps::<0x88>(low, up)))
        }
    }

    #[inline(always)]
    fn multiply(self, multiplier: Self, left: Self, right: Self) -> Self {
        let (multiplier, left, right) = (multiplier.0, left.0, right.0);
        // SAFETY: entries have the instruction set.
        unsafe {
            let x = _mm512_sllv_epi32(self.0, left);
            // SaturatingRoundingDoublingHighMul: even and odd lanes apart.
            let nudge = _mm512_set1_epi64(1 << 30);
            let even = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), nudge);
            let odd = _mm512_mul_epi32(_mm512_srli_epi64::<32>(x), _mm512_srli_epi64::<32>(multiplier));
            let odd = _mm512_slli_epi64::<1>(_mm512_add_epi64(odd, nudge));
            let x = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64::<31>(even), odd);
            // RoundingDivideByPOT.
            let one = _mm512_set1_epi32(1);
            let mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
            let threshold = _mm512_add_epi32(_mm512_srli_epi32::<1>(mask), _mm512_srli_epi32::<31>(x));
            let up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(x, mask), threshold);
            let shifted = _mm512_srav_epi32(x, right);
            Self(_mm512_mask_add_epi32(shifted, up, shifted, one))
        }
    }

    #[inline(always)]
    unsafe fn store<const N: usize>(values: [Self; N], to: *mut i8, len: usize, min: i8, max: i8) {
        // SAFETY: `len` bytes, as the caller promises: whole vectors where it is all of them, else by mask.
        unsafe {
            match *values.as_slice() {
                [a, b, c, d] => {
                    let (ab, cd) = (_mm512_packs_epi32(a.0, b.0), _mm512_packs_epi32(c.0, d.0));
                    let bytes = _mm512_packs_epi16(ab, cd);
                    let bytes = _mm512_max_epi8(bytes, _mm512_set1_epi8(min));
                    let bytes = _mm512_min_epi8(bytes, _mm512_set1_epi8(max));
                    if len == 64 {
                        _mm512_storeu_si512(to.cast(), bytes);
                    } else {
                        _mm512_mask_storeu_epi8(to, (1 << (len & 63)) - 1, bytes);
                    }
                }
                [a, b] => {
                    let bytes = _mm512_cvtsepi16_epi8(_mm512_packs_epi32(a.0, b.0));
                    let bytes = _mm256_max_epi8(bytes, _mm256_set1_epi8(min));
                    let bytes = _mm256_min_epi8(bytes, _mm256_set1_epi8(max));
                    if len == 32 {
                        _mm256_storeu_si256(to.cast(), bytes);
                    } else {
                        _mm256_mask_storeu_epi8(to, (1 << (len & 31)) - 1, bytes);
                    }
                }
                [a] => {
                    let bytes = _mm512_cvtsepi32_epi8(a.0);
                    let bytes = _mm_max_epi8(bytes, _mm_set1_epi8(min));
                    let bytes = _mm_min_epi8(bytes, _mm_set1_epi8(max));
                    if len == 16 {
                        _mm_storeu_si128(to.cast(), bytes);
                    } else {
                        _mm_mask_storeu_epi8(to, (1 << (len & 15)) - 1, bytes);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Two vectors of doubles of a column.
///
/// # Safety
/// They are there, and the machine has the instruction set.
#[inline(always)]
unsafe fn pair(column: *const u8, vector: usize) -> [__m512d; 2] {
    // SAFETY: as the caller promises.
    unsafe {
        let from = column.add(vector * 64);
        [_mm512_loadu_pd(from.cast()), _mm512_loadu_pd(from.add(64).cast())]
    }
}

/// Half of the lanes requantised: the results are the low words.
///
/// # Safety
/// The machine has the instruction set.
#[inline(always)]
unsafe fn half(x: __m512i, f: &Factors, i: usize) -> __m512 {
    // SAFETY: as the caller promises.
    unsafe {
        let rounded = _mm512_fmadd_pd(_mm512_castsi512_pd(x), f.m[i], f.c[i]);
        _mm512_castpd_ps(_mm512_fmadd_pd(rounded, f.s[i], f.z[i]))
    }
}
