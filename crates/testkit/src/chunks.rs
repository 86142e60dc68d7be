//! Where a stream is cut.

use proptest::{collection::vec, prelude::*};

/// Tells how many bytes each read or write takes, over and over. Empty means: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks(Vec<usize>);

impl Chunks {
    /// Cuts nowhere.
    pub const fn whole() -> Self {
        Self(Vec::new())
    }

    /// Cuts into pieces of `len` bytes, at least one.
    pub fn of(len: usize) -> Self {
        Self(vec![len.max(1)])
    }

    /// Cuts into pieces of these lengths, at least one byte each, over and over.
    pub fn repeating(lens: Vec<usize>) -> Self {
        Self(lens.into_iter().map(|len| len.max(1)).collect())
    }

    /// Gives the length of the `turn`-th piece of what has `left` bytes.
    pub fn len_at(&self, turn: usize, left: usize) -> usize {
        match self.0.len() {
            0 => left,
            count => self.0[turn % count].min(left),
        }
    }

    /// Cuts `bytes`.
    pub fn cut<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut rest = bytes;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(self.len_at(pieces.len(), rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

/// Makes any way of cutting a stream: mostly small pieces, some large, sometimes none.
pub fn chunks() -> impl Strategy<Value = Chunks> {
    let len = prop_oneof![4 => 1..8_usize, 2 => 1..200_usize, 1 => 1..40_000_usize];
    vec(len, 0..12).prop_map(Chunks::repeating)
}
