//! How parameters are shown.

use crate::vocabulary::row::{Chapter, Kind, Row, Word, ignored_word, word};

pub(super) const CHAPTERS: &[Chapter] = &[
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
];

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

const AS_TEXT: &str = "it is shown as text";
