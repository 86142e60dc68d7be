use super::*;
use crate::{
    Plan,
    plan::{BusAddress, Link, NotifyParameters},
};

fn problems(text: &str) -> Vec<Problem> {
    match ElementFile::parse("dir/e.toml", text) {
        Ok(_) => Vec::new(),
        Err(Problems(problems)) => problems,
    }
}

#[test]
fn every_setting_is_read() {
    let file = ElementFile::parse("dir/tank.toml", EVERYTHING);
    let file = file.unwrap();
    assert_eq!(file.connector(), std::path::Path::new("dir/tank.xml"));
    assert_eq!(file.scripts().len(), 1);
    assert_eq!(
        file.scripts()[0].path,
        std::path::Path::new("dir/hook.rhai")
    );
    let link = LinkSettings {
        endpoints: vec!["ws://127.0.0.1".into(), "10.0.0.2:8050".into()],
        port: Some(8050),
        bus_address: Some("byPassProxy".into()),
        timeout: Some(Duration::from_millis(250)),
        retries: Some(0),
        include_timeout: false,
        reconnect: Reconnect::Manual,
        keepalive: Some((Duration::from_secs(20), Duration::from_secs(5))),
        proxy: Some("http://proxy:3128".into()),
        redirects: 5,
        ca_file: Some("dir/ca.pem".into()),
        certificate: Some(("dir/c.pem".into(), "/k.pem".into())),
        danger_skip_verification: true,
    };
    let expected = ElementSettings {
        name: "tank-1".into(),
        id: 7,
        links: BTreeMap::from([(LinkId(1), link)]),
        timeout: Some(Duration::from_mins(1)),
        parameters: BTreeMap::from([
            (ParameterId(8), "x-nmos/events/ws".into()),
            (ParameterId(9), "12.50".into()),
        ]),
        delivers_duplicates: true,
        extractions: vec![Extraction {
            from: ParameterId(43),
            path: "$.a['b']".into(),
            to: ParameterId(50),
        }],
    };
    assert_eq!(*file.settings(), expected);
}

#[test]
fn the_guide_shows_every_setting() {
    let guide = include_str!("../../../../docs/guide/elements.md");
    let (_, rest) = guide.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let file = ElementFile::parse("tank-1.toml", text).unwrap();
    let everything = ElementFile::parse("dir/tank.toml", EVERYTHING).unwrap();
    assert_eq!(file.keys(), everything.keys());
}

#[test]
fn what_is_not_said_is_as_by_default() {
    let file = ElementFile::parse("dir/e.toml", "connector = \"c.xml\"\n[links.0]").unwrap();
    assert_eq!(file.settings().name, "e");
    assert_eq!(file.settings().timeout, None);
    assert_eq!(file.settings().links[&LinkId(0)], LinkSettings::default());
}

#[test]
fn each_mistake_is_shown_where_it_is_with_what_to_do() {
    for &(text, line, message, help) in MISTAKES {
        let found = problems(text);
        let is_it = |problem: &Problem| {
            problem.line == line && problem.message.contains(message) && problem.help.contains(help)
        };
        assert!(found.iter().any(is_it), "{text}: {found:#?}");
        assert!(found.iter().all(|problem| problem.is_error));
    }
}

#[test]
fn a_problem_is_shown_like_that_of_a_compiler() {
    let shown = Problems(problems("connector = \"c.xml\"\n[links.1]\nprot = 80")).to_string();
    let expected = "error: links.1.prot is not a setting
 --> dir/e.toml:3:1
  |
3 | prot = 80
  | ^^^^
  = help: did you mean port?";
    assert_eq!(shown, expected);
}

fn plan() -> Plan {
    let link = Link {
        name: "Feed".into(),
        notify: NotifyParameters::default(),
        is_composed_at_enqueue: false,
        handshake: None,
        is_redundant: false,
        bus_address: BusAddress {
            default: None,
            is_fixed: false,
            range: (None, None),
            choices: vec!["byPassProxy".into(), "1.2".into()],
        },
        port: Some(8050),
        port_fixed: true,
        timeout: None,
        retries: None,
        is_unverified: false,
        slow_poll: None,
    };
    let mut plan = Plan::default();
    plan.links.insert(LinkId(1), link).unwrap();
    plan
}

#[test]
fn what_does_not_fit_the_connector_is_named() {
    let cases = [
        ("[links.3]", 2, true, "there is no connection 3"),
        ("[links.1]\nport = 80", 3, true, "does not let the port"),
        (
            "[links.1]\nbus_address = \"2.1\"",
            3,
            true,
            "no bus address",
        ),
        (
            "[links.1]\ndanger_skip_verification = true",
            3,
            false,
            "NOT VERIFIED",
        ),
        ("[links.1]", 2, false, "has no endpoint"),
        (
            "[parameters]\n77 = \"x\"",
            3,
            true,
            "there is no parameter 77",
        ),
        (
            "[[extract]]\nfrom = 5\nto = 6\npath = \"$\"",
            4,
            true,
            "there is no parameter 6",
        ),
        (
            "[[hook]]\nparameter = 5\nscript = \"x\"",
            3,
            true,
            "there is no parameter 5",
        ),
    ];
    for (text, line, is_error, message) in cases {
        let text = format!("connector = \"c.xml\"\n{text}");
        let found = ElementFile::parse("e.toml", &text).unwrap().check(&plan());
        let is_it = |problem: &Problem| {
            problem.line == line
                && problem.is_error == is_error
                && problem.message.contains(message)
        };
        assert!(found.iter().any(is_it), "{text}: {found:#?}");
    }
    let text = "connector = \"c.xml\"\n[links.1]\nport = 8050\nbus_address = \"BYPASSPROXY\"\nendpoints = [\"a\"]";
    assert_eq!(
        ElementFile::parse("e.toml", text).unwrap().check(&plan()),
        []
    );
}

#[test]
fn a_script_that_is_wrong_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.rhai"), "let x = ;").unwrap();
    let path = folder.path().join("e.toml");
    let text = "connector = \"c.xml\"\n[[hook]]\nparameter = 1\nscript = \"bad.rhai\"\n[[hook]]\nparameter = 1\nscript = \"none.rhai\"";
    std::fs::write(&path, text).unwrap();
    let Problems(problems) = ElementFile::read(&path).unwrap().hooks().unwrap_err();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0].line, 4);
    assert!(problems[0].message.contains("line 1"), "{}", problems[0]);
    assert!(
        problems[1].message.contains("cannot read"),
        "{}",
        problems[1]
    );
    let Problems(problems) = ElementFile::read(folder.path().join("none.toml")).unwrap_err();
    assert!(problems[0].message.contains("cannot read the file"));
}

const EVERYTHING: &str = r#"
            connector = "tank.xml"
            name = "tank-1"
            id = 7
            timeout = "1min"
            deliver_duplicates = true

            [parameters]
            8 = "x-nmos/events/ws"
            9 = 12.50

            [links.1]
            endpoints = ["ws://127.0.0.1", "10.0.0.2:8050"]
            port = 8050
            bus_address = "byPassProxy"
            timeout = "250ms"
            retries = 0
            include_timeout = false
            reconnect = "manual"
            keepalive = { interval = "20s", timeout = "5s" }
            proxy = "http://proxy:3128"
            redirects = 5
            ca_file = "ca.pem"
            certificate = { chain = "c.pem", key = "/k.pem" }
            danger_skip_verification = true

            [[extract]]
            from = 43
            path = "$.a['b']"
            to = 50

            [[hook]]
            parameter = 43
            script = "hook.rhai"
        "#;

/// A text, the line of its mistake, and parts of the message and of the help.
const MISTAKES: &[(&str, usize, &str, &str)] = &[
    ("connector = ", 1, "", ""),
    ("name = \"x\"", 1, "no connector", "connector ="),
    ("connector = 5", 1, "connector is integer", "text in quotes"),
    ("name = \"a/b\"", 1, "cannot be the name", "1 to 64"),
    (
        "conector = \"x\"",
        1,
        "conector is not a setting",
        "did you mean connector?",
    ),
    (
        "\nzzz = 1",
        2,
        "zzz is not a setting",
        "known here: connector, name",
    ),
    ("id = -1", 1, "id is out of range", "from 0 to"),
    (
        "timeout = \"25h\"",
        1,
        "timeout is out of range",
        "from 0ms to 24h",
    ),
    ("timeout = 5", 1, "timeout is not a time", "\"5s\""),
    (
        "[parameters]\nx = 1",
        2,
        "x is not the number of a parameter",
        "id",
    ),
    (
        "[parameters]\n1 = true",
        2,
        "parameter 1 is boolean",
        "text in quotes",
    ),
    ("links = 1", 1, "links is integer, not a table", "[links]"),
    ("[links.a]", 1, "a is not the number of a connection", "id"),
    (
        "[links.1]\nport = 0",
        2,
        "links.1.port is out of range",
        "1 to 65535",
    ),
    (
        "[links.1]\nport = \"80\"",
        2,
        "links.1.port is string",
        "whole number",
    ),
    (
        "[links.1]\nretries = 11",
        2,
        "links.1.retries is out of range",
        "0 to 10",
    ),
    (
        "[links.1]\nendpoint = \"x\"",
        2,
        "links.1.endpoint is not",
        "did you mean endpoints?",
    ),
    (
        "[links.1]\nendpoints = \"x\"",
        2,
        "links.1.endpoints is string",
        "list of texts",
    ),
    (
        "[links.1]\nendpoints = [1]",
        2,
        "links.1.endpoints is integer",
        "list of texts",
    ),
    (
        "[links.1]\nreconnect = \"never\"",
        2,
        "\"never\"",
        "\"automatic\" or \"manual\"",
    ),
    (
        "[links.1]\ninclude_timeout = 1",
        2,
        "include_timeout is integer",
        "true or false",
    ),
    ("[links.1]\nkeepalive = {}", 2, "no interval", "interval"),
    (
        "[links.1]\ncertificate = { chain = \"x\" }",
        2,
        "not complete",
        "key",
    ),
    (
        "[[extract]]\nfrom = 1\nto = 2",
        1,
        "extract.0.path is missing",
        "add path",
    ),
    (
        "[[extract]]\nfrom = 1\nto = 2\npath = \"a\"",
        4,
        "a path begins with $",
        "$.tank",
    ),
    ("extract = 1", 1, "extract is integer", "[[extract]]"),
    (
        "[[hook]]\nparameter = 99999\nscript = \"x\"",
        2,
        "out of range",
        "64299",
    ),
];
