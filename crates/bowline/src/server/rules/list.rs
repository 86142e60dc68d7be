//! Rules as they are written, before they are checked together.

use std::{collections::BTreeMap, fmt};

use super::super::address::AddressRange;
use super::{
    error::{RuleError, RuleFault, RulePlace},
    name::RuleName,
    rule::{Access, Addresses, Rule, Users},
    target::RedirectTarget,
    text,
};

/// The rules of a listener, oldest first, as they are written.
///
/// It can be changed and be wrong; [`RuleSet::new`](super::RuleSet::new) checks it. Its `Display`
/// is the text form, which [`parse`](Self::parse) reads back as an equal list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleList {
    /// Whether routes that do not say otherwise take WebSocket connections: the listener's switch.
    pub websocket: bool,
    /// Named groups of addresses.
    pub address_groups: BTreeMap<RuleName, Vec<AddressRange>>,
    /// The rules. Of one kind, the last that matches counts.
    pub rules: Vec<Rule>,
}

impl RuleList {
    /// Most rules in a list.
    pub const RULES_MAX: usize = 1024;
    /// Most groups of addresses in a list.
    pub const ADDRESS_GROUPS_MAX: usize = 256;
    /// Most ranges of addresses in a list, in rules and groups together.
    pub const ADDRESS_RANGES_MAX: usize = 4096;
    /// Most redirects that may follow one another on the same host.
    pub const REDIRECTS_MAX: usize = 8;
    /// Longest text form that is read, in bytes.
    pub const TEXT_LENGTH_MAX: usize = 8 << 20;

    /// Reads the text form.
    ///
    /// It is checked word by word; [`RuleSet::parse`](super::RuleSet::parse) checks also what
    /// rules say together.
    ///
    /// # Errors
    /// [`RuleError`] with line and column of the first fault.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        text::read(text).map(|read| read.list)
    }

    /// Checks the bounds and that every group that is named is defined.
    pub(super) fn check(&self) -> Result<(), RuleError> {
        let whole = |what, max| RuleError {
            place: RulePlace::List,
            fault: RuleFault::TooMany { what, max },
        };
        if self.rules.len() > Self::RULES_MAX {
            return Err(whole("rules", Self::RULES_MAX));
        }
        if self.address_groups.len() > Self::ADDRESS_GROUPS_MAX {
            return Err(whole("groups of addresses", Self::ADDRESS_GROUPS_MAX));
        }
        if self.address_groups.values().any(Vec::is_empty) {
            return Err(RuleError {
                place: RulePlace::List,
                fault: RuleFault::NoAddresses,
            });
        }
        let mut ranges: usize = self.address_groups.values().map(Vec::len).sum();
        for (index, rule) in self.rules.iter().enumerate() {
            let at_rule = |fault| RuleError {
                place: RulePlace::Rule(index + 1),
                fault,
            };
            ranges += self.check_rule(rule).map_err(at_rule)?;
        }
        if ranges > Self::ADDRESS_RANGES_MAX {
            return Err(whole("ranges of addresses", Self::ADDRESS_RANGES_MAX));
        }
        Ok(())
    }

    /// Checks one rule; gives the number of ranges it has.
    fn check_rule(&self, rule: &Rule) -> Result<usize, RuleFault> {
        match rule {
            Rule::Redirect(redirect) => {
                let pattern = redirect.pattern.wildcards();
                match redirect
                    .target
                    .as_ref()
                    .map_or(0, RedirectTarget::wildcards)
                {
                    target if target > pattern => {
                        Err(RuleFault::TooFewCaptures { target, pattern })
                    }
                    _ => Ok(0),
                }
            }
            Rule::Deny(Access { realm: Some(_), .. })
            | Rule::Allow(Access {
                realm: Some(_),
                users: Users::Anyone,
                ..
            }) => Err(RuleFault::Realm),
            Rule::Allow(access) | Rule::Deny(access) => self.check_addresses(&access.addresses),
            Rule::Route(_) => Ok(0),
        }
    }

    fn check_addresses(&self, addresses: &Addresses) -> Result<usize, RuleFault> {
        match addresses {
            Addresses::Anywhere => Ok(0),
            Addresses::Ranges(ranges) if ranges.is_empty() => Err(RuleFault::NoAddresses),
            Addresses::Ranges(ranges) => Ok(ranges.len()),
            Addresses::Group(name) if self.address_groups.contains_key(name) => Ok(0),
            Addresses::Group(name) => Err(RuleFault::UnknownGroup(name.clone())),
        }
    }
}

impl fmt::Display for RuleList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = if self.websocket { "on" } else { "off" };
        writeln!(f, "websocket {switch}")?;
        for (name, ranges) in &self.address_groups {
            write!(f, "address-group {name}")?;
            for range in ranges {
                write!(f, " {range}")?;
            }
            writeln!(f)?;
        }
        for rule in &self.rules {
            writeln!(f, "{rule}")?;
        }
        Ok(())
    }
}
