//! Code of the connector: kept and reported, not run.

use super::ParameterId;

/// A `QAction`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeHook {
    /// `QAction@name`.
    pub name: String,
    /// `QAction@encoding`: the language, such as `csharp`.
    pub language: String,
    /// The parameters whose change runs it.
    pub triggers: Vec<ParameterId>,
    /// The parameters it is given.
    pub inputs: Vec<ParameterId>,
    /// Whether it is given bytes rather than text.
    pub is_binary: bool,
    /// The code itself.
    pub text: String,
}
