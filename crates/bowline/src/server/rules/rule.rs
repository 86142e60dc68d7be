//! One rule of a listener.

use std::fmt;

use super::super::address::AddressRange;
use super::{
    methods::Methods,
    name::RuleName,
    pattern::{UrlPattern, UserPattern},
    target::RedirectTarget,
};

/// One rule of a listener.
///
/// Its `Display` is the line of the text form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Sends requests elsewhere, before any access rule is looked at.
    Redirect(Redirect),
    /// Lets requests in.
    Allow(Access),
    /// Keeps requests out.
    Deny(Access),
    /// Hands requests to a handler.
    Route(Route),
}

impl Rule {
    /// Gives the methods that the rule is about.
    pub const fn methods(&self) -> &Methods {
        match self {
            Self::Redirect(redirect) => &redirect.methods,
            Self::Allow(access) | Self::Deny(access) => &access.methods,
            Self::Route(route) => &route.methods,
        }
    }

    /// Gives the pattern of the URLs that the rule is about.
    pub const fn pattern(&self) -> &UrlPattern {
        match self {
            Self::Redirect(redirect) => &redirect.pattern,
            Self::Allow(access) | Self::Deny(access) => &access.pattern,
            Self::Route(route) => &route.pattern,
        }
    }

    const fn keyword(&self) -> &'static str {
        match self {
            Self::Redirect(Redirect { target: None, .. }) => "noredirect",
            Self::Redirect(_) => "redirect",
            Self::Allow(_) => "allow",
            Self::Deny(_) => "deny",
            Self::Route(_) => "route",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())?;
        if *self.methods() != Methods::ASSUMED {
            write!(f, " {}", self.methods())?;
        }
        write!(f, " {}", self.pattern())?;
        match self {
            Self::Redirect(redirect) => match &redirect.target {
                Some(target) => write!(f, " {target}"),
                None => Ok(()),
            },
            Self::Allow(access) | Self::Deny(access) => {
                write!(f, "{}{}", access.users, access.addresses)?;
                match &access.realm {
                    Some(realm) => write!(f, " realm {realm}"),
                    None => Ok(()),
                }
            }
            Self::Route(route) => write!(f, " {}{}", route.name, route.websocket),
        }
    }
}

/// What a redirect rule says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// The methods it is about.
    pub methods: Methods,
    /// The URLs it is about.
    pub pattern: UrlPattern,
    /// Where they are sent; `None` keeps older rules from redirecting them (`noredirect`).
    pub target: Option<RedirectTarget>,
}

/// What an allow or deny rule says: all of it must apply.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// The methods it is about.
    pub methods: Methods,
    /// The URLs it is about.
    pub pattern: UrlPattern,
    /// The users it is about.
    pub users: Users,
    /// The addresses of clients it is about.
    pub addresses: Addresses,
    /// Only for an allow rule about known users: the realm in which a client that is not known is
    /// asked who it is (RFC 7617), instead of being kept out.
    pub realm: Option<RuleName>,
}

/// What a route rule says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The methods it is about.
    pub methods: Methods,
    /// The URLs it is about.
    pub pattern: UrlPattern,
    /// The handler they go to.
    pub name: RuleName,
    /// Whether they may become WebSocket connections.
    pub websocket: WebSocketUse,
}

/// Says whether a route takes WebSocket connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WebSocketUse {
    /// As the listener's switch says.
    #[default]
    Inherit,
    /// It takes them beside plain HTTP: `websocket` in the text form.
    Allow,
    /// It takes plain HTTP only: `nowebsocket`.
    Deny,
    /// It takes nothing else: `websocket-only`. Plain HTTP is answered with 426.
    Only,
}

/// The word of the text form with a blank before it, or nothing.
impl fmt::Display for WebSocketUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherit => "",
            Self::Allow => " websocket",
            Self::Deny => " nowebsocket",
            Self::Only => " websocket-only",
        })
    }
}

/// Says which users an access rule is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Users {
    /// Everybody, known or not.
    #[default]
    Anyone,
    /// Known users whose name matches: `user`.
    Named(UserPattern),
    /// Users in a group: `user-group`. Whoever authenticates users says which groups they are in.
    Group(RuleName),
}

/// The words of the text form with a blank before each, or nothing.
impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => Ok(()),
            Self::Named(pattern) => write!(f, " user {pattern}"),
            Self::Group(name) => write!(f, " user-group {name}"),
        }
    }
}

/// Says which addresses of clients an access rule is about.
///
/// A client whose address is not known is let in by no rule that asks for one, and kept out by
/// each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// All of them.
    #[default]
    Anywhere,
    /// Those in at least one of these ranges: `address`. An empty list is refused.
    Ranges(Vec<AddressRange>),
    /// Those in a named group of ranges: `address-group`.
    Group(RuleName),
}

/// The words of the text form with a blank before each, or nothing.
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anywhere => Ok(()),
            Self::Ranges(ranges) => {
                for (index, range) in ranges.iter().enumerate() {
                    let before = if index == 0 { " address " } else { "," };
                    write!(f, "{before}{range}")?;
                }
                Ok(())
            }
            Self::Group(name) => write!(f, " address-group {name}"),
        }
    }
}
