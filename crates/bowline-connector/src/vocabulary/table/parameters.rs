//! Parameters.

use crate::vocabulary::row::{
    Chapter, Choice, Kind, Part, Row, Word, choice, ignored_choice, ignored_word, word,
};

pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter {
        base: "Protocol/Params",
        rows: PARAMETER,
    },
    Chapter {
        base: "Protocol/Params/Param",
        rows: ABOUT,
    },
    Chapter {
        base: "Protocol/Params/Param/Interprete",
        rows: INTERPRETATION,
    },
    Chapter {
        base: "Protocol/Params/Param",
        rows: NOT_DONE,
    },
];

const PARAMETER: &[Row] = &[
    Row::new(
        "Param",
        Kind::Elements,
        "a parameter: a value of the element",
    )
    .many(),
    Row::new("Param@id", Kind::OwnId(Part::Parameter), "its number").needed(),
    Row::new(
        "Param@save",
        Kind::Boolean,
        "true: the value outlives the element",
    ),
    Row::new("Param@saveInterval", Kind::Text, "how often it is saved")
        .ignored("every change is saved"),
    Row::new(
        "Param@trending",
        Kind::Boolean,
        "whether its history is kept; true where nothing is said",
    ),
    Row::new(
        "Param@setter",
        Kind::Boolean,
        "true, of a write parameter: its value is copied to the read parameter of the same name",
    ),
    Row::new(
        "Param@confirmPopup",
        Kind::Text,
        "whether operators confirm a change",
    )
    .descriptive(),
    Row::new("Param@level", Kind::Text, "who sees it").descriptive(),
    Row::new(
        "Param@export",
        Kind::Text,
        "the virtual elements it belongs to",
    )
    .descriptive(),
    Row::new(
        "Param@historySet",
        Kind::Text,
        "whether values of the past may be set",
    )
    .ignored("values have no time of their own"),
    Row::new("Param@duplicateAs", Kind::Text, "more parameters like it")
        .ignored("there is this one only"),
    Row::new(
        "Param@options",
        Kind::Text,
        "options of the original product",
    )
    .ignored("they have no effect"),
    Row::new(
        "Param@pollingInterval",
        Kind::Text,
        "how often it is asked for, by SNMP",
    )
    .ignored("timers say it"),
    Row::new("Param@snapshot", Kind::Text, "whether reports hold it").descriptive(),
    Row::new(
        "Param@snmpSetAndGet",
        Kind::Text,
        "whether a set is read back, by SNMP",
    )
    .ignored("it is not"),
    Row::new(
        "Param@verificationTimeout",
        Kind::Text,
        "how long a set may take to be read back",
    )
    .ignored("sets are not read back"),
];

const ABOUT: &[Row] = &[
    Row::new(
        "Name",
        Kind::Text,
        "its name; the read and the write half of a value share it",
    )
    .needed(),
    Row::new("Description", Kind::Text, "what people read"),
    Row::new("Type", Kind::Words(TYPES), "what it is").needed(),
    Row::new(
        "Type@options",
        Kind::Options(TYPE_OPTIONS),
        "options of its type",
    ),
    Row::new("Type@id", Kind::Text, "a parameter its type refers to")
        .ignored("the parameter stands alone"),
    Row::new(
        "Type@virtual",
        Kind::Text,
        "where a virtual element has it from",
    )
    .ignored("there are no virtual elements"),
    Row::new(
        "Type@alarmRegistration",
        Kind::Text,
        "who is told its alarms",
    )
    .descriptive(),
    Row::new("Type@distribution", Kind::Text, "who is told its changes").descriptive(),
    Row::new("Type@dynamicSnmpGet", Kind::Text, "of SNMP").descriptive(),
    Row::new("Type@relativeTimers", Kind::Text, "of timers").descriptive(),
    Row::new(
        "Type@times",
        Kind::Number(1, u32::MAX),
        "how often a trailer comes",
    )
    .ignored("a trailer ends at its first place"),
    Row::new("Information", Kind::Elements, "what operators may read"),
    Row::new("Information/Subtext", Kind::Text, "a tooltip"),
    Row::new("Information/Text", Kind::Text, "its heading").descriptive(),
    Row::new(
        "Information/AlarmDescription",
        Kind::Text,
        "what an alarm means",
    )
    .descriptive(),
    Row::new("Information/Category", Kind::Text, "its category").descriptive(),
    Row::new("Information/CorrectiveAction", Kind::Text, "what helps").descriptive(),
    Row::new(
        "Information/Includes",
        Kind::Elements,
        "what the tooltip says besides",
    )
    .descriptive(),
    Row::new(
        "Interprete",
        Kind::Elements,
        "how bytes become its value, and its value bytes",
    ),
    Row::new("Display", Kind::Elements, "how it is shown"),
    Row::new("Measurement", Kind::Elements, "how it is shown and set"),
    Row::new("Alarm", Kind::Elements, "when its value is an alarm"),
    Row::new("Message", Kind::Text, "what a button asks before").descriptive(),
    Row::new("Icon", Kind::Verbatim, "a picture").descriptive(),
    Row::new("HyperLinks", Kind::Elements, "links in its menu").descriptive(),
    Row::new("Dashboard", Kind::Elements, "a panel").descriptive(),
];

pub(super) const TYPES: &[Word] = &[
    word("read"),
    word("write"),
    word("fixed"),
    word("header"),
    word("trailer"),
    word("length"),
    word("dummy"),
    word("bus"),
    word("ip"),
    word("pollingip"),
    word("elementid"),
    word("elementname"),
    ignored_word("array", NOT_A_VALUE),
    ignored_word("crc", NOT_A_VALUE),
    ignored_word("dataminer info", NOT_A_VALUE),
    ignored_word("discreet info", NOT_A_VALUE),
    ignored_word("elementdmaid", NOT_A_VALUE),
    ignored_word("group", NOT_A_VALUE),
    ignored_word("matrix", NOT_A_VALUE),
    ignored_word("read bit", NOT_A_VALUE),
    ignored_word("response", NOT_A_VALUE),
    ignored_word("write bit", NOT_A_VALUE),
];

pub(super) const TYPE_OPTIONS: &[Choice] = &[
    choice(
        "dynamic ip",
        Some(' '),
        "the value is the endpoint of this connection, 0 where none is named; a change closes the link and opens it anew",
    ),
    ignored_choice(
        "connection",
        Some('='),
        "the parameter counts for every connection",
    ),
    ignored_choice(
        "headerTrailerLink",
        Some('='),
        "headers and trailers are where a command or response lists them",
    ),
    ignored_choice("volatile", None, "every parameter is kept alike"),
    ignored_choice("linkAlarmValue", Some('='), "alarms are the element's own"),
    ignored_choice("loadOID", None, "nothing is asked for by SNMP"),
    ignored_choice("ssh username", None, "there is no SSH"),
    ignored_choice("ssh pwd", None, "there is no SSH"),
    ignored_choice("ssh options", None, "there is no SSH"),
    ignored_choice("snmpget", None, "nothing is asked for by SNMP"),
];

const INTERPRETATION: &[Row] = &[
    Row::new("RawType", Kind::Words(RAW_TYPES), "which bytes it lets in"),
    Row::new(
        "LengthType",
        Kind::Words(LENGTH_TYPES),
        "how many bytes of a message are its own",
    ),
    Row::new(
        "LengthType@id",
        Kind::Id(Part::Parameter),
        "of `other param`: the parameter that holds the length",
    ),
    Row::new(
        "LengthType@times",
        Kind::Number(1, u32::MAX),
        "of `other param`: a factor of the length",
    ),
    Row::new(
        "Length",
        Kind::Number(0, LENGTH_MAX),
        "the length, of `fixed`",
    ),
    Row::new("Type", Kind::Words(VALUE_TYPES), "what its value is"),
    Row::new("Type@trim", Kind::Text, "blanks that are cut off")
        .ignored("bytes are kept as they come"),
    Row::new("Type@filter", Kind::Text, "whether bytes are filtered").ignored("`RawType` filters"),
    Row::new(
        "Value",
        Kind::Verbatim,
        "a fixed value: text, or bytes such as `0x0D0x0A`",
    ),
    Row::new(
        "DefaultValue",
        Kind::Verbatim,
        "the value it gets if it is empty after the start; a saved value wins",
    ),
    Row::new(
        "Base",
        Kind::Number(2, 36),
        "the base of numeric text; 10 and 16 are done",
    ),
    Row::new(
        "Endian",
        Kind::Words(ENDIANS),
        "of a number: which byte comes first",
    ),
    Row::new(
        "Range",
        Kind::Elements,
        "the least and the greatest number it lets in",
    )
    .ignored("`Display/Range` bounds what people set"),
    Row::new(
        "Exceptions",
        Kind::Elements,
        "values with a label of their own",
    )
    .ignored("`Discreets` label values"),
    Row::new("Others", Kind::Elements, "values shown as others")
        .ignored("`Discreets` label values"),
    Row::new(
        "Decimals",
        Kind::Number(0, 32),
        "how many digits of the text are decimals",
    )
    .ignored("a decimal point says it"),
    Row::new("Factor", Kind::Decimal, "a factor").ignored("the value is as it comes"),
    Row::new("OffSet", Kind::Text, "an offset").ignored("the value is as it comes"),
    Row::new("Scale", Kind::Elements, "a scale").ignored("the value is as it comes"),
    Row::new("Sequence", Kind::Text, "a formula").ignored("the value is as it comes"),
    Row::new("Rounding", Kind::Text, "how it is rounded").ignored("it is not rounded"),
    Row::new("Alignment", Kind::Text, "the side a fixed value stands on")
        .ignored("it stands at the left"),
    Row::new("Bits", Kind::Text, "the bits of a byte").ignored("a parameter is whole bytes"),
    Row::new("ByteOffset", Kind::Text, "where it begins in another one")
        .ignored("it begins at its first byte"),
    Row::new("NbrOfBits", Kind::Text, "how many bits of a byte")
        .ignored("a parameter is whole bytes"),
    Row::new("StartPosition", Kind::Text, "the first bit of a byte")
        .ignored("a parameter is whole bytes"),
];

pub(super) const RAW_TYPES: &[Word] = &[
    word("other"),
    word("text"),
    word("numeric text"),
    word("unsigned number"),
    word("signed number"),
    word("double"),
    ignored_word("bcd", ANY_BYTE),
    ignored_word("only others", ANY_BYTE),
];

pub(super) const LENGTH_TYPES: &[Word] = &[
    word("fixed"),
    word("next param"),
    word("last next param"),
    word("other param"),
];

pub(super) const VALUE_TYPES: &[Word] = &[word("double"), word("string"), word("high nibble")];

pub(super) const ENDIANS: &[Word] = &[word("big"), word("little")];

const NOT_DONE: &[Row] = &[
    Row::new("ArrayOptions", Kind::Elements, "the columns of a table").ignored(TABLES),
    Row::new("CRC", Kind::Elements, "a check sum").ignored("no check sum is computed"),
    Row::new(
        "CrossDriverOptions",
        Kind::Elements,
        "tables of other elements",
    )
    .ignored(TABLES),
    Row::new("Database", Kind::Elements, "how a table is stored").ignored(TABLES),
    Row::new(
        "Dependencies",
        Kind::Elements,
        "parameters that are sent along",
    )
    .ignored("a change is of one parameter"),
    Row::new(
        "Length",
        Kind::Elements,
        "what a length parameter counts; without it, all that is no length parameter",
    ),
    Row::new("Length/Content", Kind::Elements, "the parts it counts"),
    Row::new(
        "Length/Content/Param",
        Kind::Number(0, 10_000),
        "the place of one in the command or response, from 0",
    )
    .many(),
    Row::new("Matrix", Kind::Elements, "a matrix over tables").ignored(TABLES),
    Row::new(
        "Mediation",
        Kind::Elements,
        "the same parameter of other connectors",
    )
    .ignored("parameters stand alone"),
    Row::new("Replication", Kind::Elements, "a copy of another element's")
        .ignored("parameters stand alone"),
    Row::new("SNMP", Kind::Elements, "how it is asked for by SNMP")
        .ignored("nothing is asked for by SNMP"),
];

const TABLES: &str = "there are no tables";
const NOT_A_VALUE: &str = "the parameter is a value without a meaning on the wire";
const ANY_BYTE: &str = "any byte is let in, as with `other`";

/// The longest fixed parameter.
pub(crate) const LENGTH_MAX: u32 = 1 << 20;
