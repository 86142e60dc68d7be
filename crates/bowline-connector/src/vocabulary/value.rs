//! Values as the table says they are.

use std::time::Duration;

use super::{
    row::{Choice, Kind, Support, Word},
    suggest::nearest,
};
use crate::{
    diagnostic::{Code, Diagnostic, Span},
    document::Text,
    plan::Condition,
};

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// There is none, or it could not be read, which was told.
    None,
    /// Text.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number, milliseconds or an id.
    Number(u32),
    /// A number.
    Decimal(f64),
    /// A word of the table.
    Word(&'static str),
    /// Ids and where each stands.
    Ids(Vec<(u32, Span)>),
    /// Options, the numbers they have, and where each stands.
    Options(Vec<(&'static str, Option<u32>, Span)>),
    /// A condition.
    Condition(Condition),
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::None
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::Decimal(_)
            | Self::Word(_)
            | Self::Ids(_)
            | Self::Options(_)
            | Self::Condition(_) => None,
        }
    }

    pub(crate) const fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    pub(crate) const fn number(&self) -> Option<u32> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    pub(crate) const fn decimal(&self) -> Option<f64> {
        if let Self::Decimal(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    pub(crate) const fn word(&self) -> Option<&'static str> {
        if let Self::Word(word) = self {
            Some(word)
        } else {
            None
        }
    }

    pub(crate) fn ids(&self) -> &[(u32, Span)] {
        if let Self::Ids(ids) = self { ids } else { &[] }
    }

    pub(crate) fn options(&self) -> &[(&'static str, Option<u32>, Span)] {
        if let Self::Options(options) = self {
            options
        } else {
            &[]
        }
    }

    pub(crate) fn option(&self, name: &str) -> Option<(Option<u32>, Span)> {
        let found = self.options().iter().find(|(option, ..)| *option == name);
        found.map(|(_, number, span)| (*number, *span))
    }

    pub(crate) fn condition(&self) -> Option<&Condition> {
        if let Self::Condition(condition) = self {
            Some(condition)
        } else {
            None
        }
    }

    pub(crate) fn time(&self) -> Option<Duration> {
        self.number()
            .map(|number| Duration::from_millis(number.into()))
    }
}

/// Where a value stands: what is read, and how it is called in messages.
pub(super) struct Place<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a Text,
    /// Such as `` `Type` ``.
    pub(super) name: &'a str,
    /// Where it is named, for values that are not there.
    pub(super) named: Span,
    /// Whether a word that is wrong is compared with those that are right.
    pub(super) guesses: bool,
}

/// Tells what is to be said of a value.
pub(super) type Tell<'t> = &'t mut dyn FnMut(Diagnostic);

impl Place<'_> {
    /// Reads the value, and tells what is wrong with it.
    pub(super) fn read(&self, tell: Tell<'_>) -> Value {
        match self.kind {
            Kind::Elements => return Value::None,
            Kind::Text | Kind::Source => {
                return Value::Text(self.text.trimmed().to_owned());
            }
            Kind::Verbatim => return Value::Text(self.text.as_str().to_owned()),
            Kind::Boolean
            | Kind::Number(..)
            | Kind::Decimal
            | Kind::Milliseconds(..)
            | Kind::Words(_)
            | Kind::WordsOrMilliseconds(..)
            | Kind::WordsOrText(_)
            | Kind::OwnId(_)
            | Kind::Id(_)
            | Kind::Ids(_)
            | Kind::Options(_)
            | Kind::Condition => {}
        }
        if self.text.is_blank() {
            tell(self.empty());
            return Value::None;
        }
        let read = match self.kind {
            Kind::Elements | Kind::Text | Kind::Source | Kind::Verbatim => Ok(Value::None),
            Kind::Boolean => self.boolean(),
            Kind::Number(min, max) => self.number(min, max, ""),
            Kind::Milliseconds(min, max) => self.number(min, max, " ms"),
            Kind::Decimal => self.decimal(),
            Kind::Words(words) => self.word(words, tell),
            Kind::WordsOrMilliseconds(words, max) => self.word_or_time(words, max, tell),
            Kind::WordsOrText(words) => Ok(self.word_or_text(words, tell)),
            Kind::OwnId(part) => {
                let (min, max) = part.range();
                self.number(min, max, "")
            }
            Kind::Id(_) => self
                .id(self.text.trimmed())
                .map(|(id, _)| Value::Number(id)),
            Kind::Ids(_) => Ok(self.ids(tell)),
            Kind::Options(choices) => Ok(self.options(choices, tell)),
            Kind::Condition => self.condition(),
        };
        read.unwrap_or_else(|diagnostic| {
            tell(*diagnostic);
            Value::None
        })
    }

    fn empty(&self) -> Diagnostic {
        let message = format!("{} is empty", self.name);
        let diagnostic = Diagnostic::error(Code::Empty, self.named, message);
        diagnostic.label(format!("needs {}", self.wanted()))
    }

    /// Says what the value has to be.
    fn wanted(&self) -> String {
        match self.kind {
            Kind::Boolean => "`true` or `false`".to_owned(),
            Kind::Words(words) => format!("one of {}", listed(words)),
            Kind::WordsOrMilliseconds(words, _) => {
                format!("a time in milliseconds, or {}", listed(words))
            }
            Kind::Milliseconds(..) => "a time in milliseconds".to_owned(),
            Kind::Number(..) | Kind::Decimal => "a number".to_owned(),
            Kind::OwnId(part) | Kind::Id(part) => format!("the id of {}", part.a_word()),
            Kind::Ids(part) => format!("ids of {}s", part.word()),
            Kind::Condition => "a condition".to_owned(),
            Kind::Options(_) => "options".to_owned(),
            Kind::Elements | Kind::Text | Kind::Source | Kind::Verbatim | Kind::WordsOrText(_) => {
                "a text".to_owned()
            }
        }
    }

    fn error(&self, code: Code, message: String) -> Diagnostic {
        Diagnostic::error(code, self.text.span(), message)
    }

    fn boolean(&self) -> Read {
        let text = self.text.trimmed();
        if text.eq_ignore_ascii_case("true") {
            Ok(Value::Boolean(true))
        } else if text.eq_ignore_ascii_case("false") {
            Ok(Value::Boolean(false))
        } else {
            let message = format!("`{}` is neither true nor false", clipped(text));
            let help = format!("write `true` or `false` in {}", self.name);
            Err(self.error(Code::NotBoolean, message).help(help).into())
        }
    }

    fn number(&self, min: u32, max: u32, unit: &str) -> Read {
        let text = self.text.trimmed();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`{}` is not a whole number", clipped(text));
            let help = bounds(self.name, min, max, unit);
            return Err(self.error(Code::NotNumber, message).help(help).into());
        }
        number_in(text, min, max).map(Value::Number).ok_or_else(|| {
            let message = format!("{} cannot be {}", self.name, clipped(text));
            let help = bounds(self.name, min, max, unit);
            self.error(Code::OutOfRange, message).help(help).into()
        })
    }

    fn decimal(&self) -> Read {
        let text = self.text.trimmed();
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Value::Decimal).ok_or_else(|| {
            let message = format!("`{}` is not a number", clipped(text));
            self.error(Code::NotNumber, message)
                .help("write it as 12.5")
                .into()
        })
    }

    fn found(&self, words: &'static [Word], tell: Tell<'_>) -> Option<Value> {
        let text = self.text.trimmed();
        let word = words
            .iter()
            .find(|word| word.text.eq_ignore_ascii_case(text))?;
        if let Support::Ignored(instead) = word.support {
            let message = format!("`{}` is not supported in {}", word.text, self.name);
            tell(Diagnostic::warning(Code::Ignored, self.text.span(), message).label(instead));
        }
        Some(Value::Word(word.text))
    }

    fn unknown_word(&self, words: &[Word]) -> Diagnostic {
        let text = self.text.trimmed();
        let message = format!("{} cannot be `{}`", self.name, clipped(text));
        let diagnostic = self.error(Code::UnknownWord, message);
        let followed = words
            .iter()
            .filter(|word| word.support == Support::Supported);
        let diagnostic = match self.meant(text, followed.map(|word| word.text)) {
            Some(word) => diagnostic.label(format!("did you mean `{word}`?")),
            None => diagnostic,
        };
        diagnostic.help(format!("it is {}", self.wanted()))
    }

    fn word(&self, words: &'static [Word], tell: Tell<'_>) -> Read {
        self.found(words, tell)
            .ok_or_else(|| self.unknown_word(words).into())
    }

    fn word_or_time(&self, words: &'static [Word], max: u32, tell: Tell<'_>) -> Read {
        match self.found(words, tell) {
            Some(word) => Ok(word),
            None if self
                .text
                .trimmed()
                .starts_with(|c: char| c.is_ascii_digit()) =>
            {
                self.number(1, max, " ms")
            }
            None => Err(self.unknown_word(words).into()),
        }
    }

    fn word_or_text(&self, words: &'static [Word], tell: Tell<'_>) -> Value {
        let found = self.found(words, tell);
        found.unwrap_or_else(|| Value::Text(self.text.trimmed().to_owned()))
    }

    fn id(&self, text: &str) -> Result<(u32, Span), Box<Diagnostic>> {
        let span = self.text.span_of(text);
        number_in(text, 0, u32::MAX)
            .map(|id| (id, span))
            .ok_or_else(|| {
                let message = format!("`{}` is not an id", clipped(text));
                let diagnostic = Diagnostic::error(Code::NotId, span, message);
                diagnostic
                    .help(format!("{} needs {}, a number", self.name, self.wanted()))
                    .into()
            })
    }

    fn ids(&self, tell: Tell<'_>) -> Value {
        let mut ids = Vec::new();
        let parts = self.text.trimmed().split(';').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            match self.id(part) {
                Ok(id) => ids.push(id),
                Err(diagnostic) => tell(*diagnostic),
            }
        }
        Value::Ids(ids)
    }

    fn options(&self, choices: &'static [Choice], tell: Tell<'_>) -> Value {
        let mut options = Vec::new();
        let parts = self.text.trimmed().split(';').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let span = self.text.span_of(part);
            let Some((choice, rest)) = choices.iter().find_map(|choice| choice.split(part)) else {
                tell(self.unknown_option(part, span, choices));
                continue;
            };
            if let Support::Ignored(instead) = choice.support {
                let message = format!(
                    "the option `{}` is not supported in {}",
                    choice.name, self.name
                );
                tell(Diagnostic::warning(Code::Ignored, span, message).label(instead));
                continue;
            }
            let is_text = choice.separator == Some('=');
            match rest.map(|rest| (rest, number_in(rest, 0, u32::MAX))) {
                Some((rest, None)) if !is_text => {
                    let message = format!("`{}` is not a number", clipped(rest));
                    let diagnostic = Diagnostic::error(Code::NotNumber, span, message);
                    tell(diagnostic.help(format!("write `{}`", choice.sample())));
                }
                Some((_, number)) => options.push((choice.name, number, span)),
                None => options.push((choice.name, None, span)),
            }
        }
        Value::Options(options)
    }

    fn unknown_option(&self, part: &str, span: Span, choices: &[Choice]) -> Diagnostic {
        let message = format!("{} has no option `{}`", self.name, clipped(part));
        let diagnostic = Diagnostic::warning(Code::NotOption, span, message);
        let name = part.split([':', '=']).next().unwrap_or(part).trim();
        let diagnostic = match self.meant(name, choices.iter().map(|choice| choice.name)) {
            Some(name) => diagnostic.label(format!("left out; did you mean `{name}`?")),
            None => diagnostic.label("left out"),
        };
        let followed = choices
            .iter()
            .filter(|choice| choice.support == Support::Supported);
        let names: Vec<_> = followed
            .map(|choice| format!("`{}`", choice.sample()))
            .collect();
        diagnostic.help(format!("it has {}", names.join(", ")))
    }

    fn meant<'w>(&self, word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
        self.guesses.then(|| nearest(word, words)).flatten()
    }

    fn condition(&self) -> Read {
        // The text as it stands there, so that offsets are those of the text.
        Condition::parse(self.text.as_str())
            .map(Value::Condition)
            .map_err(|error| {
                let place = self
                    .text
                    .place(error.offset)
                    .min(self.text.place(usize::MAX));
                let span = Span::new(place, place + 1);
                Diagnostic::error(Code::BadCondition, span, "the condition cannot be read")
                    .label(error.message)
                    .into()
            })
    }
}

type Read = Result<Value, Box<Diagnostic>>;

impl Choice {
    /// Gives what stands behind the name, if `part` is this option.
    fn split<'t>(&'static self, part: &'t str) -> Option<(&'static Self, Option<&'t str>)> {
        let head = part.get(..self.name.len())?;
        if !head.eq_ignore_ascii_case(self.name) {
            return None;
        }
        let rest = part.get(self.name.len()..)?.trim_start();
        if rest.is_empty() {
            return Some((self, None));
        }
        match self.separator {
            Some(' ') => Some((self, Some(rest))),
            Some(separator) => Some((self, Some(rest.strip_prefix(separator)?.trim()))),
            None => None,
        }
    }

    /// Shows how the option is written.
    pub(super) fn sample(&self) -> String {
        match self.separator {
            Some(' ') => format!("{} N", self.name),
            Some('=') => format!("{}=...", self.name),
            Some(separator) => format!("{}{separator}N", self.name),
            None => self.name.to_owned(),
        }
    }
}

/// Reads a whole number of digits only, if it is in range.
pub(crate) fn number_in(text: &str, min: u32, max: u32) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number));
    number.filter(|_| is_number)
}

/// Keeps a value of the file from filling the screen.
pub(super) fn clipped(text: &str) -> String {
    let cut = text.floor_char_boundary(CLIPPED_MAX);
    match text.get(..cut) {
        Some(start) if start.len() < text.len() => format!("{start}..."),
        Some(_) | None => text.to_owned(),
    }
}

fn bounds(name: &str, min: u32, max: u32, unit: &str) -> String {
    if max == u32::MAX {
        format!("{name} is a whole number of at least {min}{unit}")
    } else {
        format!("{name} is a whole number from {min} to {max}{unit}")
    }
}

/// The words that are followed, for a message.
fn listed(words: &[Word]) -> String {
    let followed = words
        .iter()
        .filter(|word| word.support == Support::Supported);
    let words: Vec<_> = followed.map(|word| format!("`{}`", word.text)).collect();
    words.join(", ")
}

/// Most bytes of a value that a message repeats.
const CLIPPED_MAX: usize = 40;
