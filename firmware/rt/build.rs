//! Writes `memory.x`, the linker's memory map, from `KINGLET_MEMORY`
//! (`NAME=ORIGIN,LENGTH` separated by `;`), so that the boards are listed in one
//! place: xtask's table of targets. The default is QEMU's `mps2-*` boards.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=KINGLET_MEMORY");
    let map =
        env::var("KINGLET_MEMORY").unwrap_or_else(|_| "FLASH=0x00000000,4M;RAM=0x20000000,4M".to_owned());
    let mut text = String::from("MEMORY\n{\n");
    for region in map.split(';') {
        let (name, range) = region.split_once('=').expect("KINGLET_MEMORY: NAME=ORIGIN,LENGTH");
        let (origin, length) = range.split_once(',').expect("KINGLET_MEMORY: NAME=ORIGIN,LENGTH");
        text += &format!("  {name} : ORIGIN = {origin}, LENGTH = {length}\n");
    }
    text += "}\n";
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "riscv32") {
        // What riscv-rt puts where, and a symbol that cortex-m-rt's script has of itself.
        for (region, memory) in [
            ("TEXT", "FLASH"),
            ("RODATA", "FLASH"),
            ("DATA", "RAM"),
            ("BSS", "RAM"),
            ("HEAP", "RAM"),
            ("STACK", "RAM"),
        ] {
            text += &format!("REGION_ALIAS(\"REGION_{region}\", {memory});\n");
        }
        text += "_ram_start = ORIGIN(RAM);\n";
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("memory.x"), text).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
}
