//! Code hooks: what runs when a parameter changes, in place of the code in the connector's file.
//!
//! There are three kinds, and for one parameter they run in this order:
//!
//! 1. extractions of the element's settings, which take values out of JSON messages;
//! 2. [`Hook`]s in Rust;
//! 3. [`Script`]s.
//!
//! A hook sees the values of the moment it begins, and what it has set itself. What it sets, and
//! what it fires, takes effect when it is done, in order; if it fails, none of it does.

mod call;
mod extract;
mod json_path;
mod script;

use std::{collections::BTreeMap, error::Error as StdError, fmt, sync::Arc};

use crate::plan::ParameterId;

pub use call::{HookCall, NotSet, Values};
pub use extract::{ExtractError, extractions};
pub use json_path::{JsonPath, JsonPathError};
pub use script::{Script, ScriptError};

pub(crate) use call::Operation;

/// Code that runs when a parameter changes.
///
/// A closure is one:
///
/// ```
/// use bowline_connector::{hooks::Hooks, plan::ParameterId};
///
/// let hooks = Hooks::new().on(ParameterId(43), |call: &mut bowline_connector::hooks::HookCall<'_>| {
///     let celsius: f64 = call.text(ParameterId(43))?.parse()?;
///     call.set(ParameterId(44), celsius * 1.8 + 32.0)?;
///     Ok(())
/// });
/// ```
///
/// It runs on the element's task, so it must not block.
pub trait Hook: Send + Sync + 'static {
    /// Runs once.
    ///
    /// # Errors
    /// Whatever kept it from its work; people are told, and nothing it did takes effect.
    fn run(&self, call: &mut HookCall<'_>) -> Result<(), HookError>;
}

/// Why a hook failed.
pub type HookError = Box<dyn StdError + Send + Sync>;

impl<F> Hook for F
where
    F: Fn(&mut HookCall<'_>) -> Result<(), HookError> + Send + Sync + 'static,
{
    fn run(&self, call: &mut HookCall<'_>) -> Result<(), HookError> {
        self(call)
    }
}

/// The hooks of an element.
#[derive(Clone, Default)]
pub struct Hooks {
    by_parameter: BTreeMap<ParameterId, Vec<Arc<dyn Hook>>>,
}

impl Hooks {
    /// Begins without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a hook of a parameter. Those of one parameter run in the order in which they were added.
    #[must_use]
    pub fn on(mut self, parameter: ParameterId, hook: impl Hook) -> Self {
        self.add(parameter, Arc::new(hook));
        self
    }

    /// Adds a hook of a parameter, after those there are.
    pub fn add(&mut self, parameter: ParameterId, hook: Arc<dyn Hook>) {
        self.by_parameter.entry(parameter).or_default().push(hook);
    }

    /// Adds all hooks of `others`, after those there are.
    pub fn append(&mut self, others: Self) {
        for (parameter, hooks) in others.by_parameter {
            self.by_parameter
                .entry(parameter)
                .or_default()
                .extend(hooks);
        }
    }

    /// Goes through the parameters that have hooks.
    pub fn parameters(&self) -> impl Iterator<Item = ParameterId> {
        self.by_parameter.keys().copied()
    }

    /// Gives the hooks of a parameter, in order.
    pub(crate) fn of(&self, parameter: ParameterId) -> &[Arc<dyn Hook>] {
        self.by_parameter
            .get(&parameter)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.by_parameter.iter();
        f.debug_map()
            .entries(counts.map(|(parameter, hooks)| (parameter, hooks.len())))
            .finish()
    }
}
