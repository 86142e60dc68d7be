//! Connector files as their authors write them.

#[cfg(test)]
mod sample;
