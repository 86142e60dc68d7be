//! The library's behaviour over real streams: one binary, one module per subject.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod admission;
#[cfg(test)]
mod admission_decision;
#[cfg(test)]
mod admission_origin;
#[cfg(test)]
mod admission_proxies;
#[cfg(test)]
mod admission_proxy_protocol;
#[cfg(test)]
mod allocations;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod coalescing;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod group_server;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod handshake;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod listener;
#[cfg(test)]
mod managed;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod slow_peers;
#[cfg(test)]
mod split;
#[cfg(test)]
mod text_codec;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod wire;
