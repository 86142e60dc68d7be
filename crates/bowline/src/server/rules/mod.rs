//! Access rules of a listener: who may come in, and which handler gets them.
//!
//! Rules are pure: [`RequestFacts`] in, a [`Decision`] out. A [`RuleSet`] is made of a
//! [`RuleList`] or of text; [`Rules`] is the handle of a running listener, whose rules can be
//! replaced. The guide, `docs/guide/rules.md`, has the text form, the order and examples.

mod decision;
mod error;
mod escape;
mod evaluate;
mod explanation;
mod facts;
mod glob;
mod list;
mod live;
mod methods;
mod name;
mod pattern;
mod rule;
mod set;
mod target;
mod text;
mod url;

pub use super::address::{AddressError, AddressRange};
pub use decision::{Decision, Routed, RuleRefusal};
pub use error::{Expected, RuleError, RuleFault, RulePlace};
pub use escape::EscapeError;
pub use explanation::{ExplainedRule, ExplainedStep, Explanation, Mismatch, Step};
pub use facts::RequestFacts;
pub use list::RuleList;
pub use live::{ActiveRules, Rules, StaleRules};
pub use methods::{MethodError, Methods};
pub use name::{NameError, RuleName};
pub use pattern::{PatternError, UrlPattern, UserPattern};
pub use rule::{Access, Addresses, Redirect, Route, Rule, Users, WebSocketUse};
pub use set::{RuleSet, RuleWarning};
pub use target::{RedirectTarget, TargetError};
pub use url::PathError;
