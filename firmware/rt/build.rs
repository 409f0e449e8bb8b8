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
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    fs::write(out.join("memory.x"), text).expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search={}", out.display());
}
