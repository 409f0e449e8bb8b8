//! Armv7E-M and Armv8-M with the DSP extension: Cortex-M4, M7, M33.

#[allow(dead_code, reason = "a vocabulary")]
pub(crate) mod instructions;
#[allow(dead_code, reason = "a vocabulary")]
pub(crate) mod requant;
