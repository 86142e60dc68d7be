//! The permessage-deflate extension (RFC 7692).

pub mod negotiate;
