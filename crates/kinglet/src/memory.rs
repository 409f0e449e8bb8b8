//! The memory that the caller gives.

/// Memory for one model. All of it is the caller's: kinglet allocates nothing.
///
/// `arena` holds inputs, outputs, activations and scratch; between invokes it may be lent to another
/// model. `state` holds what survives: variables and, in loaded mode, the plan.
///
/// One slice will do for both: `Memory::from(slice)`, or just pass the slice.
#[derive(Debug)]
pub struct Memory<'a> {
    pub(crate) arena: &'a mut [u8],
    /// `None`: split off the arena.
    pub(crate) state: Option<&'a mut [u8]>,
    /// `None`: constants are read from the file as they are.
    pub(crate) prepared: Option<&'a mut [u8]>,
}

impl<'a> Memory<'a> {
    /// Arena and state apart, each aligned to [`ALIGNMENT`](crate::ALIGNMENT) bytes.
    pub fn new(arena: &'a mut [u8], state: &'a mut [u8]) -> Self {
        Self { arena, state: Some(state), prepared: None }
    }

    /// The same, with a block of memory for weights in layouts of the kernels' own: in loaded mode on a
    /// host it makes fast kernels possible. [`Usage::prepared_bytes`] says how long it has to be; best
    /// aligned to 64 bytes.
    #[must_use]
    pub fn with_prepared(mut self, block: &'a mut [u8]) -> Self {
        self.prepared = Some(block);
        self
    }
}

impl<'a> From<&'a mut [u8]> for Memory<'a> {
    fn from(slice: &'a mut [u8]) -> Self {
        Self { arena: slice, state: None, prepared: None }
    }
}

impl<'a, const N: usize> From<&'a mut Arena<N>> for Memory<'a> {
    fn from(arena: &'a mut Arena<N>) -> Self {
        Self::from(arena.as_mut_slice())
    }
}

/// `N` bytes of memory, aligned as an [`Interpreter`](crate::Interpreter) needs them.
///
/// ```
/// let mut memory = kinglet::Arena::<4096>::new();
/// assert_eq!(memory.as_mut_slice().len(), 4096);
/// ```
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Arena<const N: usize>([u8; N]);

impl<const N: usize> Arena<N> {
    /// Memory filled with zeros; in a `static` it takes no flash.
    pub const fn new() -> Self {
        Self([0; N])
    }

    /// The bytes.
    pub const fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// A value at an address that is a multiple of 16. Made by [`aligned_bytes!`](crate::aligned_bytes).
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

/// The bytes of a file, like `include_bytes!`, at an address that is a multiple of 16.
///
/// The path is relative to the file that the macro is called in.
#[macro_export]
macro_rules! aligned_bytes {
    ($path:expr $(,)?) => {{
        static BYTES: &$crate::Aligned<[u8]> = &$crate::Aligned(*include_bytes!($path));
        &BYTES.0
    }};
}

/// How much memory a model takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Inputs, outputs, activations and scratch.
    pub arena_bytes: usize,
    /// Variables: what survives from one invoke to the next.
    pub state_bytes: usize,
    /// The plan: in flash in static mode, in RAM in loaded mode.
    pub plan_bytes: usize,
    /// All RAM that the caller has to give when it is one slice, working memory of the planner included.
    pub total_bytes: usize,
    /// Weights prepared when the model was loaded: see [`Memory::with_prepared`].
    pub prepared_bytes: usize,
}
