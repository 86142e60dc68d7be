//! Tests of the engine from outside: one binary, one module per subject.

#[cfg(test)]
mod handshake;
