//! The hub over real sockets.

#[cfg(test)]
mod access;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod http;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod page;
mod participant;
#[cfg(test)]
mod store;
#[cfg(test)]
mod support;
#[cfg(test)]
mod talk;
