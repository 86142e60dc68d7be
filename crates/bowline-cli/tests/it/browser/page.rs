//! A page in headless Chromium, driven through playwright-core.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use serde_json::{Value, json};

use crate::tools::TOOLS;

/// A page of a browser of its own; leaves a picture when its test fails.
pub(crate) struct Page {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    host: String,
}

impl Page {
    /// Starts a browser and loads an address.
    pub(crate) fn open(url: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/browser/driver.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .env("BOWLINE_NODE_MODULES", TOOLS.node_modules())
            .env("BOWLINE_CHROMIUM", TOOLS.chromium())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts: run `cargo xtask tools`");
        let mut page = Self {
            commands: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            host: url.split('/').nth(2).unwrap().to_owned(),
        };
        page.ask(&json!({"do": "open", "url": url}));
        page
    }

    pub(crate) fn click(&mut self, selector: &str) {
        self.ask(&json!({"do": "click", "selector": selector}));
    }

    pub(crate) fn fill(&mut self, selector: &str, text: &str) {
        self.ask(&json!({"do": "fill", "selector": selector, "text": text}));
    }

    /// Waits until a visible element has a text, and gives it.
    pub(crate) fn text(&mut self, selector: &str) -> String {
        self.wait(&json!({"do": "wait", "selector": selector}))
    }

    /// Waits until the text of a visible element is this one.
    pub(crate) fn wait_for(&mut self, selector: &str, text: &str) {
        self.wait(&json!({"do": "wait", "selector": selector, "is": text}));
    }

    /// Waits until the text of a visible element is another one, and gives it.
    pub(crate) fn wait_for_change(&mut self, selector: &str, text: &str) -> String {
        self.wait(&json!({"do": "wait", "selector": selector, "isNot": text}))
    }

    /// Waits until an attribute of a visible element has this value.
    pub(crate) fn wait_for_attribute(&mut self, selector: &str, name: &str, value: &str) {
        self.wait(&json!({"do": "wait", "selector": selector, "attribute": name, "is": value}));
    }

    /// Runs a script in the page and gives its result.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        self.ask(&json!({"do": "run", "script": script}))
    }

    /// Checks that the page complained of nothing and talked to nobody but its own server.
    pub(crate) fn assert_clean(&mut self) {
        assert_eq!(self.complaints(), Vec::<String>::new());
    }

    /// What the page complained of; checks that it talked to nobody but its own server.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let report = self.ask(&json!({"do": "report"}));
        assert_eq!(report["hosts"], json!([self.host]));
        serde_json::from_value(report["complaints"].clone()).unwrap()
    }

    fn wait(&mut self, command: &Value) -> String {
        self.ask(command).as_str().unwrap().to_owned()
    }

    fn ask(&mut self, command: &Value) -> Value {
        match self.try_ask(command) {
            Ok(value) => value,
            Err(failure) => {
                let command: String = command.to_string().chars().take(200).collect();
                panic!("{command}: {failure}");
            }
        }
    }

    fn try_ask(&mut self, command: &Value) -> Result<Value, String> {
        let mut line = String::new();
        writeln!(self.commands, "{command}")
            .and_then(|()| self.answers.read_line(&mut line))
            .map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&line)
            .map_err(|_| format!("the browser's driver ended; it said {line:?}"))?;
        match answer["failed"].as_str() {
            Some(failure) => Err(failure.to_owned()),
            None => Ok(answer["value"].take()),
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current()
                .name()
                .unwrap_or("page")
                .replace("::", "-");
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
            match self.try_ask(&json!({"do": "screenshot", "file": file})) {
                Ok(_) => eprintln!("the page is in {}", file.display()),
                Err(failure) => eprintln!("no picture of the page: {failure}"),
            }
        }
        // Without its pipes the browser ends, even when the driver cannot tell it to.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}
