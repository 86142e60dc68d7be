//! The engine's behaviour as its users see it.

mod deflate;
mod deflate_pool;
mod deflate_properties;
mod deflate_receiving;
