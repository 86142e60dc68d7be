//! What can go wrong with a document.

use json_patch::PatchErrorKind;

/// Says why a document was not made or not changed by the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The value cannot be written as JSON.
    #[error("the document cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The document would be larger than its limits allow.
    #[error(transparent)]
    Excess(#[from] Excess),
    /// A path of the policy is no JSON pointer (RFC 6901).
    #[error("`{0}` is no JSON pointer: it is empty or begins with `/`")]
    Path(Box<str>),
}

/// Says which limit a document would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Excess {
    /// Its text is too long.
    #[error("the document would have {size} bytes, and {size_max} are the limit")]
    Size {
        /// The bytes of the text.
        size: usize,
        /// The most bytes.
        size_max: usize,
    },
    /// It goes too deep; the number is the most levels.
    #[error("the document would have more than {0} levels")]
    Depth(usize),
}

/// Says why a visitor's patch was refused. The text goes to the visitor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchRefusal {
    /// The session is shown by another connection now.
    #[error("another connection shows this session now")]
    Replaced,
    /// The message is longer than [`DocumentLimits::patch_size_max`](crate::DocumentLimits).
    #[error("the message has {size} bytes, and {size_max} are the limit")]
    TooLong {
        /// The bytes of the message.
        size: usize,
        /// The most bytes.
        size_max: usize,
    },
    /// The message is not JSON, or nothing a visitor may say.
    #[error("the message is not understood: {0}")]
    Message(serde_json::Error),
    /// The message has neither a patch nor a request to send the document again.
    #[error("the message has no patch")]
    NoPatch,
    /// The patch was made for another version.
    #[error("the patch is for version {given}, and the document has version {present}")]
    Stale {
        /// The version the patch was made for.
        given: u64,
        /// The version of the document.
        present: u64,
    },
    /// The patch has too many operations.
    #[error("the patch has {count} operations, and {count_max} are the limit")]
    TooManyOperations {
        /// How many it has.
        count: usize,
        /// The most operations.
        count_max: usize,
    },
    /// An operation fails, for instance a `test`.
    #[error("operation {index} fails: {kind}")]
    Operation {
        /// Its place in the patch, from 0 on.
        index: usize,
        /// What is wrong with it.
        kind: PatchErrorKind,
    },
    /// The values of the patch, those it copies and moves included, are too much work.
    #[error("the patch adds, copies and moves too much")]
    TooMuchWork,
    /// The document would be larger than its limits allow.
    #[error(transparent)]
    Excess(#[from] Excess),
    /// The patch changes what stands at a read-only path.
    #[error("`{0}` is read-only")]
    ReadOnly(Box<str>),
    /// The result is no document of the right form.
    #[error("the document would not have its form: {0}")]
    Form(serde_json::Error),
    /// The application refused it.
    #[error("{0}")]
    Refused(Box<str>),
}
