//! Writes the lines that bring in the model: `KINGLET_MODEL` (a path),
//! `KINGLET_REFERENCE` (`tflite` or `litert`), in static mode `KINGLET_SLIM` (`on` or `off`)
//! and, in loaded mode, `KINGLET_OPS`
//! (the operators to link, separated by commas; all without it).

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32") {
        // cortex-m-rt's script includes it by itself.
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    let is_on = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    assert!(is_on("STATIC") != is_on("LOADED"), "choose one feature of: static, loaded");
    if is_on("EMPTY") {
        return;
    }
    println!("cargo:rerun-if-env-changed=KINGLET_MODEL");
    println!("cargo:rerun-if-env-changed=KINGLET_REFERENCE");
    println!("cargo:rerun-if-env-changed=KINGLET_SLIM");
    println!("cargo:rerun-if-env-changed=KINGLET_OPS");
    let model = env::var_os("KINGLET_MODEL")
        .expect("KINGLET_MODEL names the .tflite file to build into the firmware");
    let model = fs::canonicalize(&model).unwrap_or_else(|error| panic!("{}: {error}", model.display()));
    println!("cargo:rerun-if-changed={}", model.display());
    let model = model.to_str().expect("the model's path is valid UTF-8");
    let slim = env::var("KINGLET_SLIM").unwrap_or_else(|_| "on".to_owned());
    let reference = env::var("KINGLET_REFERENCE").unwrap_or_else(|_| "tflite".to_owned());
    let lines = if is_on("LOADED") {
        let ops = match env::var("KINGLET_OPS") {
            Ok(ops) => format!("kinglet::ops![{ops}]"),
            Err(_) => "kinglet::AllOps".to_owned(),
        };
        let reference = match reference.as_str() {
            "tflite" => "Tflite",
            "litert" => "Litert",
            _ => panic!("KINGLET_REFERENCE: tflite or litert, not {reference}"),
        };
        format!(
            "fn file() -> &'static [u8] {{ kinglet::aligned_bytes!({model:?}) }}\n\
             type Ops = {ops};\n\
             const REFERENCE: kinglet::Reference = kinglet::Reference::{reference};\n"
        )
    } else {
        format!("kinglet::include_model!({model:?}, name = Bench, reference = {reference}, slim = {slim});\n")
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("model.rs"), lines).expect("OUT_DIR is writable");
}
