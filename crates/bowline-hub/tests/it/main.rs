//! The hub over real sockets.

#[cfg(test)]
mod access;
#[cfg(test)]
mod http;
#[cfg(test)]
mod page;
#[cfg(test)]
mod support;
#[cfg(test)]
mod workers;

/// What is true with one worker.
#[cfg(test)]
#[path = "."]
mod one_worker {
    mod support {
        pub(crate) use crate::support::{refused, settle, text};
        pub(crate) type Hub = crate::support::HubOf<1>;
    }
    mod drain;
    mod limits;
    mod participant;
    mod store;
    mod talk;
}

/// The same is true with two, over which the system spreads the connections.
#[cfg(test)]
#[path = "."]
#[expect(
    clippy::duplicate_mod,
    reason = "what is true must not depend on the number of workers"
)]
mod two_workers {
    mod support {
        pub(crate) use crate::support::{refused, settle, text};
        pub(crate) type Hub = crate::support::HubOf<2>;
    }
    mod drain;
    mod limits;
    mod participant;
    mod store;
    mod talk;
}
