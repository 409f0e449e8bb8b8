//! What is in a firmware.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use object::{
    Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind,
    elf::{SHF_ALLOC, SHF_WRITE},
    read::elf::ElfFile32,
};

/// Bytes of a firmware's sections.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// Sections that lie in flash, the initial values of variables included.
    pub(crate) flash: u64,
    /// Variables: `.data` and `.bss`.
    pub(crate) statics: u64,
}

pub(crate) fn sizes(path: &Path) -> Result<Sizes> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let elf: ElfFile32 = ElfFile32::parse(&*bytes).with_context(|| path.display().to_string())?;
    let mut sizes = Sizes { flash: 0, statics: 0 };
    for section in elf.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        if sh_flags.0 & SHF_ALLOC.0 == 0 {
            continue;
        }
        if section.kind() != SectionKind::UninitializedData {
            sizes.flash += section.size();
        }
        if sh_flags.0 & SHF_WRITE.0 != 0 && !matches!(section.name(), Ok(".uninit" | ".heap" | ".stack")) {
            sizes.statics += section.size();
        }
    }
    Ok(sizes)
}

/// Functions and variables that have no place in firmware without panics and
/// without a heap, by their readable names.
pub(crate) fn forbidden(path: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let elf: ElfFile32 = ElfFile32::parse(&*bytes).with_context(|| path.display().to_string())?;
    let mut found: Vec<_> = elf
        .symbols()
        .filter(|symbol| symbol.is_definition() || symbol.is_undefined())
        .filter_map(|symbol| symbol.name().ok())
        .map(readable)
        .filter(|name| is_forbidden(name))
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// A symbol as it was written in the source.
pub(crate) fn readable(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

fn is_forbidden(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "core::panicking",
        "core::fmt::",
        "rust_begin_unwind",
        "__rust_alloc",
        "__rust_realloc",
        "__rg_",
        "__rdl_",
        "alloc::",
    ];
    const NAMES: &[&str] = &["malloc", "calloc", "realloc", "free", "_sbrk"];
    PARTS.iter().any(|part| name.contains(part)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::{is_forbidden, readable};

    #[test]
    fn panics_and_allocators_are_forbidden() {
        for name in [
            "core::panicking::panic_fmt",
            "core::panicking::panic_bounds_check",
            "__rustc::rust_begin_unwind",
            "__rustc::__rust_alloc",
            "alloc::raw_vec::finish_grow",
            "malloc",
        ] {
            assert!(is_forbidden(name), "{name}");
        }
        for symbol in [
            "_RNvNtCs7ldSeZOOJos_4core9panicking9panic_fmt",
            "_ZN4core9panicking18panic_bounds_check17h0123456789abcdefE",
        ] {
            assert!(is_forbidden(&readable(symbol)), "{symbol}");
        }
        for name in ["main", "memcpy", "bench::run", "HardFault"] {
            assert!(!is_forbidden(name), "{name}");
        }
    }
}
