//! Topics and filters as tables.

use bowline_bus::{Topic, TopicError, TopicFilter, TopicLimits};

fn topic(text: &str) -> Topic {
    Topic::parse(text, &TopicLimits::default()).unwrap()
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::parse(text, &TopicLimits::default()).unwrap()
}

#[test]
fn texts_that_are_topics() {
    for text in [
        "a",
        "/",
        "a/",
        "/a",
        "a//b",
        "$SYS/x",
        "teplota/\u{10d}idlo",
        "a b",
        " ",
    ] {
        assert_eq!(
            Topic::parse(text, &TopicLimits::default())
                .map(|t| t.to_string())
                .as_deref(),
            Ok(text)
        );
    }
}

#[test]
fn texts_that_are_no_topics() {
    let long = "x/".repeat(600);
    let long_level = "x".repeat(129);
    let deep = "/".repeat(32);
    for (text, error) in [
        ("", TopicError::Empty),
        ("a\0b", TopicError::Nul),
        ("a/+", TopicError::Wildcard),
        ("a+", TopicError::Wildcard),
        ("#", TopicError::Wildcard),
        (
            &long,
            TopicError::TooLong {
                length: 1200,
                max: 1024,
            },
        ),
        (
            &long_level,
            TopicError::LevelTooLong {
                length: 129,
                max: 128,
            },
        ),
        (&deep, TopicError::TooManyLevels { max: 32 }),
    ] {
        assert_eq!(
            Topic::parse(text, &TopicLimits::default()),
            Err(error),
            "{text:?}"
        );
    }
}

#[test]
fn a_topic_at_each_limit_is_one() {
    let limits = TopicLimits {
        length_max: 7,
        level_length_max: 3,
        levels_max: 2,
    };
    assert!(Topic::parse("abc/def", &limits).is_ok());
    assert!(TopicFilter::parse("abc/#", &limits).is_ok());
    for text in ["abcd/d", "a/b/c", "abc/defg"] {
        assert!(Topic::parse(text, &limits).is_err(), "{text}");
        assert!(TopicFilter::parse(text, &limits).is_err(), "{text}");
    }
}

#[test]
fn texts_that_are_no_filters() {
    for (text, error) in [
        ("", TopicError::Empty),
        ("a/\0", TopicError::Nul),
        ("a/#/b", TopicError::HashNotLast),
        ("#/", TopicError::HashNotLast),
        ("a#", TopicError::HashNotLast),
        ("a/b#", TopicError::HashNotLast),
        ("#+", TopicError::HashNotLast),
        ("a+/b", TopicError::PlusInsideLevel),
        ("++", TopicError::PlusInsideLevel),
    ] {
        assert_eq!(
            TopicFilter::parse(text, &TopicLimits::default()),
            Err(error),
            "{text:?}"
        );
    }
}

#[test]
fn what_filters_select() {
    for (filter_text, selected, not_selected) in [
        ("a", &["a"][..], &["b", "a/", "a/b", "A", "/a"][..]),
        ("a/b", &["a/b"], &["a", "a/b/c", "a/bc"]),
        ("+", &["a", "b c"], &["a/b", "/a", "$a"]),
        ("a/+", &["a/b", "a/", "a/$b"], &["a", "a/b/c", "ab"]),
        ("+/b", &["a/b", "/b"], &["b", "a/b/", "$SYS/b"]),
        ("+/+", &["a/b", "/"], &["a", "a/b/c"]),
        ("#", &["a", "a/b", "/", "a/$b"], &["$a", "$SYS/x"]),
        ("a/#", &["a", "a/", "a/b", "a/b/c"], &["ab", "b/a", "A/b"]),
        ("a/+/#", &["a/b", "a/b/c"], &["a", "b/a"]),
        ("+/#", &["a", "a/b"], &["$a/b"]),
        ("$SYS/#", &["$SYS", "$SYS/x"], &["SYS/x"]),
        ("$SYS/+", &["$SYS/x"], &["$SYS", "$SYS/x/y"]),
        ("\u{10d}/+", &["\u{10d}/\u{17e}"], &["c/z"]),
    ] {
        for text in selected {
            assert!(
                filter(filter_text).matches(&topic(text)),
                "{filter_text} {text}"
            );
        }
        for text in not_selected {
            assert!(
                !filter(filter_text).matches(&topic(text)),
                "{filter_text} {text}"
            );
        }
    }
}
