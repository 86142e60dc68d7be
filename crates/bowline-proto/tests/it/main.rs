//! The engine's behaviour as its users see it: one binary, one module per subject.

#[cfg(test)]
mod arriving;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod compression_choice;
#[cfg(test)]
mod control;
#[cfg(test)]
mod counters;
mod deflate;
#[cfg(test)]
mod deflate_pool;
mod deflate_properties;
mod deflate_receiving;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod keepalive;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod nonstandard;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod violations;
