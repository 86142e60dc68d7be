//! Applying a visitor's patch, within limits.

use std::slice;

use json_patch::{
    Patch, PatchOperation,
    jsonptr::{Pointer, Resolve as _},
};
use serde_json::Value;

use crate::{
    error::{Excess, PatchRefusal},
    extent::Extent,
    policy::DocumentLimits,
};

/// Gives the document as it is after the whole patch.
pub(crate) fn apply(
    document: &Value,
    patch: &Patch,
    limits: &DocumentLimits,
) -> Result<Value, PatchRefusal> {
    let count = patch.len();
    if count > limits.operations_max {
        return Err(PatchRefusal::TooManyOperations {
            count,
            count_max: limits.operations_max,
        });
    }
    let mut changed = document.clone();
    let mut work = Work {
        limits,
        left: limits.size_max.saturating_mul(WORK_FACTOR),
    };
    for (index, operation) in patch.iter().enumerate() {
        work.charge(&changed, operation)?;
        json_patch::patch_unsafe(&mut changed, slice::from_ref(operation)).map_err(|error| {
            let kind = error.kind;
            PatchRefusal::Operation { index, kind }
        })?;
    }
    Extent::of(&changed).check(limits)?;
    Ok(changed)
}

/// Bounds what a patch makes of a document before its last operation, and the time that takes:
/// copies of copies grow without end.
struct Work<'l> {
    limits: &'l DocumentLimits,
    left: usize,
}

impl Work<'_> {
    fn charge(&mut self, document: &Value, operation: &PatchOperation) -> Result<(), PatchRefusal> {
        let path = operation.path();
        match operation {
            PatchOperation::Add(add) => self.take(path, &add.value),
            PatchOperation::Replace(replace) => self.take(path, &replace.value),
            PatchOperation::Test(test) => self.take(path, &test.value),
            PatchOperation::Copy(copy) => self.take_from(document, &copy.from, path),
            PatchOperation::Move(mov) => self.take_from(document, &mov.from, path),
            PatchOperation::Remove(_) => Ok(()),
        }
    }

    fn take_from(
        &mut self,
        document: &Value,
        from: &Pointer,
        path: &Pointer,
    ) -> Result<(), PatchRefusal> {
        match document.resolve(from) {
            Ok(value) => self.take(path, value),
            // The operation says so itself.
            Err(_) => Ok(()),
        }
    }

    fn take(&mut self, path: &Pointer, value: &Value) -> Result<(), PatchRefusal> {
        let Extent { size, depth } = Extent::of(value);
        self.left = self
            .left
            .checked_sub(size)
            .ok_or(PatchRefusal::TooMuchWork)?;
        if path.count() + depth > self.limits.depth_max {
            return Err(Excess::Depth(self.limits.depth_max).into());
        }
        Ok(())
    }
}

/// How many times the largest document the values of one patch may amount to.
const WORK_FACTOR: usize = 4;
