//! One model on a board: a cold `invoke` whose outputs are checksummed, then a
//! warm one alone between [`bench_begin`] and [`bench_end`].
//!
//! Prints `key value` lines (values in hexadecimal) on the semihosting console and
//! ends. Needs no file of the host's.
#![no_std]
#![no_main]

use core::arch::asm;

use firmware_rt::{Console, Crc32, Xorshift32, exit, fail, stack};

#[cfg_attr(feature = "empty", path = "empty.rs")]
#[cfg_attr(all(feature = "static", not(feature = "empty")), path = "static_mode.rs")]
#[cfg_attr(all(feature = "loaded", not(feature = "empty")), path = "loaded_mode.rs")]
mod subject;

#[cfg(not(feature = "empty"))]
mod network;

/// What the measurement needs of an interpreter, so that its empty twin can stand in.
trait Network {
    fn input_count(&self) -> usize;
    fn output_count(&self) -> usize;
    fn input(&mut self, index: usize) -> Option<&mut [u8]>;
    fn output(&self, index: usize) -> Option<&[u8]>;
    fn invoke(&mut self) -> bool;
    /// The first `invoke`: as [`Network::invoke`] unless feature `ops` is on.
    fn invoke_cold(&mut self, console: &mut Console) -> bool;
}

/// Sizes in bytes, as the firmware's author knows them.
struct Sizes {
    arena: usize,
    state: usize,
    plan: usize,
    total: usize,
    /// Of the flash, what is the model.
    model: usize,
    /// Memory given to the interpreter that is no static.
    outside_statics: usize,
    /// What `main` holds across invokes.
    held: usize,
}

/// Where the measured region begins. Not the same body as [`bench_end`], or the
/// compiler would make them one function.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_begin() {
    // SAFETY: does nothing.
    unsafe { asm!("nop", options(nostack, preserves_flags)) }
}

/// Where the measured region ends.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_end() {
    // SAFETY: does nothing.
    unsafe { asm!("nop", "nop", options(nostack, preserves_flags)) }
}

/// Fills the inputs, in the model's order, from a generator seeded with 1.
fn fill(net: &mut impl Network) {
    let mut rng = Xorshift32::new(1);
    for index in 0..net.input_count() {
        if let Some(bytes) = net.input(index) {
            rng.fill(bytes);
        }
    }
}

/// The checksum of all outputs in the model's order.
fn checksum(net: &impl Network) -> u32 {
    let mut crc = Crc32::new();
    for index in 0..net.output_count() {
        if let Some(bytes) = net.output(index) {
            crc.update(bytes);
        }
    }
    crc.value()
}

/// The protocol. Every mode's `main` ends in it.
#[inline(always)]
fn run(net: &mut impl Network, sizes: &Sizes) -> ! {
    let mut console = Console::open();
    console.number("arena_bytes", sizes.arena as u32);
    console.number("state_bytes", sizes.state as u32);
    console.number("plan_bytes", sizes.plan as u32);
    console.number("total_bytes", sizes.total as u32);
    console.number("model_bytes", sizes.model as u32);
    console.number("outside_statics_bytes", sizes.outside_statics as u32);
    console.number("held_bytes", sizes.held as u32);

    fill(net);
    if !net.invoke_cold(&mut console) {
        fail("the first invoke failed");
    }
    console.number("crc32", checksum(net));

    fill(net);
    stack::paint();
    bench_begin();
    let fine = net.invoke();
    bench_end();
    let stack = stack::used();
    if !fine {
        fail("the second invoke failed");
    }
    let Some(stack) = stack else {
        fail("the stack is deeper than what is left for it");
    };
    console.number("stack_bytes", stack);
    console.number("crc32_again", checksum(net));
    exit(0)
}
