//! The hub's page in a real browser.

mod page;

use bowline::WebSocket;
pub(crate) use page::Page;
use serde_json::{Value, json};

use crate::{
    readme,
    support::{Bowline, address_of},
};

const RELAY: &str = "nodes/bridge/0/relay/i2c0-3b";
const SWITCH: &str = "button[role=switch][data-topic='nodes/bridge/0/relay/i2c0-3b']";
const TEMPERATURE: &str = ".tile[data-topic='nodes/bridge/0/thermometer/i2c0-48'] .number";

/// A hub, the address of its page and that of its WebSocket for all topics.
fn hub() -> (Bowline, String, String) {
    let (hub, url) = Bowline::hub(&[]);
    let page = url.replacen("ws", "http", 1);
    let page = page.strip_suffix("auth/clown-talk-server").unwrap();
    (hub, page.to_owned(), url)
}

fn simulate(url: &str) -> Bowline {
    Bowline::start(&["simulate", "--url", &format!("{url}_nodes_bridge_0")])
}

/// The value cell of a topic's row.
fn cell(topic: &str) -> String {
    format!("tr[data-topic='{topic}'] .value")
}

/// Receives until a message on this topic comes, and gives its payload.
async fn payload(ws: &mut WebSocket, topic: &str) -> Value {
    loop {
        let message = ws.recv().await.unwrap();
        let (heard, payload): (String, Value) =
            serde_json::from_str(message.as_text().unwrap()).unwrap();
        if heard == topic {
            return payload;
        }
    }
}

#[test]
fn the_page_shows_how_the_simulated_temperature_changes() {
    let (_hub, address, url) = hub();
    let _device = simulate(&url);
    let mut page = Page::open(&address);
    page.wait_for("#state", "open");
    let first = page.text(TEMPERATURE);
    let second = page.wait_for_change(TEMPERATURE, &first);
    for shown in [first, second] {
        let celsius: f64 = shown.parse().unwrap();
        assert!((-50.0..100.0).contains(&celsius), "{shown}");
    }
    page.wait_for(&TEMPERATURE.replace("number", "unit"), "\u{2103}");
    page.assert_clean();
}

#[tokio::test]
async fn a_click_switches_the_simulated_relay() {
    let (_hub, address, url) = hub();
    let mut observer = bowline::connect(&url).await.unwrap();
    let _device = simulate(&url);
    assert_eq!(payload(&mut observer, RELAY).await, json!({"state": null}));
    let mut page = Page::open(&address);
    page.wait_for_attribute(SWITCH, "aria-checked", "false");
    for state in [true, false] {
        page.click(SWITCH);
        let order = payload(&mut observer, &format!("{RELAY}/set")).await;
        assert_eq!(order, json!({"state": state}));
        assert_eq!(payload(&mut observer, RELAY).await, json!({"state": state}));
        page.wait_for_attribute(SWITCH, "aria-checked", &state.to_string());
    }
    page.assert_clean();
}

#[tokio::test]
async fn a_switch_shows_what_the_relay_published_not_what_was_asked_for() {
    let (_hub, address, url) = hub();
    let mut relay = bowline::connect(&url).await.unwrap();
    let tell = |state: bool| format!("[\"{RELAY}\", {{\"state\": {state}}}]");
    relay.send(tell(false)).await.unwrap();
    let mut page = Page::open(&address);
    page.wait_for_attribute(SWITCH, "aria-checked", "false");
    page.click(SWITCH);
    let order = payload(&mut relay, &format!("{RELAY}/set")).await;
    assert_eq!(order, json!({"state": true}));
    relay.send("[\"later\", 1]").await.unwrap();
    page.wait_for(&cell("later"), "1");
    page.wait_for_attribute(SWITCH, "aria-checked", "false");
    relay.send(tell(true)).await.unwrap();
    page.wait_for_attribute(SWITCH, "aria-checked", "true");
    page.assert_clean();
}

#[test]
fn page_script_and_terminal_hear_what_the_others_say() {
    let (_hub, address, url) = hub();
    let mut page = Page::open(&address);
    page.wait_for("#state", "open");
    let mut terminal = Bowline::start(&["connect", &format!("{url}_nodes_bridge_0")]);
    let mut script = Bowline::spawn(readme::python(&url));

    assert!(script.line().starts_with("['clown.talk/-/config/ok', "));
    // The script's order is the first message of all.
    page.wait_for(&cell(&format!("{RELAY}/set")), r#"{"state": true}"#);
    assert_eq!(terminal.line(), r#"["relay/i2c0-3b/set", {"state": true}]"#);

    page.fill("#send-topic", "nodes/bridge/0/form");
    page.fill("#send-payload", "{\"text\":\n \"\u{e4} \u{2103}\"}");
    page.click("#send-button");
    let sent = "[\"form\", {\"text\":  \"\u{e4} \u{2103}\"}]";
    assert_eq!(terminal.line(), sent);
    assert_eq!(script.line(), "['form', {'text': '\u{e4} \u{2103}'}]");
    page.wait_for(
        &cell("nodes/bridge/0/form"),
        "{\"text\":\n \"\u{e4} \u{2103}\"}",
    );

    terminal.type_line(r#"["terminal", [1, 2.50]]"#);
    page.wait_for(&cell("nodes/bridge/0/terminal"), "[1, 2.50]");
    assert_eq!(script.line(), "['terminal', [1, 2.5]]");
    page.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_sent_is_explained_and_stays_in_the_page() {
    let (_hub, address, url) = hub();
    let mut observer = bowline::connect(&url).await.unwrap();
    let mut page = Page::open(&address);
    page.wait_for("#state", "open");
    for (topic, payload, field, part) in [
        ("a/b", "{state: true}", "#send-payload", "double quotes"),
        ("a/b", "", "#send-payload", "JSON value"),
        ("a/#", "1", "#send-topic", "select topics"),
        ("", "1", "#send-topic", "Enter a topic"),
    ] {
        page.fill("#send-topic", topic);
        page.fill("#send-payload", payload);
        page.click("#send-button");
        page.wait_for_attribute(field, "aria-invalid", "true");
        let error = page.text("#send-error");
        assert!(error.contains(part), "{error}");
    }
    page.fill("#send-topic", "a/b");
    page.fill("#send-payload", "true");
    assert_eq!(
        page.run("document.querySelector('[aria-invalid=true]')"),
        Value::Null
    );
    page.click("#send-button");
    let first = observer.recv().await.unwrap();
    assert_eq!(first.as_text(), Some("[\"a/b\", true]\n"));
    page.assert_clean();
}

#[tokio::test]
async fn the_page_comes_back_when_the_hub_does() {
    let (hub, address, url) = hub();
    let mut page = Page::open(&address);
    page.wait_for("#state", "open");
    assert_eq!(hub.terminate(), Some(0));
    page.wait_for("#state", "waiting");
    let (_hub, _) = Bowline::serve(&["serve", "--listen", address_of(&url)]);
    page.wait_for("#state", "open");
    let mut other = bowline::connect(&url).await.unwrap();
    other.send("[\"a/b\", \"back\"]").await.unwrap();
    page.wait_for(&cell("a/b"), "\"back\"");
    // A browser complains of every attempt that nobody answers.
    let mut complaints = page.complaints();
    complaints.retain(|complaint| !complaint.contains("ERR_CONNECTION_REFUSED"));
    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn a_page_for_a_base_topic_shows_only_what_is_under_it() {
    let (_hub, address, url) = hub();
    let mut terminal = Bowline::start(&["connect", &url]);
    terminal.type_line(r#"["elsewhere", 1]"#);
    terminal.type_line(r#"["nodes/bridge/0/here", 2]"#);
    let mut page = Page::open(&format!("{address}?base=nodes/bridge/0"));
    page.wait_for(&cell("here"), "2");
    page.wait_for("#base", "nodes/bridge/0");
    page.wait_for("#topic-count", "1");
    page.wait_for_attribute("tr:only-child[data-topic]", "data-topic", "here");
    page.assert_clean();
}
