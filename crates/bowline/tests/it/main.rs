//! The library's behaviour over real streams: one binary, one module per subject.

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
mod blocking;
#[cfg(test)]
mod blocking_examples;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod echo;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod frame_level;
#[cfg(test)]
mod frame_level_text;
#[cfg(test)]
mod group_server;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod slow_peers;
#[cfg(test)]
mod text_codec;
#[cfg(test)]
mod wire;
