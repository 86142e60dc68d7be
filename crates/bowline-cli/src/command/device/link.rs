//! One connection of a simulated device.

use std::collections::VecDeque;

use bowline::{CloseCode, Error, Message, WebSocket};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

use super::script::{DROPPED, Does, Script};

/// A link and what is still to be done on it.
pub(crate) struct Link<'s> {
    script: &'s Script,
    ws: WebSocket<TcpStream>,
    /// What rules wait to do, in the order in which it was asked for.
    waiting: VecDeque<Waiting>,
    /// When each rule of time is due, and how often it was.
    due: Vec<(Instant, usize)>,
    sent: u64,
}

struct Waiting {
    due: Instant,
    messages: Vec<String>,
    close: Option<u16>,
}

impl<'s> Link<'s> {
    pub(crate) fn new(script: &'s Script, ws: WebSocket<TcpStream>) -> Self {
        let now = Instant::now();
        let due = script.every.iter().map(|rule| (now + rule.interval, 0));
        Self {
            script,
            ws,
            waiting: VecDeque::new(),
            due: due.collect(),
            sent: 0,
        }
    }

    /// Follows the script until the link is over.
    pub(crate) async fn run(mut self, mut over: watch::Receiver<bool>) {
        for rule in self.script.on.iter().filter(|rule| rule.open) {
            self.plan(&rule.does, "", None);
        }
        while let Ok(true) = self.step(&mut over).await {}
        if let Some(ending) = self.ws.ending() {
            info!(code = ending.code.0, cause = %ending.cause, "a client is gone");
        }
    }

    /// Waits for what comes next and does it; false when the link is over.
    async fn step(&mut self, over: &mut watch::Receiver<bool>) -> Result<bool, Error> {
        let next = self.next_due();
        let timer = async {
            match next {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.ws.recv() => match message {
                Some(message) => self.take(&message),
                None => return Ok(false),
            },
            () = timer => return self.act().await,
            _ = over.changed() => {
                self.ws.close(CloseCode::GOING_AWAY, "the device stops").await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, message: &Message) {
        let text = message.as_text().unwrap_or_default();
        let json = serde_json::from_str::<Value>(text).ok();
        debug!(text, "received");
        let rules = self.script.on.iter();
        let mut fitting = rules.filter(|rule| !rule.open && rule.fits(text, json.as_ref()));
        if let Some(rule) = fitting.next() {
            self.plan(&rule.does, text, json.as_ref());
        }
    }

    /// Notes what a rule does; beyond the bound it is left out.
    fn plan(&mut self, does: &Does, text: &str, json: Option<&Value>) {
        if self.waiting.len() >= WAITING_MAX {
            warn!(
                WAITING_MAX,
                "so many rules wait already: what this one does is left out"
            );
            return;
        }
        let mut messages = Vec::new();
        for template in &does.send {
            self.sent += 1;
            messages.push(template.fill(self.sent, text, json));
        }
        self.waiting.push_back(Waiting {
            due: Instant::now() + does.after,
            messages,
            close: does.close,
        });
    }

    fn next_due(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().map(|waiting| waiting.due);
        waiting.chain(self.due.iter().map(|(due, _)| *due)).min()
    }

    /// Does what is due; false when the link is over.
    async fn act(&mut self) -> Result<bool, Error> {
        let now = Instant::now();
        if let Some(index) = self.waiting.iter().position(|waiting| waiting.due <= now)
            && let Some(waiting) = self.waiting.remove(index)
        {
            for message in waiting.messages {
                self.ws.send(message).await?;
            }
            return match waiting.close {
                None => Ok(true),
                Some(DROPPED) => {
                    self.ws.abort();
                    Ok(false)
                }
                Some(code) => {
                    let code = CloseCode(code);
                    self.ws.close(code, "the script says so").await?;
                    Ok(false)
                }
            };
        }
        for (rule, (due, turn)) in self.script.every.iter().zip(&mut self.due) {
            if *due <= now {
                *due = now + rule.interval;
                let template = rule.send.get(*turn % rule.send.len());
                *turn += 1;
                self.sent += 1;
                if let Some(template) = template {
                    self.ws.send(template.fill(self.sent, "", None)).await?;
                }
            }
        }
        Ok(true)
    }
}

const WAITING_MAX: usize = 1024;
