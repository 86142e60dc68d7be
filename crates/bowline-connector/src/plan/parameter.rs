//! Parameters: the values of an element, by number.

use super::{LinkId, ParameterId};

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the format"
)]
pub struct Parameter {
    /// `Name`; the read and the write half of a value share it.
    pub name: String,
    /// `Description`: what people read.
    pub description: String,
    /// What the parameter is.
    pub kind: ParameterKind,
    /// Whether its value outlives the element.
    pub save: bool,
    /// Whether its history is kept.
    pub trending: bool,
    /// Whether a write parameter's value is copied to the read parameter of the same name.
    pub setter: bool,
    /// The link whose endpoint it holds (`dynamic ip`).
    pub endpoint_of: Option<LinkId>,
    /// How bytes become its value.
    pub interpretation: Interpretation,
    /// Whether it is shown (`RTDisplay`).
    pub is_displayed: bool,
    /// `Display/Units`.
    pub units: String,
    /// `Display/Decimals`.
    pub decimals: Option<u32>,
    /// `Display/Range`: the least and the greatest number a person may set.
    pub range: (Option<f64>, Option<f64>),
    /// How it is shown and set.
    pub measurement: Measurement,
    /// The label of each value.
    pub discreets: Vec<Discreet>,
    /// `Information/Subtext`.
    pub subtext: String,
    /// When its value is an alarm.
    pub alarm: Option<Alarm>,
}

/// What a parameter is (`Param/Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A value of the device.
    Read,
    /// A value a person sets.
    Write,
    /// Bytes that do not change.
    Fixed,
    /// Fixed bytes before a message.
    Header,
    /// Fixed bytes after a message.
    Trailer,
    /// The length of what follows.
    Length,
    /// A value without a meaning on the wire.
    Dummy,
    /// The bus address of the link.
    Bus,
    /// The address of the device.
    Ip,
    /// The address that is polled.
    PollingIp,
    /// The number of the element.
    ElementId,
    /// The name of the element.
    ElementName,
}

/// How bytes become a value, and a value bytes (`Interprete`).
#[derive(Clone, Debug, PartialEq)]
pub struct Interpretation {
    /// Which characters are let in.
    pub raw: RawType,
    /// Whether numeric text is hexadecimal (`Base` 16).
    pub is_hexadecimal: bool,
    /// Whether the bytes of a number come the greatest first (`Endian` big); without it the least
    /// comes first.
    pub is_big_endian: bool,
    /// How many bytes of a message belong to the parameter.
    pub length: LengthRule,
    /// What its value is.
    pub kind: ValueKind,
    /// The bytes of a fixed value, hex runs such as `0x0D0x0A` decoded, filled up to its length.
    pub value: Option<Vec<u8>>,
    /// The value it gets if it is empty after start.
    pub default: Option<String>,
}

/// Which bytes a parameter lets in; what has others is not taken over (`RawType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RawType {
    /// Any.
    #[default]
    Other,
    /// `0-9 A-Z a-z - . ; , ? !` and the blank.
    Text,
    /// `0-9 + - . , e E` and the blank; `a-f A-F` too where hexadecimal.
    NumericText,
    /// A number.
    Unsigned,
    /// A number in two's complement.
    Signed,
    /// An IEEE 754 number of 4 or 8 bytes.
    Double,
}

/// How many bytes of a message belong to a parameter (`LengthType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LengthRule {
    /// So many.
    Fixed(usize),
    /// Up to where the next parameter, a fixed one, begins for the first time; to the end if it is
    /// the last.
    #[default]
    NextParameter,
    /// Up to where the next parameter begins for the last time.
    LastNextParameter,
    /// As many as another parameter says, times a factor.
    OtherParameter {
        /// The parameter.
        id: ParameterId,
        /// `LengthType@times`, 1 if absent.
        times: u32,
    },
}

/// What a value is (`Interprete/Type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueKind {
    /// A number.
    Double,
    /// Bytes, with a view as UTF-8 text.
    #[default]
    Text,
    /// The upper four bits of a byte, as a number.
    HighNibble,
}

/// How a parameter is shown and set (`Measurement/Type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measurement {
    /// Not said.
    #[default]
    None,
    /// Text.
    Text,
    /// A number.
    Number,
    /// One of the labels.
    Discreet,
    /// A button: a write that triggers.
    Button,
    /// A switch.
    ToggleButton,
    /// A number on a scale.
    Analog,
    /// A bar.
    Progress,
    /// A heading.
    Title,
}

/// A value and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discreet {
    /// What people read.
    pub display: String,
    /// What is stored, as text.
    pub value: String,
}

/// When a value is an alarm. Levels are numbers or texts, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarm {
    /// Whether the levels are watched.
    pub is_monitored: bool,
    /// The value that is no alarm.
    pub normal: Option<String>,
    /// `CL`, `MaL`, `MiL`, `WaL`: critical, major, minor and warning levels at or below which a
    /// number is one.
    pub low: [Option<String>; 4],
    /// `CH`, `MaH`, `MiH`, `WaH`: the same at or above.
    pub high: [Option<String>; 4],
}
