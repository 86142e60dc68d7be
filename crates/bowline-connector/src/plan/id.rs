//! The numbers by which the parts of a connector name each other.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($what, " {}"), self.0)
            }
        }
    )*};
}

ids! {
    /// Names an action.
    ActionId, "action";
    /// Names a command.
    CommandId, "command";
    /// Names a group.
    GroupId, "group";
    /// Names a piece of code.
    HookId, "QAction";
    /// Names a link; 0 is the main one.
    LinkId, "connection";
    /// Names a pair.
    PairId, "pair";
    /// Names a parameter; 0 to 64299.
    ParameterId, "parameter";
    /// Names a response.
    ResponseId, "response";
    /// Names an HTTP session: a custom opening handshake.
    SessionId, "session";
    /// Names a timer.
    TimerId, "timer";
    /// Names a trigger.
    TriggerId, "trigger";
}
