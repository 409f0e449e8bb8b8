//! What kinglet's firmware for emulated boards has in common: start-up, a console
//! over semihosting, stack painting, CRC-32 and the generator that makes inputs.
//!
//! Numbers are printed in hexadecimal and texts without `core::fmt`. So this crate
//! brings in no division, no formatting and no panic, and what shows up of these
//! in a firmware came from the model's side of it.
#![no_std]

mod console;
mod crc;
mod rng;
pub mod stack;

pub use console::{Console, exit, fail};
#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
pub use crc::Crc32;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;
pub use rng::Xorshift32;

#[cfg(target_arch = "arm")]
#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    fail("hard fault: an instruction or an address this core does not have")
}

#[cfg(target_arch = "riscv32")]
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &riscv_rt::TrapFrame) -> ! {
    fail("exception: an instruction or an address this core does not have")
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo) -> ! {
    #[cfg(feature = "panic-message")]
    {
        use core::fmt::Write;
        let _ = writeln!(Console::open(), "error {info}");
    }
    let _ = info;
    exit(101)
}
