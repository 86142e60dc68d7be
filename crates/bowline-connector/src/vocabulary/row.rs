//! What the table of the vocabulary is made of.

/// An element or an attribute of the format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The path below the [`Chapter`]: elements by `/`, an attribute behind `@`.
    pub(crate) path: &'static str,
    /// What its value is.
    pub(crate) kind: Kind,
    /// Whether Bowline does what it says.
    pub(crate) support: Support,
    /// How often it stands there.
    pub(crate) occurs: Occurs,
    /// Whether an id without its part is a warning only.
    pub(crate) is_lenient: bool,
    /// What it means, as a phrase.
    pub(crate) meaning: &'static str,
}

/// Rows below one element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chapter {
    /// The path of the element.
    pub(crate) base: &'static str,
    /// What is below it; a row comes after the one of the element it stands in.
    pub(crate) rows: &'static [Row],
}

/// Whether Bowline does what an element, attribute, word or option says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    /// It does.
    Supported,
    /// It tells something to people or other programs; without effect here, without a warning.
    Descriptive,
    /// It does not, and warns; the text says what it does instead.
    Ignored(&'static str),
    /// It cannot run such a connector; the text says why.
    Refused(&'static str),
}

/// How often an element or attribute stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occurs {
    /// Once or not at all.
    Optional,
    /// Once.
    Needed,
    /// Any number of times.
    Many,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Nothing but elements.
    Elements,
    /// Text; blanks around it do not count.
    Text,
    /// Text as it stands there, with its blanks.
    Verbatim,
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second.
    Number(u32, u32),
    /// A number.
    Decimal,
    /// A time in milliseconds, from the first to the second.
    Milliseconds(u32, u32),
    /// One of these words.
    Words(&'static [Word]),
    /// One of these words, or a time in milliseconds up to this.
    WordsOrMilliseconds(&'static [Word], u32),
    /// One of these words, or another text.
    WordsOrText(&'static [Word]),
    /// The id of the part it stands at.
    OwnId(Part),
    /// The id of another part.
    Id(Part),
    /// Ids of other parts, with semicolons between them.
    Ids(Part),
    /// A text; one of digits only is the id of the parameter that holds it.
    Source,
    /// Options, with semicolons between them.
    Options(&'static [Choice]),
    /// A condition.
    Condition,
}

/// One of the words a value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// The word.
    pub(crate) text: &'static str,
    /// Whether Bowline does what it says.
    pub(crate) support: Support,
}

/// One of the options a value may list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The name.
    pub(crate) name: &'static str,
    /// What stands between the name and a number; `None` takes no number.
    pub(crate) separator: Option<char>,
    /// Whether Bowline does what it says.
    pub(crate) support: Support,
    /// What it means.
    pub(crate) meaning: &'static str,
}

/// Kinds of parts that have ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// `Actions/Action`.
    Action,
    /// `Commands/Command`.
    Command,
    /// `Connections/Connection`.
    Connection,
    /// `Groups/Group`.
    Group,
    /// `Pairs/Pair`.
    Pair,
    /// `Params/Param`.
    Parameter,
    /// `QActions/QAction`.
    Code,
    /// `Responses/Response`.
    Response,
    /// `HTTP/Session`.
    Session,
    /// `Timers/Timer`.
    Timer,
    /// `Triggers/Trigger`.
    Trigger,
}

impl Part {
    /// Gives the word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Command => "command",
            Self::Connection => "connection",
            Self::Group => "group",
            Self::Pair => "pair",
            Self::Parameter => "parameter",
            Self::Code => "QAction",
            Self::Response => "response",
            Self::Session => "session",
            Self::Timer => "timer",
            Self::Trigger => "trigger",
        }
    }

    /// Gives the word with its article.
    pub(crate) const fn a_word(self) -> &'static str {
        match self {
            Self::Action => "an action",
            Self::Command => "a command",
            Self::Connection => "a connection",
            Self::Group => "a group",
            Self::Pair => "a pair",
            Self::Parameter => "a parameter",
            Self::Code => "a QAction",
            Self::Response => "a response",
            Self::Session => "a session",
            Self::Timer => "a timer",
            Self::Trigger => "a trigger",
        }
    }

    /// Gives the least and the greatest id.
    pub(crate) const fn range(self) -> (u32, u32) {
        match self {
            Self::Parameter => (0, PARAMETER_ID_MAX),
            Self::Action | Self::Group | Self::Trigger | Self::Timer | Self::Code => {
                (1, PARAMETER_ID_MAX)
            }
            Self::Connection => (0, CONNECTION_ID_MAX),
            Self::Command | Self::Pair | Self::Response | Self::Session => (0, u32::MAX),
        }
    }
}

impl Row {
    pub(super) const fn new(path: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self {
            path,
            kind,
            support: Support::Supported,
            occurs: Occurs::Optional,
            is_lenient: false,
            meaning,
        }
    }

    pub(super) const fn needed(mut self) -> Self {
        self.occurs = Occurs::Needed;
        self
    }

    pub(super) const fn many(mut self) -> Self {
        self.occurs = Occurs::Many;
        self
    }

    pub(super) const fn lenient(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    pub(super) const fn descriptive(mut self) -> Self {
        self.support = Support::Descriptive;
        self
    }

    pub(super) const fn ignored(mut self, instead: &'static str) -> Self {
        self.support = Support::Ignored(instead);
        self
    }

    pub(super) const fn refused(mut self, why: &'static str) -> Self {
        self.support = Support::Refused(why);
        self
    }
}

/// A word that Bowline follows.
pub(super) const fn word(text: &'static str) -> Word {
    Word {
        text,
        support: Support::Supported,
    }
}

/// A word that Bowline knows and does not follow.
pub(super) const fn ignored_word(text: &'static str, instead: &'static str) -> Word {
    Word {
        text,
        support: Support::Ignored(instead),
    }
}

/// An option that Bowline follows.
pub(super) const fn choice(
    name: &'static str,
    separator: Option<char>,
    meaning: &'static str,
) -> Choice {
    Choice {
        name,
        separator,
        support: Support::Supported,
        meaning,
    }
}

/// An option that Bowline knows and does not follow.
pub(super) const fn ignored_choice(
    name: &'static str,
    separator: Option<char>,
    instead: &'static str,
) -> Choice {
    Choice {
        name,
        separator,
        support: Support::Ignored(instead),
        meaning: "",
    }
}

/// The greatest id of a parameter, action, group, timer, trigger or `QAction`.
pub(crate) const PARAMETER_ID_MAX: u32 = 64_299;
/// The greatest id of a connection.
const CONNECTION_ID_MAX: u32 = 32_767;
