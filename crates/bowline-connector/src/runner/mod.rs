//! Elements that run: a machine with its links, its time, its saved values and its hooks.

mod attempt;
mod command;
mod dialer;
mod effects;
mod error;
mod event;
mod handle;
mod keeper;
mod loss;
mod options;
mod snapshot;
mod stream_view;
mod tape;
mod task;
mod watch;

use std::{collections::BTreeMap, sync::Arc};

use self::{
    keeper::Keeper, stream_view::StreamView, tape::Tape, task::ElementTask, watch::Watchers,
};
use crate::{
    ElementSettings, Plan,
    hooks::{Hooks, extractions},
    machine::Machine,
};

pub use error::{ElementError, LinkSettingsError, StartError};
pub use event::{Direction, ElementEvent, LinkState, StreamMessage};
pub use handle::ElementHandle;
pub use options::{RunnerOptions, ViewLimits};
pub use snapshot::{LinkStatus, ParameterStatus, Snapshot};
pub use watch::{ElementEvents, WatchLimits};

/// Starts elements.
///
/// Each element runs as a task of its own, which owns its machine; any number run side by side in one
/// process. Its links are clients that are [managed](bowline::managed): there is one link of a
/// connection at a time, at most, and before another attempt the old one is over and its socket
/// closed.
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc, time::Duration};
///
/// use bowline_connector::{
///     ElementSettings, Plan,
///     plan::ParameterId,
///     runner::{Runner, RunnerOptions},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let plan = Plan::default();
/// let settings = ElementSettings {
///     name: "tank-1".into(),
///     id: 1,
///     links: BTreeMap::new(),
///     timeout: Some(Duration::from_secs(30)),
///     parameters: BTreeMap::new(),
///     delivers_duplicates: false,
///     extractions: Vec::new(),
/// };
/// let options = RunnerOptions::default();
/// let (element, mut events) = Runner::start(Arc::new(plan), Arc::new(settings), &options)?;
///
/// let watching = tokio::spawn(async move {
///     while let Some(event) = events.recv().await {
///         println!("{event:?}");
///     }
/// });
/// if let Err(error) = element.set(ParameterId(11), "ws://192.0.2.40:9002").await {
///     println!("{error}");
/// }
/// for parameter in element.snapshot().await?.parameters {
///     println!("{}: {} {}", parameter.name, parameter.text, parameter.units);
/// }
/// element.shutdown().await;
/// watching.await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Runner;

impl Runner {
    /// Starts an element: loads what it saved, and begins with its links and timers.
    ///
    /// Blocks for the time it takes to read the saved values. The element runs until
    /// [`ElementHandle::shutdown`], or until the last of its handles is dropped.
    ///
    /// # Errors
    /// [`StartError`] if its settings do not fit the plan, or its saved values cannot be read.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(
        plan: Arc<Plan>,
        settings: Arc<ElementSettings>,
        options: &RunnerOptions,
    ) -> Result<(ElementHandle, ElementEvents), StartError> {
        let store = match &options.store {
            Some(store) => Some(store.element(&settings.name)?),
            None => None,
        };
        let saved = match &store {
            Some(store) => store.load()?,
            None => Vec::new(),
        };
        let hooks = all_hooks(&plan, &settings, &options.hooks)?;
        let (inbox, commands) = command::channel();
        let mut keepers = BTreeMap::new();
        for (id, link) in plan.links.iter() {
            let own = settings.links.get(&id).cloned().unwrap_or_default();
            let handshake = link.handshake.and_then(|id| plan.handshakes.get(id));
            let keeper = Keeper::new(id, (link, handshake), &own, options);
            drop(keepers.insert(id, keeper.map_err(|error| StartError::Link(id, error))?));
        }
        let seed = options.seed.unwrap_or_else(rand::random);
        if let Some(recorder) = &options.recorder {
            recorder.begin(&saved, seed);
        }
        let machine = Machine::new(Arc::clone(&plan), Arc::clone(&settings), saved, seed);
        let watchers = Arc::new(Watchers::default());
        let events = watchers.subscribe(options.watch);
        let task = ElementTask::new(task::Parts {
            plan: Arc::clone(&plan),
            settings: Arc::clone(&settings),
            machine,
            keepers,
            store,
            hooks,
            watchers: Arc::clone(&watchers),
            view: StreamView::new(options.view),
            tape: Tape::new(options.recorder.clone()),
            commands,
        });
        let handle = ElementHandle::new(inbox, watchers, plan, settings, options.watch);
        drop(tokio::spawn(task.run()));
        Ok((handle, events))
    }
}

/// Gives the hooks of an element: those of its settings, then those of the program.
pub(crate) fn all_hooks(
    plan: &Plan,
    settings: &ElementSettings,
    more: &Hooks,
) -> Result<Hooks, StartError> {
    let mut hooks = extractions(plan, &settings.extractions)?;
    hooks.append(more.clone());
    check_names(plan, settings, &hooks)?;
    Ok(hooks)
}

/// Refuses settings and hooks for what the connector does not have.
fn check_names(plan: &Plan, settings: &ElementSettings, hooks: &Hooks) -> Result<(), StartError> {
    let mut links = settings.links.keys();
    if let Some(link) = links.find(|link| !plan.links.contains(**link)) {
        return Err(StartError::NoSuchLink(*link));
    }
    let parameters = settings.parameters.keys().copied();
    let mut parameters = parameters.chain(hooks.parameters());
    match parameters.find(|parameter| !plan.parameters.contains(*parameter)) {
        Some(parameter) => Err(StartError::NoSuchParameter(parameter)),
        None => Ok(()),
    }
}
