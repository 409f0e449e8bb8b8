//! The host's files.

use core::{
    ffi::CStr,
    fmt::{self, Write},
};

use semihosting::{fs::File, io::Read};

/// A path in a buffer of its own, as semihosting wants it: ending with a zero.
pub struct Path {
    bytes: [u8; 1024],
    length: usize,
}

impl Path {
    fn new(text: fmt::Arguments<'_>) -> Option<Self> {
        let mut path = Self { bytes: [0; 1024], length: 0 };
        path.write_fmt(text).ok()?;
        Some(path)
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        // The last byte stays zero.
        if end >= self.bytes.len() {
            return Err(fmt::Error);
        }
        let space = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        space.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Opens a file to read it. Not inlined, here and below: paths are large, and the
/// stack need not hold more than one.
#[inline(never)]
pub fn open(path: fmt::Arguments<'_>) -> Option<File> {
    File::open(Path::new(path)?.as_c_str()).ok()
}

/// Creates a file, or empties the one that is there.
#[inline(never)]
pub fn create(path: fmt::Arguments<'_>) -> Option<File> {
    File::create(Path::new(path)?.as_c_str()).ok()
}

/// A file's length in bytes.
pub fn length(file: &File) -> Option<usize> {
    file.metadata().ok()?.len().try_into().ok()
}

/// Fills `bytes` from where the file stands.
pub fn read_all(file: &mut File, mut bytes: &mut [u8]) -> Option<()> {
    while !bytes.is_empty() {
        match file.read(bytes) {
            Ok(read) if read > 0 => bytes = bytes.get_mut(read..)?,
            _ => return None,
        }
    }
    Some(())
}
