//! The twin without model and `invoke`: what is left is start-up, the protocol and
//! the console, and the flash of these is not the library's.

use core::hint::black_box;

use firmware_rt::{Console, entry};

use crate::{Network, Sizes, run};

struct Empty {
    bytes: [u8; 4],
}

impl Network for Empty {
    fn input_count(&self) -> usize {
        black_box(1)
    }

    fn output_count(&self) -> usize {
        black_box(1)
    }

    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        (index == 0).then_some(&mut self.bytes)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        (index == 0).then_some(&self.bytes)
    }

    fn invoke(&mut self) -> bool {
        black_box(true)
    }

    fn invoke_cold(&mut self, _: &mut Console) -> bool {
        black_box(true)
    }
}

#[entry]
fn main() -> ! {
    // SAFETY: the only call.
    #[cfg(feature = "loaded")]
    black_box(unsafe { firmware_rt::stack::free_ram() });
    let size = black_box(0);
    let sizes = Sizes {
        arena: size,
        state: size,
        plan: size,
        total: size,
        model: size,
        outside_statics: size,
        held: size,
    };
    run(&mut Empty { bytes: [0; 4] }, &sizes)
}
