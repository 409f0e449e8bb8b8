//! The step of an operator that leaves no work: its output lies where its input does.

use crate::{Call, Fault};

/// Does nothing. Takes no parameters.
pub fn nothing(_call: &Call<'_>) -> Result<(), Fault> {
    Ok(())
}
