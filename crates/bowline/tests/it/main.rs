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
mod echo;
#[cfg(test)]
mod text_codec;
