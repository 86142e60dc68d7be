//! The engine's behaviour as its users see it.

mod deflate;
