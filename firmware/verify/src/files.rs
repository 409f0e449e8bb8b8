//! The host's files.

use core::{
    ffi::CStr,
    fmt::{self, Write},
};

use semihosting::{fs::File, io::Read};

use crate::Failure;

/// A path in a buffer of its own, as semihosting wants it: ending with a zero.
pub struct Path {
    bytes: [u8; 1024],
    length: usize,
}

impl Path {
    pub fn new(path: &str) -> Result<Self, Failure> {
        Self::from_args(format_args!("{path}"))
    }

    /// `FOLDER/CASE.inINDEX.bin` or `FOLDER/CASE.outINDEX.bin`.
    pub fn of_tensor(folder: &str, case: &str, way: &str, index: usize) -> Result<Self, Failure> {
        Self::from_args(format_args!("{folder}/{case}.{way}{index}.bin"))
    }

    fn from_args(text: fmt::Arguments<'_>) -> Result<Self, Failure> {
        let mut path = Self { bytes: [0; 1024], length: 0 };
        path.write_fmt(text).map_err(|_| Failure::new("a path is longer than 1023 bytes"))?;
        Ok(path)
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        // The last byte stays zero.
        let space = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        if end == 1024 {
            return Err(fmt::Error);
        }
        space.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("?"))
    }
}

pub fn open(path: &Path) -> Result<File, Failure> {
    File::open(path.as_c_str()).map_err(|_| Failure::new(format_args!("cannot open {path}")))
}

pub fn create(path: &Path) -> Result<File, Failure> {
    File::create(path.as_c_str()).map_err(|_| Failure::new(format_args!("cannot create {path}")))
}

pub fn length(file: &File) -> Result<usize, Failure> {
    let length = file.metadata().map_err(|_| Failure::new("cannot tell a file's length"))?.len();
    usize::try_from(length).map_err(|_| Failure::new("a file is longer than 4 GiB"))
}

/// Fills `bytes` from where the file stands.
pub fn read_all(file: &mut File, mut bytes: &mut [u8]) -> Result<(), Failure> {
    while !bytes.is_empty() {
        match file.read(bytes) {
            Ok(read) if read > 0 => bytes = bytes.get_mut(read..).unwrap_or_default(),
            _ => return Err(Failure::new("a file ends early")),
        }
    }
    Ok(())
}
