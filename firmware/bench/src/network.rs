//! The interpreter as the protocol sees it.

use firmware_rt::Console;
use kinglet::{Dispatch, Interpreter};

use crate::Network;

impl<K: Dispatch> Network for Interpreter<'_, K> {
    fn input_count(&self) -> usize {
        Interpreter::input_count(self)
    }

    fn output_count(&self) -> usize {
        Interpreter::output_count(self)
    }

    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        self.input_bytes_mut(index)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        self.output_bytes(index)
    }

    #[inline(always)]
    fn invoke(&mut self) -> bool {
        Interpreter::invoke(self).is_ok()
    }

    #[cfg(not(feature = "ops"))]
    fn invoke_cold(&mut self, _: &mut Console) -> bool {
        Network::invoke(self)
    }

    #[cfg(feature = "ops")]
    fn invoke_cold(&mut self, console: &mut Console) -> bool {
        loop {
            match self.step() {
                // An operator may take several steps: its output counts when it is complete.
                Ok(Some(done)) if !done.op_done => {}
                Ok(Some(done)) => {
                    let mut crc = firmware_rt::Crc32::new();
                    crc.update(done.output);
                    console.number("op", done.op);
                    console.number("op_crc32", crc.value());
                }
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}
