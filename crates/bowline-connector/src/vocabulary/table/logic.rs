//! Groups, triggers, actions and timers.

use crate::vocabulary::row::{Chapter, Kind, Part, Row, Word, ignored_word, word};

pub(super) const CHAPTERS: &[Chapter] = &[
    Chapter {
        base: "Protocol/Groups",
        rows: GROUP,
    },
    Chapter {
        base: "Protocol/Triggers",
        rows: TRIGGER,
    },
    Chapter {
        base: "Protocol/Actions",
        rows: ACTION,
    },
    Chapter {
        base: "Protocol/Timers",
        rows: TIMER,
    },
];

const GROUP: &[Row] = &[
    Row::new("Group", Kind::Elements, "a unit of work for the queue").many(),
    Row::new("Group@id", Kind::OwnId(Part::Group), "its number").needed(),
    Row::new(
        "Group@connection",
        Kind::Id(Part::Connection),
        "the connection of its pairs; 0 where nothing is said",
    ),
    Row::new(
        "Group@connectionPID",
        Kind::Id(Part::Parameter),
        "the parameter that holds the number of the connection",
    ),
    Row::new(
        "Group@ping",
        Kind::Boolean,
        "true: a silent device is pinged with it",
    ),
    Row::new("Group@threadId", Kind::Text, "the thread it runs in")
        .ignored("an element has one queue"),
    Row::new("Group/Name", Kind::Text, "its name"),
    Row::new("Group/Description", Kind::Text, "what it is for").descriptive(),
    Row::new(
        "Group/Type",
        Kind::Words(GROUP_TYPES),
        "how it is run; poll where nothing is said",
    ),
    Row::new(
        "Group/Condition",
        Kind::Condition,
        "when it is run; looked at when its turn comes",
    ),
    Row::new(
        "Group/Content",
        Kind::Elements,
        "what it runs, in order; items of one kind",
    )
    .needed(),
    Row::new("Group/Content@multipleGet", Kind::Text, "of SNMP").descriptive(),
    Row::new("Group/Content/Pair", Kind::Id(Part::Pair), "a pair").many(),
    Row::new(
        "Group/Content/Pair@next",
        Kind::Milliseconds(0, TIMER_TIME_MAX),
        "the pause after it, instead of the timer's `Interval`",
    ),
    Row::new("Group/Content/Action", Kind::Id(Part::Action), "an action").many(),
    Row::new(
        "Group/Content/Action@next",
        Kind::Milliseconds(0, TIMER_TIME_MAX),
        "the pause after it, instead of the timer's `Interval`",
    ),
    Row::new(
        "Group/Content/Trigger",
        Kind::Id(Part::Trigger),
        "a trigger",
    )
    .many(),
    Row::new(
        "Group/Content/Trigger@next",
        Kind::Milliseconds(0, TIMER_TIME_MAX),
        "the pause after it, instead of the timer's `Interval`",
    ),
    Row::new(
        "Group/Content/Param",
        Kind::Text,
        "a parameter asked for by SNMP",
    )
    .many()
    .ignored("nothing is asked for by SNMP"),
    Row::new(
        "Group/Content/Session",
        Kind::Text,
        "an HTTP session to run",
    )
    .many()
    .ignored("sessions are opening handshakes only"),
];

pub(super) const GROUP_TYPES: &[Word] = &[
    word("poll"),
    word("action"),
    word("poll action"),
    word("poll trigger"),
    word("trigger"),
];

const TRIGGER: &[Row] = &[
    Row::new(
        "Trigger",
        Kind::Elements,
        "runs actions or triggers at a moment of something",
    )
    .many(),
    Row::new("Trigger@id", Kind::OwnId(Part::Trigger), "its number").needed(),
    Row::new("Trigger/Name", Kind::Text, "its name"),
    Row::new(
        "Trigger/On",
        Kind::Words(SUBJECTS),
        "what it watches; without it, it fires only when it is called",
    ),
    Row::new(
        "Trigger/On@id",
        Kind::Text,
        "which one: a number, or `each`",
    ),
    Row::new(
        "Trigger/Time",
        Kind::WordsOrText(MOMENTS),
        "the moment; of `communication`, the text of an error",
    ),
    Row::new("Trigger/Time@case", Kind::Text, "a comparison").ignored("`Condition` compares"),
    Row::new("Trigger/Time@id", Kind::Text, "a parameter to compare")
        .ignored("`Condition` compares"),
    Row::new(
        "Trigger/Time@nr",
        Kind::Text,
        "whether it is compared with a parameter",
    )
    .ignored("`Condition` compares"),
    Row::new("Trigger/Time@value", Kind::Text, "what it is compared with")
        .ignored("`Condition` compares"),
    Row::new(
        "Trigger/Type",
        Kind::Words(TRIGGER_TYPES),
        "whether it runs actions or triggers; actions where nothing is said",
    ),
    Row::new("Trigger/Condition", Kind::Condition, "when it runs them"),
    Row::new("Trigger/Content", Kind::Elements, "what it runs, in order").needed(),
    Row::new(
        "Trigger/Content/Id",
        Kind::Text,
        "the id of an action or trigger",
    )
    .many(),
    Row::new(
        "Trigger/Content/Id@else",
        Kind::Boolean,
        "true: it runs when the condition does not hold",
    ),
];

pub(super) const SUBJECTS: &[Word] = &[
    word("command"),
    word("communication"),
    word("group"),
    word("pair"),
    word("parameter"),
    word("protocol"),
    word("response"),
    word("session"),
    word("timer"),
];

pub(super) const MOMENTS: &[Word] = &[
    word("before"),
    word("after"),
    word("after startup"),
    word("change"),
    word("change after response"),
    word("succeeded"),
    word("timeout"),
    word("timeout after retries"),
    ignored_word("link file change", NEVER),
];

pub(super) const TRIGGER_TYPES: &[Word] = &[word("action"), word("trigger")];

const ACTION: &[Row] = &[
    Row::new("Action", Kind::Elements, "does one thing").many(),
    Row::new("Action@id", Kind::OwnId(Part::Action), "its number").needed(),
    Row::new("Action/Name", Kind::Text, "its name"),
    Row::new(
        "Action/On",
        Kind::Words(ACTION_SUBJECTS),
        "what it is done to",
    )
    .needed(),
    Row::new(
        "Action/On@id",
        Kind::Text,
        "which ones, with semicolons between them; the one the trigger is about without it",
    ),
    Row::new(
        "Action/On@nr",
        Kind::Text,
        "of `set next`: which places in the group, from 1, with semicolons between them",
    ),
    Row::new("Action/Type", Kind::Words(ACTION_TYPES), "what is done").needed(),
    Row::new(
        "Action/Type@id",
        Kind::Id(Part::Parameter),
        "the parameter the value is taken from",
    ),
    Row::new("Action/Type@value", Kind::Text, "the value"),
    Row::new(
        "Action/Type@nr",
        Kind::Text,
        "of `open` and `close`: the number of the connection",
    ),
    Row::new("Action/Type@allowed", Kind::Text, "of `crc`").ignored("there are no check sums"),
    Row::new("Action/Type@arguments", Kind::Text, "of `wmi`").ignored("there is no WMI"),
    Row::new("Action/Type@endoffset", Kind::Text, "where a part ends")
        .ignored("values are taken whole"),
    Row::new("Action/Type@startoffset", Kind::Text, "where a part begins")
        .ignored("values are taken whole"),
    Row::new("Action/Type@options", Kind::Text, "options of the type")
        .ignored("bytes are taken as they are"),
    Row::new("Action/Type@regex", Kind::Text, "of `replace data`").ignored("nothing is replaced"),
    Row::new("Action/Type@reschedule", Kind::Text, "of `restart timer`")
        .ignored("the timer fires and counts anew"),
    Row::new("Action/Type@returnValue", Kind::Text, "of `wmi`").ignored("there is no WMI"),
    Row::new("Action/Type@scale", Kind::Text, "a scale").ignored("values are taken as they are"),
    Row::new("Action/Type@script", Kind::Text, "of `aggregate`").ignored("there are no tables"),
    Row::new("Action/Type@sequence", Kind::Text, "a formula")
        .ignored("values are taken as they are"),
    Row::new("Action/Condition", Kind::Condition, "when it is done"),
];

pub(super) const ACTION_SUBJECTS: &[Word] = &[
    word("command"),
    word("group"),
    word("pair"),
    word("parameter"),
    word("protocol"),
    word("response"),
    word("timer"),
];

pub(super) const ACTION_TYPES: &[Word] = &[
    word("make"),
    word("length"),
    word("read"),
    word("clear"),
    word("clear on display"),
    word("copy"),
    word("append"),
    word("append data"),
    word("increment"),
    word("multiply"),
    word("pow"),
    word("normalize"),
    word("reverse"),
    word("run actions"),
    word("save"),
    word("change length"),
    word("add to execute"),
    word("execute"),
    word("execute next"),
    word("execute one"),
    word("execute one now"),
    word("execute one top"),
    word("force execute"),
    word("timeout"),
    word("open"),
    word("close"),
    word("sleep"),
    word("stop current group"),
    word("set next"),
    word("start"),
    word("stop"),
    word("restart timer"),
    word("reschedule"),
    word("set"),
    ignored_word("aggregate", NOTHING),
    ignored_word("clear length info", NOTHING),
    ignored_word("copy reverse", NOTHING),
    ignored_word("crc", NOTHING),
    ignored_word("create element", NOTHING),
    ignored_word("go", NOTHING),
    ignored_word("lock", NOTHING),
    ignored_word("merge", NOTHING),
    ignored_word("priority lock", NOTHING),
    ignored_word("priority unlock", NOTHING),
    ignored_word("read file", NOTHING),
    ignored_word("read stuffing", NOTHING),
    ignored_word("replace", NOTHING),
    ignored_word("replace data", NOTHING),
    ignored_word("set and get with wait", NOTHING),
    ignored_word("set info", NOTHING),
    ignored_word("set with wait", NOTHING),
    ignored_word("stuffing", NOTHING),
    ignored_word("swap column", NOTHING),
    ignored_word("unlock", NOTHING),
    ignored_word("wmi", NOTHING),
];

const TIMER: &[Row] = &[
    Row::new(
        "Timer",
        Kind::Elements,
        "adds groups to the queue again and again",
    )
    .many(),
    Row::new("Timer@id", Kind::OwnId(Part::Timer), "its number").needed(),
    Row::new(
        "Timer@fixedTimer",
        Kind::Text,
        "whether operators may scale it",
    )
    .descriptive(),
    Row::new("Timer@options", Kind::Text, "options of rows and threads")
        .ignored("the timer adds its groups"),
    Row::new("Timer/Name", Kind::Text, "its name"),
    Row::new(
        "Timer/Time",
        Kind::WordsOrMilliseconds(TIMER_WORDS, TIMER_TIME_MAX),
        "how often; `loop` is as soon as what it added is done",
    )
    .needed(),
    Row::new(
        "Timer/Time@initial",
        Kind::Text,
        "whether it runs from the start: `true`, `false`, or after a random time `random=0:300` in seconds",
    ),
    Row::new(
        "Timer/Time@dataDisplay",
        Kind::Text,
        "how often while somebody looks",
    )
    .ignored("it is the same always"),
    Row::new(
        "Timer/Interval",
        Kind::Milliseconds(0, TIMER_TIME_MAX),
        "the pause between its groups, and between their pairs",
    ),
    Row::new("Timer/Condition", Kind::Condition, "when it adds them"),
    Row::new("Timer/Content", Kind::Elements, "what it adds, in order").needed(),
    Row::new("Timer/Content/Group", Kind::Id(Part::Group), "a group").many(),
];

pub(super) const TIMER_WORDS: &[Word] = &[word("loop")];

const NEVER: &str = "the trigger never fires";
const NOTHING: &str = "the action does nothing";

/// The longest time of a timer: 24 days.
const TIMER_TIME_MAX: u32 = 2_073_600_000;
