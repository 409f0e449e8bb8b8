//! The boards: everything that differs between targets is in [`ALL`].

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A core and the emulated board that stands for it.
pub(crate) struct Target {
    /// As on the command line.
    pub(crate) name: &'static str,
    /// Rust's name of the target.
    pub(crate) triple: &'static str,
    /// QEMU's program and board.
    pub(crate) qemu: &'static str,
    pub(crate) machine: &'static str,
    /// Name, origin and length of memory regions, for the linker.
    pub(crate) memory: &'static [(&'static str, u64, u64)],
    /// What the compiler is told beyond the triple.
    pub(crate) rustflags: &'static [&'static str],
    /// A smaller board of the same core, on which models that fit are run as well.
    pub(crate) smaller: Option<&'static str>,
}

/// The Arm MPS2 boards: 4 MB of flash, 4 MB of RAM.
const MPS2: &[(&str, u64, u64)] = &[("FLASH", 0, 4 << 20), ("RAM", 0x2000_0000, 4 << 20)];

pub(crate) const ALL: &[Target] = &[
    // Armv6-M code. The board's M3 executes this subset with the same counts, and
    // has the memory that no emulated M0 has; `microbit` shows that it is Armv6-M.
    Target {
        name: "cortex-m0plus",
        triple: "thumbv6m-none-eabi",
        qemu: "qemu-system-arm",
        machine: "mps2-an385",
        memory: MPS2,
        rustflags: &["-Ctarget-cpu=cortex-m0plus"],
        smaller: Some("microbit"),
    },
    // A Cortex-M0 with 256 KB of flash and 16 KB of RAM.
    Target {
        name: "microbit",
        triple: "thumbv6m-none-eabi",
        qemu: "qemu-system-arm",
        machine: "microbit",
        memory: &[("FLASH", 0, 256 << 10), ("RAM", 0x2000_0000, 16 << 10)],
        rustflags: &["-Ctarget-cpu=cortex-m0plus"],
        smaller: None,
    },
    Target {
        name: "cortex-m3",
        triple: "thumbv7m-none-eabi",
        qemu: "qemu-system-arm",
        machine: "mps2-an385",
        memory: MPS2,
        rustflags: &["-Ctarget-cpu=cortex-m3"],
        smaller: None,
    },
    Target {
        name: "cortex-m4",
        triple: "thumbv7em-none-eabihf",
        qemu: "qemu-system-arm",
        machine: "mps2-an386",
        memory: MPS2,
        rustflags: &["-Ctarget-cpu=cortex-m4"],
        smaller: None,
    },
    Target {
        name: "cortex-m7",
        triple: "thumbv7em-none-eabihf",
        qemu: "qemu-system-arm",
        machine: "mps2-an500",
        memory: MPS2,
        rustflags: &["-Ctarget-cpu=cortex-m7"],
        smaller: None,
    },
    // The secure side's view of its memories.
    Target {
        name: "cortex-m33",
        triple: "thumbv8m.main-none-eabihf",
        qemu: "qemu-system-arm",
        machine: "mps2-an505",
        memory: &[("FLASH", 0x1000_0000, 4 << 20), ("RAM", 0x3800_0000, 4 << 20)],
        rustflags: &["-Ctarget-cpu=cortex-m33"],
        smaller: None,
    },
    // Code in the tightly coupled memory that the core starts from; data in the internal SRAM, which is larger
    // than the other.
    Target {
        name: "cortex-m55",
        triple: "thumbv8m.main-none-eabihf",
        qemu: "qemu-system-arm",
        machine: "mps3-an547",
        memory: &[("FLASH", 0, 512 << 10), ("RAM", 0x2100_0000, 4 << 20)],
        rustflags: &["-Ctarget-cpu=cortex-m55"],
        smaller: None,
    },
    // Its memory has no flash: the first half stands for it.
    Target {
        name: "riscv32imc",
        triple: "riscv32imc-unknown-none-elf",
        qemu: "qemu-system-riscv32",
        machine: "virt",
        memory: &[("FLASH", 0x8000_0000, 8 << 20), ("RAM", 0x8080_0000, 8 << 20)],
        rustflags: &[],
        smaller: None,
    },
];

/// The target of this name.
pub(crate) fn named(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}

/// Reads a target's name on the command line.
pub(crate) fn parse() -> impl TypedValueParser<Value = &'static Target> {
    PossibleValuesParser::new(ALL.iter().map(|target| target.name))
        .map(|name| named(&name).expect("a possible value"))
}

impl Target {
    /// The memory map as `firmware/rt/build.rs` reads it.
    pub(crate) fn memory_map(&self) -> String {
        let regions: Vec<_> = self
            .memory
            .iter()
            .map(|(name, origin, length)| format!("{name}={origin:#x},{length:#x}"))
            .collect();
        regions.join(";")
    }

    /// The length of a memory region.
    pub(crate) fn length(&self, region: &str) -> u64 {
        self.memory.iter().find(|(name, ..)| *name == region).map_or(0, |region| region.2)
    }
}
