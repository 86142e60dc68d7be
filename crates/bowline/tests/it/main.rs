//! The library's behaviour over real streams: one binary, one module per subject.

#[cfg(test)]
mod echo;
