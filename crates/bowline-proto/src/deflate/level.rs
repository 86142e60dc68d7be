//! How hard and with how much memory a [`Compressor`](super::Compressor) works.

/// A compression level from 1 (fastest) to 9 (smallest output).
///
/// The default is [`Level::DEFAULT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// The fastest level: fixed Huffman codes only.
    pub const MIN: Self = Self(1);

    /// The level with the smallest output.
    pub const MAX: Self = Self(9);

    /// The default: level 4.
    ///
    /// For messages of up to about 1 KiB the levels 2 to 6 take the same time, most of it spent
    /// on preparing the context. For larger ones level 4 takes about three quarters of the time
    /// of zlib's own default, level 6, and comes within a tenth of its size.
    pub const DEFAULT: Self = Self(4);

    /// Creates a level, or returns `None` outside of 1 to 9.
    ///
    /// Level 0 of zlib stores without compressing; send such messages uncompressed instead.
    pub const fn new(level: u8) -> Option<Self> {
        match level {
            1..=9 => Some(Self(level)),
            _ => None,
        }
    }

    /// Returns the number, 1 to 9.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A zlib memory level from 1 to 9: how many symbols a compressor gathers into one block.
///
/// The default is [`MemLevel::DEFAULT`]; the module documentation of [`deflate`](super) says what
/// a context costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemLevel(u8);

impl MemLevel {
    /// The level with the smallest context.
    pub const MIN: Self = Self(1);

    /// The level with the largest context.
    pub const MAX: Self = Self(9);

    /// The default: level 8, as zlib has it. Contexts are pooled, so their size counts once for
    /// each message being compressed and not for each connection.
    pub const DEFAULT: Self = Self(8);

    /// Creates a memory level, or returns `None` outside of 1 to 9.
    pub const fn new(level: u8) -> Option<Self> {
        match level {
            1..=9 => Some(Self(level)),
            _ => None,
        }
    }

    /// Returns the number, 1 to 9.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for MemLevel {
    fn default() -> Self {
        Self::DEFAULT
    }
}
