#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod apply;
mod document;
mod error;
mod extent;
mod message;
mod policy;
mod serve;

pub use document::Document;
pub use error::{DocumentError, Excess, PatchRefusal};
pub use json_patch::{Patch, PatchOperation};
pub use policy::{DocumentLimits, Policy, StalePatch};
pub use serve::serve;
