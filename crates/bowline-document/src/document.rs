//! A document and the connection that shows it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bowline::{
    CloseCode, Sent,
    server::{ConnectionHandle, ConnectionId},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    apply::apply,
    error::{DocumentError, PatchRefusal},
    extent::Extent,
    message::{Incoming, Numbered, Outgoing},
    policy::{Policy, StalePatch},
};

/// A JSON document that a server and one visitor keep alike.
///
/// `T` is the document as the program knows it; the visitor sees what serde writes of it, and a
/// visitor's patch makes a new one of what serde reads. Clones share the document. It may be used
/// from any thread, inside a runtime or not; nothing waits for the visitor.
///
/// [`serve`](crate::serve) connects it with a group.
pub struct Document<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    policy: Policy<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: T,
    /// The value as the visitor sees it.
    json: Value,
    version: u64,
    connection: Option<ConnectionHandle>,
}

impl<T: Clone + Serialize + DeserializeOwned> Document<T> {
    /// Makes a document of version 1 that no connection shows yet.
    ///
    /// # Errors
    /// [`DocumentError`] for a value that cannot be written as JSON, or is too large.
    pub fn new(value: T, policy: Policy<T>) -> Result<Self, DocumentError> {
        let json = serde_json::to_value(&value)?;
        Extent::of(&json).check(&policy.limits)?;
        let state = State {
            value,
            json,
            version: 1,
            connection: None,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                policy,
                state: Mutex::new(state),
            }),
        })
    }

    /// Changes the document; gives what `change` gives.
    ///
    /// The visitor gets the difference as one patch, if there is one. The document is locked while
    /// `change` runs, so it must not use it in another way. If it panics nothing has changed.
    ///
    /// # Errors
    /// [`DocumentError`] if the result cannot be written as JSON or is too large; then nothing has
    /// changed.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, DocumentError> {
        let mut state = self.lock();
        let mut value = state.value.clone();
        let result = change(&mut value);
        let json = serde_json::to_value(&value)?;
        Extent::of(&json).check(&self.inner.policy.limits)?;
        if json == state.json {
            state.value = value;
        } else {
            state.commit(value, json, None);
        }
        Ok(result)
    }

    /// Looks at the document. It is locked meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock().value)
    }

    /// Gives the document as the visitor sees it.
    pub fn to_json(&self) -> Value {
        self.lock().json.clone()
    }

    /// Gives the version: 1 at first, and one more with each change.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Gives the connection that shows the document; `None` while none does.
    pub fn connection(&self) -> Option<ConnectionHandle> {
        self.lock().connection.clone()
    }

    /// Shows the document over a connection, which gets the whole of it at once. One that showed it
    /// before is told and gets nothing more.
    pub fn attach(&self, connection: &ConnectionHandle) {
        let mut state = self.lock();
        let before = state.connection.replace(connection.clone());
        if let Some(before) = before.filter(|before| before != connection) {
            before.post(Outgoing::Replaced { replaced: true }.to_text());
        }
        state.send_whole(None);
    }

    /// Notes that a connection is over.
    pub fn detach(&self, connection: ConnectionId) {
        let mut state = self.lock();
        let shown_by = state.connection.as_ref().map(ConnectionHandle::id);
        if shown_by == Some(connection) {
            state.connection = None;
        }
    }

    /// Handles what the visitor says; it gets the answer. Gives the version from then on.
    ///
    /// # Errors
    /// [`PatchRefusal`] if nothing has changed; the visitor is told why.
    pub fn receive(&self, connection: &ConnectionHandle, text: &str) -> Result<u64, PatchRefusal> {
        let mut state = self.lock();
        if state.connection.as_ref() != Some(connection) {
            connection.post(Outgoing::Replaced { replaced: true }.to_text());
            return Err(PatchRefusal::Replaced);
        }
        let (id, handled) = self.handle(&mut state, text);
        match handled {
            Ok(()) => Ok(state.version),
            Err(refusal) => {
                let told = Outgoing::Refused {
                    refused: id,
                    reason: refusal.to_string(),
                    version: state.version,
                };
                state.send(told.to_text());
                Err(refusal)
            }
        }
    }

    /// Acts on a visitor's message; gives its number too, if it has one.
    fn handle(&self, state: &mut State<T>, text: &str) -> (Option<u64>, Result<(), PatchRefusal>) {
        let (size, size_max) = (text.len(), self.inner.policy.limits.patch_size_max);
        if size > size_max {
            return (None, Err(PatchRefusal::TooLong { size, size_max }));
        }
        let incoming: Incoming = match serde_json::from_str(text) {
            Ok(incoming) => incoming,
            Err(error) => {
                let Numbered { id } = serde_json::from_str(text).unwrap_or_default();
                return (id, Err(PatchRefusal::Message(error)));
            }
        };
        if incoming.resend {
            state.send_whole(incoming.id);
            return (incoming.id, Ok(()));
        }
        (incoming.id, self.patch(state, &incoming))
    }

    fn patch(&self, state: &mut State<T>, incoming: &Incoming) -> Result<(), PatchRefusal> {
        let policy = &self.inner.policy;
        let patch = incoming.patch.as_ref().ok_or(PatchRefusal::NoPatch)?;
        let (given, present) = (incoming.version.unwrap_or_default(), state.version);
        if given > present || (given < present && policy.stale == StalePatch::Refuse) {
            return Err(PatchRefusal::Stale { given, present });
        }
        let json = apply(&state.json, patch, &policy.limits)?;
        policy.check_paths(&state.json, &json)?;
        let mut value = T::deserialize(&json).map_err(PatchRefusal::Form)?;
        policy.check_value(&state.value, &mut value)?;
        // The type or the check may have made something else of it.
        let json = serde_json::to_value(&value).map_err(PatchRefusal::Form)?;
        Extent::of(&json).check(&policy.limits)?;
        state.commit(value, json, incoming.id);
        Ok(())
    }
}

impl<T> Document<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // What panicked under the lock has changed nothing yet.
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Takes a new value over and tells the visitor.
    fn commit(&mut self, value: T, json: Value, answers: Option<u64>) {
        let before = std::mem::replace(&mut self.json, json);
        self.value = value;
        self.version += 1;
        if self.connection.is_none() {
            return;
        }
        let patch = json_patch::diff(&before, &self.json);
        let text = Outgoing::Patch {
            version: self.version,
            patch: &patch,
            answers,
        }
        .to_text();
        if text.len() > Extent::of(&self.json).size + DOCUMENT_FRAME_LEN {
            self.send_whole(answers);
        } else {
            self.send(text);
        }
    }

    fn send_whole(&mut self, answers: Option<u64>) {
        let whole = Outgoing::Document {
            version: self.version,
            document: &self.json,
            answers,
        };
        self.send(whole.to_text());
    }

    /// Sends in the order of the versions, for which the document stays locked. A visitor that
    /// misses a message is sent away, to come back for the whole document.
    fn send(&mut self, text: String) {
        let Some(connection) = &self.connection else {
            return;
        };
        if !matches!(connection.try_send(text), Ok(Sent::Queued)) {
            let _told = connection
                .close(CloseCode::TRY_AGAIN_LATER, "the document is ahead")
                .is_ok();
            self.connection = None;
        }
    }
}

impl<T> Clone for Document<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

/// The content is the visitor's and stays out of logs.
impl<T> fmt::Debug for Document<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("version", &self.lock().version)
            .finish_non_exhaustive()
    }
}

/// About what a message has around a document.
const DOCUMENT_FRAME_LEN: usize = 32;
