//! Connections.

use crate::vocabulary::row::{Chapter, Kind, Part, Row};

use super::protocol::OTHER_KIND;

pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter {
        base: "Protocol/Connections",
        rows: CONNECTION,
    },
    Chapter {
        base: "Protocol/Connections/Connection/Http",
        rows: OPTIONS,
    },
    Chapter {
        base: "Protocol/Connections/Connection/Http/UserSettings",
        rows: SETTINGS,
    },
];

const CONNECTION: &[Row] = &[
    Row::new(
        "Connection",
        Kind::Elements,
        "a connection, of the one kind it holds",
    )
    .many(),
    Row::new(
        "Connection@id",
        Kind::OwnId(Part::Connection),
        "its number; 0 is the main one",
    )
    .needed(),
    Row::new("Connection@name", Kind::Text, "its name").needed(),
    Row::new(
        "Connection/Http",
        Kind::Elements,
        "HTTP, or a WebSocket where the options say so",
    ),
    Row::new("Connection/Virtual", Kind::Elements, "no connection at all"),
    Row::new("Connection/Snmp", Kind::Elements, "SNMP").ignored(OTHER_KIND),
    Row::new("Connection/SnmpV2", Kind::Elements, "SNMP version 2").ignored(OTHER_KIND),
    Row::new("Connection/SnmpV3", Kind::Elements, "SNMP version 3").ignored(OTHER_KIND),
    Row::new(
        "Connection/Serial",
        Kind::Elements,
        "a serial line, TCP or UDP",
    )
    .ignored(OTHER_KIND),
    Row::new(
        "Connection/SmartSerial",
        Kind::Elements,
        "TCP or UDP with messages at any time",
    )
    .ignored(OTHER_KIND),
    Row::new("Connection/Gpib", Kind::Elements, "GPIB").ignored(OTHER_KIND),
    Row::new("Connection/Opc", Kind::Elements, "OPC").ignored(OTHER_KIND),
    Row::new("Connection/Type", Kind::Text, "the kind as a word")
        .refused("a kind as a word does not go together with kinds as elements: write `<Http>`"),
];

const OPTIONS: &[Row] = &[
    Row::new(
        "CommunicationOptions",
        Kind::Elements,
        "how the connection works",
    ),
    Row::new(
        "CommunicationOptions/WebSocket",
        Kind::Boolean,
        "true: the connection is a WebSocket client link",
    ),
    Row::new(
        "CommunicationOptions/NotifyConnectionPIDs",
        Kind::Elements,
        "the parameters that are told the state of the link",
    ),
    Row::new(
        "CommunicationOptions/NotifyConnectionPIDs/Connections",
        Kind::Id(Part::Parameter),
        "is set to 1 when the link opens and to 0 when it closes, transitions only",
    ),
    Row::new(
        "CommunicationOptions/NotifyConnectionPIDs/Disconnections",
        Kind::Id(Part::Parameter),
        "is set at each loss to the close code, 1006 without one",
    ),
    Row::new(
        "CommunicationOptions/NotifyConnectionPID",
        Kind::Elements,
        "the same in another spelling",
    ),
    Row::new(
        "CommunicationOptions/NotifyConnectionPID/Connections",
        Kind::Id(Part::Parameter),
        "the same",
    ),
    Row::new(
        "CommunicationOptions/NotifyConnectionPID/Disconnections",
        Kind::Id(Part::Parameter),
        "the same",
    ),
    Row::new(
        "CommunicationOptions/MakeCommandByProtocol",
        Kind::Boolean,
        "true: commands are composed when their group is queued, not when they are sent",
    ),
    Row::new(
        "CommunicationOptions/WebSocketHandshake",
        Kind::Id(Part::Session),
        "the HTTP session that describes the opening handshake; a plain one without it",
    ),
    Row::new(
        "CommunicationOptions/RedundantPolling",
        Kind::Boolean,
        "true: the connection is half of a redundant pair; the element moves to the other half on a timeout",
    ),
    Row::new(
        "UserSettings",
        Kind::Elements,
        "defaults; the settings of an element win",
    ),
];

const SETTINGS: &[Row] = &[
    Row::new("BusAddress", Kind::Elements, "the bus address"),
    Row::new(
        "BusAddress/DefaultValue",
        Kind::Text,
        "the default; `bypassProxy` in any case goes past proxies",
    ),
    Row::new(
        "BusAddress/Disabled",
        Kind::Boolean,
        "true: elements may not change it",
    ),
    Row::new(
        "BusAddress/Range",
        Kind::Elements,
        "the addresses elements may choose, numbers or texts",
    ),
    Row::new("BusAddress/Range/From", Kind::Text, "the first one"),
    Row::new("BusAddress/Range/To", Kind::Text, "the last one"),
    Row::new(
        "BusAddress/Values",
        Kind::Elements,
        "the addresses elements may choose",
    ),
    Row::new("BusAddress/Values/Value", Kind::Text, "one of them").many(),
    Row::new(
        "IPport",
        Kind::Elements,
        "the port of endpoints that name none",
    ),
    Row::new(
        "IPport/DefaultValue",
        Kind::Number(0, 65_535),
        "the default; 0 has to be changed by the element",
    ),
    Row::new(
        "IPport/Disabled",
        Kind::Boolean,
        "true: elements may not change it",
    ),
    Row::new(
        "TimeoutTime",
        Kind::Elements,
        "how long a reply may take, and an opening handshake",
    ),
    Row::new(
        "TimeoutTime/DefaultValue",
        Kind::Milliseconds(10, 120_000),
        "the default",
    ),
    Row::new(
        "TimeoutTime/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
    Row::new(
        "Retries",
        Kind::Elements,
        "how often a command without a reply is sent again",
    ),
    Row::new(
        "Retries/DefaultValue",
        Kind::Number(0, 10),
        "the default; 3 where none is said",
    ),
    Row::new(
        "Retries/Disabled",
        Kind::Boolean,
        "whether operators may not change it",
    )
    .descriptive(),
];
