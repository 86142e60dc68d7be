//! Connectors from outside.

#[cfg(test)]
mod condition;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod runner_device;
#[cfg(test)]
mod runner_fixture;
#[cfg(test)]
mod runner_handshake;
#[cfg(test)]
mod runner_hooks;
#[cfg(test)]
mod runner_links;
#[cfg(test)]
mod runner_reconnect;
#[cfg(test)]
mod runner_saved;
#[cfg(test)]
mod runner_server;
#[cfg(test)]
mod runner_watch;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tools;
