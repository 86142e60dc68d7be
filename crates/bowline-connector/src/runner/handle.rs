//! Handles of elements.

use std::{fmt, sync::Arc};

use tokio::sync::{mpsc, oneshot};

use super::{
    ElementError, ElementEvents, Snapshot, StreamMessage, WatchLimits,
    command::{Command, Deed},
    watch::Watchers,
};
use crate::{
    ElementSettings, Plan,
    machine::Value,
    plan::{LinkId, Measurement, ParameterId, TriggerId},
};

/// A handle of an element that runs.
///
/// Handles clone cheaply and may be used from any task. When the last one is dropped the element
/// ends as by [`shutdown`](Self::shutdown), in the background.
///
/// **Cancel safety.** Dropping the future of a method either leaves the element as it was, or what
/// was begun goes on without it.
#[derive(Clone)]
pub struct ElementHandle {
    inbox: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

struct Shared {
    watchers: Arc<Watchers>,
    plan: Arc<Plan>,
    settings: Arc<ElementSettings>,
    limits: WatchLimits,
}

impl ElementHandle {
    pub(super) fn new(
        inbox: mpsc::Sender<Command>,
        watchers: Arc<Watchers>,
        plan: Arc<Plan>,
        settings: Arc<ElementSettings>,
        limits: WatchLimits,
    ) -> Self {
        let shared = Shared {
            watchers,
            plan,
            settings,
            limits,
        };
        Self {
            inbox,
            shared: Arc::new(shared),
        }
    }

    /// Gives the connector.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.shared.plan
    }

    /// Gives the settings.
    pub fn settings(&self) -> &Arc<ElementSettings> {
        &self.shared.settings
    }

    /// Sets a parameter as a person does: text, checked against type and range.
    ///
    /// Ready when what follows at once is done: triggers and hooks ran, and the value is on the disk
    /// if it is one that is saved.
    ///
    /// # Errors
    /// [`ElementError::Set`] says why the value is not taken.
    pub async fn set(
        &self,
        parameter: ParameterId,
        text: impl Into<String>,
    ) -> Result<(), ElementError> {
        self.act(Deed::Set(parameter, text.into())).await
    }

    /// Sets any parameter as code does: it counts as a change also with the value it has. Ready as
    /// [`set`](Self::set).
    ///
    /// # Errors
    /// [`ElementError::Set`] says why the value is not taken.
    pub async fn assign(
        &self,
        parameter: ParameterId,
        value: impl Into<Value>,
    ) -> Result<(), ElementError> {
        self.act(Deed::Assign(parameter, value.into())).await
    }

    /// Presses a button: sets it to the first value that has a label, else to 1. Ready as
    /// [`set`](Self::set).
    ///
    /// # Errors
    /// [`ElementError::NotAButton`], or as [`set`](Self::set).
    pub async fn press(&self, button: ParameterId) -> Result<(), ElementError> {
        let parameter = self.shared.plan.parameters.get(button);
        let parameter = parameter.ok_or(ElementError::NoSuchParameter(button))?;
        if parameter.measurement != Measurement::Button {
            return Err(ElementError::NotAButton(button));
        }
        let value = parameter.discreets.first();
        let value = value.map_or_else(|| "1".to_owned(), |discreet| discreet.value.clone());
        self.set(button, value).await
    }

    /// Fires a trigger. Ready as [`set`](Self::set).
    ///
    /// # Errors
    /// [`ElementError::Set`] if there is none of that number.
    pub async fn fire(&self, trigger: TriggerId) -> Result<(), ElementError> {
        self.act(Deed::Fire(trigger)).await
    }

    /// Makes a link anew: closes the present one gracefully, within twice its close timeout, then
    /// opens another. Ready once that has begun.
    ///
    /// # Errors
    /// [`ElementError::NoSuchLink`].
    pub async fn reconnect(&self, link: LinkId) -> Result<(), ElementError> {
        if !self.shared.plan.links.contains(link) {
            return Err(ElementError::NoSuchLink(link));
        }
        self.act(Deed::Reconnect(link)).await
    }

    /// Tells everything about the element at this moment.
    ///
    /// # Errors
    /// [`ElementError::Stopped`].
    pub async fn snapshot(&self) -> Result<Snapshot, ElementError> {
        self.ask(Command::Snapshot).await
    }

    /// Gives the last messages in and out of all links, the oldest first. Those that follow are among
    /// the events.
    ///
    /// # Errors
    /// [`ElementError::Stopped`].
    pub async fn messages(&self) -> Result<Vec<StreamMessage>, ElementError> {
        self.ask(Command::Messages).await
    }

    /// Watches the element from now on.
    pub fn subscribe(&self) -> ElementEvents {
        self.shared.watchers.subscribe(self.shared.limits)
    }

    /// Ends the element: closes its links gracefully with 1000, each within twice its close timeout,
    /// and waits for it. What is saved is on the disk then, and the sockets are closed.
    pub async fn shutdown(&self) {
        // If it has stopped, there is nothing to ask for.
        drop(self.inbox.send(Command::Stop).await);
        self.inbox.closed().await;
    }

    async fn act(&self, deed: Deed) -> Result<(), ElementError> {
        self.ask(|reply| Command::Do(deed, reply)).await?
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ElementError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.send(command(reply)).await;
        sent.map_err(|_| ElementError::Stopped)?;
        answer.await.map_err(|_| ElementError::Stopped)
    }
}

impl fmt::Debug for ElementHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElementHandle")
            .field("name", &self.shared.settings.name)
            .finish_non_exhaustive()
    }
}
