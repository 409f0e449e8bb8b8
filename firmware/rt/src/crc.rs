/// CRC-32 as in IEEE 802.3, zlib and PNG.
#[derive(Clone, Copy)]
pub struct Crc32(u32);

/// The remainders of the 16 nibbles: small, and fast enough for outputs.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut nibble = 0;
    while nibble < 16 {
        let mut rest = nibble as u32;
        let mut bit = 0;
        while bit < 4 {
            rest = if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 };
            bit += 1;
        }
        table[nibble] = rest;
        nibble += 1;
    }
    table
};

impl Crc32 {
    /// The checksum of nothing yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(!0)
    }

    /// Takes in more bytes.
    #[inline(never)]
    pub fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 ^= byte as u32;
            self.0 = self.0 >> 4 ^ TABLE[(self.0 & 15) as usize];
            self.0 = self.0 >> 4 ^ TABLE[(self.0 & 15) as usize];
        }
    }

    /// The checksum of all bytes so far.
    pub const fn value(self) -> u32 {
        !self.0
    }
}
