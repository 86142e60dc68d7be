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
mod ahead;

mod allocations;
#[cfg(test)]
mod blocking;
#[cfg(test)]
mod blocking_examples;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod churn;
#[cfg(test)]
mod client_tls;
#[cfg(test)]
mod closing_flags;
#[cfg(test)]
mod coalescing;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod dial;
#[cfg(test)]
mod dial_credentials;
#[cfg(test)]
mod dial_server;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod frame_level;
#[cfg(test)]
mod frame_level_text;
#[cfg(test)]
mod front;
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
mod listener_certificates;
#[cfg(test)]
mod listener_filters;
#[cfg(test)]
mod listener_http;
#[cfg(test)]
mod listener_users;
#[cfg(test)]
mod listener_workers;
#[cfg(test)]
mod managed;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod metrics_cost;
#[cfg(test)]
mod metrics_events;
#[cfg(all(test, feature = "metrics"))]
mod metrics_export;
#[cfg(test)]
mod metrics_servers;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod proxy_programs;
#[cfg(test)]
mod proxy_refusing;
#[cfg(test)]
mod proxy_server;
#[cfg(test)]
mod receive_queue;
#[cfg(test)]
mod redirect;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod slow_peers;
#[cfg(test)]
mod slow_tls;
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
#[cfg(test)]
mod wiretap;
