//! Parameter blocks: plain words in a plan, read and written without `unsafe`.

/// A value that is stored as one 32-bit word of a plan.
pub trait Word: Copy {
    /// Reads it; every word is some value.
    fn from_word(word: u32) -> Self;
    /// Writes it.
    fn to_word(self) -> u32;
}

impl Word for u32 {
    fn from_word(word: u32) -> Self {
        word
    }
    fn to_word(self) -> u32 {
        self
    }
}

impl Word for i32 {
    fn from_word(word: u32) -> Self {
        word as i32
    }
    fn to_word(self) -> u32 {
        self as u32
    }
}

impl Word for f32 {
    fn from_word(word: u32) -> Self {
        Self::from_bits(word)
    }
    fn to_word(self) -> u32 {
        self.to_bits()
    }
}

/// Two 16-bit values; the first is in the low half.
impl Word for (u16, u16) {
    fn from_word(word: u32) -> Self {
        (word as u16, (word >> 16) as u16)
    }
    fn to_word(self) -> u32 {
        u32::from(self.0) | u32::from(self.1) << 16
    }
}

/// Two signed 16-bit values; the first is in the low half.
impl Word for [i16; 2] {
    fn from_word(word: u32) -> Self {
        [word as i16, (word >> 16) as i16]
    }
    fn to_word(self) -> u32 {
        let [low, high] = self.map(|value| u32::from(value as u16));
        low | high << 16
    }
}

/// Four bytes in memory order (little-endian).
impl Word for [i8; 4] {
    fn from_word(word: u32) -> Self {
        word.to_le_bytes().map(|byte| byte as i8)
    }
    fn to_word(self) -> u32 {
        u32::from_le_bytes(self.map(|byte| byte as u8))
    }
}

/// A kernel's parameter block.
pub trait Params: Sized {
    /// Words it takes in a plan.
    const WORDS: usize;
    /// Reads it from the start of `words`; `None` when there are fewer than `WORDS`.
    fn from_words(words: &[u32]) -> Option<Self>;
    /// Passes its words on in order.
    fn for_each_word(&self, emit: impl FnMut(u32));
}

/// Declares a struct whose fields are [`Word`]s, and its [`Params`].
macro_rules! params {
    ($(#[$meta:meta])* pub struct $Name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Name {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        impl $crate::Params for $Name {
            const WORDS: usize = [$(stringify!($field)),*].len();

            #[inline]
            fn from_words(words: &[u32]) -> Option<Self> {
                const WORDS: usize = <$Name as $crate::Params>::WORDS;
                let [$($field),*] = *words.first_chunk::<WORDS>()?;
                Some(Self { $($field: $crate::Word::from_word($field)),* })
            }

            fn for_each_word(&self, mut emit: impl FnMut(u32)) {
                $(emit($crate::Word::to_word(self.$field));)*
            }
        }
    };
}
pub(crate) use params;
