//! From a kernel's number to the kernel.

use kinglet_kernels::{Call, Fault, Kernel, for_each_kernel};
use kinglet_tflite::ops::CONTROL;
use kinglet_tflite::{AllOps, OpKind, OpSet};

/// The kernels that a program contains.
///
/// Static mode has an implementation made by [`include_model!`](crate::include_model) with just the
/// kernels of one plan; loaded mode has one for each set of operators: [`AllOps`], or
/// [`ops!`](crate::ops).
pub trait Dispatch {
    /// Whether plans may hold jumps, those of IF, WHILE and CALL_ONCE. Where there are none, nothing of them
    /// is linked.
    const JUMPS: bool = true;

    /// Runs the kernel of number `kernel`.
    ///
    /// # Errors
    /// [`Fault::MissingKernel`] when the program does not contain it; what the kernel returns.
    fn run(kernel: u16, call: &Call<'_>) -> Result<(), Fault>;
}

/// A set of operators, as the bits of [`OpSet::OPS`]. Written [`ops!`](crate::ops)`[Conv2d, Softmax]`.
#[derive(Clone, Copy, Debug)]
pub struct Ops<const OPS: u128>;

impl<const OPS: u128> OpSet for Ops<OPS> {
    const OPS: u128 = OPS;
}

/// A set of operators: a type for [`Interpreter`](crate::Interpreter). What is not in it is not linked.
///
/// ```
/// type Mine<'a> = kinglet::Interpreter<'a, kinglet::ops![Conv2d, DepthwiseConv2d, Softmax]>;
/// ```
#[macro_export]
macro_rules! ops {
    ($($Op:ident),* $(,)?) => {
        $crate::Ops<{ 0 $(| $crate::OpKind::$Op.bit())* }>
    };
}

macro_rules! run {
    ($($Variant:ident = $id:literal, $module:ident :: $function:ident, [$($Op:ident),*], $doc:literal;)*) => {
        /// Runs a kernel if it belongs to an operator of the set `S`. The compiler drops the others.
        #[inline]
        fn run<S: OpSet>(kernel: u16, call: &Call<'_>) -> Result<(), Fault> {
            match kernel {
                $($id if const { Kernel::$Variant.target().is_linked() && ($(S::OPS & OpKind::$Op.bit() != 0)||*) } => {
                    kinglet_kernels::ops::$module::$function(call)
                })*
                _ => Err(Fault::MissingKernel),
            }
        }
    };
}
for_each_kernel!(run);

impl<const OPS: u128> Dispatch for Ops<OPS> {
    const JUMPS: bool = OPS & CONTROL != 0;

    #[inline]
    fn run(kernel: u16, call: &Call<'_>) -> Result<(), Fault> {
        run::<Self>(kernel, call)
    }
}

impl Dispatch for AllOps {
    #[inline]
    fn run(kernel: u16, call: &Call<'_>) -> Result<(), Fault> {
        run::<Self>(kernel, call)
    }
}
