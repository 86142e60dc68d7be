//! Whatever the bytes are, reading ends and says something sensible.

use std::fs;

use bowline_connector::{
    ReadLimits,
    diagnostic::{Diagnostics, Severity},
    read, read_with,
};
use proptest::prelude::*;

use crate::promises::check;

const SAMPLE: &str = include_str!("../data/acme-tank.xml");

/// A piece of a connector that changes what stands around it.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<".to_owned()),
        Just(">".to_owned()),
        Just("\"".to_owned()),
        Just("&".to_owned()),
        Just("&lt;".to_owned()),
        Just("&#x41;".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("]]>".to_owned()),
        Just("<!DOCTYPE a>".to_owned()),
        Just("<?xml?>".to_owned()),
        Just("\u{1f6a2}\u{301}".to_owned()),
        Just("each".to_owned()),
        Just("next param".to_owned()),
        Just("4294967296".to_owned()),
        Just("-1".to_owned()),
        (0_u32..70_000).prop_map(|number| number.to_string()),
        any::<String>(),
    ]
}

/// The sample with pieces put in place of others.
fn changed() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_usize..40, piece());
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut text = SAMPLE.to_owned();
        for (place, length, piece) in changes {
            let start = text.floor_char_boundary(place.index(text.len()));
            let end = text.ceil_char_boundary(start + length);
            text.replace_range(start..end, &piece);
        }
        text
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_the_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }

    #[test]
    fn any_text_of_markup_is_read_to_the_end(pieces in prop::collection::vec(piece(), 0..40)) {
        check(pieces.concat().as_bytes());
        check(format!("<Params>{}</Params>", pieces.concat()).as_bytes());
    }

    #[test]
    fn a_changed_connector_is_read_to_the_end(text in changed()) {
        check(text.as_bytes());
    }

    #[test]
    fn a_cut_connector_is_an_error(end in 30..SAMPLE.len() - 12) {
        let reading = read("cut.xml", SAMPLE.get(..end).unwrap().as_bytes());
        prop_assert_eq!(reading.diagnostics.count(Severity::Error), 1);
        prop_assert!(reading.plan.is_none());
    }
}

#[test]
fn what_passes_a_bound_is_refused_and_what_meets_it_is_not() {
    let limits = ReadLimits {
        size_max: 200,
        depth_max: 3,
        element_count_max: 4,
        attribute_count_max: 2,
    };
    let is_read = |text: &str| read_with("a.xml", text.as_bytes(), &limits).plan.is_some();
    assert!(is_read("<Params/><!-- -->"));
    assert!(!is_read(&format!("<Params/>{}", " ".repeat(200))));
    assert!(is_read("<Params><A><B/></A></Params>"));
    assert!(!is_read("<Params><A><B><C/></B></A></Params>"));
    assert!(is_read("<Params><A/><A/><A/></Params>"));
    assert!(!is_read("<Params><A/><A/><A/><A/></Params>"));
    assert!(is_read("<Params a='' b=''/>"));
    assert!(!is_read("<Params a='' b='' c=''/>"));
}

#[test]
fn a_file_that_is_all_wrong_is_told_of_in_bounds() {
    let text = format!("<Params>{}</Params>", "<Param idd='x'/>".repeat(3000));
    let reading = read("a.xml", text.as_bytes());
    assert_eq!(reading.diagnostics.iter().count(), Diagnostics::COUNT_MAX);
    assert_eq!(reading.diagnostics.count(Severity::Error), 9000);
    assert_eq!(reading.diagnostics.count(Severity::Warning), 3000);
    // Errors take the place of warnings.
    assert!(
        reading
            .diagnostics
            .iter()
            .all(|one| one.severity == Severity::Error)
    );
}

#[test]
fn inputs_that_fuzzing_found_keep_the_promises() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/connector");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let data = fs::read(&path).unwrap();
        let replayed = std::panic::catch_unwind(|| check(&data));
        assert!(replayed.is_ok(), "{} breaks a promise", path.display());
        count += 1;
    }
    assert!(count >= 12, "{count} inputs");
}
