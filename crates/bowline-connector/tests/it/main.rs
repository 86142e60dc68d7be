//! Connectors from outside.

#[cfg(test)]
mod condition;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod sample;
