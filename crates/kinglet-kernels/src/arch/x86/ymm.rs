//! 256-bit vectors: with AVX2 alone, with AVX-VNNI, and with AVX-512 VNNI.

use core::arch::x86_64::*;

use crate::arch::wide::pack::Column;
use crate::arch::wide::vector::Vector;

/// The sign bits of four bytes.
pub(crate) const SIGN: i32 = 0x8080_8080_u32 as i32;
/// The high word of 2^52.
pub(crate) const MAGIC_HIGH: i32 = 0x4330_0000;

/// Pairs of 16-bit numbers (VPMADDWD): VPMADDUBSW would saturate.
pub(crate) const PAIRS: u8 = 0;
/// Four bytes (VPDPBUSD) as AVX-VNNI encodes it.
pub(crate) const VEX: u8 = 1;
/// Four bytes (VPDPBUSD) as AVX-512 encodes it.
pub(crate) const EVEX: u8 = 2;

/// Eight lanes; `DOT` says how products are taken.
#[derive(Clone, Copy)]
pub(crate) struct Ymm<const DOT: u8>(__m256i);

/// Each factor twice: for the lower two and the upper two of each four lanes.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    m: [__m256d; 2],
    c: [__m256d; 2],
    s: [__m256d; 2],
    z: [__m256d; 2],
}

// SAFETY: loads and stores touch 32 bytes.
unsafe impl<const DOT: u8> Vector for Ymm<DOT> {
    const LANES: usize = 8;
    const GROUP: usize = if DOT == PAIRS { 2 } else { 4 };
    type Factors = Factors;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: as the caller promises.
        unsafe { Self(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    unsafe fn splat(from: *const u8) -> Self {
        // SAFETY: as the caller promises; entries have the instruction set.
        unsafe { Self(_mm256_set1_epi32(from.cast::<i32>().read_unaligned())) }
    }

    #[inline(always)]
    fn splat_group(raw: u32) -> Self {
        Self::splat_i32(if DOT == PAIRS {
            i32::from(raw as i8) & 0xffff | i32::from((raw >> 8) as i8) << 16
        } else {
            raw as i32 ^ SIGN
        })
    }

    #[inline(always)]
    fn splat_i32(value: i32) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm256_set1_epi32(value)) }
    }

    #[inline(always)]
    unsafe fn widen(from: *const i8) -> Self {
        // SAFETY: 8 bytes, as the caller promises.
        unsafe { Self(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast()))) }
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm256_sub_epi32(self.0, other.0)) }
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm256_mullo_epi32(self.0, other.0)) }
    }

    #[inline(always)]
    fn dot(self, activations: Self, weights: Self) -> Self {
        // SAFETY: entries have the instruction set that `DOT` stands for.
        unsafe {
            Self(match DOT {
                PAIRS => _mm256_add_epi32(self.0, _mm256_madd_epi16(activations.0, weights.0)),
                VEX => _mm256_dpbusd_avx_epi32(self.0, activations.0, weights.0),
                _ => _mm256_dpbusd_epi32(self.0, activations.0, weights.0),
            })
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm256_add_epi32(self.0, other.0)) }
    }

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: entries have the instruction set.
        unsafe { Self(_mm256_setzero_si256()) }
    }

    #[inline(always)]
    unsafe fn convert(to: *mut u8, from: *const i8, len: usize) {
        // SAFETY: full vectors lie within `len`, and so does each byte of the rest.
        unsafe {
            let mut at = 0;
            if DOT == PAIRS {
                while at + 16 <= len {
                    let raw = _mm_loadu_si128(from.add(at).cast());
                    _mm256_storeu_si256(to.add(2 * at).cast(), _mm256_cvtepi8_epi16(raw));
                    at += 16;
                }
                while at < len {
                    to.cast::<i16>().add(at).write_unaligned(from.add(at).read().into());
                    at += 1;
                }
            } else {
                let sign = _mm256_set1_epi32(SIGN);
                while at + 32 <= len {
                    let raw = _mm256_loadu_si256(from.add(at).cast());
                    _mm256_storeu_si256(to.add(at).cast(), _mm256_xor_si256(raw, sign));
                    at += 32;
                }
                while at + 8 <= len {
                    let raw = from.add(at).cast::<u64>().read_unaligned();
                    to.add(at).cast::<u64>().write_unaligned(raw ^ 0x8080_8080_8080_8080);
                    at += 8;
                }
                while at < len {
                    to.add(at).write(from.add(at).read() as u8 ^ 0x80);
                    at += 1;
                }
            }
        }
    }

    #[inline(always)]
    fn ready_byte(value: i8) -> u8 {
        value as u8 ^ 0x80
    }

    #[inline(always)]
    unsafe fn interleave(rows: [*const u8; 4]) -> [Self; 4] {
        // SAFETY: 32 bytes of each of four rows, or 64 bytes of each of two, as the caller promises.
        unsafe {
            let (Self(a), Self(b)) = (Self::load(rows[0]), Self::load(rows[1]));
            if DOT == PAIRS {
                let (a0, Self(a1), b0, Self(b1)) =
                    (a, Self::load(rows[0].add(32)), b, Self::load(rows[1].add(32)));
                return [
                    Self(_mm256_unpacklo_epi16(a0, b0)),
                    Self(_mm256_unpackhi_epi16(a0, b0)),
                    Self(_mm256_unpacklo_epi16(a1, b1)),
                    Self(_mm256_unpackhi_epi16(a1, b1)),
                ];
            }
            let (Self(c), Self(d)) = (Self::load(rows[2]), Self::load(rows[3]));
            let (ab, cd) = (_mm256_unpacklo_epi8(a, b), _mm256_unpacklo_epi8(c, d));
            let (ab2, cd2) = (_mm256_unpackhi_epi8(a, b), _mm256_unpackhi_epi8(c, d));
            [
                Self(_mm256_unpacklo_epi16(ab, cd)),
                Self(_mm256_unpackhi_epi16(ab, cd)),
                Self(_mm256_unpacklo_epi16(ab2, cd2)),
                Self(_mm256_unpackhi_epi16(ab2, cd2)),
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
            let high = _mm256_set1_epi32(MAGIC_HIGH);
            let low = half(_mm256_unpacklo_epi32(self.0, high), f, 0);
            let up = half(_mm256_unpackhi_epi32(self.0, high), f, 1);
            Self(_mm256_castps_si256(_mm256_shuffle_ps::<0x88>(low, up)))
        }
    }

    #[inline(always)]
    fn multiply(self, multiplier: Self, left: Self, right: Self) -> Self {
        let (multiplier, left, right) = (multiplier.0, left.0, right.0);
        // SAFETY: entries have the instruction set.
        unsafe {
            let x = _mm256_sllv_epi32(self.0, left);
            // SaturatingRoundingDoublingHighMul: even and odd lanes apart.
            let nudge = _mm256_set1_epi64x(1 << 30);
            let even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), nudge);
            let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(x), _mm256_srli_epi64::<32>(multiplier));
            let odd = _mm256_slli_epi64::<1>(_mm256_add_epi64(odd, nudge));
            let x = _mm256_blend_epi32::<0xaa>(_mm256_srli_epi64::<31>(even), odd);
            // RoundingDivideByPOT.
            let one = _mm256_set1_epi32(1);
            let mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
            let threshold = _mm256_add_epi32(_mm256_srli_epi32::<1>(mask), _mm256_srli_epi32::<31>(x));
            let up = _mm256_cmpgt_epi32(_mm256_and_si256(x, mask), threshold);
            Self(_mm256_sub_epi32(_mm256_srav_epi32(x, right), up))
        }
    }

    #[inline(always)]
    unsafe fn store<const N: usize>(values: [Self; N], to: *mut i8, len: usize, min: i8, max: i8) {
        // SAFETY: `len` bytes, as the caller promises: a whole vector where it is all of them, else by way of
        // a buffer.
        unsafe {
            let (bytes, all) = match *values.as_slice() {
                [a, b, c, d] => {
                    let (ab, cd) = (_mm256_packs_epi32(a.0, b.0), _mm256_packs_epi32(c.0, d.0));
                    let bytes = _mm256_packs_epi16(ab, cd);
                    (if DOT == PAIRS { _mm256_permute4x64_epi64::<0xd8>(bytes) } else { bytes }, 32)
                }
                [a, b] => {
                    let words = _mm256_packs_epi32(a.0, b.0);
                    (_mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi16(words, words)), 16)
                }
                [a] => {
                    let words = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi32(a.0, a.0));
                    (_mm256_packs_epi16(words, words), 8)
                }
                _ => return,
            };
            let bytes = _mm256_max_epi8(bytes, _mm256_set1_epi8(min));
            let bytes = _mm256_min_epi8(bytes, _mm256_set1_epi8(max));
            let low = _mm256_castsi256_si128(bytes);
            if len != all {
                let mut buffer = [0i8; 32];
                _mm256_storeu_si256(buffer.as_mut_ptr().cast(), bytes);
                core::ptr::copy_nonoverlapping(buffer.as_ptr(), to, len);
            } else if N == 4 {
                _mm256_storeu_si256(to.cast(), bytes);
            } else if N == 2 {
                _mm_storeu_si128(to.cast(), low);
            } else {
                _mm_storel_epi64(to.cast(), low);
            }
        }
    }
}

/// Two vectors of doubles of a column.
///
/// # Safety
/// They are there, and the machine has the instruction set.
#[inline(always)]
unsafe fn pair(column: *const u8, vector: usize) -> [__m256d; 2] {
    // SAFETY: as the caller promises.
    unsafe {
        let from = column.add(vector * 32);
        [_mm256_loadu_pd(from.cast()), _mm256_loadu_pd(from.add(32).cast())]
    }
}

/// Half of the lanes requantised: the results are the low words.
///
/// # Safety
/// The machine has the instruction set.
#[inline(always)]
unsafe fn half(x: __m256i, f: &Factors, i: usize) -> __m256 {
    // SAFETY: as the caller promises.
    unsafe {
        let rounded = _mm256_fmadd_pd(_mm256_castsi256_pd(x), f.m[i], f.c[i]);
        _mm256_castpd_ps(_mm256_fmadd_pd(rounded, f.s[i], f.z[i]))
    }
}
