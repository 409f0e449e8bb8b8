//! Values that are known when the plan is made: SHAPE.

use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of [`known`]. The whole output is one row.
    pub struct KnownParams {
        /// Output.
        pub output: Place,
        /// Its words of 32 bits.
        pub len: u32,
        /// Where they stand in the plan.
        pub words: u32,
    }
}

/// Writes words of the plan to the output.
pub fn known(call: &Call<'_>) -> Result<(), Fault> {
    let p: KnownParams = call.params()?;
    let output = call.view::<i32>(p.output, p.len as usize)?;
    for i in 0..p.len as usize {
        let word = call.plan.get((p.words as usize).wrapping_add(i)).ok_or(Fault::BadPlan)?;
        output.set(i, *word as i32)?;
    }
    Ok(())
}
