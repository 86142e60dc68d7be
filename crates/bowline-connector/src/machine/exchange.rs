//! The pair in flight: a command that waits for its reply.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    Effect, Machine,
    compose::{self, Counting},
    task::{Step, Task},
};
use crate::plan::{
    Command, CommandId, LinkId, MessageKind, Moment, Pair, PairId, ResponseId, Subject,
};

/// A command that was sent, or was to be sent, and waits for its reply.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) pair: PairId,
    pub(super) link: LinkId,
    kind: MessageKind,
    payload: Bytes,
    retries_left: u32,
    timeout: Duration,
    /// Whether it was told that the command was not sent.
    is_told: bool,
    /// When it is given up or sent again; none while triggers of the timeout run.
    pub(super) deadline: Option<Instant>,
}

/// Why a command was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unsent {
    LinkClosed,
    NotUtf8,
}

impl Unsent {
    /// What a trigger on communication compares with.
    fn text(self) -> &'static str {
        match self {
            Self::LinkClosed => ERROR_LINK_CLOSED,
            Self::NotUtf8 => ERROR_NOT_UTF8,
        }
    }
}

impl Machine {
    /// Begins a pair of the running group.
    pub(super) fn begin_pair(&mut self, id: PairId) -> Task {
        let plan = std::sync::Arc::clone(&self.plan);
        let Some(pair) = plan.pairs.get(id) else {
            return Task::default();
        };
        if !self.admits(pair.condition.as_ref()) {
            return Task::default();
        }
        let subject = Subject::Pair(Some(id.0));
        let mut steps = vec![Step::Moment(subject, Moment::Before)];
        let is_composed = self
            .running()
            .is_some_and(|run| run.message_of(id).is_some());
        if !is_composed {
            self.made.remove(&pair.command);
            let command = Subject::Command(Some(pair.command.0));
            steps.push(Step::Moment(command, Moment::Before));
        }
        steps.push(Step::Transmit(id));
        Task::new(steps)
    }

    /// Sends the command of a pair and waits for the reply if it has any.
    pub(super) fn transmit(&mut self, id: PairId, task: &mut Task) {
        let plan = std::sync::Arc::clone(&self.plan);
        let Some(pair) = plan.pairs.get(id) else {
            return;
        };
        let Some(command) = plan.commands.get(pair.command) else {
            return;
        };
        let Some(link) = self.link_of_pair(pair) else {
            self.notice(format!(
                "{id} was not sent: its group names no connection of this element"
            ));
            return;
        };
        let kept = self.running_mut().and_then(|run| run.take_message_of(id));
        let Some(payload) = kept.or_else(|| self.message(pair.command, command)) else {
            return;
        };
        let mut exchange = Exchange {
            pair: id,
            link,
            kind: command.kind,
            payload,
            retries_left: self.retries(pair, link),
            timeout: self.reply_timeout(id, pair, link),
            is_told: false,
            deadline: None,
        };
        let mut steps = match self.send(&exchange) {
            None => {
                let command = Subject::Command(Some(pair.command.0));
                vec![Step::Moment(command, Moment::After)]
            }
            Some(reason) => {
                if reason == Unsent::NotUtf8 {
                    exchange.retries_left = 0;
                }
                vec![self.tell_unsent(&mut exchange, reason)]
            }
        };
        if pair.responses.is_empty() && pair.bad_responses.is_empty() {
            steps.push(Step::Moment(Subject::Pair(Some(id.0)), Moment::After));
        } else {
            exchange.deadline = Some(self.now() + exchange.timeout);
            self.exchange = Some(exchange);
        }
        task.push(steps);
    }

    /// Sends the command in flight again.
    pub(super) fn retransmit(&mut self, task: &mut Task) {
        let Some(mut exchange) = self.exchange.take() else {
            return;
        };
        if let Some(reason) = self.send(&exchange)
            && !exchange.is_told
        {
            task.push([self.tell_unsent(&mut exchange, reason)]);
        }
        exchange.deadline = Some(self.now() + exchange.timeout);
        self.exchange = Some(exchange);
    }

    /// Tells that a command was not sent; of a closed link only once until it opens.
    fn tell_unsent(&mut self, exchange: &mut Exchange, reason: Unsent) -> Step {
        let why = reason.text();
        let command = self.plan.pairs.get(exchange.pair).map(|pair| pair.command);
        let name = command.and_then(|id| Some((id, self.plan.commands.get(id)?.name.clone())));
        let state = self.links.get_mut(&exchange.link);
        let is_news = reason != Unsent::LinkClosed
            || state.is_none_or(|state| !std::mem::replace(&mut state.is_unsent_told, true));
        if let (true, Some((id, name))) = (is_news, name) {
            self.notice(format!("{id} ({name}) was not sent: {why}"));
        }
        exchange.is_told = true;
        let communication = Subject::Communication(Some(exchange.link.0));
        Step::Moment(communication, Moment::Error(why.to_owned()))
    }

    /// Begins what follows when the reply did not come in time.
    pub(super) fn expire_exchange(&mut self) -> Option<Task> {
        let now = self.now();
        let exchange = self.exchange.as_mut();
        let exchange = exchange.filter(|exchange| exchange.deadline.is_some_and(|at| at <= now))?;
        exchange.deadline = None;
        let (pair, link, timeout) = (exchange.pair, exchange.link, exchange.timeout);
        let is_last = exchange.retries_left == 0;
        exchange.retries_left = exchange.retries_left.saturating_sub(1);
        self.counters.timeouts += 1;
        if !self.ignores_timeout(pair) {
            self.miss_reply(link, now.checked_sub(timeout).unwrap_or(now));
        }
        let subject = Subject::Pair(Some(pair.0));
        let mut steps = vec![Step::Moment(subject, Moment::Timeout)];
        if is_last {
            steps.push(Step::GiveUp(pair));
        } else {
            steps.push(Step::Retransmit);
        }
        Some(Task::new(steps))
    }

    /// Gives the pair in flight up.
    pub(super) fn give_up(&mut self, id: PairId, task: &mut Task) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        if !self.ignores_timeout(id) {
            self.fail_over(exchange.link);
        }
        let subject = Subject::Pair(Some(id.0));
        task.push([
            Step::Moment(subject, Moment::TimeoutAfterRetries),
            Step::Moment(subject, Moment::After),
        ]);
    }

    /// Ends the wait of the pair in flight if the response answers it.
    pub(super) fn stop_waiting(&mut self, link: LinkId, response: ResponseId) -> bool {
        let Some(exchange) = self
            .exchange
            .as_mut()
            .filter(|exchange| exchange.link == link)
        else {
            return false;
        };
        let pair = self.plan.pairs.get(exchange.pair);
        let answers = pair.is_some_and(|pair| {
            pair.responses.contains(&response) || pair.bad_responses.contains(&response)
        });
        if answers {
            exchange.deadline = None;
        }
        answers
    }

    /// Ends the pair in flight, whose answer was dealt with.
    pub(super) fn answer(&mut self, response: ResponseId, task: &mut Task) {
        let Some(exchange) = self.exchange.take() else {
            return;
        };
        let subject = Subject::Pair(Some(exchange.pair.0));
        let pair = self.plan.pairs.get(exchange.pair);
        if pair.is_some_and(|pair| pair.responses.contains(&response)) {
            task.push([
                Step::Moment(subject, Moment::Succeeded),
                Step::Moment(subject, Moment::After),
            ]);
        } else {
            task.push([Step::Moment(subject, Moment::After)]);
        }
    }

    /// Gives the message of a command: what its triggers made, else what it is now.
    fn message(&mut self, id: CommandId, command: &Command) -> Option<Bytes> {
        if !self.made.contains_key(&id) {
            self.make(id, command, Counting::Empty);
        }
        self.made.get(&id).cloned()
    }

    /// Composes a command and keeps its message.
    pub(super) fn make(&mut self, id: CommandId, command: &Command, counting: Counting) {
        if let Ok(message) = compose::compose(&self.plan, &self.values, command, counting) {
            self.made.insert(id, message);
        } else {
            self.made.remove(&id);
            let name = &command.name;
            self.notice(format!("{id} ({name}) was not made: it is too long"));
        }
    }

    /// Asks for a message to be sent; a link that is not open takes none.
    fn send(&mut self, exchange: &Exchange) -> Option<Unsent> {
        let is_text = exchange.kind == MessageKind::Text;
        if is_text && std::str::from_utf8(&exchange.payload).is_err() {
            return Some(Unsent::NotUtf8);
        }
        if !self.takes_messages(exchange.link) {
            self.counters.unsent += 1;
            return Some(Unsent::LinkClosed);
        }
        self.emit(Effect::Send {
            link: exchange.link,
            kind: exchange.kind,
            payload: exchange.payload.clone(),
        });
        None
    }

    fn ignores_timeout(&self, pair: PairId) -> bool {
        let pair = self.plan.pairs.get(pair);
        pair.is_some_and(|pair| pair.ignores_timeout)
    }

    /// Finds the link of a pair: its own, else that of the running group.
    fn link_of_pair(&self, pair: &Pair) -> Option<LinkId> {
        let link = pair.link.or_else(|| self.running()?.link)?;
        let link = self.active_half(link);
        self.links.contains_key(&link).then_some(link)
    }

    fn retries(&self, pair: &Pair, link: LinkId) -> u32 {
        let settings = self.settings.links.get(&link);
        let declared = self.plan.links.get(link);
        pair.retries
            .or_else(|| settings?.retries)
            .or_else(|| declared?.retries)
            .unwrap_or(RETRIES_DEFAULT)
    }

    fn reply_timeout(&self, id: PairId, pair: &Pair, link: LinkId) -> Duration {
        let settings = self.settings.links.get(&link);
        let declared = self.plan.links.get(link);
        pair.timeout
            .or_else(|| self.pair_timeouts.get(&id).copied())
            .or_else(|| settings?.timeout)
            .or_else(|| declared?.timeout)
            .unwrap_or(REPLY_TIMEOUT_DEFAULT)
            .clamp(REPLY_TIMEOUT_MIN, REPLY_TIMEOUT_MAX)
    }
}

/// How often a command is sent again if nobody says it.
pub const RETRIES_DEFAULT: u32 = 3;

/// How long a reply may take if nobody says it.
pub const REPLY_TIMEOUT_DEFAULT: Duration = Duration::from_millis(1500);

/// The shortest time a reply may be given.
pub const REPLY_TIMEOUT_MIN: Duration = Duration::from_millis(10);

/// The longest time a reply may be given.
pub const REPLY_TIMEOUT_MAX: Duration = Duration::from_mins(2);

/// The error text of a command for a link that is not open.
pub const ERROR_LINK_CLOSED: &str = "the connection is not open";

/// The error text of a text message that is no UTF-8.
pub const ERROR_NOT_UTF8: &str = "a text message must be UTF-8";
