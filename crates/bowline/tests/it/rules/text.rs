//! The text form: what it reads as, how it is written, what is wrong with it.

use bowline::server::rules::{
    Access, Addresses, Methods, Redirect, Route, Rule, RuleFault, RuleList, RuleName, RulePlace,
    RuleSet, Users, WebSocketUse,
};

use super::{decided, get, rules};

#[test]
fn every_form_is_read_and_written_in_one_way() {
    let text = "\u{feff}# a comment\r
\twebsocket   on   # at the end of a line
address-group  the%20office 192.0.2.0/255.255.255.0\t2001:DB8::1
redirect GET /a%20b/%2a/* https://h.example/%20*#top
noredirect   ANY *.txt
allow /%41?q=%61*&r=%2B user a%20*z address 10.0.0.1,10.0.0.3-10.0.0.9
deny  /\u{10d}/\u{a0}x user-group Domain%20Admins address-group the%20office
allow PATCH /x#y
allow /z  realm the%20%22quay%22  user  *
route /* page
";
    let text = &text.replace("/x#y", "/x").replace('\u{a0}', "%C2%A0");
    let written = "websocket on
address-group the%20office 192.0.2.0/24 2001:db8::1
redirect GET /a%20b/%2A/* https://h.example/%20*#top
noredirect ANY *.txt
allow /A?q=a*&r=%2B user a%20*z address 10.0.0.1,10.0.0.3-10.0.0.9
deny /\u{10d}/%C2%A0x user-group Domain%20Admins address-group the%20office
allow PATCH /x
allow /z user * realm the%20\"quay\"
route /* page
";
    let list = RuleList::parse(text).unwrap();
    assert_eq!(list.to_string(), written);
    assert_eq!(RuleList::parse(written), Ok(list));
}

#[test]
fn rules_are_made_without_text_too() {
    let mut list = RuleList {
        websocket: true,
        ..RuleList::default()
    };
    let office = RuleName::new("the office").unwrap();
    list.address_groups
        .insert(office.clone(), vec!["10.0.0.0/8".parse().unwrap()]);
    list.rules = vec![
        Rule::Redirect(Redirect {
            methods: Methods::ASSUMED,
            pattern: "/old/*".parse().unwrap(),
            target: Some("/new/*".parse().unwrap()),
        }),
        Rule::Allow(Access {
            methods: Methods::ANY,
            pattern: "/*".parse().unwrap(),
            users: Users::Anyone,
            addresses: Addresses::Group(office),
            realm: None,
        }),
        Rule::Route(Route {
            methods: Methods::default(),
            pattern: "/new/*".parse().unwrap(),
            name: RuleName::new("a b#c").unwrap(),
            websocket: WebSocketUse::Only,
        }),
    ];
    assert_eq!(
        list.to_string(),
        "websocket on\naddress-group the%20office 10.0.0.0/8\nredirect /old/* /new/*\n\
         allow ANY /* address-group the%20office\nroute /new/* a%20b%23c websocket-only\n"
    );
    assert_eq!(RuleList::parse(&list.to_string()), Ok(list.clone()));
    let set = RuleSet::new(list).unwrap();
    assert_eq!(decided(&set, &get("/old/a")), "/new/a");
}

#[test]
fn a_fault_is_named_with_its_line_its_column_and_what_to_do() {
    for (text, error) in [
        (
            "x /a",
            "1:1: a line begins with redirect, noredirect, allow, deny, route, address-group or websocket",
        ),
        (
            "\n\n  Allow /a",
            "3:3: a line begins with redirect, noredirect, allow, deny, route, address-group or websocket",
        ),
        (
            "allow",
            "1:6: the line ends where a pattern of URLs, such as `/chat/*`, is expected",
        ),
        (
            "allow GET  # all",
            "1:10: the line ends where a pattern of URLs, such as `/chat/*`, is expected",
        ),
        (
            "allow get /a",
            "1:7: a URL pattern begins with `/` or `*` (a method before it is in capitals)",
        ),
        (
            "allow GET,PUT /a",
            "1:7: a method is ANY, or one name of at most 32 capitals, digits, `-` and `_` such as PUT",
        ),
        (
            "allow /a b",
            "1:10: this word is not expected: remove it, or write a blank inside a word as `%20`",
        ),
        (
            "allow /\u{10d} b",
            "1:10: this word is not expected: remove it, or write a blank inside a word as `%20`",
        ),
        (
            "allow /a/**",
            "1:7: `**` says no more than `*`: write one, or `%2A` for a star itself",
        ),
        (
            "allow /a/%2",
            "1:7: two hexadecimal digits follow each `%`; write `%25` for a percent sign",
        ),
        ("allow /%C4*%8D", "1:7: escapes must stand for UTF-8 text"),
        (
            "allow /a%2Fb",
            "1:7: no request gets as far as the rules with `%2F` or a backslash in its path",
        ),
        (
            "allow /a/../b",
            "1:7: empty, `.` and `..` segments are resolved before rules are compared: leave them out",
        ),
        (
            "allow //a",
            "1:7: empty, `.` and `..` segments are resolved before rules are compared: leave them out",
        ),
        (
            "allow /a#b",
            "1:7: no request holds a fragment: write `%23` for the character `#`",
        ),
        (
            "allow /%00",
            "1:7: control characters are not allowed, escaped or not",
        ),
        (
            "allow /a user",
            "1:14: the line ends where a pattern of user names, such as `anna` or `*`, is expected",
        ),
        (
            "allow /a user a user-group b",
            "1:17: this is said a second time: remove one",
        ),
        (
            "allow /a address 10.0.0.1,10.0.0.7/8",
            "1:27: the address has bits beyond the prefix: write 10.0.0.0/8 for the network",
        ),
        (
            "allow /a user * realm",
            "1:22: the line ends where the name of the realm is expected",
        ),
        (
            "allow /a realm a user * realm b",
            "1:25: this is said a second time: remove one",
        ),
        (
            "allow /a address 10.0.0.1 realm a",
            "1:1: a realm is asked for by an `allow` rule with `user` or `user-group` only",
        ),
        (
            "deny /a user * realm a",
            "1:1: a realm is asked for by an `allow` rule with `user` or `user-group` only",
        ),
        (
            "deny /a address-group x",
            "1:1: there is no group of addresses x: add a line `address-group x` with its ranges",
        ),
        (
            "address-group",
            "1:14: the line ends where the name of a group is expected",
        ),
        (
            "address-group x",
            "1:16: the line ends where a range of addresses, such as `10.0.0.0/8`, is expected",
        ),
        (
            "address-group x ::1\naddress-group x ::2",
            "2:15: this is said a second time: remove one",
        ),
        (
            "websocket",
            "1:10: the line ends where `on` or `off` is expected",
        ),
        (
            "websocket yes",
            "1:11: write `websocket on` or `websocket off`",
        ),
        (
            "websocket on\nwebsocket on",
            "2:1: this is said a second time: remove one",
        ),
        (
            "route /a",
            "1:9: the line ends where the name of the route is expected",
        ),
        (
            "route /a b ws",
            "1:12: this word is not expected: remove it, or write a blank inside a word as `%20`",
        ),
        (
            "redirect /a",
            "1:12: the line ends where the target of the redirect, such as `/new/*`, is expected",
        ),
        (
            "redirect /a/* //b/*",
            "1:15: a target begins with one `/`, or with http://, https://, ws:// or wss:// and a host",
        ),
        (
            "redirect /a* https://a*",
            "1:14: a `*` in the host would let the request choose where it leads: end the host with `/`",
        ),
        (
            "\nredirect /a /b/*",
            "2:1: the target has 1 `*` but the pattern only 0: write `%2A` for a star",
        ),
        (
            "redirect /a/* /a/b/*",
            "1:1: the redirect leads in a circle, or through more than 8 others: end it with a newer `noredirect` rule, or narrow its pattern",
        ),
        (
            "redirect /a /b\nredirect /b /a",
            "1:1: the redirect leads in a circle, or through more than 8 others: end it with a newer `noredirect` rule, or narrow its pattern",
        ),
        (
            "allow /\u{10d}\u{a0}x",
            "1:9: the character '\\u{a0}' is not allowed here: write it as an escape, or a space instead",
        ),
        (
            "allow /a\0",
            "1:9: the character '\\0' is not allowed here: write it as an escape, or a space instead",
        ),
    ] {
        let found = RuleSet::parse(text).unwrap_err();
        let RulePlace::Text { line, column } = found.place else {
            panic!("{text}: {found}");
        };
        assert_eq!(
            format!("{line}:{column}: {}", found.fault),
            error,
            "{text:?}"
        );
    }
}

#[test]
fn a_list_that_is_wrong_as_a_whole_names_the_rule() {
    let redirect = |pattern: &str, target: &str| {
        Rule::Redirect(Redirect {
            methods: Methods::ASSUMED,
            pattern: pattern.parse().unwrap(),
            target: Some(target.parse().unwrap()),
        })
    };
    let list = RuleList {
        rules: vec![redirect("/a", "/b"), redirect("*", "/c")],
        ..RuleList::default()
    };
    let error = RuleSet::new(list).unwrap_err();
    assert_eq!(error.fault, RuleFault::RedirectLoop);
    assert_eq!(
        error.place,
        RulePlace::Rule(1),
        "/b goes to /c, and on to /c"
    );
    let list = RuleList {
        rules: vec![Rule::Deny(Access {
            methods: Methods::ANY,
            pattern: "/".parse().unwrap(),
            users: Users::Anyone,
            addresses: Addresses::Ranges(Vec::new()),
            realm: None,
        })],
        ..RuleList::default()
    };
    let error = RuleSet::new(list).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rule 1: a list of addresses has at least one range"
    );
}

#[test]
fn noredirect_keeps_a_general_redirect_from_its_own_target() {
    let all = rules("redirect * /login\nnoredirect /login\nallow /login\nroute /login login");
    assert_eq!(decided(&all, &get("/anything")), "/login");
    assert_eq!(decided(&all, &get("/login")), "login");
}

#[test]
fn bounds_hold_and_what_is_within_them_is_read() {
    let many = |count: usize, line: &str| RuleSet::parse(&line.repeat(count)).map(drop);
    assert_eq!(many(RuleList::RULES_MAX, "allow /a\n"), Ok(()));
    let error = many(RuleList::RULES_MAX + 1, "allow /a\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1025, column 1: at most 1024 rules are allowed"
    );
    let ranges = |count: usize| {
        let text = format!("deny /a address {}", vec!["::1"; count].join(","));
        RuleSet::parse(&text).map(drop)
    };
    assert_eq!(ranges(RuleList::ADDRESS_RANGES_MAX), Ok(()));
    assert!(ranges(RuleList::ADDRESS_RANGES_MAX + 1).is_err());
    let groups = |count: usize| {
        let lines = (0..count).map(|at| format!("address-group {at} ::1\n"));
        RuleSet::parse(&lines.collect::<String>()).map(drop)
    };
    assert_eq!(groups(RuleList::ADDRESS_GROUPS_MAX), Ok(()));
    assert!(groups(RuleList::ADDRESS_GROUPS_MAX + 1).is_err());
    for (pattern, is_read) in [
        (format!("/{}", "a".repeat(2047)), true),
        (format!("/{}", "a".repeat(2048)), false),
        // Longer once it is written with escapes.
        (format!("/{}", "\u{1f642}".repeat(400)), false),
        (format!("/{}", "*a".repeat(16)), true),
        (format!("/{}", "*a".repeat(17)), false),
    ] {
        let list = RuleList::parse(&format!("allow {pattern}"));
        assert_eq!(list.is_ok(), is_read, "{pattern}");
        if let Ok(list) = list {
            assert_eq!(RuleList::parse(&list.to_string()), Ok(list));
        }
    }
    let long = " ".repeat(RuleList::TEXT_LENGTH_MAX + 1);
    assert_eq!(RuleList::parse(&long).unwrap_err().place, RulePlace::List);
}

/// Every fenced block of the guide that is marked as rules is valid, and every table below one says
/// what it decides.
#[test]
fn the_guide_says_what_is_so() {
    let guide = include_str!("../../../../../docs/guide/rules.md");
    let (mut blocks, mut requests) = (0, 0);
    let mut block: Option<String> = None;
    let mut set = RuleSet::default();
    for line in guide.lines() {
        match (&mut block, line) {
            (None, "```rules") => block = Some(String::new()),
            (Some(text), "```") => {
                set = rules(text);
                blocks += 1;
                block = None;
            }
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, line) if line.starts_with("| `GET ") || line.starts_with("| `WS ") => {
                check_request(&set, line);
                requests += 1;
            }
            (None, _) => {}
        }
    }
    assert!(blocks >= 5 && requests >= 15, "{blocks} {requests}");
}

/// Checks a row: the request, who sends it, what is decided.
fn check_request(set: &RuleSet, row: &str) {
    let cells: Vec<&str> = row
        .split('|')
        .map(|cell| cell.trim().trim_matches('`'))
        .collect();
    let [_, request, who, decision, _] = cells[..] else {
        panic!("a row has three cells: {row}");
    };
    let (kind, target) = request.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut facts = get(path);
    facts.query = query;
    facts.is_upgrade = kind == "WS";
    let mut groups = Vec::new();
    for fact in who.split(", ") {
        match fact.split_once(' ') {
            Some(("user", name)) => facts.user = Some(name),
            Some(("group", name)) => groups.push(name.to_owned()),
            Some(("from", address)) => facts.peer = Some(address.parse().unwrap()),
            _ => assert_eq!(fact, "anybody", "{row}"),
        }
    }
    facts.groups = &groups;
    let found = decided(set, &facts);
    let found = found
        .split('.')
        .next()
        .filter(|_| found.starts_with('4') || found.starts_with('5'))
        .unwrap_or(&found);
    assert_eq!(found, decision, "{row}");
}
