//! Memory that starts where an interpreter needs it to.

/// Bytes on the heap, at an address that is a multiple of 64: what packed weights are read in.
#[derive(Debug, Default)]
pub(crate) struct AlignedBytes {
    blocks: Vec<u128>,
    /// Bytes before the first.
    start: usize,
    len: usize,
}

const ALIGNMENT: usize = 64;

impl AlignedBytes {
    /// `len` zeros; `None` when there is not so much memory.
    pub(crate) fn zeroed(len: usize) -> Option<Self> {
        let count = len.checked_add(ALIGNMENT)?.div_ceil(size_of::<u128>());
        let mut blocks: Vec<u128> = Vec::new();
        blocks.try_reserve_exact(count).ok()?;
        blocks.resize(count, 0);
        let address = blocks.as_ptr().addr();
        Some(Self { start: address.next_multiple_of(ALIGNMENT) - address, blocks, len })
    }

    /// A copy of `bytes`.
    pub(crate) fn copy_of(bytes: &[u8]) -> Option<Self> {
        let mut copy = Self::zeroed(bytes.len())?;
        copy.as_mut_slice().copy_from_slice(bytes);
        Some(copy)
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        let bytes: &[u8] = bytemuck::cast_slice(&self.blocks);
        bytes.get(self.start..self.start + self.len).unwrap_or_default()
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut self.blocks);
        bytes.get_mut(self.start..self.start + self.len).unwrap_or_default()
    }
}
