//! Reads conditions.

use super::{
    CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX, ConditionError, Family, Operator, ParameterId, Step,
};

/// Turns the text of a condition into its program.
pub(super) fn program(text: &str) -> Result<Vec<Step>, ConditionError> {
    if text.len() > CONDITION_BYTES_MAX {
        return Err(error(
            CONDITION_BYTES_MAX,
            format!("a condition has at most {CONDITION_BYTES_MAX} bytes"),
        ));
    }
    let mut parser = Parser {
        text,
        offset: 0,
        depth: 0,
        steps: Vec::new(),
    };
    let operand = parser.expression(0)?;
    parser.skip_blanks();
    if parser.offset < text.len() {
        return Err(parser.unexpected());
    }
    expect_truth(operand)?;
    Ok(parser.steps)
}

/// What is known of an operand when it is read.
#[derive(Clone, Copy)]
struct Known {
    kind: Kind,
    offset: usize,
}

/// The type of an operand, as far as the text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Text,
    /// `empty` or `emptystring`.
    Nothing,
    /// A parameter's, known when it is looked at.
    Any,
}

struct Parser<'t> {
    text: &'t str,
    offset: usize,
    depth: usize,
    steps: Vec<Step>,
}

impl<'t> Parser<'t> {
    fn expression(&mut self, binding_min: u8) -> Result<Known, ConditionError> {
        let mut left = self.operand()?;
        while let Some((operator, length)) = self.operator()? {
            if operator.binding() <= binding_min {
                break;
            }
            let offset = self.offset;
            self.offset += length;
            let right = self.expression(operator.binding())?;
            left = Known {
                kind: combine(operator, offset, left, right)?,
                offset: left.offset,
            };
            self.steps.push(Step::Apply(operator));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Known, ConditionError> {
        self.skip_blanks();
        let offset = self.offset;
        let rest = self.rest();
        let kind = match rest.chars().next() {
            None => {
                return Err(error(
                    offset,
                    "the condition ends where a value is missing".to_owned(),
                ));
            }
            Some('(') => self.bracketed()?,
            Some('"') => self.quoted()?,
            Some(first) if first.is_ascii_alphabetic() => self.word()?,
            Some(first) if first.is_ascii_digit() || matches!(first, '.' | '-' | '+') => {
                self.number()?
            }
            Some(_) => return Err(self.unexpected()),
        };
        Ok(Known { kind, offset })
    }

    fn bracketed(&mut self) -> Result<Kind, ConditionError> {
        let opened = self.offset;
        if self.depth == CONDITION_DEPTH_MAX {
            return Err(error(
                opened,
                format!("brackets are at most {CONDITION_DEPTH_MAX} deep"),
            ));
        }
        self.depth += 1;
        self.offset += 1;
        let inner = self.expression(0)?;
        self.skip_blanks();
        if !self.rest().starts_with(')') {
            return Err(if self.rest().is_empty() {
                error(opened, "this bracket is never closed: add )".to_owned())
            } else {
                self.unexpected()
            });
        }
        self.offset += 1;
        self.depth -= 1;
        Ok(inner.kind)
    }

    fn quoted(&mut self) -> Result<Kind, ConditionError> {
        let opened = self.offset;
        let inner = self.rest().strip_prefix('"').unwrap_or_default();
        let Some((text, _)) = inner.split_once('"') else {
            return Err(error(
                opened,
                "this text is never closed: add a quotation mark".to_owned(),
            ));
        };
        self.steps.push(Step::Text(text.to_owned()));
        self.offset += text.len() + 2;
        Ok(Kind::Text)
    }

    fn word(&mut self) -> Result<Kind, ConditionError> {
        let offset = self.offset;
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        match word {
            "id" => self.parameter(offset),
            "empty" => {
                self.steps.push(Step::Empty);
                Ok(Kind::Nothing)
            }
            "emptystring" => {
                self.steps.push(Step::EmptyText);
                Ok(Kind::Nothing)
            }
            "AND" | "OR" => Err(error(offset, format!("{word} lacks what stands before it"))),
            _ => Err(error(
                offset,
                format!(
                    "{word:.40} is no value: write \"{word:.40}\" for a text, id:N for a parameter"
                ),
            )),
        }
    }

    fn parameter(&mut self, offset: usize) -> Result<Kind, ConditionError> {
        let Some(digits) = self.rest().strip_prefix(':') else {
            return Err(error(
                offset,
                "a parameter is written id:N, without blanks".to_owned(),
            ));
        };
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        self.offset += 1;
        let digits = self.take(length);
        if digits.is_empty() {
            return Err(error(
                self.offset,
                "the number of the parameter is missing: write id:N, without blanks".to_owned(),
            ));
        }
        let Ok(id) = digits.parse() else {
            return Err(error(
                offset,
                "no parameter has so great a number".to_owned(),
            ));
        };
        let id = ParameterId(id);
        self.steps.push(Step::Parameter { id, offset });
        Ok(Kind::Any)
    }

    fn number(&mut self) -> Result<Kind, ConditionError> {
        let offset = self.offset;
        let mut last = ' ';
        let sign = usize::from(self.rest().starts_with(['-', '+']));
        let mut length = sign;
        for character in self.rest().chars().skip(sign) {
            let is_exponent_sign = matches!(character, '-' | '+') && matches!(last, 'e' | 'E');
            if !(character.is_ascii_alphanumeric() || character == '.' || is_exponent_sign) {
                break;
            }
            length += 1;
            last = character;
        }
        let digits = self.take(length);
        // The parser of the library also knows words such as "inf".
        let is_number = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
        match digits.parse() {
            Ok(number) if is_number => {
                self.steps.push(Step::Number(number));
                Ok(Kind::Number)
            }
            _ => Err(error(offset, format!("{digits:.40} is no number"))),
        }
    }

    /// Looks at the operator that comes next, without taking it; none where an expression ends.
    fn operator(&mut self) -> Result<Option<(Operator, usize)>, ConditionError> {
        self.skip_blanks();
        let rest = self.rest();
        if rest.is_empty() || rest.starts_with(')') {
            return Ok(None);
        }
        for (spelling, operator) in OPERATORS {
            if let Some(behind) = rest.strip_prefix(spelling) {
                let runs_on = spelling.starts_with(|c: char| c.is_ascii_alphabetic())
                    && behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                if !runs_on {
                    return Ok(Some((*operator, spelling.len())));
                }
            }
        }
        for (spelling, right) in MISSPELLINGS {
            if rest.starts_with(spelling) {
                return Err(error(self.offset, format!("write {right}, not {spelling}")));
            }
        }
        Err(self.unexpected())
    }

    fn unexpected(&self) -> ConditionError {
        match self.rest().chars().next() {
            None => error(self.offset, "the condition ends too early".to_owned()),
            Some(')') => error(self.offset, "this bracket was never opened".to_owned()),
            Some(other) => error(
                self.offset,
                format!("{other:?} is neither an operator nor a value here"),
            ),
        }
    }

    fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.take(length)
    }

    fn take(&mut self, length: usize) -> &'t str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.offset += taken.len();
        taken
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.offset..).unwrap_or_default()
    }
}

/// Says what an operator makes of two operands.
fn combine(
    operator: Operator,
    offset: usize,
    left: Known,
    right: Known,
) -> Result<Kind, ConditionError> {
    let family = operator.family();
    if family == Family::Logic {
        expect_truth(left)?;
        expect_truth(right)?;
        return Ok(Kind::Truth);
    }
    for operand in [left, right] {
        let complaint = match (family, operand.kind) {
            (_, Kind::Truth) => "a comparison is no value: join comparisons with AND or OR",
            (Family::Order | Family::Sum | Family::Arithmetic, Kind::Nothing) => {
                "what is empty can only be compared with == and !="
            }
            (Family::Arithmetic, Kind::Text) => "this operator takes numbers, not text",
            _ => continue,
        };
        return Err(error(operand.offset, complaint.to_owned()));
    }
    match (family, left.kind, right.kind) {
        (Family::Equality | Family::Order, _, _) => Ok(Kind::Truth),
        (Family::Sum, Kind::Text, Kind::Number) | (Family::Sum, Kind::Number, Kind::Text) => {
            Err(error(
                offset,
                "+ takes two numbers or two texts, not one of each".to_owned(),
            ))
        }
        (Family::Sum, Kind::Text, _) | (Family::Sum, _, Kind::Text) => Ok(Kind::Text),
        (Family::Sum, Kind::Any, Kind::Any) => Ok(Kind::Any),
        _ => Ok(Kind::Number),
    }
}

fn expect_truth(operand: Known) -> Result<(), ConditionError> {
    if operand.kind == Kind::Truth {
        return Ok(());
    }
    Err(error(
        operand.offset,
        "a value alone is no condition: compare it, for example with ==".to_owned(),
    ))
}

fn error(offset: usize, message: String) -> ConditionError {
    ConditionError { offset, message }
}

/// How operators are written; the longer ones first.
const OPERATORS: &[(&str, Operator)] = &[
    ("AND", Operator::And),
    ("OR", Operator::Or),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("+", Operator::Add),
    ("-", Operator::Subtract),
    ("*", Operator::Multiply),
    ("/", Operator::Divide),
    ("&", Operator::BitAnd),
    ("|", Operator::BitOr),
    ("^", Operator::BitXor),
];

/// How operators are often written in other languages.
const MISSPELLINGS: &[(&str, &str)] = &[("=", "=="), ("and", "AND"), ("or", "OR")];
