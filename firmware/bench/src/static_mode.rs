//! The model compiled in by `include_model!`.

use firmware_rt::{entry, fail};

use crate::{Sizes, run};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

static mut MEMORY: kinglet::Arena<{ Bench::MEMORY_BYTES }> = kinglet::Arena::new();

#[entry]
fn main() -> ! {
    // SAFETY: this is the only use, and `main` runs once.
    let memory = unsafe { &mut *(&raw mut MEMORY) };
    let Ok(mut net) = Bench::interpreter(memory) else { fail("the interpreter refused its memory") };
    let usage = net.usage();
    let sizes = Sizes {
        arena: usage.arena_bytes,
        state: usage.state_bytes,
        plan: usage.plan_bytes,
        total: usage.total_bytes,
        model: Bench::CONSTANT_BYTES + Bench::PLAN_BYTES,
        outside_statics: 0,
        held: size_of_val(&net),
    };
    run(&mut net, &sizes)
}
