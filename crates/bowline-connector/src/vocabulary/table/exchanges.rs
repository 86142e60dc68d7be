//! Commands, responses, pairs and code.

use crate::vocabulary::row::{
    Chapter, Choice, Kind, Part, Row, Word, choice, ignored_choice, word,
};

pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter {
        base: "Protocol/Commands",
        rows: COMMAND,
    },
    Chapter {
        base: "Protocol/Responses",
        rows: RESPONSE,
    },
    Chapter {
        base: "Protocol/Pairs",
        rows: PAIR,
    },
    Chapter {
        base: "Protocol/QActions",
        rows: CODE,
    },
];

const COMMAND: &[Row] = &[
    Row::new("Command", Kind::Elements, "a message to send").many(),
    Row::new("Command@id", Kind::OwnId(Part::Command), "its number").needed(),
    Row::new(
        "Command@ascii",
        Kind::Text,
        "of connectors in UTF-16: what is sent in ASCII",
    )
    .ignored("bytes are sent as they are"),
    Row::new("Command/Name", Kind::Text, "its name"),
    Row::new("Command/Description", Kind::Text, "what it is for").descriptive(),
    Row::new(
        "Command/WebSocketMessageType",
        Kind::Words(MESSAGE_TYPES),
        "whether it is sent as text or binary; binary where nothing is said",
    ),
    Row::new(
        "Command/Content",
        Kind::Elements,
        "the parameters whose bytes it is, in order",
    )
    .needed(),
    Row::new(
        "Command/Content/Param",
        Kind::Id(Part::Parameter),
        "one of them",
    )
    .many(),
];

pub(super) const MESSAGE_TYPES: &[Word] = &[word("binary"), word("text")];

const RESPONSE: &[Row] = &[
    Row::new(
        "Response",
        Kind::Elements,
        "a message that may come; responses are tried in order",
    )
    .many(),
    Row::new("Response@id", Kind::OwnId(Part::Response), "its number").needed(),
    Row::new(
        "Response@options",
        Kind::Options(RESPONSE_OPTIONS),
        "the connection whose messages it takes",
    ),
    Row::new("Response/Name", Kind::Text, "its name"),
    Row::new("Response/Description", Kind::Text, "what it is for").descriptive(),
    Row::new(
        "Response/Content",
        Kind::Elements,
        "the parameters that its bytes go to, in order",
    )
    .needed(),
    Row::new(
        "Response/Content@optional",
        Kind::Text,
        "the parameters that may be absent, by place from 0: `0;2`",
    ),
    Row::new(
        "Response/Content/Param",
        Kind::Id(Part::Parameter),
        "one of them",
    )
    .many(),
];

pub(super) const RESPONSE_OPTIONS: &[Choice] = &[choice(
    "Connection",
    Some(':'),
    "the connection whose messages it takes; any without it",
)];

const PAIR: &[Row] = &[
    Row::new("Pair", Kind::Elements, "a command and what answers it").many(),
    Row::new("Pair@id", Kind::OwnId(Part::Pair), "its number").needed(),
    Row::new(
        "Pair@options",
        Kind::Options(PAIR_OPTIONS),
        "connection, retries and the like",
    ),
    Row::new(
        "Pair@ping",
        Kind::Boolean,
        "true: a silent device is pinged with it",
    ),
    Row::new(
        "Pair@timeout",
        Kind::Milliseconds(10, 120_000),
        "how long the reply may take",
    ),
    Row::new("Pair/Name", Kind::Text, "its name"),
    Row::new("Pair/Description", Kind::Text, "what it is for").descriptive(),
    Row::new("Pair/Condition", Kind::Condition, "when it is run"),
    Row::new(
        "Pair/Content",
        Kind::Elements,
        "the command and its responses",
    )
    .needed(),
    Row::new(
        "Pair/Content/Command",
        Kind::Id(Part::Command),
        "the command",
    )
    .needed(),
    Row::new(
        "Pair/Content/Response",
        Kind::Id(Part::Response),
        "a reply; without one nothing is awaited",
    )
    .many(),
    Row::new(
        "Pair/Content/ResponseOnBadCommand",
        Kind::Id(Part::Response),
        "a reply that says the command was bad",
    )
    .many(),
];

pub(super) const PAIR_OPTIONS: &[Choice] = &[
    choice(
        "connection",
        Some(':'),
        "the connection it is sent on; the group's without it",
    ),
    choice("retries", Some(':'), "how often the command is sent again"),
    choice(
        "ignoreTimeout",
        None,
        "a missing reply says nothing about the element",
    ),
    ignored_choice("commBreak", Some(':'), "a WebSocket has no such signal"),
    ignored_choice("oneByte", None, "messages are sent whole"),
    ignored_choice("receiveInterval", Some(':'), "messages arrive whole"),
];

const CODE: &[Row] = &[
    Row::new(
        "QAction",
        Kind::Verbatim,
        "code of the connector: kept and reported, not run",
    )
    .many(),
    Row::new("QAction@id", Kind::OwnId(Part::Code), "its number").needed(),
    Row::new("QAction@name", Kind::Text, "its name"),
    Row::new("QAction@encoding", Kind::Words(LANGUAGES), "the language"),
    Row::new(
        "QAction@triggers",
        Kind::Ids(Part::Parameter),
        "the parameters whose change runs it",
    )
    .lenient(),
    Row::new(
        "QAction@inputParameters",
        Kind::Ids(Part::Parameter),
        "the parameters it is given",
    )
    .lenient(),
    Row::new(
        "QAction@options",
        Kind::Options(CODE_OPTIONS),
        "how it is run",
    ),
    Row::new("QAction@dllImport", Kind::Text, "libraries").descriptive(),
    Row::new(
        "QAction@entryPoint",
        Kind::Text,
        "the method that is called",
    )
    .descriptive(),
    Row::new("QAction@include", Kind::Text, "more code").descriptive(),
    Row::new(
        "QAction@row",
        Kind::Text,
        "whether it runs for rows of tables",
    )
    .descriptive(),
    Row::new("QAction/Condition", Kind::Condition, "when it is run").descriptive(),
];

pub(super) const LANGUAGES: &[Word] = &[word("csharp"), word("jscript"), word("vbscript")];

pub(super) const CODE_OPTIONS: &[Choice] = &[
    choice("binary", None, "it is given bytes, not text"),
    choice("queued", None, "it is run after what set it off"),
    choice("group", None, "it shares a library"),
    choice("debug", None, "it is built for debugging"),
    choice("precompile", None, "it is built for others"),
    choice("dllName", Some('='), "the name of its library"),
];
