//! Jumps: what IF, WHILE and CALL_ONCE are made of.
//!
//! A jump is no kernel: whoever walks the steps asks [`target`] where to go on.

use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of a jump.
    pub struct JumpParams {
        /// A byte, anywhere: the jump is taken when it is 0. [`Place::NONE`]: it is taken always.
        pub condition: Place,
        /// Number of the step to go on with.
        pub target: u32,
    }
}

/// The step that comes next if the jump is taken; `None` when it is not.
///
/// # Errors
/// [`Fault::BadPlan`], [`Fault::OutOfBounds`].
pub fn target(call: &Call<'_>) -> Result<Option<u32>, Fault> {
    let p: JumpParams = call.params()?;
    let taken = p.condition == Place::NONE || call.source::<i8>(p.condition, 1)?.get(0)? == 0;
    Ok(taken.then_some(p.target))
}

/// Stands in the list of kernels; a program that does not know of jumps stops here.
pub fn jump(_call: &Call<'_>) -> Result<(), Fault> {
    Err(Fault::MissingKernel)
}
