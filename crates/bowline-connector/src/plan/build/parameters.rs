//! Parameters.

use std::collections::HashMap;

use super::{Builder, bytes::fixed_bytes, own_id};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    plan::{
        Alarm, Discreet, Interpretation, LengthRule, LinkId, Measurement, Parameter, ParameterId,
        ParameterKind, RawType, ValueKind,
    },
    vocabulary::{LENGTH_MAX, Node},
};

impl<'d> Builder<'_, 'd> {
    pub(super) fn parameters(&mut self) {
        for node in self.parts("Params", "Param") {
            let Some(id) = own_id(node).map(ParameterId) else {
                continue;
            };
            let parameter = self.parameter(node);
            if let Some(places) =
                counted_by(node).filter(|_| parameter.kind == ParameterKind::Length)
            {
                self.plan.counted.insert(id, places);
            }
            let _taken = self.plan.parameters.insert(id, parameter);
        }
        self.parameter_names();
        self.endpoints();
        self.length_loops();
    }

    fn parameter(&mut self, node: &Node<'d>) -> Parameter {
        let kind = kind_of(node.child("Type").and_then(|kind| kind.value.word()));
        let display = node.child("Display");
        let shown = display.and_then(|display| display.child("RTDisplay"));
        let decimals = display.and_then(|display| display.child("Decimals"));
        let measurement = node.child("Measurement");
        let control = measurement.and_then(|measurement| measurement.child("Type"));
        Parameter {
            name: node.words_of("Name"),
            description: node.words_of("Description"),
            kind,
            save: node.flag("save").unwrap_or(false),
            trending: node.flag("trending").unwrap_or(true),
            setter: node.flag("setter").unwrap_or(false),
            endpoint_of: self.endpoint(node, kind),
            interpretation: self.interpretation(node, kind),
            is_displayed: shown
                .and_then(|shown| shown.value.boolean())
                .unwrap_or(false),
            units: display
                .map(|display| display.words_of("Units"))
                .unwrap_or_default(),
            decimals: decimals.and_then(|decimals| decimals.value.number()),
            range: display
                .map(|display| self.range(display))
                .unwrap_or_default(),
            measurement: control
                .map(|control| measurement_of(control.value.word()))
                .unwrap_or_default(),
            discreets: measurement
                .map(|measurement| self.discreets(measurement))
                .unwrap_or_default(),
            subtext: node
                .child("Information")
                .map(|information| information.words_of("Subtext"))
                .unwrap_or_default(),
            alarm: node.child("Alarm").map(alarm_of),
        }
    }

    /// Takes `dynamic ip N`.
    fn endpoint(&mut self, node: &Node<'d>, kind: ParameterKind) -> Option<LinkId> {
        let options = node.child("Type")?.attribute("options")?;
        let (number, span) = options.value.option("dynamic ip")?;
        if kind != ParameterKind::Read {
            self.said.add(
                Diagnostic::warning(
                    Code::DynamicEndpoint,
                    span,
                    "only a read parameter can be an endpoint",
                )
                .label("left out")
                .help("let a write parameter with setter=\"true\" share the name of a read one"),
            );
            return None;
        }
        let id = number.unwrap_or(0);
        if self.plan.links.contains(LinkId(id)) {
            return Some(LinkId(id));
        }
        if self.is_excerpt && self.plan.links.is_empty() {
            return None;
        }
        let message =
            format!("`dynamic ip` names connection {id}, which is no WebSocket connection");
        let mut links = self.plan.links.iter();
        let diagnostic = Diagnostic::warning(Code::DynamicEndpoint, span, message)
            .label("a change of this parameter moves no link");
        self.said.add(match (links.next(), links.next()) {
            (Some((link, _)), None) => diagnostic.help(format!("write `dynamic ip {}`", link.0)),
            _ => diagnostic.help("write the id of the connection behind it: `dynamic ip 1`"),
        });
        None
    }

    fn interpretation(&mut self, node: &Node<'d>, kind: ParameterKind) -> Interpretation {
        let empty = Interpretation {
            raw: RawType::Other,
            is_hexadecimal: false,
            is_big_endian: false,
            length: LengthRule::NextParameter,
            kind: ValueKind::Text,
            value: None,
            default: None,
        };
        let Some(within) = node.child("Interprete") else {
            return empty;
        };
        let word = |name: &str| within.child(name).and_then(|node| node.value.word());
        let raw = raw_of(word("RawType"));
        let is_number = !matches!(raw, RawType::Other | RawType::Text);
        let base = within.child("Base");
        let base_number = base.and_then(|base| base.value.number());
        if let (Some(base), Some(number)) =
            (base, base_number.filter(|base| !matches!(base, 10 | 16)))
        {
            let message = format!("numbers of base {number} are not supported");
            let diagnostic = Diagnostic::warning(Code::Ignored, base.value_span(), message);
            self.said
                .add(diagnostic.label("ignored: they are read as decimal"));
        }
        let length = self.length(within, kind);
        let default = within.child("DefaultValue");
        let default_text = default
            .and_then(|default| default.value.text())
            .filter(|text| !text.is_empty());
        let mut read = Interpretation {
            raw,
            is_hexadecimal: base_number == Some(16),
            is_big_endian: word("Endian") == Some("big"),
            length,
            kind: match word("Type") {
                Some("double") => ValueKind::Double,
                Some("high nibble") => ValueKind::HighNibble,
                None if is_number => ValueKind::Double,
                Some(_) | None => ValueKind::Text,
            },
            value: self.fixed_value(within, raw, length),
            default: default_text.map(str::to_owned),
        };
        if let (Some(default), Some(text)) = (default, default_text)
            && !self.check_default(default, text, &read)
        {
            read.default = None;
        }
        read
    }

    /// Says whether a parameter lets its default in, and tells if not.
    fn check_default(&mut self, node: &Node<'d>, text: &str, read: &Interpretation) -> bool {
        let span = node.value_span();
        if matches!(read.length, LengthRule::Fixed(_)) {
            let message = "a parameter of fixed length is never empty";
            let diagnostic = Diagnostic::warning(Code::NeverEmpty, span, message);
            self.said.add(
                diagnostic
                    .label("never used")
                    .help("`Value` gives a fixed parameter its bytes"),
            );
        }
        let is_let_in = match read.raw {
            RawType::NumericText => text.chars().all(|c| is_numeric(c, read.is_hexadecimal)),
            RawType::Text => text.chars().all(is_plain),
            RawType::Other | RawType::Unsigned | RawType::Signed | RawType::Double => true,
        };
        let is_number = text.trim().parse::<f64>().is_ok();
        let may_be_text = read.kind != ValueKind::Double || read.is_hexadecimal;
        let is_right = is_let_in && (is_number || may_be_text);
        if !is_right {
            let message = "the default is not a value the parameter lets in";
            self.said.add(
                Diagnostic::warning(Code::DefaultRefused, span, message)
                    .label("left out; the parameter stays empty")
                    .help("`RawType` and `Type` of `Interprete` say what is let in"),
            );
        }
        is_right
    }

    fn length(&mut self, within: &Node<'d>, kind: ParameterKind) -> LengthRule {
        let rule = within.child("LengthType");
        let length = within
            .child("Length")
            .and_then(|length| length.value.number());
        let value = within.child("Value").and_then(|value| value.value.text());
        let written = value
            .filter(|value| !value.is_empty())
            .map(|value| fixed_bytes(value).len());
        let is_fixed = matches!(
            kind,
            ParameterKind::Fixed | ParameterKind::Header | ParameterKind::Trailer
        );
        let times = rule.and_then(|rule| rule.attribute("times"));
        let word = rule.and_then(|rule| rule.value.word());
        if let Some(times) = times.filter(|_| word != Some("other param")) {
            let diagnostic = Diagnostic::warning(
                Code::Ignored,
                times.attribute.name_span,
                "`times` is supported with `other param` only",
            );
            self.said.add(
                diagnostic.label("ignored: the value ends where the next parameter begins first"),
            );
        }
        match (word, rule) {
            (Some("last next param"), _) => LengthRule::LastNextParameter,
            (Some("other param"), Some(rule)) => self.other_length(rule),
            (Some("fixed"), Some(rule)) => {
                let known = length.and_then(|length| usize::try_from(length).ok());
                if known.is_none() && written.is_none() {
                    let diagnostic = Diagnostic::error(
                        Code::Missing,
                        rule.value_span(),
                        "a fixed length needs a `Length`",
                    );
                    self.said
                        .add(diagnostic.help("add `<Length>`, in bytes, to `<Interprete>`"));
                }
                LengthRule::Fixed(known.or(written).unwrap_or_default())
            }
            (None, _) if is_fixed && written.is_some() => {
                LengthRule::Fixed(written.unwrap_or_default())
            }
            _ => LengthRule::NextParameter,
        }
    }

    fn other_length(&mut self, rule: &Node<'d>) -> LengthRule {
        if rule.attribute("id").is_none() {
            let diagnostic = Diagnostic::error(
                Code::Missing,
                rule.value_span(),
                "`other param` does not say which",
            );
            self.said.add(
                diagnostic.label("needs the attribute `id`: the parameter that holds the length"),
            );
        }
        let times = rule
            .attribute("times")
            .and_then(|times| times.value.number());
        match self.parameter_of(rule, "id") {
            Some(id) => LengthRule::OtherParameter {
                id,
                times: times.unwrap_or(1),
            },
            None => LengthRule::NextParameter,
        }
    }

    /// Gives the bytes of a fixed parameter: those written, filled up by what its type begins with.
    fn fixed_value(
        &mut self,
        within: &Node<'d>,
        raw: RawType,
        length: LengthRule,
    ) -> Option<Vec<u8>> {
        let node = within.child("Value");
        let text = node
            .and_then(|node| node.value.text())
            .filter(|text| !text.is_empty());
        let mut bytes = text.map(fixed_bytes);
        let LengthRule::Fixed(length) = length else {
            return bytes;
        };
        let written = bytes.as_ref().map_or(0, Vec::len);
        if let Some(node) = node.filter(|_| written > length) {
            let message = format!("the value has {written} bytes, and the length is {length}");
            let diagnostic = Diagnostic::warning(Code::FixedValue, node.value_span(), message);
            self.said.add(diagnostic.label("cut off"));
        }
        self.filled_bytes += length.saturating_sub(written);
        if self.filled_bytes > FILLED_MAX {
            let message = format!("fixed parameters have more than {FILLED_MAX} bytes");
            self.said
                .add(Diagnostic::error(Code::TooLarge, within.span(), message));
            return bytes;
        }
        let fill = match raw {
            RawType::Other | RawType::Text => b' ',
            RawType::NumericText => b'0',
            RawType::Unsigned | RawType::Signed | RawType::Double => 0,
        };
        bytes.get_or_insert_default().resize(length, fill);
        bytes
    }

    fn range(&mut self, display: &Node<'d>) -> (Option<f64>, Option<f64>) {
        let Some(range) = display.child("Range") else {
            return (None, None);
        };
        let end = |name: &str| range.child(name).and_then(|node| node.value.decimal());
        let (low, high) = (end("Low"), end("High"));
        if let (Some(least), Some(most)) = (low, high)
            && least > most
        {
            let message = format!("the range ends at {most} and begins at {least}");
            let diagnostic = Diagnostic::error(Code::RangeReversed, range.span(), message);
            self.said.add(diagnostic.label("no number is in it"));
        }
        (low, high)
    }

    fn discreets(&mut self, measurement: &Node<'d>) -> Vec<Discreet> {
        let list = measurement.child("Discreets");
        let list = list.into_iter().flat_map(|list| list.children("Discreet"));
        let mut discreets: Vec<Discreet> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        for node in list {
            let (display, value) = (node.words_of("Display"), node.words_of("Value"));
            let span = node.child("Value").unwrap_or(node).value_span();
            if let Some(first) = seen.get(&value) {
                let message = format!("the value `{value}` has two labels");
                self.said.add(
                    Diagnostic::warning(Code::DuplicateName, span, message)
                        .label("the first one counts")
                        .related(*first, "the first one"),
                );
                continue;
            }
            seen.insert(value.clone(), span);
            discreets.push(Discreet { display, value });
        }
        discreets
    }

    /// Gives where a parameter is declared.
    pub(super) fn parameter_span(&self, id: ParameterId) -> Span {
        let part = crate::vocabulary::Part::Parameter;
        self.ids.span(part, id.0).unwrap_or_default()
    }
}

fn alarm_of(node: &Node<'_>) -> Alarm {
    let level = |name: &str| {
        let text = node.child(name).and_then(|level| level.value.text());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let monitored = node.child("Monitored");
    Alarm {
        is_monitored: monitored
            .and_then(|node| node.value.boolean())
            .unwrap_or(false),
        normal: level("Normal"),
        low: ["CL", "MaL", "MiL", "WaL"].map(level),
        high: ["CH", "MaH", "MiH", "WaH"].map(level),
    }
}

/// Gives the places that a length parameter counts, if it says them.
fn counted_by(node: &Node<'_>) -> Option<Vec<usize>> {
    let content = node.descendant(&["Length", "Content"])?;
    let places = content.children("Param");
    let places = places.filter_map(|place| usize::try_from(place.value.number()?).ok());
    Some(places.collect())
}

fn kind_of(word: Option<&str>) -> ParameterKind {
    match word {
        Some("read") => ParameterKind::Read,
        Some("write") => ParameterKind::Write,
        Some("fixed") => ParameterKind::Fixed,
        Some("header") => ParameterKind::Header,
        Some("trailer") => ParameterKind::Trailer,
        Some("length") => ParameterKind::Length,
        Some("bus") => ParameterKind::Bus,
        Some("ip") => ParameterKind::Ip,
        Some("pollingip") => ParameterKind::PollingIp,
        Some("elementid") => ParameterKind::ElementId,
        Some("elementname") => ParameterKind::ElementName,
        Some(_) | None => ParameterKind::Dummy,
    }
}

fn raw_of(word: Option<&str>) -> RawType {
    match word {
        Some("text") => RawType::Text,
        Some("numeric text") => RawType::NumericText,
        Some("unsigned number") => RawType::Unsigned,
        Some("signed number") => RawType::Signed,
        Some("double") => RawType::Double,
        Some(_) | None => RawType::Other,
    }
}

fn measurement_of(word: Option<&str>) -> Measurement {
    match word {
        Some("number") => Measurement::Number,
        Some("discreet") => Measurement::Discreet,
        Some("button") => Measurement::Button,
        Some("togglebutton") => Measurement::ToggleButton,
        Some("analog") => Measurement::Analog,
        Some("progress") => Measurement::Progress,
        Some("title") => Measurement::Title,
        Some(_) => Measurement::Text,
        None => Measurement::None,
    }
}

/// What `numeric text` lets in.
fn is_numeric(c: char, is_hexadecimal: bool) -> bool {
    c.is_ascii_digit() || "+-.,eE ".contains(c) || (is_hexadecimal && c.is_ascii_hexdigit())
}

/// What `text` lets in.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-.;,?! ".contains(c)
}

/// Most bytes of fixed parameters that are filled and not written.
const FILLED_MAX: usize = 16 * LENGTH_MAX as usize;
