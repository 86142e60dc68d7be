//! The engine's behaviour as its users see it: one binary, one module per subject.

mod closing;
mod compression;
mod control;
mod deflate;
mod deflate_pool;
mod deflate_properties;
mod deflate_receiving;
#[cfg(test)]
mod handshake;
mod keepalive;
mod limits;
mod properties;
mod receiving;
mod sending;
mod sizes;
mod violations;
