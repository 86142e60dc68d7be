//! The reference page of the format, from the table.

use std::fmt::Write as _;

use crate::diagnostic::Code;

use super::{
    row::{Choice, Kind, Occurs, Support, Word},
    shape::Shape,
};

/// Writes the reference page: every element and attribute, whether Bowline does what it says, and
/// what it means. Markdown.
pub fn reference_page() -> String {
    let mut page = PREFACE.to_owned();
    let protocol = Shape::protocol();
    page += &section("Protocol", protocol, |shape| {
        !LATER.contains(&shape.name) && shape.elements.is_empty()
    });
    for name in LATER {
        let shape = protocol.inner(name);
        page += &section(&shape.path, shape, |_| true);
    }
    page + rules().as_str()
}

fn rules() -> String {
    let mut out = RULES.to_owned();
    for code in Code::ALL {
        // Writing to a string cannot fail.
        let _written = writeln!(out, "| {code} | `{}` | {} |", code.slug(), code.meaning());
    }
    out
}

fn section(title: &str, shape: &Shape, takes: impl Fn(&Shape) -> bool) -> String {
    let mut out = format!("\n## {title}\n\n{}.\n\n", capital(shape.row.meaning));
    out += "| element or attribute | value | support | meaning |\n|---|---|---|---|\n";
    for attribute in &shape.attributes {
        out += &row(attribute, &shape.path);
    }
    for inner in shape.elements.iter().filter(|inner| takes(inner)) {
        rows(&mut out, inner, &shape.path);
    }
    out
}

fn rows(out: &mut String, shape: &Shape, base: &str) {
    *out += &row(shape, base);
    for attribute in &shape.attributes {
        *out += &row(attribute, base);
    }
    for inner in &shape.elements {
        rows(out, inner, base);
    }
}

fn row(shape: &Shape, base: &str) -> String {
    let path = shape.path.strip_prefix(base).unwrap_or(&shape.path);
    let path = path.strip_prefix('/').unwrap_or(path);
    let needed = if shape.row.occurs == Occurs::Needed {
        ", needed"
    } else {
        ""
    };
    let many = if shape.row.occurs == Occurs::Many {
        ", any number"
    } else {
        ""
    };
    format!(
        "| `{path}` | {}{needed}{many} | {} | {} |\n",
        kind(shape.row.kind),
        support(shape.row.support),
        shape.row.meaning,
    )
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Elements => "elements".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Verbatim => "text as it stands".to_owned(),
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Number(min, u32::MAX) => format!("number from {min}"),
        Kind::Number(min, max) => format!("number, {min} to {max}"),
        Kind::Decimal => "number".to_owned(),
        Kind::Milliseconds(min, u32::MAX) => format!("milliseconds from {min}"),
        Kind::Milliseconds(min, max) => format!("milliseconds, {min} to {max}"),
        Kind::Words(words) => listed(words),
        Kind::WordsOrMilliseconds(words, max) => {
            format!("milliseconds, 1 to {max}, or {}", listed(words))
        }
        Kind::WordsOrText(words) => format!("{}, or text", listed(words)),
        Kind::OwnId(part) => {
            let (min, max) = part.range();
            format!("id, {min} to {max}")
        }
        Kind::Id(part) => format!("id of {}", part.a_word()),
        Kind::Ids(part) => format!("ids of {}s, separated by `;`", part.word()),
        Kind::Source => "text, or the id of a parameter".to_owned(),
        Kind::Options(choices) => options(choices),
        Kind::Condition => "condition".to_owned(),
    }
}

/// Lists words: those that are followed, then the others by what is done instead.
fn listed(words: &[Word]) -> String {
    let mut groups: Vec<(Support, Vec<String>)> = Vec::new();
    for word in words {
        let text = format!("`{}`", word.text);
        match groups
            .iter_mut()
            .find(|(support, _)| *support == word.support)
        {
            Some((_, texts)) => texts.push(text),
            None => groups.push((word.support, vec![text])),
        }
    }
    let groups = groups.into_iter().map(|(support, texts)| {
        let texts = texts.join(", ");
        match support {
            Support::Supported | Support::Descriptive => texts,
            Support::Ignored(instead) => format!("ignored: {texts}: {instead}"),
            Support::Refused(why) => format!("refused: {texts}: {why}"),
        }
    });
    groups.collect::<Vec<_>>().join("; ")
}

fn options(choices: &[Choice]) -> String {
    let all = choices.iter().map(|choice| match choice.support {
        Support::Supported | Support::Descriptive => {
            format!("`{}`: {}", choice.sample(), choice.meaning)
        }
        Support::Ignored(instead) => format!("`{}` (ignored: {instead})", choice.sample()),
        Support::Refused(why) => format!("`{}` (refused: {why})", choice.sample()),
    });
    format!(
        "options, separated by `;`: {}",
        all.collect::<Vec<_>>().join("; ")
    )
}

fn support(support: Support) -> String {
    match support {
        Support::Supported => "supported".to_owned(),
        Support::Descriptive => "descriptive".to_owned(),
        Support::Ignored(instead) => format!("ignored with a warning: {instead}"),
        Support::Refused(why) => format!("refused: {why}"),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The sections after that of the connector itself.
const LATER: [&str; 13] = [
    "Connections",
    "HTTP",
    "Params",
    "Commands",
    "Responses",
    "Pairs",
    "Groups",
    "Triggers",
    "Actions",
    "Timers",
    "QActions",
    "PortSettings",
    "ElementOptions",
];

const PREFACE: &str = "\
# The connector format

Every element and attribute that `bowline check` knows, and what Bowline does with it. This page is
made from the table that the reader itself uses.

The elements may be of the namespace `http://www.skyline.be/protocol`, under any prefix, or of none.
Elements inside another may come in any order. A file may also hold parts alone, without what
stands around them: one or more of `Connection`, `Session`, `Param`, `Command`, `Response`, `Pair`,
`Group`, `Trigger`, `Action`, `Timer`, `QAction`, or the elements that contain them.

- *supported*: Bowline does what it says.
- *descriptive*: it tells something to people or to other programs; no effect here, and no warning.
- *ignored with a warning*: Bowline does something else, which the warning and this page name.
- *refused*: an error; such a connector does not run.

What stands nowhere on this page is left out with a warning that names what was perhaps meant.
";

const RULES: &str = "
## Diagnostics

What `bowline check` says begins with one of these. A number never changes its meaning.

| code | name | about |
|---|---|---|
";
