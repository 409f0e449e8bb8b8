/// The generator behind every synthetic input: Marsaglia's xorshift32.
pub struct Xorshift32(u32);

impl Xorshift32 {
    /// A generator; `seed` must not be 0.
    pub const fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// Overwrites `bytes` with the low 8 bits of successive states.
    #[inline(never)]
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *byte = self.0 as u8;
        }
    }
}
