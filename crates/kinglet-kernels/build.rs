//! Finds out which kernel family the crate is compiled for, which stable Rust does not say by itself on
//! Arm: `cfg(kinglet_family = "...")` is set from the target's name, the CPU that rustc is told to compile
//! for, and the features `force-portable`, `force-scalar`, `force-dsp` and `force-mve`.

use std::env;

const FAMILIES: [&str; 4] = ["portable", "scalar", "dsp", "mve"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rustc-check-cfg=cfg(kinglet_family, values(\"portable\", \"scalar\", \"dsp\", \"mve\"))"
    );
    println!("cargo::rustc-check-cfg=cfg(kinglet_wide, values(none(), \"x86\"))");
    if let Some(wide) = wide() {
        println!("cargo::rustc-cfg=kinglet_wide");
        println!("cargo::rustc-cfg=kinglet_wide=\"{wide}\"");
    }
    let family = forced().unwrap_or_else(from_target);
    println!("cargo::rustc-cfg=kinglet_family=\"{family}\"");
    println!("cargo::rustc-check-cfg=cfg(kinglet_armv6m)");
    let target = env::var("TARGET").unwrap_or_default();
    if target.starts_with("thumbv6m") {
        println!("cargo::rustc-cfg=kinglet_armv6m");
    }
    println!("cargo::rustc-check-cfg=cfg(kinglet_armv7m)");
    if target.starts_with("thumbv7") || target.starts_with("thumbv8m.main") {
        println!("cargo::rustc-cfg=kinglet_armv7m");
    }
    // Kernels that need the floating-point registers as a store of weights, besides the DSP extension.
    println!("cargo::rustc-check-cfg=cfg(kinglet_dsp_vfp)");
    println!("cargo::rustc-check-cfg=cfg(kinglet_armv8)");
    if target.starts_with("thumbv8") {
        println!("cargo::rustc-cfg=kinglet_armv8");
    }
    if matches!(family, "dsp" | "mve") && target.ends_with("eabihf") {
        println!("cargo::rustc-cfg=kinglet_dsp_vfp");
    }
}

/// The family of a feature, the first in the order of [`FAMILIES`].
fn forced() -> Option<&'static str> {
    let is_forced =
        |family: &&str| env::var_os(format!("CARGO_FEATURE_FORCE_{}", family.to_ascii_uppercase())).is_some();
    FAMILIES.into_iter().find(is_forced)
}

/// The host's architecture, where there are kernels with vectors for it.
fn wide() -> Option<&'static str> {
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let families = env::var("CARGO_CFG_TARGET_FAMILY").unwrap_or_default();
    let hosted = families.split(',').any(|family| matches!(family, "unix" | "windows"));
    (arch == "x86_64" && hosted && forced().is_none()).then_some("x86")
}

fn from_target() -> &'static str {
    let target = env::var("TARGET").unwrap_or_default();
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // `-Ctarget-cpu=X` and `-C target-cpu=X`: flags and their values are separated by 0x1f.
    let cpu = flags.split('\x1f').rev().find_map(|flag| flag.split_once("target-cpu=")).map(|(_, cpu)| cpu);
    match (target.as_str(), cpu) {
        (target, Some("cortex-m55" | "cortex-m85" | "cortex-m52")) if target.starts_with("thumbv8") => "mve",
        (target, Some("cortex-m33" | "cortex-m35p")) if target.starts_with("thumbv8") => "dsp",
        (target, _) if target.starts_with("thumbv7em") => "dsp",
        // A bare Armv8-M main core may be without the DSP extension; `force-dsp` says that it has it.
        (target, _) if target.starts_with("thumb") || target.starts_with("riscv32") => "scalar",
        _ => "portable",
    }
}
