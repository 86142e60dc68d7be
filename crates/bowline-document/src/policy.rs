//! What a visitor may do with a document.

use std::fmt;

use json_patch::jsonptr::PointerBuf;
use serde_json::Value;

use crate::error::{DocumentError, PatchRefusal};

/// Says what a visitor may do with a document of type `T`.
pub struct Policy<T> {
    pub(crate) limits: DocumentLimits,
    pub(crate) stale: StalePatch,
    read_only: Vec<PointerBuf>,
    check: Option<Check<T>>,
}

type Check<T> = Box<dyn Fn(&T, &mut T) -> Result<(), Box<str>> + Send + Sync>;

/// Bounds a document and the patches of its visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentLimits {
    /// The most bytes of the document as JSON without white space. Default 64 KiB.
    pub size_max: usize,
    /// The most levels of arrays and objects in each other, the innermost value included.
    /// Default 64.
    pub depth_max: usize,
    /// The most bytes of a visitor's message. Default 64 KiB.
    pub patch_size_max: usize,
    /// The most operations of a visitor's patch. Default 256.
    pub operations_max: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            size_max: 64 << 10,
            depth_max: 64,
            patch_size_max: 64 << 10,
            operations_max: 256,
        }
    }
}

/// Says what happens to a patch that was made for an older version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StalePatch {
    /// It is refused; the visitor has, or is about to have, the version it missed.
    #[default]
    Refuse,
    /// It is applied to the present version. Its `test` operations say what it relies on.
    Apply,
}

impl<T> Policy<T> {
    /// Begins with the default limits, nothing read-only and no check.
    pub fn new() -> Self {
        Self {
            limits: DocumentLimits::default(),
            stale: StalePatch::default(),
            read_only: Vec::new(),
            check: None,
        }
    }

    /// Sets the limits. They bind the server's own changes too.
    #[must_use]
    pub const fn with_limits(mut self, limits: DocumentLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Chooses what happens to a patch that was made for an older version.
    #[must_use]
    pub const fn with_stale(mut self, stale: StalePatch) -> Self {
        self.stale = stale;
        self
    }

    /// Refuses patches after which something else stands at `path`, a JSON pointer, however they
    /// do it.
    ///
    /// # Errors
    /// [`DocumentError::Path`] for text that is no JSON pointer (RFC 6901).
    pub fn with_read_only(mut self, path: &str) -> Result<Self, DocumentError> {
        let path = PointerBuf::parse(path).map_err(|_| DocumentError::Path(path.into()))?;
        self.read_only.push(path);
        Ok(self)
    }

    /// Has `check` decide about each patch: it gets the document as it was and as it would be.
    ///
    /// It may change the latter. An error refuses the patch, and its text goes to the visitor. The
    /// document is locked meanwhile, so it must not use it in another way.
    #[must_use]
    pub fn with_check(
        mut self,
        check: impl Fn(&T, &mut T) -> Result<(), Box<str>> + Send + Sync + 'static,
    ) -> Self {
        self.check = Some(Box::new(check));
        self
    }

    pub(crate) fn check_paths(&self, old: &Value, new: &Value) -> Result<(), PatchRefusal> {
        let changed = |path: &&PointerBuf| path.resolve(old).ok() != path.resolve(new).ok();
        match self.read_only.iter().find(changed) {
            Some(path) => Err(PatchRefusal::ReadOnly(path.as_str().into())),
            None => Ok(()),
        }
    }

    pub(crate) fn check_value(&self, old: &T, new: &mut T) -> Result<(), PatchRefusal> {
        match &self.check {
            Some(check) => check(old, new).map_err(PatchRefusal::Refused),
            None => Ok(()),
        }
    }
}

impl<T> Default for Policy<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Policy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("limits", &self.limits)
            .field("stale", &self.stale)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}
