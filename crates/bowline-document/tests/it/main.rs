//! Documents over real connections: one binary, one module per subject.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod example;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod pair;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod pushing;
