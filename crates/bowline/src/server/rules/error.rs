//! What is wrong with a list of rules, and where.

use std::fmt;

use thiserror::Error;

use super::super::address::AddressError;
use super::{
    list::RuleList,
    methods::MethodError,
    name::{NameError, RuleName},
    pattern::PatternError,
    target::TargetError,
};

/// Says which rule is wrong, why, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {fault}")]
pub struct RuleError {
    /// Where the fault is.
    pub place: RulePlace,
    /// What the fault is.
    pub fault: RuleFault,
}

/// The place of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulePlace {
    /// A place in a text.
    Text {
        /// The line, from 1.
        line: usize,
        /// The character of the line, from 1.
        column: usize,
    },
    /// A rule, counted from 1 for the oldest.
    Rule(usize),
    /// The list as a whole, or its groups of addresses.
    List,
}

impl RulePlace {
    /// Gives the place some characters further on in the line.
    pub(super) const fn moved(self, characters: usize) -> Self {
        match self {
            Self::Text { line, column } => Self::Text {
                line,
                column: column + characters,
            },
            Self::Rule(_) | Self::List => self,
        }
    }
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { line, column } => write!(f, "line {line}, column {column}"),
            Self::Rule(number) => write!(f, "rule {number}"),
            Self::List => f.write_str("the rules"),
        }
    }
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleFault {
    /// A line begins with a word that begins none.
    #[error(
        "a line begins with redirect, noredirect, allow, deny, route, address-group or websocket"
    )]
    Keyword,
    /// A line ends too early.
    #[error("the line ends where {0} is expected")]
    Missing(Expected),
    /// There is a word that has no place in this line.
    #[error("this word is not expected: remove it, or write a blank inside a word as `%20`")]
    Excess,
    /// A line says a thing twice.
    #[error("this is said a second time: remove one")]
    Repeated,
    /// A method is wrong.
    #[error(transparent)]
    Method(#[from] MethodError),
    /// A pattern is wrong.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A redirect's target is wrong.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A name is wrong.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A range of addresses is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The switch is neither on nor off.
    #[error("write `websocket on` or `websocket off`")]
    Switch,
    /// There is a control character, or a blank other than space and tab.
    #[error("the character {0:?} is not allowed here: write it as an escape, or a space instead")]
    Character(char),
    /// A redirect's target has more wildcards than its pattern.
    #[error("the target has {target} `*` but the pattern only {pattern}: write `%2A` for a star")]
    TooFewCaptures {
        /// Wildcards of the target.
        target: usize,
        /// Wildcards of the pattern.
        pattern: usize,
    },
    /// A rule names a group of addresses that is not defined.
    #[error("there is no group of addresses {0}: add a line `address-group {0}` with its ranges")]
    UnknownGroup(RuleName),
    /// A rule or a group has an empty list of addresses.
    #[error("a list of addresses has at least one range")]
    NoAddresses,
    /// A rule names a realm but asks for no user.
    #[error("a realm is asked for by an `allow` rule with `user` or `user-group` only")]
    Realm,
    /// A redirect leads back to itself, or through too many others.
    #[error(
        "the redirect leads in a circle, or through more than {} others: end it with a newer \
         `noredirect` rule, or narrow its pattern",
        RuleList::REDIRECTS_MAX
    )]
    RedirectLoop,
    /// There is too much of something.
    #[error("at most {max} {what} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

/// What a line lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// A pattern of URLs.
    Pattern,
    /// The target of a redirect.
    Target,
    /// The name of a route.
    RouteName,
    /// A pattern of user names.
    UserPattern,
    /// The name of a group.
    GroupName,
    /// Ranges of addresses.
    Addresses,
    /// On or off.
    Switch,
    /// The name of a realm.
    Realm,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pattern => "a pattern of URLs, such as `/chat/*`,",
            Self::Target => "the target of the redirect, such as `/new/*`,",
            Self::RouteName => "the name of the route",
            Self::UserPattern => "a pattern of user names, such as `anna` or `*`,",
            Self::GroupName => "the name of a group",
            Self::Addresses => "a range of addresses, such as `10.0.0.0/8`,",
            Self::Switch => "`on` or `off`",
            Self::Realm => "the name of the realm",
        })
    }
}
