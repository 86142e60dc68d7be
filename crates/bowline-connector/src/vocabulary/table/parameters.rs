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
        base: "Protocol/Params/Param/Display",
        rows: DISPLAY,
    },
    Chapter {
        base: "Protocol/Params/Param/Measurement",
        rows: MEASUREMENT,
    },
    Chapter {
        base: "Protocol/Params/Param/Alarm",
        rows: ALARM,
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
    Row::new(
        "Param@saveInterval",
        Kind::Duration,
        "how often it is saved",
    )
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

const DISPLAY: &[Row] = &[
    Row::new(
        "RTDisplay",
        Kind::Boolean,
        "true: it is shown, and others see it; false where nothing is said",
    ),
    Row::new(
        "RTDisplay@onAppLevel",
        Kind::Text,
        "whether applications need it",
    )
    .descriptive(),
    Row::new("Units", Kind::Text, "the unit of its number"),
    Row::new(
        "Decimals",
        Kind::Number(0, 32),
        "how many decimals are shown",
    ),
    Row::new("Range", Kind::Elements, "what people may set"),
    Row::new("Range/Low", Kind::Decimal, "the least number"),
    Row::new("Range/High", Kind::Decimal, "the greatest number"),
    Row::new("Steps", Kind::Decimal, "the steps of a slider").descriptive(),
    Row::new("Positions", Kind::Elements, "where it stands on pages").descriptive(),
    Row::new("DynamicUnits", Kind::Elements, "units to choose from").descriptive(),
    Row::new("ParametersView", Kind::Elements, "a chart of parameters").descriptive(),
    Row::new("Trending", Kind::Elements, "how its history is shown").descriptive(),
];

const MEASUREMENT: &[Row] = &[
    Row::new("Type", Kind::Words(MEASUREMENTS), "the control people see"),
    Row::new("Type@case", Kind::Text, "capital or small letters").descriptive(),
    Row::new(
        "Type@continuous",
        Kind::Text,
        "whether a slider sets while it moves",
    )
    .descriptive(),
    Row::new("Type@hex", Kind::Text, "whether it is shown in hex").descriptive(),
    Row::new("Type@lines", Kind::Text, "how many lines are shown").descriptive(),
    Row::new("Type@link", Kind::Text, "a picture of a matrix").descriptive(),
    Row::new(
        "Type@number",
        Kind::Text,
        "whether text is sorted as numbers",
    )
    .descriptive(),
    Row::new(
        "Type@options",
        Kind::Text,
        "options of the control, such as `time`",
    )
    .descriptive(),
    Row::new(
        "Type@scientificNotation",
        Kind::Text,
        "how great numbers are shown",
    )
    .descriptive(),
    Row::new(
        "Type@verificationDeviation",
        Kind::Text,
        "how far a set may be off",
    )
    .descriptive(),
    Row::new("Type@width", Kind::Text, "the width of a button").descriptive(),
    Row::new("Discreets", Kind::Elements, "the labels of values"),
    Row::new(
        "Discreets@dependencyId",
        Kind::Text,
        "the parameter that says which labels count",
    )
    .ignored("all count"),
    Row::new("Discreets@matrixLayout", Kind::Text, "of a matrix").descriptive(),
    Row::new(
        "Discreets/Discreet",
        Kind::Elements,
        "a value with a label; of a button, the button",
    )
    .many(),
    Row::new(
        "Discreets/Discreet@dependencyValues",
        Kind::Text,
        "when the label counts",
    )
    .ignored("it always does"),
    Row::new(
        "Discreets/Discreet@displayIconAndLabel",
        Kind::Text,
        "whether a picture stands beside it",
    )
    .descriptive(),
    Row::new("Discreets/Discreet@iconRef", Kind::Text, "a picture").descriptive(),
    Row::new(
        "Discreets/Discreet@export",
        Kind::Text,
        "of virtual elements",
    )
    .descriptive(),
    Row::new(
        "Discreets/Discreet@options",
        Kind::Text,
        "options of the original product",
    )
    .descriptive(),
    Row::new("Discreets/Discreet/Display", Kind::Text, "the label").needed(),
    Row::new(
        "Discreets/Discreet/Display@state",
        Kind::Text,
        "whether people may choose it",
    )
    .descriptive(),
    Row::new("Discreets/Discreet/Value", Kind::Text, "the value").needed(),
    Row::new(
        "Discreets/Discreet/Value@type",
        Kind::Text,
        "what choosing it does besides",
    )
    .descriptive(),
    Row::new(
        "Discreets/Discreet/Value@location",
        Kind::Text,
        "where that is done",
    )
    .descriptive(),
    Row::new("Discreets/Discreet/Tooltip", Kind::Text, "a tooltip").descriptive(),
    Row::new(
        "Threshold",
        Kind::Decimal,
        "the level of a digital threshold",
    )
    .descriptive(),
];

pub(super) const MEASUREMENTS: &[Word] = &[
    word("string"),
    word("number"),
    word("discreet"),
    word("button"),
    word("togglebutton"),
    word("analog"),
    word("progress"),
    word("title"),
    ignored_word("pagebutton", AS_TEXT),
    ignored_word("table", AS_TEXT),
    ignored_word("chart", AS_TEXT),
    ignored_word("matrix", AS_TEXT),
    ignored_word("digital threshold", AS_TEXT),
];

const ALARM: &[Row] = &[
    Row::new("Monitored", Kind::Boolean, "true: the levels are watched"),
    Row::new("Monitored@disabledIf", Kind::Text, "when they are not").ignored("they always are"),
    Row::new("Normal", Kind::Text, "the value that is no alarm"),
    Row::new("CH", Kind::Text, "critical at or above"),
    Row::new("MaH", Kind::Text, "major at or above"),
    Row::new("MiH", Kind::Text, "minor at or above"),
    Row::new("WaH", Kind::Text, "a warning at or above"),
    Row::new("WaL", Kind::Text, "a warning at or below"),
    Row::new("MiL", Kind::Text, "minor at or below"),
    Row::new("MaL", Kind::Text, "major at or below"),
    Row::new("CL", Kind::Text, "critical at or below"),
    Row::new("Info", Kind::Text, "a text for the alarm").descriptive(),
    Row::new("@type", Kind::Text, "how levels are compared").ignored("with the value itself"),
    Row::new("@options", Kind::Text, "options of the original product")
        .ignored("they have no effect"),
    Row::new("@activeTime", Kind::Text, "how long a value has to last")
        .ignored("an alarm begins at once"),
];

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
    Row::new("Length", Kind::Elements, "what a length parameter counts")
        .ignored("it counts what follows it"),
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
const AS_TEXT: &str = "it is shown as text";

/// The longest fixed parameter.
pub(crate) const LENGTH_MAX: u32 = 1 << 20;
