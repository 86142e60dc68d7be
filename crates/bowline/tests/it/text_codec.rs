//! Text in EBCDIC: both code pages, there and back.

use std::sync::Arc;

use bowline::text_codec::{CodePage, Ebcdic, Newline, TextCodec, TextCodecError, Unmappable, Utf8};

fn every_byte() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

#[test]
fn code_pages_agree_with_the_published_tables() {
    for (code_page, name, published) in [
        (CodePage::Cp037, "IBM037", CP037),
        (CodePage::Cp1047, "IBM1047", CP1047),
    ] {
        let codec = Ebcdic::new(code_page);
        assert_eq!(codec.name(), name);
        let bytes = every_byte();
        let text = codec.encode(&bytes).unwrap();
        for (byte, (ours, theirs)) in text.chars().zip(published.chars()).enumerate() {
            assert_eq!(ours, theirs, "{name} 0x{byte:02X}");
        }
        assert_eq!(text, published);
    }
}

#[test]
fn every_byte_comes_back() {
    for code_page in [CodePage::Cp037, CodePage::Cp1047] {
        for newline in [Newline::LineFeed, Newline::NextLine] {
            let codec = Ebcdic {
                newline,
                ..Ebcdic::new(code_page)
            };
            let text = codec.encode(&every_byte()).unwrap().into_owned();
            assert_eq!(text.chars().count(), 256);
            assert_eq!(
                *codec.decode(&text).unwrap(),
                every_byte(),
                "{code_page:?} {newline:?}"
            );
        }
    }
}

#[test]
fn every_character_below_256_comes_back() {
    let text: String = ('\u{0}'..='\u{ff}').collect();
    for code_page in [CodePage::Cp037, CodePage::Cp1047] {
        let codec = Ebcdic::new(code_page);
        let bytes = codec.decode(&text).unwrap().into_owned();
        assert_eq!(codec.encode(&bytes).unwrap(), text);
    }
}

#[test]
fn words_are_translated_as_on_the_machine() {
    let cp1047 = Ebcdic::new(CodePage::Cp1047);
    let cp037 = Ebcdic::new(CodePage::Cp037);
    for (text, on_1047, on_037) in [
        ("", &[][..], &[][..]),
        (
            "Hello",
            &[0xC8, 0x85, 0x93, 0x93, 0x96],
            &[0xC8, 0x85, 0x93, 0x93, 0x96],
        ),
        (
            "{\"a\":[1]}",
            &[0xC0, 0x7F, 0x81, 0x7F, 0x7A, 0xAD, 0xF1, 0xBD, 0xD0],
            &[0xC0, 0x7F, 0x81, 0x7F, 0x7A, 0xBA, 0xF1, 0xBB, 0xD0],
        ),
        ("^\u{ac}", &[0x5F, 0xB0], &[0xB0, 0x5F]),
        ("\u{e9}", &[0x51], &[0x51]),
    ] {
        assert_eq!(*cp1047.decode(text).unwrap(), *on_1047, "{text}");
        assert_eq!(*cp037.decode(text).unwrap(), *on_037, "{text}");
        assert_eq!(cp1047.encode(on_1047).unwrap(), text);
        assert_eq!(cp037.encode(on_037).unwrap(), text);
    }
}

#[test]
fn line_ends_follow_the_choice() {
    for (newline, line_feed, next_line) in [
        (Newline::LineFeed, 0x25, 0x15),
        (Newline::NextLine, 0x15, 0x25),
    ] {
        let codec = Ebcdic {
            newline,
            ..Ebcdic::default()
        };
        let bytes = [line_feed, next_line, 0x0D];
        assert_eq!(codec.encode(&bytes).unwrap(), "\n\u{85}\r", "{newline:?}");
        assert_eq!(*codec.decode("\n\u{85}\r").unwrap(), bytes);
    }
}

#[test]
fn characters_without_a_place_are_refused_or_substituted() {
    let refusing = Ebcdic::new(CodePage::Cp1047);
    for (text, character, at) in [
        ("\u{100}", '\u{100}', 0),
        ("a\u{e9}\u{20ac}", '\u{20ac}', 3),
        ("\u{1f600}", '\u{1f600}', 0),
    ] {
        assert_eq!(
            refusing.decode(text),
            Err(TextCodecError::Unmappable { character, at })
        );
    }
    let substituting = Ebcdic {
        unmappable: Unmappable::Substitute,
        ..refusing
    };
    assert_eq!(
        *substituting.decode("1\u{20ac}2").unwrap(),
        [0xF1, 0x3F, 0xF2]
    );
}

#[test]
fn utf8_passes_as_it_is_and_is_checked() {
    let codec: Arc<dyn TextCodec> = Arc::new(Utf8);
    assert_eq!(codec.name(), "UTF-8");
    let text = "\u{e9}\u{1f600}\r\n";
    assert_eq!(codec.encode(text.as_bytes()).unwrap(), text);
    assert_eq!(*codec.decode(text).unwrap(), *text.as_bytes());
    assert_eq!(
        codec.encode(b"ab\xff"),
        Err(TextCodecError::Malformed { at: 2 })
    );
}

#[test]
fn errors_name_place_and_character() {
    let error = TextCodecError::Unmappable {
        character: '\u{20ac}',
        at: 3,
    };
    assert_eq!(
        error.to_string(),
        "U+20AC at byte 3 has no place in the code page"
    );
}

// What iconv of the GNU C library gives for the bytes 0 to 255.
#[rustfmt::skip]
const CP037: &str = concat!(
    "\u{0}\u{1}\u{2}\u{3}\u{9c}\u{9}\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\u{d}\u{e}\u{f}",
    "\u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}",
    "\u{80}\u{81}\u{82}\u{83}\u{84}\u{a}\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}",
    "\u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}",
    " \u{a0}\u{e2}\u{e4}\u{e0}\u{e1}\u{e3}\u{e5}\u{e7}\u{f1}\u{a2}.<(+|",
    "&\u{e9}\u{ea}\u{eb}\u{e8}\u{ed}\u{ee}\u{ef}\u{ec}\u{df}!$*);\u{ac}",
    "-/\u{c2}\u{c4}\u{c0}\u{c1}\u{c3}\u{c5}\u{c7}\u{d1}\u{a6},%_>?",
    "\u{f8}\u{c9}\u{ca}\u{cb}\u{c8}\u{cd}\u{ce}\u{cf}\u{cc}`:#@'=\"",
    "\u{d8}abcdefghi\u{ab}\u{bb}\u{f0}\u{fd}\u{fe}\u{b1}",
    "\u{b0}jklmnopqr\u{aa}\u{ba}\u{e6}\u{b8}\u{c6}\u{a4}",
    "\u{b5}~stuvwxyz\u{a1}\u{bf}\u{d0}\u{dd}\u{de}\u{ae}",
    "^\u{a3}\u{a5}\u{b7}\u{a9}\u{a7}\u{b6}\u{bc}\u{bd}\u{be}[]\u{af}\u{a8}\u{b4}\u{d7}",
    "{ABCDEFGHI\u{ad}\u{f4}\u{f6}\u{f2}\u{f3}\u{f5}",
    "}JKLMNOPQR\u{b9}\u{fb}\u{fc}\u{f9}\u{fa}\u{ff}",
    "\\\u{f7}STUVWXYZ\u{b2}\u{d4}\u{d6}\u{d2}\u{d3}\u{d5}",
    "0123456789\u{b3}\u{db}\u{dc}\u{d9}\u{da}\u{9f}",
);
#[rustfmt::skip]
const CP1047: &str = concat!(
    "\u{0}\u{1}\u{2}\u{3}\u{9c}\u{9}\u{86}\u{7f}\u{97}\u{8d}\u{8e}\u{b}\u{c}\u{d}\u{e}\u{f}",
    "\u{10}\u{11}\u{12}\u{13}\u{9d}\u{85}\u{8}\u{87}\u{18}\u{19}\u{92}\u{8f}\u{1c}\u{1d}\u{1e}\u{1f}",
    "\u{80}\u{81}\u{82}\u{83}\u{84}\u{a}\u{17}\u{1b}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{5}\u{6}\u{7}",
    "\u{90}\u{91}\u{16}\u{93}\u{94}\u{95}\u{96}\u{4}\u{98}\u{99}\u{9a}\u{9b}\u{14}\u{15}\u{9e}\u{1a}",
    " \u{a0}\u{e2}\u{e4}\u{e0}\u{e1}\u{e3}\u{e5}\u{e7}\u{f1}\u{a2}.<(+|",
    "&\u{e9}\u{ea}\u{eb}\u{e8}\u{ed}\u{ee}\u{ef}\u{ec}\u{df}!$*);^",
    "-/\u{c2}\u{c4}\u{c0}\u{c1}\u{c3}\u{c5}\u{c7}\u{d1}\u{a6},%_>?",
    "\u{f8}\u{c9}\u{ca}\u{cb}\u{c8}\u{cd}\u{ce}\u{cf}\u{cc}`:#@'=\"",
    "\u{d8}abcdefghi\u{ab}\u{bb}\u{f0}\u{fd}\u{fe}\u{b1}",
    "\u{b0}jklmnopqr\u{aa}\u{ba}\u{e6}\u{b8}\u{c6}\u{a4}",
    "\u{b5}~stuvwxyz\u{a1}\u{bf}\u{d0}[\u{de}\u{ae}",
    "\u{ac}\u{a3}\u{a5}\u{b7}\u{a9}\u{a7}\u{b6}\u{bc}\u{bd}\u{be}\u{dd}\u{a8}\u{af}]\u{b4}\u{d7}",
    "{ABCDEFGHI\u{ad}\u{f4}\u{f6}\u{f2}\u{f3}\u{f5}",
    "}JKLMNOPQR\u{b9}\u{fb}\u{fc}\u{f9}\u{fa}\u{ff}",
    "\\\u{f7}STUVWXYZ\u{b2}\u{d4}\u{d6}\u{d2}\u{d3}\u{d5}",
    "0123456789\u{b3}\u{db}\u{dc}\u{d9}\u{da}\u{9f}",
);
