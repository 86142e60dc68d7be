//! HTTP sessions.

use crate::vocabulary::row::{Chapter, Kind, Part, Row, Word, word};

pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter {
        base: "Protocol/HTTP",
        rows: SESSION,
    },
    Chapter {
        base: "Protocol/HTTP/Session/Connection",
        rows: EXCHANGE,
    },
];

const SESSION: &[Row] = &[
    Row::new(
        "Session",
        Kind::Elements,
        "an opening handshake, if a connection names it",
    )
    .many(),
    Row::new("Session@id", Kind::OwnId(Part::Session), "its number").needed(),
    Row::new("Session@name", Kind::Text, "its name, which no other has"),
    Row::new(
        "Session@timeout",
        Kind::Milliseconds(0, u32::MAX),
        "how long the handshake may take, where its connection says nothing",
    ),
    Row::new(
        "Session@loginMethod",
        Kind::Words(LOGIN_METHODS),
        "how the client says who it is: by name and password, or by a certificate",
    ),
    Row::new("Session@userName", Kind::Source, "the user name"),
    Row::new("Session@password", Kind::Source, "the password"),
    Row::new(
        "Session@proxyServer",
        Kind::Source,
        "the proxy, host and port or a URL; always used unless it is empty",
    ),
    Row::new(
        "Session@proxyUser",
        Kind::Source,
        "the user name for the proxy",
    ),
    Row::new(
        "Session@proxyPassword",
        Kind::Source,
        "the password for the proxy",
    ),
    Row::new(
        "Session@ignoreTimeout",
        Kind::Boolean,
        "true: a failure says nothing about the element",
    )
    .ignored("`include_timeout` of the link says it"),
    Row::new(
        "Session@keepAlive",
        Kind::Boolean,
        "whether the connection outlives an answer",
    )
    .descriptive(),
    Row::new(
        "Session/Connection",
        Kind::Elements,
        "the request and its answer; a handshake has exactly one",
    )
    .many(),
];

pub(super) const LOGIN_METHODS: &[Word] = &[word("credentials"), word("certificate")];

const EXCHANGE: &[Row] = &[
    Row::new(
        "@id",
        Kind::Number(0, u32::MAX),
        "its number in the session",
    )
    .needed(),
    Row::new("@name", Kind::Text, "its name").descriptive(),
    Row::new(
        "@timeout",
        Kind::Milliseconds(0, u32::MAX),
        "how long the handshake may take",
    ),
    Row::new(
        "@ignoreTimeout",
        Kind::Boolean,
        "true: a failure says nothing about the element",
    )
    .ignored("`include_timeout` of the link says it"),
    Row::new("Request", Kind::Elements, "what is asked for"),
    Row::new(
        "Request@verb",
        Kind::Text,
        "the method; a handshake is a GET",
    ),
    Row::new(
        "Request@pid",
        Kind::Id(Part::Parameter),
        "the parameter that holds the path",
    ),
    Row::new(
        "Request@url",
        Kind::Source,
        "the path; of digits only, the parameter that holds it. A value with `://` replaces the endpoint",
    ),
    Row::new(
        "Request/Headers",
        Kind::Elements,
        "headers besides those of every handshake",
    ),
    Row::new(
        "Request/Headers/Header",
        Kind::Verbatim,
        "a header, with its value where no parameter holds it",
    )
    .many(),
    Row::new("Request/Headers/Header@key", Kind::Text, "its name").needed(),
    Row::new(
        "Request/Headers/Header@pid",
        Kind::Id(Part::Parameter),
        "the parameter that holds its value; an empty one leaves the header out",
    ),
    Row::new(
        "Request/Parameters",
        Kind::Elements,
        "what is added to the query",
    ),
    Row::new(
        "Request/Parameters/Parameter",
        Kind::Verbatim,
        "a pair of the query, with its value where no parameter holds it",
    )
    .many(),
    Row::new("Request/Parameters/Parameter@key", Kind::Text, "its name").needed(),
    Row::new(
        "Request/Parameters/Parameter@pid",
        Kind::Id(Part::Parameter),
        "the parameter that holds its value",
    ),
    Row::new("Request/Data", Kind::Verbatim, "a body").ignored("an opening handshake has no body"),
    Row::new(
        "Response",
        Kind::Elements,
        "where the answer is stored, also a refusal",
    ),
    Row::new(
        "Response@statusCode",
        Kind::Id(Part::Parameter),
        "the parameter that stores the status line; an id, not a status",
    )
    .lenient(),
    Row::new("Response/Headers", Kind::Elements, "headers to store"),
    Row::new(
        "Response/Headers/Header",
        Kind::Elements,
        "a header to store; repeated ones are joined by CR LF",
    )
    .many(),
    Row::new("Response/Headers/Header@key", Kind::Text, "its name").needed(),
    Row::new(
        "Response/Headers/Header@pid",
        Kind::Id(Part::Parameter),
        "the parameter that stores it",
    )
    .needed()
    .lenient(),
    Row::new("Response/Content", Kind::Elements, "the body of a refusal"),
    Row::new(
        "Response/Content@pid",
        Kind::Id(Part::Parameter),
        "the parameter that stores it",
    )
    .needed()
    .lenient(),
];
