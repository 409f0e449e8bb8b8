use core::fmt;

use semihosting::sys::arm_compat::{
    OpenMode,
    syscall::{OperationNumber, ParamRegR, syscall_readonly},
};

/// Standard output of the emulator or debugger, one `key value` a line.
///
/// Calls the host itself instead of through `semihosting::io`, whose errors can
/// panic: a program must not contain a panic because it prints.
pub struct Console {
    handle: usize,
}

impl Console {
    /// Opens standard output. It is never closed: closing `:tt` would close the
    /// host's own.
    #[inline(never)]
    pub fn open() -> Self {
        let name = c":tt";
        let block = [
            ParamRegR::c_str(name),
            ParamRegR::usize(OpenMode::WRONLY_TRUNC as usize),
            ParamRegR::usize(name.count_bytes()),
        ];
        // SAFETY: the block is what SYS_OPEN takes, and the host only reads it.
        let handle = unsafe { syscall_readonly(OperationNumber::SYS_OPEN, ParamRegR::block(&block)) };
        Self { handle: handle.usize() }
    }

    /// Writes bytes as they are. Without a host the output is lost.
    #[inline(never)]
    pub fn write(&mut self, text: &[u8]) {
        let block = [ParamRegR::usize(self.handle), ParamRegR::buf(text), ParamRegR::usize(text.len())];
        // SAFETY: the block is what SYS_WRITE takes, and the host only reads it.
        unsafe { syscall_readonly(OperationNumber::SYS_WRITE, ParamRegR::block(&block)) };
    }

    /// Writes `key value`, the value as eight hexadecimal digits.
    #[inline(never)]
    pub fn number(&mut self, key: &str, value: u32) {
        self.write(key.as_bytes());
        let mut text = *b" 00000000\n";
        let mut rest = value;
        for digit in text.iter_mut().rev().skip(1).take(8) {
            let nibble = (rest & 15) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble };
            rest >>= 4;
        }
        self.write(&text);
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

/// Ends the program; the emulator exits with this code.
pub fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}

/// Says why and ends the program with code 1.
#[cold]
#[inline(never)]
pub fn fail(why: &str) -> ! {
    let mut console = Console::open();
    console.write(b"error ");
    console.write(why.as_bytes());
    console.write(b"\n");
    exit(1)
}
