//! The `.tflite` file as it is, parsed and planned on the device.

use firmware_rt::{entry, fail, stack};
use kinglet::{Interpreter, Model, Options};

use crate::{Sizes, run};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

#[entry]
fn main() -> ! {
    let Ok(model) = Model::parse(file()) else {
        fail("the model is malformed or has an unsupported operator")
    };
    let options = Options::default().with_reference(REFERENCE);
    // SAFETY: the only call.
    let ram = unsafe { stack::free_ram() };
    // How much it needs is known after a first attempt with plenty; then exactly
    // that is given, which shows that it is enough.
    let needed = match Interpreter::<Ops>::with_options(&model, &mut *ram, &options) {
        Ok(net) => net.usage().total_bytes,
        Err(_) => fail("the board has too little memory for this model"),
    };
    let Some(memory) = ram.get_mut(..needed) else { fail("total_bytes is more than was given") };
    let Ok(mut net) = Interpreter::<Ops>::with_options(&model, memory, &options) else {
        fail("total_bytes is not enough")
    };
    let usage = net.usage();
    let sizes = Sizes {
        arena: usage.arena_bytes,
        state: usage.state_bytes,
        plan: usage.plan_bytes,
        total: usage.total_bytes,
        model: file().len(),
        outside_statics: needed,
        held: size_of_val(&net),
    };
    run(&mut net, &sizes)
}
