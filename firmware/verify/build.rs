//! Writes the line that compiles in the model named by `KINGLET_MODEL`, with the
//! arithmetic of `KINGLET_REFERENCE` (`tflite` or `litert`); feature `static` only.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32") {
        // cortex-m-rt's script includes it by itself.
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    if env::var_os("CARGO_FEATURE_STATIC").is_none() {
        return;
    }
    println!("cargo:rerun-if-env-changed=KINGLET_MODEL");
    println!("cargo:rerun-if-env-changed=KINGLET_REFERENCE");
    let model = env::var_os("KINGLET_MODEL")
        .expect("KINGLET_MODEL names the .tflite file to build into the firmware");
    let model = fs::canonicalize(&model).unwrap_or_else(|error| panic!("{}: {error}", model.display()));
    println!("cargo:rerun-if-changed={}", model.display());
    let model = model.to_str().expect("the model's path is valid UTF-8");
    let reference = env::var("KINGLET_REFERENCE").unwrap_or_else(|_| "tflite".to_owned());
    let line = format!("kinglet::include_model!({model:?}, name = Compiled, reference = {reference});\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("model.rs"), line).expect("OUT_DIR is writable");
}
