//! A device in Python, and ways to wait for it.

use std::{future::Future, process::Stdio, time::Duration};

use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::tools::{self, TOOLS};

/// What a device is like.
pub(crate) struct Habits {
    /// 0 takes any that is free.
    pub(crate) port: u16,
    pub(crate) path: &'static str,
    pub(crate) compression: bool,
    /// Seconds.
    pub(crate) heartbeat: Option<f64>,
    pub(crate) refusal: Option<u16>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            port: 0,
            path: "/x-nmos/events/ws",
            compression: true,
            heartbeat: None,
            refusal: None,
        }
    }
}

/// A device that runs as a process of its own.
pub(crate) struct Device {
    pub(crate) port: u16,
    process: Child,
    commands: ChildStdin,
    news: Lines<BufReader<ChildStdout>>,
}

impl Device {
    pub(crate) async fn start(habits: Habits) -> Self {
        let options = json!({
            "port": habits.port,
            "path": habits.path,
            "compression": habits.compression,
            "heartbeat": habits.heartbeat,
            "refusal": habits.refusal,
        });
        let mut process = Command::new(TOOLS.python())
            .arg(tools::scripts().join("device.py"))
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut device = Self {
            port: 0,
            commands: process.stdin.take().unwrap(),
            news: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
        };
        let news = device.news().await;
        device.port = u16::try_from(news["port"].as_u64().unwrap()).unwrap();
        device
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Waits for the next thing it tells.
    pub(crate) async fn news(&mut self) -> Json {
        let line = soon(self.news.next_line()).await.unwrap();
        serde_json::from_str(&line.expect("the device ended")).unwrap()
    }

    /// Waits until it tells something with that name, and gives it whole.
    pub(crate) async fn tells(&mut self, name: &str) -> Json {
        loop {
            let news = self.news().await;
            if news.get(name).is_some() {
                return news;
            }
        }
    }

    pub(crate) async fn tell(&mut self, command: Json) {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.unwrap();
        self.commands.flush().await.unwrap();
    }

    pub(crate) async fn push(&mut self, text: &str) {
        self.tell(json!({"do": "push", "text": text})).await;
    }

    /// Ends it as a power failure would.
    pub(crate) async fn kill(mut self) -> u16 {
        self.process.kill().await.unwrap();
        self.port
    }
}

/// Waits for what comes soon, or fails.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(30);
    timeout(patience, future).await.expect("it took too long")
}
