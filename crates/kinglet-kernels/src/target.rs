//! What a descriptor is asked and what it answers.

use crate::Kernel;
use crate::quant::Multiplier;

/// A kernel family: the instruction set that a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Portable kernels: every core runs them.
    Portable,
    /// 32-bit cores without SIMD: Armv6-M, Armv7-M, RV32.
    Scalar,
    /// Armv7E-M and Armv8-M with the DSP extension: Cortex-M4, M7, M33.
    Dsp,
    /// Armv8.1-M with Helium: Cortex-M55, M85.
    Mve,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-VNNI: dot products on 256-bit vectors.
    AvxVnni,
    /// x86-64 with AVX-512 VNNI.
    Avx512Vnni,
}

impl Target {
    /// Every family that a device can be compiled for.
    pub const DEVICES: [Self; 4] = [Self::Portable, Self::Scalar, Self::Dsp, Self::Mve];

    /// Every family of hosts, the best first.
    pub const HOSTS: [Self; 3] = [Self::Avx512Vnni, Self::AvxVnni, Self::Avx2];

    /// The family that this program is compiled for. On hosts the portable one: their instruction set is found
    /// out when the program runs.
    const COMPILED: Self = if cfg!(kinglet_family = "mve") {
        Self::Mve
    } else if cfg!(kinglet_family = "dsp") {
        Self::Dsp
    } else if cfg!(kinglet_family = "scalar") {
        Self::Scalar
    } else {
        Self::Portable
    };

    /// The best family for this machine.
    pub fn native() -> Self {
        Self::HOSTS.into_iter().find(|family| family.runs_here()).unwrap_or(Self::COMPILED)
    }

    /// Takes dot products in registers alone, `rounds` times twelve vectors of them, and returns how many
    /// multiply-accumulates these were, with a value that depends on all: what a benchmark compares kernels
    /// with. `None` for families without such an instruction, or where the machine does not have it.
    pub fn dot_products(self, rounds: u32) -> Option<(u64, i8)> {
        match self {
            #[cfg(kinglet_wide = "x86")]
            Self::Avx512Vnni => crate::arch::x86::avx512_vnni::peak(rounds),
            #[cfg(kinglet_wide = "x86")]
            Self::AvxVnni => crate::arch::x86::avx_vnni::peak(rounds),
            #[cfg(kinglet_wide = "x86")]
            Self::Avx2 => crate::arch::x86::avx2::peak(rounds),
            _ => {
                let _ = rounds;
                None
            }
        }
    }

    /// This machine can run the family's kernels.
    pub fn runs_here(self) -> bool {
        match self {
            #[cfg(kinglet_wide = "x86")]
            Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni => crate::arch::x86::has(self),
            _ => self.is_linked(),
        }
    }

    /// It has the DSP extension, and programs for it contain the kernels that use it.
    pub(crate) const fn has_dsp(self) -> bool {
        matches!(self, Self::Dsp | Self::Mve) && Self::Dsp.is_linked()
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Scalar => "scalar",
            Self::Dsp => "dsp",
            Self::Mve => "mve",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avx-vnni",
            Self::Avx512Vnni => "avx512-vnni",
        }
    }

    /// Programs contain the kernels of this family: on a device its own and those that these fall back to,
    /// on a host all devices' and its own.
    pub const fn is_linked(self) -> bool {
        if matches!(self, Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni) {
            return cfg!(kinglet_wide = "x86");
        }
        !cfg!(target_os = "none")
            || matches!(
                (self, Self::COMPILED),
                (Self::Portable, _)
                    | (Self::Scalar, Self::Scalar)
                    | (Self::Dsp, Self::Dsp | Self::Mve)
                    | (Self::Mve, Self::Mve)
            )
    }
}

/// What a descriptor chooses for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// The kernel family.
    pub target: Target,
    /// There is memory for constants in a layout of the kernel's own: flash in static mode, a block of RAM
    /// on a host. Without, kernels read them as they are in the file.
    pub prepare: bool,
}

impl Default for How {
    /// The best kernels for this machine, with constants as they are in the file.
    fn default() -> Self {
        Self { target: Target::native(), prepare: false }
    }
}

/// Defines `for_family!`: of the blocks `{ family family ... } { items }` it keeps the one for the family
/// that this crate is compiled for.
macro_rules! define_for_family {
    ($d:tt $family:ident) => {
        /// Of the blocks `{ family ... } { items }` keeps the items for the family that kinglet is compiled
        /// for. [`include_model!`](https://docs.rs/kinglet) expands to it.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! for_family {
            ({ $family $d($d other:ident)* } { $d($d items:tt)* } $d($d more:tt)*) => { $d($d items)* };
            ({ $d first:ident $d($d other:ident)* } $d items:tt $d($d more:tt)*) => {
                $d crate::for_family! { { $d($d other)* } $d items $d($d more)* }
            };
            ({} $d items:tt $d($d more:tt)*) => { $d crate::for_family! { $d($d more)* } };
        }
    };
}
#[cfg(kinglet_family = "portable")]
define_for_family!($ portable);
#[cfg(kinglet_family = "scalar")]
define_for_family!($ scalar);
#[cfg(kinglet_family = "dsp")]
define_for_family!($ dsp);
#[cfg(kinglet_family = "mve")]
define_for_family!($ mve);

/// The constants of a layer with weights, for descriptors and packing.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// The weights, as they are in the file.
    pub weights: &'a [i8],
    /// How far apart the weights of one output channel are: 1 where each channel's lie one after the other, the
    /// number of channels where those of one tap do.
    pub apart: usize,
    /// int32 bias for each output channel, little-endian, or none.
    pub bias: Option<&'a [u8]>,
    /// The requantisation factor of an output channel.
    pub factor: &'a dyn Fn(usize) -> Multiplier,
}

impl<'a> Weights<'a> {
    /// The `taps` weights of `channel`; `None` when there are not so many.
    pub fn filter(&self, channel: usize, taps: usize) -> Option<impl Iterator<Item = i8> + Clone + use<'a>> {
        let start = if self.apart == 1 { channel.checked_mul(taps)? } else { channel };
        let last = taps.saturating_sub(1).checked_mul(self.apart)?;
        let weights = self.weights.get(start..start.checked_add(last)?.checked_add(1)?)?;
        Some(weights.iter().step_by(self.apart.max(1)).copied())
    }

    /// The bias of `channel`; 0 when the layer has none.
    pub fn bias(&self, channel: usize) -> i32 {
        let start = channel.wrapping_mul(4);
        let bytes = self.bias.and_then(|bytes| bytes.get(start..)?.first_chunk::<4>());
        bytes.map_or(0, |bytes| i32::from_le_bytes(*bytes))
    }
}

/// A descriptor's answer: which kernel runs an operator, and what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The kernel.
    pub kernel: Kernel,
    /// Bytes of arena that the kernel needs while it runs, beside its inputs and output.
    pub scratch: u32,
    /// Bytes of constants in the kernel's own layout: weights, biases and factors. 0 for kernels that read
    /// them as they are in the file.
    pub prepared: u32,
    /// How the output may lie over an input that nobody reads afterwards.
    pub overlap: Overlap,
}

/// How a kernel's output may lie over its input.
///
/// An output may lie over what has been read already. A kernel that works forwards allows it to start before
/// the input, by a *lead* of at least so many bytes that no write reaches what is still to be read; one that
/// works backwards allows it to start behind the input's start, by a *lag* that sees to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// Not at all.
    Never,
    /// Over any input with as many elements as the output: each element is read just before it is written.
    Elements,
    /// Over the first input, by a kernel that computes row by row in either direction.
    Rows(Distances),
    /// Over the first input, where both start at the same byte.
    InPlace,
}

/// How far in front of or behind its input an output has to start; in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distances {
    /// In front, when rows are computed forwards.
    pub lead: u32,
    /// Behind, when rows are computed backwards.
    pub lag: u32,
}

impl Overlap {
    /// The least lead of an output of `output_bytes` over an input of `input_bytes`, both with the same
    /// number of elements; see [`Overlap::Elements`].
    pub const fn element_lead(input_bytes: u32, output_bytes: u32) -> u32 {
        output_bytes.saturating_sub(input_bytes)
    }
}

impl Choice {
    /// A kernel that needs nothing.
    pub const fn new(kernel: Kernel) -> Self {
        Self { kernel, scratch: 0, prepared: 0, overlap: Overlap::Never }
    }

    /// The same, with an output that may lie over an input.
    #[must_use]
    pub const fn with_overlap(mut self, overlap: Overlap) -> Self {
        self.overlap = overlap;
        self
    }
}
