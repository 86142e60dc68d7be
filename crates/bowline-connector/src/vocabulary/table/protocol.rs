//! The connector itself, and what of it Bowline does not do.

use crate::vocabulary::row::{Chapter, Kind, Row, Word, ignored_word, word};

pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter {
        base: "",
        rows: &[PROTOCOL],
    },
    Chapter {
        base: "Protocol",
        rows: ABOUT,
    },
    Chapter {
        base: "Protocol",
        rows: TYPE,
    },
    Chapter {
        base: "Protocol",
        rows: CONTAINERS,
    },
    Chapter {
        base: "Protocol/PortSettings",
        rows: PORT_SETTINGS,
    },
    Chapter {
        base: "Protocol/ElementOptions",
        rows: ELEMENT_OPTIONS,
    },
    Chapter {
        base: "Protocol",
        rows: NOT_DONE,
    },
];

const PROTOCOL: Row = Row::new("Protocol", Kind::Elements, "A connector");

const ABOUT: &[Row] = &[
    Row::new(
        "@baseFor",
        Kind::Text,
        "the name of the connectors this one is a base for",
    )
    .descriptive(),
    Row::new("Name", Kind::Text, "the name of the connector"),
    Row::new("Version", Kind::Text, "its version"),
    Row::new("Description", Kind::Text, "what it is for"),
    Row::new("Provider", Kind::Text, "who made the connector"),
    Row::new("Vendor", Kind::Text, "who made the device"),
    Row::new("VendorOID", Kind::Text, "a number of the vendor").descriptive(),
    Row::new("DeviceOID", Kind::Text, "a number of the device").descriptive(),
    Row::new("ElementType", Kind::Text, "what sort of device it is for").descriptive(),
    Row::new(
        "IntegrationID",
        Kind::Text,
        "a number of the connector in a catalog",
    )
    .descriptive(),
    Row::new("Icon", Kind::Verbatim, "a picture").descriptive(),
    Row::new(
        "Compliancies",
        Kind::Elements,
        "what the original product has to offer",
    )
    .descriptive(),
    Row::new("InternalLicenses", Kind::Elements, "licences").descriptive(),
    Row::new("VersionHistory", Kind::Elements, "what changed, and when").descriptive(),
    Row::new("Ownership", Kind::Elements, "who may change what").descriptive(),
    Row::new("Mib", Kind::Verbatim, "a description for SNMP").descriptive(),
    Row::new(
        "App",
        Kind::Elements,
        "an application the connector belongs to",
    )
    .descriptive(),
    Row::new(
        "Display",
        Kind::Elements,
        "the pages parameters are laid out on",
    )
    .descriptive(),
];

const TYPE: &[Row] = &[
    Row::new(
        "Type",
        Kind::Words(CONNECTION_TYPES),
        "the kind of connection 0, the older way to declare it",
    ),
    Row::new(
        "Type@advanced",
        Kind::Text,
        "kinds and names of the connections 1, 2 and so on: `kind:name;kind:name`; has to agree with `Connections`",
    ),
    Row::new(
        "Type@relativeTimers",
        Kind::Text,
        "whether operators may scale timers",
    )
    .descriptive(),
    Row::new("Type@databaseOptions", Kind::Text, "how values are stored").descriptive(),
    Row::new(
        "Type@overrideTimeoutDVE",
        Kind::Text,
        "whether virtual elements share a timeout",
    )
    .descriptive(),
    Row::new(
        "Type@options",
        Kind::Text,
        "options of the original product, such as `unicode`",
    )
    .ignored("parameters hold bytes, and their text is UTF-8"),
    Row::new(
        "Type@communicationOptions",
        Kind::Text,
        "options of serial connections",
    )
    .ignored("`Connection/Http/CommunicationOptions` says it for a WebSocket"),
];

pub(super) const CONNECTION_TYPES: &[Word] = &[
    word("http"),
    word("virtual"),
    word("service"),
    ignored_word("gpib", OTHER_KIND),
    ignored_word("opc", OTHER_KIND),
    ignored_word("serial", OTHER_KIND),
    ignored_word("serial single", OTHER_KIND),
    ignored_word("sla", OTHER_KIND),
    ignored_word("smart-serial", OTHER_KIND),
    ignored_word("smart-serial single", OTHER_KIND),
    ignored_word("snmp", OTHER_KIND),
    ignored_word("snmpv2", OTHER_KIND),
    ignored_word("snmpv3", OTHER_KIND),
];

const CONTAINERS: &[Row] = &[
    Row::new("Connections", Kind::Elements, "the connections"),
    Row::new(
        "HTTP",
        Kind::Elements,
        "the HTTP sessions; those that connections name are opening handshakes",
    ),
    Row::new("Params", Kind::Elements, "the parameters"),
    Row::new(
        "Params@loadSequence",
        Kind::Text,
        "the order of saved values",
    )
    .descriptive(),
    Row::new("Commands", Kind::Elements, "the commands"),
    Row::new("Responses", Kind::Elements, "the responses"),
    Row::new("Pairs", Kind::Elements, "the pairs"),
    Row::new("Groups", Kind::Elements, "the groups"),
    Row::new("Triggers", Kind::Elements, "the triggers"),
    Row::new("Actions", Kind::Elements, "the actions"),
    Row::new("Timers", Kind::Elements, "the timers"),
    Row::new(
        "Timers@relativeTimers",
        Kind::Text,
        "whether operators may scale timers",
    )
    .descriptive(),
    Row::new("QActions", Kind::Elements, "the connector's own code"),
    Row::new(
        "PortSettings",
        Kind::Elements,
        "settings of connection 0, the older place; those in `Connections` win",
    ),
    Row::new("ElementOptions", Kind::Elements, "settings of elements"),
];

const PORT_SETTINGS: &[Row] = &[
    Row::new("@name", Kind::Text, "a name").descriptive(),
    Row::new("@visibleInUi", Kind::Text, "whether operators see it").descriptive(),
    Row::new("BusAddress", Kind::Elements, "as in `Connections`"),
    Row::new(
        "BusAddress/DefaultValue",
        Kind::Text,
        "the bus address; `bypassProxy` in any case goes past proxies",
    ),
    Row::new(
        "BusAddress/Disabled",
        Kind::Boolean,
        "whether elements may not change it",
    ),
    Row::new(
        "BusAddress/Value",
        Kind::Text,
        "a bus address elements may choose",
    )
    .many(),
    Row::new(
        "BusAddress/Range",
        Kind::Elements,
        "the addresses elements may choose",
    ),
    Row::new("BusAddress/Range/From", Kind::Text, "the first one"),
    Row::new("BusAddress/Range/To", Kind::Text, "the last one"),
    Row::new("IPport", Kind::Elements, "as in `Connections`"),
    Row::new("IPport/DefaultValue", Kind::Number(0, 65_535), "the port"),
    Row::new(
        "IPport/Disabled",
        Kind::Boolean,
        "whether elements may not change it",
    ),
    Row::new("TimeoutTime", Kind::Elements, "as in `Connections`"),
    Row::new(
        "TimeoutTime/DefaultValue",
        Kind::Milliseconds(10, 120_000),
        "how long a reply may take",
    ),
    Row::new(
        "TimeoutTime/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new("Retries", Kind::Elements, "as in `Connections`"),
    Row::new(
        "Retries/DefaultValue",
        Kind::Number(0, 10),
        "how often a command is sent again",
    ),
    Row::new(
        "Retries/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "SkipCertificateVerification",
        Kind::Elements,
        "whether certificates go unverified",
    ),
    Row::new(
        "SkipCertificateVerification/DefaultValue",
        Kind::Boolean,
        "true: they do",
    ),
    Row::new(
        "SkipCertificateVerification/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "SlowPoll",
        Kind::Elements,
        "when a silent device is only pinged",
    ),
    Row::new(
        "SlowPoll/DefaultValue",
        Kind::Number(1, 300_000),
        "after how many timeouts, or milliseconds",
    ),
    Row::new(
        "SlowPoll/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new("SlowPollBase", Kind::Elements, "what `SlowPoll` counts"),
    Row::new(
        "SlowPollBase/DefaultValue",
        Kind::Words(SLOW_POLL_BASES),
        "timeouts or time",
    ),
    Row::new(
        "SlowPollBase/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "PingInterval",
        Kind::Elements,
        "how often a silent device is pinged",
    ),
    Row::new(
        "PingInterval/DefaultValue",
        Kind::Milliseconds(1_000, 300_000),
        "the time between pings",
    ),
    Row::new(
        "PingInterval/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "TimeoutTimeElement",
        Kind::Elements,
        "after how long a silence the element is in timeout",
    ),
    Row::new(
        "TimeoutTimeElement/DefaultValue",
        Kind::Milliseconds(0, 86_400_000),
        "the default; 30 s where none is said",
    ),
    Row::new(
        "TimeoutTimeElement/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new("Baudrate", Kind::Elements, "of serial lines").ignored(SERIAL),
    Row::new("Databits", Kind::Elements, "of serial lines").ignored(SERIAL),
    Row::new("Flowcontrol", Kind::Elements, "of serial lines").ignored(SERIAL),
    Row::new("FlushPerDatagram", Kind::Elements, "of UDP").ignored(SERIAL),
    Row::new("GetCommunity", Kind::Elements, "of SNMP").ignored(SERIAL),
    Row::new("SetCommunity", Kind::Elements, "of SNMP").ignored(SERIAL),
    Row::new("LocalIPport", Kind::Elements, "of UDP").ignored(SERIAL),
    Row::new("Parity", Kind::Elements, "of serial lines").ignored(SERIAL),
    Row::new(
        "PortTypeIP",
        Kind::Elements,
        "whether elements may choose TCP",
    )
    .descriptive(),
    Row::new(
        "PortTypeSerial",
        Kind::Elements,
        "whether elements may choose a serial line",
    )
    .descriptive(),
    Row::new(
        "PortTypeUDP",
        Kind::Elements,
        "whether elements may choose UDP",
    )
    .descriptive(),
    Row::new("SSH", Kind::Elements, "of SSH").ignored(SERIAL),
    Row::new("Stopbits", Kind::Elements, "of serial lines").ignored(SERIAL),
    Row::new(
        "Type",
        Kind::Elements,
        "the kind of port elements begin with",
    )
    .descriptive(),
];

pub(super) const SLOW_POLL_BASES: &[Word] = &[word("number"), word("time")];

const ELEMENT_OPTIONS: &[Row] = &[
    Row::new(
        "UserSettings",
        Kind::Elements,
        "the defaults of every element",
    ),
    Row::new(
        "UserSettings/SlowPoll",
        Kind::Elements,
        "when a silent device is only pinged",
    ),
    Row::new(
        "UserSettings/SlowPoll/DefaultValue",
        Kind::Number(1, 300_000),
        "after how many timeouts, or milliseconds",
    ),
    Row::new(
        "UserSettings/SlowPoll/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "UserSettings/SlowPollBase",
        Kind::Elements,
        "what `SlowPoll` counts",
    ),
    Row::new(
        "UserSettings/SlowPollBase/DefaultValue",
        Kind::Words(SLOW_POLL_BASES),
        "timeouts or time",
    ),
    Row::new(
        "UserSettings/SlowPollBase/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "UserSettings/PingInterval",
        Kind::Elements,
        "how often a silent device is pinged",
    ),
    Row::new(
        "UserSettings/PingInterval/DefaultValue",
        Kind::Milliseconds(1_000, 300_000),
        "the time between pings",
    ),
    Row::new(
        "UserSettings/PingInterval/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "UserSettings/TimeoutTimeElement",
        Kind::Elements,
        "after how long a silence the element is in timeout",
    ),
    Row::new(
        "UserSettings/TimeoutTimeElement/DefaultValue",
        Kind::Milliseconds(0, 86_400_000),
        "the default; 30 s where none is said",
    ),
    Row::new(
        "UserSettings/TimeoutTimeElement/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
];

const NOT_DONE: &[Row] = &[
    Row::new("Advanced", Kind::Elements, "options of serial lines")
        .ignored("`deliver_duplicates` of the element lets equal messages through"),
    Row::new(
        "AlarmLevelLinks",
        Kind::Elements,
        "alarm levels of other elements",
    )
    .ignored("levels are the element's own"),
    Row::new("Chains", Kind::Elements, "filters over tables").ignored(TABLES),
    Row::new("DVEs", Kind::Elements, "virtual elements made from tables").ignored(TABLES),
    Row::new(
        "ExportRules",
        Kind::Elements,
        "what virtual elements change",
    )
    .ignored(TABLES),
    Row::new(
        "GeneralParameters",
        Kind::Elements,
        "parameters of the original product",
    )
    .ignored("there are none"),
    Row::new("NoTimeouts", Kind::Elements, "errors that are no timeouts")
        .ignored("each missing reply is one"),
    Row::new("Options", Kind::Elements, "options of the original product")
        .ignored("values are bytes, and their text is UTF-8"),
    Row::new(
        "ParameterGroups",
        Kind::Elements,
        "interfaces between elements",
    )
    .ignored("parameters stand alone"),
    Row::new(
        "Ports",
        Kind::Elements,
        "settings of the connections 1, 2 and so on, the older place",
    )
    .ignored("`Connections` has the settings of every connection"),
    Row::new("ProcessAutomation", Kind::Elements, "parts of processes")
        .ignored("nothing is automated"),
    Row::new("RCA", Kind::Elements, "root causes of alarms")
        .ignored("alarms are the element's own"),
    Row::new("Relations", Kind::Elements, "relations of tables").ignored(TABLES),
    Row::new("SeverityBubbleUp", Kind::Elements, "alarms of rows").ignored(TABLES),
    Row::new("SNMP", Kind::Elements, "a description for SNMP")
        .ignored("nothing is offered by SNMP"),
    Row::new(
        "SystemOptions",
        Kind::Elements,
        "processes of the original product",
    )
    .ignored("every element runs in this program"),
    Row::new("Threads", Kind::Elements, "threads of connections")
        .ignored("an element has one queue"),
    Row::new("Topology", Kind::Elements, "a map of tables").ignored(TABLES),
    Row::new("Topologies", Kind::Elements, "maps of tables").ignored(TABLES),
    Row::new("TreeControls", Kind::Elements, "trees of tables").ignored(TABLES),
];

pub(super) const OTHER_KIND: &str = "only WebSocket connections are made";
const SERIAL: &str = "a WebSocket has no such setting";
const TABLES: &str = "there are no tables";
