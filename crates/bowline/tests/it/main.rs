//! The library's behaviour over real streams: one binary, one module per subject.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod allocations;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod coalescing;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod split;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod wire;
