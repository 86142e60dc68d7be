//! The condition language, also against a naive model of it.

use std::collections::BTreeMap;

use bowline_connector::{
    machine::Value,
    plan::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX, Condition, ParameterId},
};
use bytes::Bytes;
use proptest::prelude::*;

#[test]
fn examples_of_the_format_hold_or_do_not() {
    let values = values();
    for (text, expected) in [
        ("(id:20 == 1)", true),
        ("id:20==1", true),
        ("(id:20 == 1 AND id:21 == 0)", true),
        ("id:20 == 2 OR id:21 == 0", true),
        ("id:20 == 2 AND id:21 == 0 OR id:20 == 1", true),
        ("id:20 == 1 OR id:20 == 1 AND id:20 == 2", true),
        ("( ( id:20 == 1 OR id:20 == 1 ) AND id:20 == 2 )", false),
        ("id:30 == \"Active\"", true),
        ("id:30 == \"active\"", false),
        ("id:30 > \"Aa\"", true),
        ("(id:20 + id:22) == 24", true),
        ("id:20 + id:22 * 2 == 47", true),
        ("id:22 / 2 - 1.5 - 10 == 0", true),
        ("(id:22 & 16) == 16", true),
        ("id:22 & 16 == 16", true),
        ("3.9 | 4.9 == 7", true),
        ("(3.9 | 4.9) == 7", true),
        ("(6 ^ 3) == 5", true),
        ("id:31 + \"+\" == \"7+\"", true),
        ("id:40 == empty", true),
        ("empty != id:20", true),
        ("id:40 == emptystring", true),
        ("id:41 == empty", false),
        ("id:41 == emptystring", true),
        ("id:41 == \"\"", true),
        ("id:40 == \"\"", false),
        ("id:40 == 0", false),
        ("id:40 != 0", true),
        ("id:40 < 1", false),
        ("id:40 + 1 == 1", false),
        ("id:31 == 7", true),
        ("id:31 == 7.0", true),
        ("id:31 > 10", false),
        ("id:31 > \"10\"", true),
        ("id:30 == 1", false),
        ("id:30 != 1", true),
        ("id:20 > -1e3", true),
        ("1 / 0 > 1e300", true),
        ("0 / 0 == 0 / 0", false),
        ("id:99 == empty", true),
    ] {
        assert_eq!(holds(text, &values), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, offset, message) in WRONG {
        let error = Condition::parse(text).unwrap_err();
        assert_eq!(
            (error.offset, error.message.as_str()),
            (*offset, *message),
            "{text}"
        );
    }
}

#[test]
fn brackets_and_length_are_bounded() {
    let deep = |depth: usize| format!("{}1 == 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Condition::parse(&deep(CONDITION_DEPTH_MAX)).is_ok());
    assert!(Condition::parse(&deep(CONDITION_DEPTH_MAX + 1)).is_err());
    let mut long = "1+".repeat(CONDITION_BYTES_MAX / 2 - 4);
    long.push_str("1 > 0");
    assert!(holds(&long, &BTreeMap::new()));
    long.push_str(&" ".repeat(10));
    assert!(Condition::parse(&long).is_err());
}

#[test]
fn parameters_are_told_with_their_places() {
    let condition = Condition::parse("(id:20 == 1 AND id:7 != id:20)").unwrap();
    let found: Vec<_> = condition.parameters().collect();
    assert_eq!(
        found,
        [
            (ParameterId(20), 1),
            (ParameterId(7), 16),
            (ParameterId(20), 24)
        ]
    );
    assert_eq!(condition.text(), "(id:20 == 1 AND id:7 != id:20)");
}

fn values() -> BTreeMap<u32, Value> {
    let text = |text: &'static str| Value::Bytes(Bytes::from_static(text.as_bytes()));
    BTreeMap::from([
        (20, Value::Number(1.0)),
        (21, Value::Number(0.0)),
        (22, Value::Number(23.0)),
        (30, text("Active")),
        (31, text("7")),
        (40, Value::Empty),
        (41, text("")),
    ])
}

fn holds(text: &str, values: &BTreeMap<u32, Value>) -> bool {
    let condition = Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    condition.holds(|id| values.get(&id.0).unwrap_or(&Value::Empty))
}

/// A condition as a tree, printed with no more brackets than it needs, or with some more.
#[derive(Clone, Debug)]
enum Tree {
    Parameter(u32),
    Number(i16),
    Word(&'static str),
    Empty,
    EmptyText,
    Node(&'static str, Box<(Self, Self)>),
    Bracketed(Box<Self>),
}

impl Tree {
    fn print(&self) -> String {
        match self {
            Self::Parameter(id) => format!("id:{id}"),
            Self::Number(number) => number.to_string(),
            Self::Word(word) => format!("\"{word}\""),
            Self::Empty => "empty".to_owned(),
            Self::EmptyText => "emptystring".to_owned(),
            Self::Bracketed(inner) => format!("({})", inner.print()),
            Self::Node(operator, sides) => {
                let rank = rank(operator);
                let side = |tree: &Self, is_right: bool| {
                    let text = tree.print();
                    let rank_min = rank + u8::from(is_right);
                    let is_looser =
                        matches!(tree, Self::Node(inner, _) if self::rank(inner) < rank_min);
                    if is_looser {
                        format!("( {text} )")
                    } else {
                        text
                    }
                };
                format!(
                    "{} {operator} {}",
                    side(&sides.0, false),
                    side(&sides.1, true)
                )
            }
        }
    }

    fn evaluate(&self, values: &BTreeMap<u32, Value>) -> Model {
        match self {
            Self::Parameter(id) => match values.get(id) {
                Some(Value::Number(number)) => Model::Number(*number),
                Some(Value::Bytes(bytes)) => {
                    Model::Text(String::from_utf8(bytes.to_vec()).unwrap())
                }
                Some(Value::Empty) | None => Model::Nothing { or_text: false },
            },
            Self::Number(number) => Model::Number(f64::from(*number)),
            Self::Word(word) => Model::Text((*word).to_owned()),
            Self::Empty => Model::Nothing { or_text: false },
            Self::EmptyText => Model::Nothing { or_text: true },
            Self::Bracketed(inner) => inner.evaluate(values),
            Self::Node(operator, sides) => {
                model(operator, sides.0.evaluate(values), sides.1.evaluate(values))
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Model {
    Truth(bool),
    Number(f64),
    Text(String),
    Nothing { or_text: bool },
}

impl Model {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Truth(_) | Self::Nothing { .. } => None,
        }
    }
}

fn model(operator: &str, left: Model, right: Model) -> Model {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let numbers = left.number().zip(right.number());
    let order = match (&left, &right) {
        (Model::Text(left), Model::Text(right)) => Some(left.cmp(right)),
        _ => numbers.and_then(|(left, right)| left.partial_cmp(&right)),
    };
    let nothing = match (&left, &right) {
        (Model::Nothing { or_text: true }, other) | (other, Model::Nothing { or_text: true }) => {
            Some(matches!(other, Model::Nothing { .. }) || *other == Model::Text(String::new()))
        }
        (Model::Nothing { .. }, other) | (other, Model::Nothing { .. }) => {
            Some(matches!(other, Model::Nothing { .. }))
        }
        _ => None,
    };
    let is_equal = nothing.unwrap_or_else(|| order == Some(Equal));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "small numbers"
    )]
    let bits = |combine: fn(i64, i64) -> i64| {
        numbers.map_or(Model::Nothing { or_text: false }, |(left, right)| {
            Model::Number(combine(left.floor() as i64, right.floor() as i64) as f64)
        })
    };
    let sum = |combine: fn(f64, f64) -> f64| {
        numbers.map_or(Model::Nothing { or_text: false }, |(left, right)| {
            Model::Number(combine(left, right))
        })
    };
    match operator {
        "OR" => Model::Truth(left == Model::Truth(true) || right == Model::Truth(true)),
        "AND" => Model::Truth(left == Model::Truth(true) && right == Model::Truth(true)),
        "==" => Model::Truth(is_equal),
        "!=" => Model::Truth(!is_equal),
        "<" => Model::Truth(order == Some(Less)),
        ">" => Model::Truth(order == Some(Greater)),
        "<=" => Model::Truth(matches!(order, Some(Less | Equal))),
        ">=" => Model::Truth(matches!(order, Some(Greater | Equal))),
        "|" => bits(|left, right| left | right),
        "^" => bits(|left, right| left ^ right),
        "&" => bits(|left, right| left & right),
        "+" => match (left, right) {
            (Model::Text(left), Model::Text(right)) => Model::Text(left + right.as_str()),
            _ => sum(|left, right| left + right),
        },
        "-" => sum(|left, right| left - right),
        "*" => sum(|left, right| left * right),
        "/" => sum(|left, right| left / right),
        other => unreachable!("{other}"),
    }
}

fn rank(operator: &str) -> u8 {
    [
        &["OR"][..],
        &["AND"],
        &["==", "!="],
        &["<", ">", "<=", ">="],
        &["|"],
        &["^"],
        &["&"],
        &["+", "-"],
        &["*", "/"],
    ]
    .iter()
    .position(|row| row.contains(&operator))
    .map_or(0, |row| u8::try_from(row).unwrap())
}

/// Numbers and parameters, joined by what takes and gives numbers.
fn number() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (18_u32..44).prop_map(Tree::Parameter),
        any::<i16>().prop_map(Tree::Number),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        let operator = prop::sample::select(vec!["|", "^", "&", "+", "-", "*", "/"]);
        prop_oneof![
            4 => (operator, inner.clone(), inner.clone())
                .prop_map(|(operator, a, b)| Tree::Node(operator, Box::new((a, b)))),
            1 => inner.prop_map(|inner| Tree::Bracketed(Box::new(inner))),
        ]
    })
}

fn comparison() -> impl Strategy<Value = Tree> {
    let word = prop::sample::select(vec!["", "Active", "7", "a AND b", "("]).prop_map(Tree::Word);
    let order = prop::sample::select(vec!["==", "!=", "<", ">", "<=", ">="]);
    let equality = prop::sample::select(vec!["==", "!="]);
    let nothing = prop_oneof![Just(Tree::Empty), Just(Tree::EmptyText)];
    let plain = prop_oneof![(18_u32..44).prop_map(Tree::Parameter), word.clone()];
    prop_oneof![
        (order.clone(), number(), number())
            .prop_map(|(operator, a, b)| Tree::Node(operator, Box::new((a, b)))),
        (order, plain.clone(), word)
            .prop_map(|(operator, a, b)| Tree::Node(operator, Box::new((a, b)))),
        (equality, plain, nothing)
            .prop_map(|(operator, a, b)| Tree::Node(operator, Box::new((a, b)))),
    ]
}

fn condition() -> impl Strategy<Value = Tree> {
    comparison().prop_recursive(4, 24, 2, |inner| {
        let operator = prop::sample::select(vec!["AND", "OR"]);
        prop_oneof![
            4 => (operator, inner.clone(), inner.clone())
                .prop_map(|(operator, a, b)| Tree::Node(operator, Box::new((a, b)))),
            1 => inner.prop_map(|inner| Tree::Bracketed(Box::new(inner))),
        ]
    })
}

/// Wrong conditions, where they are wrong, and what is said of it.
const WRONG: &[(&str, usize, &str)] = &[
    ("", 0, "the condition ends where a value is missing"),
    ("id:1 ==", 7, "the condition ends where a value is missing"),
    ("id:1 = 1", 5, "write ==, not ="),
    ("id:1 == 1 and id:2 == 2", 10, "write AND, not and"),
    ("(id:1 == 1", 0, "this bracket is never closed: add )"),
    ("id:1 == 1)", 9, "this bracket was never opened"),
    (
        "id:1 == \"a",
        8,
        "this text is never closed: add a quotation mark",
    ),
    (
        "id: 1 == 1",
        3,
        "the number of the parameter is missing: write id:N, without blanks",
    ),
    (
        "id 1 == 1",
        0,
        "a parameter is written id:N, without blanks",
    ),
    (
        "id:99999999999 == 1",
        0,
        "no parameter has so great a number",
    ),
    (
        "id:1 == Active",
        8,
        "Active is no value: write \"Active\" for a text, id:N for a parameter",
    ),
    ("id:1 == 12a", 8, "12a is no number"),
    (
        "id:1 == #",
        8,
        "'#' is neither an operator nor a value here",
    ),
    (
        "id:1",
        0,
        "a value alone is no condition: compare it, for example with ==",
    ),
    (
        "id:1 == 1 AND id:2",
        14,
        "a value alone is no condition: compare it, for example with ==",
    ),
    ("AND id:1 == 1", 0, "AND lacks what stands before it"),
    (
        "(id:1 == 1) + 1 == 2",
        0,
        "a comparison is no value: join comparisons with AND or OR",
    ),
    (
        "id:1 < empty",
        7,
        "what is empty can only be compared with == and !=",
    ),
    ("\"a\" * 2 == 2", 0, "this operator takes numbers, not text"),
    (
        "\"a\" + 2 == 2",
        4,
        "+ takes two numbers or two texts, not one of each",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_condition_is_read_and_holds_as_its_tree_does(tree in condition()) {
        let values = values();
        let text = tree.print();
        let expected = tree.evaluate(&values) == Model::Truth(true);
        prop_assert_eq!(holds(&text, &values), expected, "{}", text);
    }

    #[test]
    fn no_text_makes_reading_panic_and_errors_point_into_it(text in "[ -~é\\n]{0,60}") {
        if let Err(error) = Condition::parse(&text) {
            prop_assert!(error.offset <= text.len());
        }
    }

    #[test]
    fn no_row_of_tokens_makes_reading_panic(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "id:1", "\"a\"", "1", "empty", "emptystring", "(", ")", "AND", "OR", "==", "<",
                "+", "-", "&", "id:", "=",
            ]),
            0..20,
        )
    ) {
        let text = tokens.join(" ");
        if let Ok(condition) = Condition::parse(&text) {
            condition.holds(|_| &Value::Empty);
        }
    }
}
