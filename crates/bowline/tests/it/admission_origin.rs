//! Which origins each policy allows (RFC 6454, RFC 6455 section 10.2).

use bowline::server::admission::{
    OriginError, OriginPattern, OriginPatternError, OriginPolicy, Reached, Scheme,
};

use crate::admission::head;

fn check(policy: &OriginPolicy, origin: &str, reached: Reached<'_>) -> Result<(), OriginError> {
    policy.check(&head(&[("Host", "h"), ("Origin", origin)]), reached)
}

fn at(scheme: Option<Scheme>, authority: &str) -> Reached<'_> {
    Reached {
        scheme,
        authority: Some(authority),
    }
}

#[test]
fn same_origin_is_scheme_host_and_port() {
    let (http, https) = (Some(Scheme::Http), Some(Scheme::Https));
    for (origin, scheme, authority, same) in [
        ("https://a.example", https, "a.example", true),
        ("https://a.example:443", https, "a.example", true),
        ("https://a.example", https, "a.example:443", true),
        ("HTTPS://A.Example", https, "a.eXAMPLE", true),
        ("http://a.example", https, "a.example", false),
        ("http://a.example:443", https, "a.example", false),
        ("https://a.example", http, "a.example", false),
        ("http://a.example", http, "a.example:80", true),
        ("http://a.example:8080", http, "a.example:8080", true),
        ("http://a.example:8080", http, "a.example", false),
        // Without a known scheme the port left out is the default of the origin's.
        ("https://a.example", None, "a.example", true),
        ("http://a.example", None, "a.example", true),
        ("https://a.example", None, "a.example:80", false),
        ("http://a.example:8443", None, "a.example", false),
        ("http://[::1]:8080", None, "[0:0::1]:8080", true),
        ("http://127.0.0.1:8080", None, "localhost:8080", false),
        ("https://b.example", https, "a.example", false),
        ("https://sub.a.example", https, "a.example", false),
        ("https://a.example.evil", https, "a.example", false),
        ("https://evila.example", https, "a.example", false),
        ("https://a.example.", https, "a.example", false),
        ("wss://a.example", https, "a.example", false),
        ("chrome-extension://a.example", None, "a.example", false),
        ("null", https, "a.example", false),
    ] {
        let checked = check(&OriginPolicy::SameOrigin, origin, at(scheme, authority));
        let expected = if same {
            Ok(())
        } else {
            Err(OriginError::Foreign)
        };
        assert_eq!(checked, expected, "{origin} at {scheme:?} {authority}");
    }
    let nowhere = check(&OriginPolicy::default(), "https://a", Reached::default());
    assert_eq!(nowhere, Err(OriginError::Foreign));
}

#[test]
fn malformed_origins_are_refused_by_every_policy_that_looks() {
    let list = OriginPolicy::listed(["https://a.example", "null"]).unwrap();
    for origin in [
        "",
        "a.example",
        "//a.example",
        "://a.example",
        "https:a.example",
        "https://",
        "https:///",
        "https://a.example/",
        "https://a.example/path",
        "https://a.example?x",
        "https://a.example#x",
        "https://user@a.example",
        "https://a.example:",
        "https://a.example:0",
        "https://a.example:99999",
        "https://a.example:+443",
        "https://a.example https://b.example",
        "https://a.example, https://b.example",
        "https://[::1",
        "https://[::1]x",
        "https://[a.example]",
        "1https://a.example",
        "NULL",
        "https://m\u{fc}nchen",
    ] {
        let reached = at(None, "a.example");
        let malformed = Err(OriginError::Malformed);
        assert_eq!(
            check(&OriginPolicy::SameOrigin, origin, reached),
            malformed,
            "{origin:?}"
        );
        assert_eq!(check(&list, origin, reached), malformed, "{origin:?}");
        assert_eq!(
            check(&OriginPolicy::Any, origin, reached),
            Ok(()),
            "{origin:?}"
        );
    }
    let twice = head(&[("Origin", "https://a"), ("origin", "https://a")]);
    for policy in [&OriginPolicy::SameOrigin, &list] {
        let checked = policy.check(&twice, at(None, "a"));
        assert_eq!(checked, Err(OriginError::Malformed));
    }
}

#[test]
fn absent_origin_is_allowed_by_every_policy() {
    let list = OriginPolicy::listed(["https://a.example"]).unwrap();
    for policy in [OriginPolicy::Any, OriginPolicy::SameOrigin, list] {
        assert_eq!(
            policy.check(&head(&[("Host", "h")]), Reached::default()),
            Ok(())
        );
    }
}

#[test]
fn listed_patterns_match_with_a_dot_boundary() {
    for (pattern, origin, allowed) in [
        ("https://a.example.com", "https://a.example.com", true),
        ("https://a.example.com:443", "https://a.example.com", true),
        ("HTTPS://A.Example.com", "https://a.example.COM:443", true),
        ("https://a.example.com", "http://a.example.com", false),
        ("https://a.example.com", "https://a.example.com:8443", false),
        ("https://a.example.com", "https://b.a.example.com", false),
        ("https://*.example.com", "https://a.example.com", true),
        ("https://*.example.com", "https://a.b.example.com", true),
        ("https://*.Example.com", "https://A.example.COM", true),
        ("https://*.example.com", "https://example.com", false),
        ("https://*.example.com", "https://evilexample.com", false),
        ("https://*.example.com", "https://.example.com", false),
        ("https://*.example.com", "https://a..example.com", false),
        ("https://*.example.com", "https://a.example.com.evil", false),
        ("https://*.example.com", "https://a.example.com.", false),
        ("https://*.example.com", "http://a.example.com", false),
        ("https://*.example.com", "https://a.example.com:8443", false),
        (
            "https://*.example.com:8443",
            "https://a.example.com:8443",
            true,
        ),
        ("https://*.example.com:8443", "https://a.example.com", false),
        ("https://*.example.com", "null", false),
        ("http://[::1]:80", "http://[0::1]", true),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", true),
        ("null", "null", true),
        ("https://null", "null", false),
        ("app://local", "app://local", true),
        ("app://local", "app://local:80", false),
    ] {
        let policy = OriginPolicy::listed([pattern]).unwrap();
        let checked = check(&policy, origin, at(None, "example.com"));
        let expected = if allowed {
            Ok(())
        } else {
            Err(OriginError::Foreign)
        };
        assert_eq!(checked, expected, "{pattern} {origin}");
    }
    // The server's own origin is allowed only if it is listed.
    let policy = OriginPolicy::listed(["https://a", "https://b"]).unwrap();
    let own = check(&policy, "https://own", at(Some(Scheme::Https), "own"));
    assert_eq!(own, Err(OriginError::Foreign));
    assert_eq!(check(&policy, "https://b", at(None, "own")), Ok(()));
}

#[test]
fn malformed_patterns_are_errors() {
    use OriginPatternError::{Host, Scheme, Wildcard};
    for (pattern, error) in [
        ("", Scheme),
        ("*", Scheme),
        ("example.com", Scheme),
        ("*://example.com", Scheme),
        ("Null", Scheme),
        ("https://", Host),
        ("https://example.com/", Host),
        ("https://example.com/chat", Host),
        ("https://user@example.com", Host),
        ("https://a.*.com", Wildcard),
        ("https://*", Wildcard),
        ("https://*example.com", Wildcard),
        ("https://**.example.com", Wildcard),
        ("https://*.*.example.com", Wildcard),
        ("https://*.", Host),
        ("https://*..com", Wildcard),
        ("https://*.0.0.1", Wildcard),
        ("https://*.[::1]", Wildcard),
        ("https://example.com:*", Wildcard),
    ] {
        assert_eq!(pattern.parse::<OriginPattern>(), Err(error), "{pattern}");
    }
}

#[test]
fn patterns_are_shown_in_one_form() {
    for (pattern, shown) in [
        ("HTTPS://A.b:443", "https://a.b"),
        ("http://a:8080", "http://a:8080"),
        ("https://*.B.c:8443", "https://*.b.c:8443"),
        ("http://[0::1]", "http://[::1]"),
        ("null", "null"),
    ] {
        let parsed: OriginPattern = pattern.parse().unwrap();
        assert_eq!(parsed.to_string(), shown);
        assert_eq!(shown.parse(), Ok(parsed));
    }
}
