//! What a descriptor is asked and what it answers.

/// The kernel family to choose for: which instruction set the plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Target {
    /// Portable kernels: every core runs them.
    #[default]
    Portable,
}

/// A descriptor's answer: which kernel runs an operator, and what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The kernel.
    pub kernel: crate::Kernel,
    /// Bytes of arena that the kernel needs while it runs, beside its inputs and output.
    pub scratch: u32,
}
