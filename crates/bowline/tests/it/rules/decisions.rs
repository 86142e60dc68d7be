//! Order, defaults, qualifiers, switches, redirects.

use bowline::proto::handshake::{HeadLimits, HttpVersion, RequestHead};
use bowline::server::rules::{Decision, RequestFacts, RuleRefusal, Rules, Step};

use super::{decided, get, rules};

#[test]
fn without_rules_everything_is_denied_over_tls_too() {
    for tls in [false, true] {
        let facts = RequestFacts { tls, ..get("/") };
        assert_eq!(
            Rules::default().decide(&facts),
            Decision::Refuse(RuleRefusal::NotAllowed)
        );
    }
}

#[test]
fn a_request_is_redirected_then_admitted_then_routed() {
    let all = rules(
        "
        route    /*      page
        deny     /old/*
        redirect /old/*  /new/*
        allow    /new/*
        allow    /api/*
        ",
    );
    for (path, decision) in [
        // Redirected although denied: redirects come first.
        ("/old/a", "/new/a"),
        // Not allowed, though there is a route.
        ("/other", "403.201"),
        ("/new/a", "page"),
        ("/api/", "page"),
    ] {
        assert_eq!(decided(&all, &get(path)), decision, "{path}");
    }
}

#[test]
fn what_is_allowed_but_has_no_route_is_not_found() {
    let all = rules("allow /*\nroute /a a");
    assert_eq!(decided(&all, &get("/b")), "404.204");
    let facts = RequestFacts {
        is_upgrade: true,
        ..get("/b")
    };
    assert_eq!(decided(&all, &facts), "404.204");
}

#[test]
fn within_a_kind_the_newest_rule_that_matches_counts() {
    let all = rules(
        "
        redirect   /r/*   /first/*
        redirect   /r/x*  /second/*
        noredirect /r/xx
        allow      /*
        deny       /a/*
        allow      /a/b/*
        deny       /a/b/c
        route      /*     general
        route      /a/*   special
        ",
    );
    for (path, decision) in [
        ("/r/1", "/first/1"),
        ("/r/x1", "/second/1"),
        ("/r/xx", "general"),
        ("/", "general"),
        ("/a/", "403.202"),
        ("/a/b/", "special"),
        ("/a/b/c", "403.202"),
        ("/a/b/c/", "special"),
    ] {
        assert_eq!(decided(&all, &get(path)), decision, "{path}");
    }
}

#[test]
fn a_rule_without_a_method_is_about_get_head_and_post() {
    let all = rules(
        "
        allow ANY    /*
        deny         /a
        deny PUT     /b
        deny GET     /c
        deny HEAD    /d
        deny ANY     /e
        route ANY    /* page
        ",
    );
    let denied = |path: &str| {
        ["GET", "HEAD", "POST", "PUT", "get"]
            .into_iter()
            .filter(|method| {
                let facts = RequestFacts {
                    method,
                    ..get(path)
                };
                decided(&all, &facts) == "403.202"
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(denied("/a"), ["GET", "HEAD", "POST"]);
    assert_eq!(denied("/b"), ["PUT"]);
    assert_eq!(denied("/c"), ["GET", "HEAD"]);
    assert_eq!(denied("/d"), ["GET", "HEAD"]);
    assert_eq!(denied("/e"), ["GET", "HEAD", "POST", "PUT", "get"]);
    let warned: Vec<_> = all.warnings().iter().map(|warning| warning.rule).collect();
    assert_eq!(warned, [2, 3, 4, 5]);
    assert_eq!(rules("allow /*\ndeny /a\n").warnings(), []);
}

#[test]
fn users_and_addresses_qualify_access() {
    let all = rules(
        "
        address-group office 192.0.2.0/24 2001:db8::/32
        allow /named/*   user a*
        allow /known/*   user *
        allow /group/*   user-group staff
        allow /office/*  address-group office
        allow /two/*     address 10.0.0.1,10.0.1.0-10.0.1.9
        allow /both/*    user anna address-group office
        allow /not/*
        deny  /not/*     user b*
        deny  /not/*     address 198.51.100.0/255.255.255.0
        route /*         page
        ",
    );
    let staff = ["staff".to_owned()];
    for (path, user, peer, decision) in [
        ("/named/", Some("anna"), None, "page"),
        ("/named/", Some("Anna"), None, "403.201"),
        ("/named/", Some("bob"), None, "403.201"),
        ("/named/", None, None, "403.203"),
        ("/known/", Some("bob"), None, "page"),
        ("/known/", None, None, "403.203"),
        ("/group/", Some("staffed"), None, "page"),
        ("/group/", Some("other"), None, "403.201"),
        ("/office/", None, Some("192.0.2.7"), "page"),
        ("/office/", None, Some("::ffff:192.0.2.7"), "page"),
        ("/office/", None, Some("2001:db8::7"), "page"),
        ("/office/", None, Some("192.0.3.7"), "403.201"),
        ("/office/", None, None, "403.201"),
        ("/two/", None, Some("10.0.0.1"), "page"),
        ("/two/", None, Some("10.0.1.9"), "page"),
        ("/two/", None, Some("10.0.1.10"), "403.201"),
        ("/both/", Some("anna"), Some("192.0.2.1"), "page"),
        ("/both/", Some("bob"), Some("192.0.2.1"), "403.201"),
        ("/both/", None, Some("192.0.2.1"), "403.203"),
        ("/both/", None, Some("10.0.0.1"), "403.201"),
        ("/not/", Some("anna"), Some("10.0.0.1"), "page"),
        ("/not/", None, Some("10.0.0.1"), "page"),
        ("/not/", Some("bob"), Some("10.0.0.1"), "403.202"),
        ("/not/", None, Some("::ffff:198.51.100.1"), "403.202"),
        // An address that is not known does not lead around a deny rule.
        ("/not/", None, None, "403.202"),
    ] {
        let facts = RequestFacts {
            user,
            groups: if user == Some("staffed") { &staff } else { &[] },
            peer: peer.map(|peer| peer.parse().unwrap()),
            ..get(path)
        };
        assert_eq!(decided(&all, &facts), decision, "{path} {user:?} {peer:?}");
    }
}

#[test]
fn a_deny_rule_is_not_hidden_by_asking_for_a_user() {
    let all = rules("allow /*\ndeny /a user bob\nallow /b user *\ndeny /b");
    assert_eq!(decided(&all, &get("/a")), "404.204");
    assert_eq!(decided(&all, &get("/b")), "403.202");
}

#[test]
fn a_route_says_over_the_listener_whether_it_takes_websockets() {
    for (listener, plain, upgrade) in [
        (
            "off",
            ["a", "b", "c", "426.206"],
            ["403.205", "b", "403.205", "d"],
        ),
        ("on", ["a", "b", "c", "426.206"], ["a", "b", "403.205", "d"]),
    ] {
        let all = rules(&format!(
            "
            websocket {listener}
            allow /*
            route /a a
            route /b b websocket
            route /c c nowebsocket
            route /d d websocket-only
            "
        ));
        for (index, path) in ["/a", "/b", "/c", "/d"].into_iter().enumerate() {
            let facts = get(path);
            assert_eq!(decided(&all, &facts), plain[index], "{listener} {path}");
            let facts = RequestFacts {
                is_upgrade: true,
                ..facts
            };
            assert_eq!(decided(&all, &facts), upgrade[index], "{listener} {path}");
        }
    }
    let off = rules("allow /*\nroute /a a");
    let facts = RequestFacts {
        is_upgrade: true,
        ..get("/a")
    };
    assert_eq!(
        decided(&off, &facts),
        "403.205",
        "the switch is off by default"
    );
}

#[test]
fn upgrade_required_comes_with_the_headers_it_needs() {
    assert_eq!(
        RuleRefusal::WebSocketRequired.headers(),
        [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    );
}

#[test]
fn no_spelling_of_a_path_leads_around_a_rule() {
    let all = rules("allow /*\ndeny /admin*\nroute /* page");
    for path in [
        "/admin",
        "/admin/x",
        "//admin",
        "/./admin",
        "/x/../admin",
        "/%61dmin",
        "/%2e/admin",
        "/x/%2E%2e/admin",
        "/x/.%2e//admin/",
        "///./x/..//%61%64%6D%69n",
    ] {
        assert_eq!(decided(&all, &get(path)), "403.202", "{path}");
    }
    for path in [
        "/x%2F..%2Fadmin",
        "/x%2f%2e%2e%2fadmin",
        "/x\\..\\admin",
        "/x%5C..%5Cadmin",
        "/../admin",
        "/%c0%ae%c0%ae/admin",
        "/admin%00",
        "/%zzadmin",
        "admin",
        "",
        "*",
    ] {
        assert_eq!(decided(&all, &get(path)), "400.200", "{path}");
    }
    // Decoded once, not twice; case and the final slash count.
    for path in ["/%2561dmin", "/Admin", "/adm/in"] {
        assert_eq!(decided(&all, &get(path)), "page", "{path}");
    }
}

#[test]
fn queries_are_compared_only_when_the_pattern_has_one() {
    let all = rules(
        "
        allow /*
        route /a       plain
        route /a?q=*   with
        route /a?b%2Bc plus
        ",
    );
    for (query, decision) in [
        (None, "plain"),
        (Some(""), "plain"),
        (Some("x"), "plain"),
        (Some("q=1"), "with"),
        (Some("%71=1"), "with"),
        (Some("q%3D1"), "plain"),
        (Some("b%2bc"), "plus"),
        (Some("b+c"), "plain"),
    ] {
        let facts = RequestFacts { query, ..get("/a") };
        assert_eq!(decided(&all, &facts), decision, "{query:?}");
    }
}

#[test]
fn a_route_gets_what_its_wildcards_took_and_the_path_that_was_compared() {
    let all = rules("websocket on\nallow /*\nroute /rooms/*/*?k=* room");
    let facts = RequestFacts {
        query: Some("k=a%20b"),
        is_upgrade: true,
        ..get("/rooms/./%C4%8D/x//y")
    };
    let Decision::Route(routed) = all.decide(&facts) else {
        panic!("{:?}", all.decide(&facts));
    };
    assert_eq!(routed.name.as_str(), "room");
    assert_eq!(routed.path, "/rooms/\u{10d}/x/y");
    assert_eq!(routed.captures, ["\u{10d}", "x/y", "a%20b"]);
    assert!(routed.websocket);
}

#[test]
fn redirects_copy_what_was_matched() {
    let all = rules(
        "
        redirect /old/*/page*   /new/*/*
        redirect /go*           /*
        redirect /find?q=*      https://search.example/?text=*
        redirect /seen?q=*      /found/*
        redirect /drop/*        /kept/*?
        redirect POST /form     /elsewhere
        ",
    );
    for (method, path, query, location) in [
        ("GET", "/old/a%20b/page7", None, "/new/a%20b/7"),
        (
            "GET",
            "/old/a/page7",
            Some("x=1&y=%0d%0a"),
            "/new/a/7?x=1&y=%0D%0A",
        ),
        ("GET", "/go/evil.example/", None, "/evil.example/"),
        ("GET", "/go//evil.example", None, "/evil.example"),
        (
            "GET",
            "/find",
            Some("q=a+b%26c"),
            "https://search.example/?text=a+b%26c",
        ),
        ("GET", "/seen", Some("q=a"), "/found/a"),
        ("GET", "/drop/a", Some("x"), "/kept/a?"),
        ("POST", "/form", None, "/elsewhere"),
        ("GET", "/form", None, "403.201"),
        // Nothing of a request can end the header line.
        ("GET", "/go/%0d%0aSet-Cookie:a", None, "400.200"),
        ("GET", "/go/a", Some("\r\nX: y"), "/a?%0D%0AX:%20y"),
    ] {
        let facts = RequestFacts {
            method,
            query,
            ..get(path)
        };
        let decision = decided(&all, &facts);
        assert_eq!(decision, location, "{path}");
        assert!(decision.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    assert_eq!(all.decide(&get("/go/a")).status(), Some(307));
}

#[test]
fn a_redirect_in_a_circle_is_refused_when_it_is_met() {
    let all = rules(
        "
        allow    /*
        route    /*    page
        redirect   /p/*  /p/*b
        noredirect /p/x*
        redirect /here/* https://h.example/here/b*
        redirect /up/*   https://h.example/up/*
        ",
    );
    assert_eq!(decided(&all, &get("/p/x")), "page");
    assert_eq!(decided(&all, &get("/p/y")), "508.207");
    for (host, tls, path, decision) in [
        (None, true, "/here/", "https://h.example/here/b"),
        (Some("h.example"), true, "/here/", "508.207"),
        (Some("H.example:443"), true, "/here/", "508.207"),
        (
            Some("h.example:8443"),
            true,
            "/here/",
            "https://h.example/here/b",
        ),
        // From plain HTTP to TLS on the same host is no circle.
        (Some("h.example"), false, "/up/", "https://h.example/up/"),
        (Some("h.example"), true, "/up/", "508.207"),
    ] {
        let facts = RequestFacts {
            host,
            tls,
            ..get(path)
        };
        assert_eq!(decided(&all, &facts), decision, "{host:?} {tls}");
    }
}

#[test]
fn redirects_may_follow_one_another_up_to_the_bound() {
    let chain = |length: usize| {
        let lines = (0..length).map(|at| format!("redirect /{at} /{}\n", at + 1));
        lines.collect::<String>()
    };
    assert_eq!(decided(&rules(&chain(8)), &get("/0")), "/1");
    let error = bowline::server::rules::RuleSet::parse(&chain(9)).unwrap_err();
    assert!(
        error.to_string().starts_with("line 1, column 1: "),
        "{error}"
    );
}

#[test]
fn facts_come_from_a_request_head() {
    let head = |fields: &[(&str, &str)]| {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let limits = HeadLimits::default();
        RequestHead::from_parts("GET", "/a%20b?c", HttpVersion::Http11, fields, limits).unwrap()
    };
    let plain = head(&[("Host", "h.example")]);
    let facts = RequestFacts::new(&plain, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(
        (facts.method, facts.path, facts.query, facts.host),
        ("GET", "/a%20b", Some("c"), Some("h.example"))
    );
    assert!(!facts.is_upgrade && !facts.tls && facts.user.is_none());
    assert!(!format!("{facts:?}").contains("Some(\"c\")"));
    let upgrade = head(&[
        ("Host", "h"),
        ("Connection", "upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]);
    assert!(RequestFacts::new(&upgrade, None).is_upgrade);
    // A malformed one does not pass for plain HTTP.
    let malformed = head(&[("Host", "h"), ("Upgrade", "websocket")]);
    assert!(RequestFacts::new(&malformed, None).is_upgrade);
}

#[test]
fn an_explanation_names_the_rule_and_what_each_step_did() {
    let all = rules(
        "
        redirect /old/*    /new/*
        allow    /*        user *
        deny     /admin/*
        allow    /admin/*  user-group admins
        allow    PUT /admin/*
        route    /*        page
        ",
    );
    let facts = RequestFacts {
        query: Some("token=s3cret"),
        user: Some("anna"),
        peer: Some("::ffff:192.0.2.1".parse().unwrap()),
        ..get("/x/../admin/%61")
    };
    let explanation = all.explain(&facts);
    assert_eq!(explanation.decided_by().unwrap().number, 3);
    assert_eq!(explanation.steps.last().unwrap().step, Step::Access);
    assert_eq!(
        explanation.to_string(),
        "GET /x/../admin/%61 from 192.0.2.1, user \"anna\", plain HTTP\n\
         path: compared as /admin/a\n\
         redirect: no rule matches, the request stays\n    \
             not rule 1 `redirect /old/* /new/*`: other URL\n\
         access: rule 3 `deny /admin/*`\n    \
             not rule 5 `allow PUT /admin/*`: other method\n    \
             not rule 4 `allow /admin/* user-group admins`: other user\n\
         answer: 403: a rule denies the request (detail 202)"
    );
    let explanation = all.explain(&RequestFacts {
        query: Some("token=s3cret"),
        ..get("/old/a")
    });
    assert!(
        explanation
            .to_string()
            .ends_with("answer: 307 to /new/a...")
    );
    assert!(!format!("{explanation:?}").contains("s3cret"));
    let explanation = all.explain(&get("/%00\r\n"));
    assert_eq!(explanation.to_string().lines().count(), 3);
    assert!(explanation.decided_by().is_none());
}

#[test]
fn the_newest_rule_that_a_user_would_do_for_says_in_which_realm_to_ask() {
    let set = rules(
        "allow /* user * realm all
         allow /a* user anna realm anna
         deny  /a/closed*
         allow /b* user-group b
         allow /c*
         route /* page",
    );
    for (path, expected) in [
        ("/x", "401 all"),
        ("/a", "401 anna"),
        ("/a/closed", "403.202"),
        ("/b", "403.203"),
        ("/c", "page"),
    ] {
        assert_eq!(decided(&set, &get(path)), expected, "{path}");
    }
    let known = RequestFacts {
        user: Some("ben"),
        ..get("/a")
    };
    assert_eq!(decided(&set, &known), "page", "by the older rule");
    let shown = set.explain(&get("/a")).to_string();
    assert!(
        shown.ends_with(
            "answer: 401 in realm \"anna\": a rule allows the request to known users only (detail 203)"
        ),
        "{shown}"
    );
}
