//! The rules that diagnostics come from, by stable numbers.

use std::fmt;

macro_rules! codes {
    ($($number:literal $name:ident $slug:literal $meaning:literal;)*) => {
        /// The rule a diagnostic comes from. Its number never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Gives the number.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// Gives the short name, such as `unknown-element`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// Says what the rule is about.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    1 Encoding "encoding" "The file is not text in UTF-8 or UTF-16.";
    2 TooLarge "too-large" "The file passes a bound: bytes, depth, elements or attributes.";
    3 XmlSyntax "xml-syntax" "The file is not well-formed XML.";
    4 XmlUnclosed "xml-unclosed" "An element is not closed, or closed by another name.";
    5 XmlEntity "xml-entity" "A reference is not one of the five of XML or a character.";
    6 XmlDoctype "xml-doctype" "The file has a document type; entities are not expanded.";
    7 XmlNamespace "xml-namespace" "A prefix or namespace is not the connector format's.";
    8 NoConnector "no-connector" "The file holds no part of a connector.";
    10 UnknownElement "unknown-element" "The format has no such element there.";
    11 UnknownAttribute "unknown-attribute" "The format has no such attribute there.";
    12 Ignored "ignored" "Bowline does not do this, and does something else instead.";
    13 Refused "refused" "Bowline cannot run a connector that has this.";
    14 Repeated "repeated" "An element that stands once stands twice.";
    15 Missing "missing" "An element or attribute that is needed is not there.";
    16 StrayText "stray-text" "Text stands where only elements mean something.";
    17 Empty "empty" "A value is needed and there is none.";
    20 NotBoolean "not-boolean" "The value is neither true nor false.";
    21 NotNumber "not-number" "The value is not a number.";
    22 OutOfRange "out-of-range" "The number is too small or too great.";
    23 UnknownWord "unknown-word" "The value is none of the words it may be.";
    24 NotId "not-id" "The value is not an id.";
    25 NotOption "not-option" "The options name something the format does not have.";
    26 BadCondition "bad-condition" "The condition cannot be read.";
    30 DuplicateId "duplicate-id" "Two parts of one kind have the same id.";
    31 NoSuchPart "no-such-part" "An id names a part that the file does not have.";
    32 DuplicateName "duplicate-name" "Two parts that are told apart by name share one.";
    40 NoLink "no-link" "No connection is a WebSocket.";
    41 OtherConnection "other-connection" "A connection is of a kind that Bowline does not make.";
    42 ConnectionKind "connection-kind" "A connection has no kind, or several.";
    43 MixedConnections "mixed-connections" "Two places say different things of a connection.";
    44 DynamicEndpoint "dynamic-endpoint" "`dynamic ip` does not lead to a link.";
    45 PortZero "port-zero" "Port 0 cannot be connected to.";
    50 SessionConnections "session-connections" "A handshake session has not exactly one connection.";
    51 SessionVerb "session-verb" "An opening handshake is a GET.";
    52 PathTwice "path-twice" "A request has both `pid` and `url`.";
    53 Literal "literal" "A handshake value is written in the file instead of in a parameter.";
    54 ForbiddenHeader "forbidden-header" "A header belongs to the handshake itself.";
    55 BadHeader "bad-header" "A header's name or value cannot stand in a request.";
    56 BadPath "bad-path" "A path cannot stand in a request.";
    58 UnusedSession "unused-session" "No WebSocket connection uses the session.";
    60 MixedGroup "mixed-group" "A group has items of several kinds, or none it can run.";
    61 NoMake "no-make" "Commands are not made again before they are sent.";
    62 NoRead "no-read" "Responses of variable length are not read.";
    63 BinaryText "binary-text" "A command of text is sent as binary.";
    64 EmptyContent "empty-content" "A part has nothing in it.";
    65 CatchAll "catch-all" "A response takes every message, so those after it get none.";
    66 LengthLoop "length-loop" "Lengths of parameters depend on each other in a circle.";
    67 TriggerLoop "trigger-loop" "Triggers fire each other in a circle.";
    68 Ambiguous "ambiguous" "What follows a value of variable length cannot be found.";
    70 BadTrigger "bad-trigger" "The subject and the time of a trigger do not go together.";
    71 BadAction "bad-action" "The type of an action does not go with its subject.";
    72 SetterAlone "setter-alone" "A setter has no read parameter of its name.";
    73 FixedValue "fixed-value" "A fixed value and its length do not agree.";
    74 RangeReversed "range-reversed" "The low end of a range is above the high one.";
    75 CodeNotRun "code-not-run" "The connector's own code is kept and not run.";
    76 DefaultRefused "default-refused" "A default value is not one its parameter lets in.";
    77 NeverEmpty "never-empty" "A default of a parameter that is never empty is never used.";
}

/// `BC0012`, the number as it is shown.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BC{:04}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_slugs_are_in_order_and_their_own() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number(), "{pair:?}");
        }
        let mut slugs: Vec<_> = Code::ALL.iter().map(|code| code.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Code::ALL.len());
        assert_eq!(Code::Ignored.to_string(), "BC0012");
    }
}
