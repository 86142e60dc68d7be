//! What holds for all patterns, rules and requests.

use bowline::server::rules::{
    Access, AddressRange, Addresses, Decision, Methods, Redirect, RedirectTarget, Route, Rule,
    RuleList, RuleName, RuleSet, Rules, UrlPattern, UserPattern, Users, WebSocketUse,
};
use proptest::prelude::*;

use super::get;

/// Tries every length for every wildcard, shortest first.
fn naive(pattern: &[char], text: &[char]) -> Option<Vec<String>> {
    match pattern {
        [] => text.is_empty().then(Vec::new),
        ['*', rest @ ..] => (0..=text.len()).find_map(|length| {
            let (taken, left) = text.split_at(length);
            let mut captures = naive(rest, left)?;
            captures.insert(0, taken.iter().collect());
            Some(captures)
        }),
        [first, rest @ ..] => match text {
            [character, left @ ..] if character == first => naive(rest, left),
            _ => None,
        },
    }
}

fn name() -> impl Strategy<Value = RuleName> {
    "[ -~\u{a0}-\u{250}]{1,12}"
        .prop_map(|text| RuleName::new(&text.replace('\u{ad}', "x")).unwrap())
}

fn pattern() -> impl Strategy<Value = UrlPattern> {
    let part = "(%[46][0-9a-f]|[a-z*%\u{10d}\u{1f642}?&=+;~\"]|%2[ABb5]|/){0,10}";
    ("[/*]", part).prop_filter_map("not a pattern", |(start, rest)| {
        format!("{start}{rest}").parse().ok()
    })
}

fn user_pattern() -> impl Strategy<Value = UserPattern> {
    "(%[2346][0-9a-e]|[a-zA-Z*\\\\ \u{10d}@]){1,10}"
        .prop_filter_map("not a pattern", |text| text.parse().ok())
}

fn target() -> impl Strategy<Value = RedirectTarget> {
    (
        "(/|https?://h\\.example(:81)?/)",
        "(%2[0-9A]|[a-z*/?&=#]){0,10}",
    )
        .prop_filter_map("not a target", |(start, rest)| {
            format!("{start}{rest}").parse().ok()
        })
}

fn methods() -> impl Strategy<Value = Methods> {
    prop_oneof![
        Just(Methods::ASSUMED),
        Just(Methods::ANY),
        "[A-Z][A-Z0-9_-]{0,8}".prop_map(|text| text.parse().unwrap()),
    ]
}

fn range() -> impl Strategy<Value = AddressRange> {
    prop_oneof![
        any::<std::net::IpAddr>().prop_map(AddressRange::single),
        (any::<u32>(), any::<u32>()).prop_map(|(a, b)| {
            let address = |bits: u32| std::net::Ipv4Addr::from(bits).into();
            AddressRange::between(address(a.min(b)), address(a.max(b))).unwrap()
        }),
        (0..=32_u8).prop_map(|bits| format!("0.0.0.0/{bits}").parse().unwrap()),
        (0..=128_u8).prop_map(|bits| format!("::/{bits}").parse().unwrap()),
    ]
}

fn access() -> impl Strategy<Value = Access> {
    let users = prop_oneof![
        Just(Users::Anyone),
        user_pattern().prop_map(Users::Named),
        name().prop_map(Users::Group),
    ];
    let addresses = prop_oneof![
        Just(Addresses::Anywhere),
        prop::collection::vec(range(), 1..4).prop_map(Addresses::Ranges),
        name().prop_map(Addresses::Group),
    ];
    (methods(), pattern(), users, addresses).prop_map(|(methods, pattern, users, addresses)| {
        Access {
            methods,
            pattern,
            users,
            addresses,
            realm: None,
        }
    })
}

/// An allow rule, with a realm perhaps if it asks for a user.
fn allow() -> impl Strategy<Value = Rule> {
    (access(), prop::option::of(name())).prop_map(|(access, realm)| {
        let realm = realm.filter(|_| access.users != Users::Anyone);
        Rule::Allow(Access { realm, ..access })
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let websocket = prop_oneof![
        Just(WebSocketUse::Inherit),
        Just(WebSocketUse::Allow),
        Just(WebSocketUse::Deny),
        Just(WebSocketUse::Only),
    ];
    prop_oneof![
        (methods(), pattern(), prop::option::of(target())).prop_map(
            |(methods, pattern, target)| Rule::Redirect(Redirect {
                methods,
                pattern,
                target,
            })
        ),
        allow(),
        access().prop_map(Rule::Deny),
        (methods(), pattern(), name(), websocket).prop_map(
            |(methods, pattern, name, websocket)| Rule::Route(Route {
                methods,
                pattern,
                name,
                websocket,
            })
        ),
    ]
}

fn list() -> impl Strategy<Value = RuleList> {
    let groups = prop::collection::btree_map(name(), prop::collection::vec(range(), 1..3), 0..3);
    (any::<bool>(), groups, prop::collection::vec(rule(), 0..8)).prop_map(
        |(websocket, address_groups, rules)| RuleList {
            websocket,
            address_groups,
            rules,
        },
    )
}

proptest! {
    #[test]
    fn matching_is_that_of_a_naive_matcher(
        pattern in "/[ab/*]{0,9}",
        path in "/([ab]{1,5}(/[ab]{1,4}){0,2}/?)?",
    ) {
        if let Ok(parsed) = pattern.parse::<UrlPattern>() {
            let pattern: Vec<char> = pattern.chars().collect();
            let text: Vec<char> = path.chars().collect();
            prop_assert_eq!(parsed.captures(&path, None).unwrap(), naive(&pattern, &text));
        }
    }

    #[test]
    fn a_list_is_read_back_as_it_was_written(list in list()) {
        let text = list.to_string();
        prop_assert_eq!(RuleList::parse(&text), Ok(list), "{}", text);
    }

    #[test]
    fn text_that_is_read_is_written_and_read_again_as_the_same(
        text in "((allow|deny|route|redirect) (GET |ANY )?[/*][a-c*%2?&/]{0,6}( /?[a-z*%2-]{1,5}){0,2}\n){0,4}",
    ) {
        if let Ok(list) = RuleList::parse(&text) {
            prop_assert_eq!(RuleList::parse(&list.to_string()), Ok(list));
        }
    }

    #[test]
    fn a_list_replaces_all_or_nothing(list in list()) {
        let live = Rules::new(RuleSet::parse("allow /old").unwrap());
        let before = live.dump();
        let text = list.to_string();
        let replaced = live.replace_text(&text);
        let expected = if replaced.is_ok() { (text, 2) } else { (before, 1) };
        prop_assert_eq!((live.dump(), live.active().generation), expected);
    }

    #[test]
    fn no_text_and_no_request_makes_rules_panic(
        text in any::<String>(),
        line in "(allow|deny|route|redirect|address-group|websocket) \\PC{0,40}",
        path in any::<String>(),
        query in prop::option::of(any::<String>()),
    ) {
        drop(RuleSet::parse(&text));
        let set = RuleSet::parse(&line).unwrap_or_default();
        let mut facts = get(&path);
        facts.query = query.as_deref();
        let explanation = set.explain(&facts).to_string();
        prop_assert!(!explanation.contains('\r'));
    }

    #[test]
    fn a_redirect_of_any_request_stays_on_its_host_and_in_its_line(
        pattern in pattern(),
        target in target(),
        path in "/([a-c./?&=:@\\\\ \u{10d}]|%[0-7][0-9a-f]){0,12}",
        query in prop::option::of("[ -~\r\n]{0,12}"),
    ) {
        let rule = Rule::Redirect(Redirect {
            methods: Methods::ANY,
            pattern,
            target: Some(target.clone()),
        });
        let list = RuleList { rules: vec![rule], ..RuleList::default() };
        let Ok(set) = RuleSet::new(list) else {
            return Ok(());
        };
        let mut facts = get(&path);
        facts.query = query.as_deref();
        if let Decision::Redirect(location) = set.decide(&facts) {
            prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{}", location);
            let base = url::Url::parse("https://base.example/").unwrap();
            let host = |text: &str| base.join(text).unwrap().host_str().map(str::to_owned);
            let expected = host(&target.to_string().replace('*', "x"));
            prop_assert_eq!(host(&location), expected, "{}", location);
        }
    }

    #[test]
    fn a_path_that_is_compared_has_one_spelling(
        path in "/([a-c./]|%2[eE]|%61){0,12}",
    ) {
        let all: UrlPattern = "*".parse().unwrap();
        if let Ok(Some(captures)) = all.captures(&path, None) {
            let normal = &captures[0];
            prop_assert!(!normal.contains("//"));
            let mut segments = normal.split('/');
            prop_assert!(segments.all(|segment| segment != "." && segment != ".."));
            prop_assert_eq!(all.captures(normal, None).unwrap(), Some(captures));
        }
    }
}

/// A matcher that tries again from every place would take longer than anybody waits.
#[test]
fn hostile_paths_are_matched_in_linear_time() {
    let pattern: UrlPattern = format!("/{}b", "*a".repeat(16)).parse().unwrap();
    let path = format!("/{}", "a".repeat(1 << 20));
    assert_eq!(pattern.captures(&path, None), Ok(None));
    let long = "a".repeat(900);
    let pattern: UrlPattern = format!("/*{long}b*{long}c").parse().unwrap();
    assert_eq!(pattern.captures(&path, None), Ok(None));
}
