//! The package `bowline-js` in Node and in a browser.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    browser::Page,
    support::{Bowline, address_of},
    tools::TOOLS,
};

fn file(path: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packages/bowline-js");
    PathBuf::from(folder).join(path)
}

/// Node with the package, over one of its two kinds of WebSocket.
fn node(kind: &str, what: &str, url: &str) -> Command {
    let mut command = Command::new("node");
    command
        .args(["--no-warnings", "--experimental-websocket"])
        .arg(file("test/node.mjs"))
        .args([kind, what, url])
        .env("BOWLINE_NODE_MODULES", TOOLS.node_modules());
    command
}

/// A hub with a simulated node; gives the URL of the node's window.
fn hub_with_node() -> (Bowline, Bowline, String) {
    let (hub, url) = Bowline::hub(&[]);
    let url = format!("{url}_nodes_bridge_0");
    let node = Bowline::start(&["simulate", "--url", &url]);
    (hub, node, url)
}

fn assert_success(mut command: Command) {
    let output = command
        .output()
        .expect("node starts: run `cargo xtask tools`");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
}

/// A script that runs a function of `test/hub.mjs` with the modules of this expression.
fn script(function: &str, modules: &str, url: &str) -> String {
    let functions = fs::read_to_string(file("test/hub.mjs")).unwrap();
    let functions = functions.replace("export async function", "async function");
    format!("(async () => {{\n{functions}\nawait {function}({modules}, '{url}');\n}})()")
}

#[test]
fn its_unit_tests_pass() {
    let mut files: Vec<_> = fs::read_dir(file("test"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.to_str()
                .is_some_and(|path| path.ends_with(".test.mjs"))
        })
        .collect();
    files.sort();
    assert_eq!(files.len(), 4);
    let mut command = Command::new("node");
    command.arg("--test").args(files);
    assert_success(command);
}

#[test]
fn node_talks_with_a_device_through_the_hub() {
    let (_hub, _node, url) = hub_with_node();
    assert_success(node("ws", "talk", &url));
    assert_success(node("native", "talk", &url));
}

#[test]
fn chromium_talks_with_a_device_through_the_hub_that_serves_the_package() {
    let (_hub, _node, url) = hub_with_node();
    let mut page = Page::open(&format!("http://{}/", address_of(&url)));
    let modules = "{...await import('/bowline.js'), ...await import('/clown-talk.js')}";
    page.run(&script("talkWithNode", modules, &url));
    page.assert_clean();
}

#[test]
fn chromium_shows_the_cart_of_the_example_and_changes_it() {
    let tests = env::current_exe().unwrap();
    let folder = tests.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples/cart");
    assert!(program.exists(), "{}: build examples", program.display());
    let mut shop = Bowline::spawn(Command::new(program));
    let line = shop.line();
    let mut page = Page::open(line.strip_prefix("listening on ").unwrap());
    page.wait_for("#total", "0");
    page.click("[data-item=tea]");
    page.wait_for("#total", "250");
    page.click("[data-item=tea]");
    page.wait_for("#items li", "2 tea");
    page.click("[data-item=moon]");
    page.wait_for("#status", "there is no moon here");
    page.click("[data-item=plum]");
    page.wait_for("#total", "560");
    page.assert_clean();
}

#[test]
fn node_sends_and_receives_every_kind_of_data() {
    let (_server, url) = Bowline::echo(&[]);
    assert_success(node("ws", "echo", &url));
    assert_success(node("native", "echo", &url));
}

#[test]
fn chromium_sends_and_receives_every_kind_of_data() {
    let (_server, url) = Bowline::echo(&[]);
    let mut page = Page::open(&url.replacen("ws", "http", 1));
    let source = fs::read_to_string(file("bowline.js")).unwrap();
    let source = serde_json::Value::from(source);
    let module = format!("new Blob([{source}], {{type: 'text/javascript'}})");
    let modules = format!("await import(URL.createObjectURL({module}))");
    page.run(&script("echo", &modules, &url));
}

#[test]
fn what_node_publishes_while_the_hub_is_away_arrives_when_it_is_back() {
    for kind in ["ws", "native"] {
        let (hub, url) = Bowline::hub(&[]);
        let mut node = Bowline::spawn(node(kind, "stay", &url));
        assert_eq!(node.line(), "open");
        node.type_line("before");
        assert_eq!([node.line(), node.line()], ["sent", "sent"]);
        assert_eq!(hub.terminate(), Some(0));
        assert_eq!(node.line(), "waiting");
        node.type_line("meanwhile");
        node.line_with("kept");

        let (_hub, _) = Bowline::serve(&["serve", "--listen", address_of(&url)]);
        node.line_with("open");
        assert_eq!(node.line(), "sent");
        let mut terminal = Bowline::start(&["connect", &url]);
        assert_eq!(terminal.line(), r#"["line", "meanwhile"]"#);
    }
}
