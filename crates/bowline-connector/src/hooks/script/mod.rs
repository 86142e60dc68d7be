//! Hooks in a small script language.

mod api;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rhai::{AST, Dynamic, Engine, EvalAltResult, Scope};
use thiserror::Error;

use self::api::{Api, register};
use super::{Hook, HookCall, HookError};
use crate::plan::MessageKind;

/// A hook written in [Rhai](https://rhai.rs).
///
/// The script runs from its first line to its last each time the parameter changes:
///
/// ```rhai
/// let message = parse_json(text(parameter));
/// if message.level > 90 { set(50, 1); fire(53); }
/// ```
///
/// | name | means |
/// |---|---|
/// | `parameter` | the number of the parameter that changed |
/// | `kind` | `"text"` or `"binary"` as the message came that brought the value; else `()` |
/// | `get(id)` | the value: a number (always a float), text, a blob if it is not UTF-8, `()` if empty |
/// | `text(id)`, `bytes(id)` | the value as text, as a blob |
/// | `set(id, value)` | sets it, also to the same value; `()` clears; `true` is 1 and `false` 0 |
/// | `fire(id)` | fires a trigger |
/// | `parse_json(text)`, `to_json(value)` | from and to JSON |
/// | `log(text)`, `print(text)` | tells people |
///
/// A script cannot reach files, the network, the clock, or other scripts. One run is bounded by
/// [`OPERATIONS_MAX`](Self::OPERATIONS_MAX) operations and [`TIME_MAX`](Self::TIME_MAX); text, blobs,
/// arrays and maps by [`SIZE_MAX`](Self::SIZE_MAX) bytes and [`ITEMS_MAX`](Self::ITEMS_MAX) items. One
/// that passes a bound fails, and then nothing it did takes effect. Nothing is kept from one run to
/// the next but the values of parameters.
pub struct Script {
    name: String,
    running: Mutex<Running>,
}

struct Running {
    engine: Engine,
    ast: AST,
    api: Arc<Api>,
    deadline: Arc<Mutex<Instant>>,
}

/// Says why a script cannot be run at all.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not in the language.
    #[error("the script {name} is wrong: {reason}")]
    Syntax {
        /// The script.
        name: Box<str>,
        /// What is wrong, with line and position.
        reason: Box<str>,
    },
}

impl Script {
    /// The most operations of one run.
    pub const OPERATIONS_MAX: u64 = 1_000_000;
    /// The longest time of one run.
    pub const TIME_MAX: Duration = Duration::from_millis(500);
    /// The longest text or blob in bytes.
    pub const SIZE_MAX: usize = 16 << 20;
    /// The most items of an array or map.
    pub const ITEMS_MAX: usize = 100_000;

    /// Reads a script from a file.
    ///
    /// # Errors
    /// [`ScriptError`] if it cannot be read, or is wrong.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let path = path.as_ref();
        let source = fs::read_to_string(path).map_err(|source| ScriptError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::compile(&path.display().to_string(), &source)
    }

    /// Reads a script from text; errors and notes name it so.
    ///
    /// # Errors
    /// [`ScriptError::Syntax`].
    pub fn compile(name: &str, source: &str) -> Result<Self, ScriptError> {
        let api = Arc::new(Api::default());
        let deadline = Arc::new(Mutex::new(Instant::now()));
        let mut engine = bounded(Arc::clone(&deadline));
        register(&mut engine, &api);
        let compiled = engine.compile(source);
        let ast = compiled.map_err(|error| ScriptError::Syntax {
            name: name.into(),
            reason: error.to_string().into(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            running: Mutex::new(Running {
                engine,
                ast,
                api,
                deadline,
            }),
        })
    }
}

impl Hook for Script {
    fn run(&self, call: &mut HookCall<'_>) -> Result<(), HookError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.run(call).map_err(|error| {
            let reason = *error;
            format!("the script {} failed: {reason}", self.name).into()
        })
    }
}

impl Running {
    fn run(&self, call: &mut HookCall<'_>) -> Result<(), Box<EvalAltResult>> {
        let mut scope = Scope::new();
        scope.push_constant("parameter", i64::from(call.parameter().0));
        scope.push_constant_dynamic("kind", kind_of(call.kind()));
        self.api.begin(call.snapshot());
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now() + Script::TIME_MAX;
        let done = self.engine.run_ast_with_scope(&mut scope, &self.ast);
        let operations = self.api.end();
        done?;
        for operation in operations {
            call.ask(operation).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.name).finish()
    }
}

/// Makes an engine that cannot run away.
fn bounded(deadline: Arc<Mutex<Instant>>) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(Script::OPERATIONS_MAX)
        .set_max_call_levels(CALL_LEVELS_MAX)
        .set_max_expr_depths(EXPRESSION_DEPTH_MAX, EXPRESSION_DEPTH_MAX)
        .set_max_variables(VARIABLES_MAX)
        .set_max_functions(FUNCTIONS_MAX)
        .set_max_string_size(Script::SIZE_MAX)
        .set_max_array_size(Script::ITEMS_MAX)
        .set_max_map_size(Script::ITEMS_MAX)
        .disable_symbol("eval");
    engine.on_progress(move |operations| {
        if operations % OPERATIONS_PER_LOOK != 0 {
            return None;
        }
        let deadline = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
        (Instant::now() > deadline).then(|| Dynamic::from("it took too long"))
    });
    engine
}

fn kind_of(kind: Option<MessageKind>) -> Dynamic {
    match kind {
        Some(MessageKind::Text) => "text".into(),
        Some(MessageKind::Binary) => "binary".into(),
        None => Dynamic::UNIT,
    }
}

const CALL_LEVELS_MAX: usize = 32;
const EXPRESSION_DEPTH_MAX: usize = 64;
const VARIABLES_MAX: usize = 1_000;
const FUNCTIONS_MAX: usize = 100;
const OPERATIONS_PER_LOOK: u64 = 256;

#[cfg(test)]
mod tests;
