//! The lines of a conversation of an element as they are written.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bowline_connector::{
    machine::{Answer, Loss, LossClass},
    plan::{LinkId, MessageKind, ParameterId, TriggerId},
    record::{Happening, Input, Output},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    from_json,
    secrets::{target_of, without_secrets},
    to_json,
};
use crate::conversation::error::Problem;

/// A line other than the first. It is flat, so that errors have their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) t: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dir: Option<Direction>,
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trigger: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) headers: Option<Vec<(String, String)>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Absent if it was, or nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent: Option<bool>,
}

/// Which way a line went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Out,
    In,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Text,
    Binary,
    Attempt,
    Open,
    Failed,
    Close,
    Set,
    Assign,
    Fire,
    Reconnect,
    Tick,
    Value,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Class {
    Normal,
    Abnormal,
    EndpointGone,
    PingTimeout,
    Policy,
    Network,
    Refused,
    Protocol,
}

impl Line {
    /// Writes what happened; `None` if another line says it.
    pub(crate) fn of(at: Duration, happening: &Happening) -> Option<Self> {
        Some(match happening {
            Happening::In(Input::Attempt(_)) => return None,
            Happening::In(input) => Self::of_input(at, input),
            Happening::Out(output) => Self::of_output(at, output),
        })
    }

    fn new(at: Duration, kind: Kind) -> Self {
        Self {
            t: (at.as_secs_f64() * 1e6).round() / 1e6,
            dir: None,
            kind,
            link: None,
            parameter: None,
            trigger: None,
            data: None,
            value: None,
            url: None,
            error: None,
            class: None,
            code: None,
            reason: None,
            status: None,
            headers: None,
            body: None,
            sent: None,
        }
    }

    fn of_link(at: Duration, kind: Kind, dir: Direction, link: LinkId) -> Self {
        Self {
            dir: Some(dir),
            link: Some(link.0),
            ..Self::new(at, kind)
        }
    }

    fn of_input(at: Duration, input: &Input) -> Self {
        let inward = |kind, link: LinkId| Self::of_link(at, kind, Direction::In, link);
        let plain = |kind| Self::new(at, kind);
        match input {
            Input::Attempt(link) => inward(Kind::Attempt, *link),
            Input::Opened { link, answer } => inward(Kind::Open, *link).with_answer(answer),
            Input::Failed { link, loss, answer } => {
                let line = inward(Kind::Failed, *link).with_loss(loss);
                match answer {
                    Some(answer) => line.with_answer(answer),
                    None => line,
                }
            }
            // Who began to close it is not known.
            Input::Closed { link, loss } => Self {
                dir: None,
                ..inward(Kind::Close, *link).with_loss(loss)
            },
            Input::Message {
                link,
                kind,
                payload,
            } => inward(Kind::Binary, *link).with_message(*kind, payload),
            Input::Set(parameter, text) => Self {
                parameter: Some(parameter.0),
                data: Some(text.clone()),
                ..plain(Kind::Set)
            },
            Input::Assigned(parameter, value) => Self {
                parameter: Some(parameter.0),
                value: to_json(value),
                ..plain(Kind::Assign)
            },
            Input::Fired(trigger) => Self {
                trigger: Some(trigger.0),
                ..plain(Kind::Fire)
            },
            Input::Reconnect(link) => Self {
                link: Some(link.0),
                ..plain(Kind::Reconnect)
            },
            Input::Tick => plain(Kind::Tick),
            Input::End => plain(Kind::End),
        }
    }

    fn of_output(at: Duration, output: &Output) -> Self {
        let outward = |kind, link: LinkId| Self::of_link(at, kind, Direction::Out, link);
        match output {
            Output::Attempt(link, Ok(attempt)) => Self {
                url: Some(target_of(&attempt.url)),
                headers: Some(without_secrets(&attempt.headers)),
                ..outward(Kind::Attempt, *link)
            },
            Output::Attempt(link, Err(error)) => Self {
                error: Some(error.to_string()),
                ..outward(Kind::Attempt, *link)
            },
            Output::Message {
                link,
                kind,
                payload,
                is_sent,
            } => Self {
                sent: (!is_sent).then_some(false),
                ..outward(Kind::Binary, *link).with_message(*kind, payload)
            },
            Output::Changed(parameter, value) => Self {
                parameter: Some(parameter.0),
                value: to_json(value),
                ..Self::new(at, Kind::Value)
            },
        }
    }

    fn with_message(self, kind: MessageKind, payload: &[u8]) -> Self {
        let (kind, data) = match (kind, std::str::from_utf8(payload)) {
            (MessageKind::Text, Ok(text)) => (Kind::Text, text.to_owned()),
            (MessageKind::Text | MessageKind::Binary, _) => {
                (Kind::Binary, BASE64_STANDARD.encode(payload))
            }
        };
        let data = Some(data);
        Self { kind, data, ..self }
    }

    fn with_loss(self, loss: &Loss) -> Self {
        Self {
            class: Some(loss.class.into()),
            code: loss.code,
            reason: Some(loss.text.clone()),
            ..self
        }
    }

    fn with_answer(self, answer: &Answer) -> Self {
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), latin(value)));
        let body = &answer.body;
        Self {
            status: Some(answer.status_line.clone()),
            headers: Some(headers.collect()),
            body: (!body.is_empty()).then(|| BASE64_STANDARD.encode(body)),
            ..self
        }
    }

    /// Gives when it was.
    pub(crate) fn at(&self) -> Result<Duration, Problem> {
        Duration::try_from_secs_f64(self.t).map_err(|_| Problem::Time)
    }

    /// Says whether it came out of the element.
    pub(crate) fn is_output(&self) -> bool {
        self.kind == Kind::Value || self.dir == Some(Direction::Out)
    }

    /// Gives what went in; `None` if it came out.
    pub(crate) fn input(&self) -> Result<Option<Input>, Problem> {
        Ok(Some(match self.kind {
            Kind::Attempt => Input::Attempt(self.link()?),
            Kind::Value => return Ok(None),
            Kind::Text | Kind::Binary if self.dir == Some(Direction::Out) => return Ok(None),
            Kind::Text | Kind::Binary => self.message()?,
            Kind::Open => Input::Opened {
                link: self.link()?,
                answer: self.answer()?,
            },
            Kind::Failed => Input::Failed {
                link: self.link()?,
                loss: self.loss(),
                answer: match &self.status {
                    Some(_) => Some(self.answer()?),
                    None => None,
                },
            },
            Kind::Close => Input::Closed {
                link: self.link()?,
                loss: self.loss(),
            },
            Kind::Set => Input::Set(self.parameter()?, self.data()?.to_owned()),
            Kind::Assign => {
                let value = from_json(self.value.as_ref());
                Input::Assigned(self.parameter()?, value.ok_or(Problem::Missing("value"))?)
            }
            Kind::Fire => {
                let trigger = self.trigger.ok_or(Problem::Missing("trigger"))?;
                Input::Fired(TriggerId(trigger))
            }
            Kind::Reconnect => Input::Reconnect(self.link()?),
            Kind::Tick => Input::Tick,
            Kind::End => Input::End,
        }))
    }

    fn message(&self) -> Result<Input, Problem> {
        let data = self.data()?;
        let (kind, payload) = if self.kind == Kind::Text {
            (MessageKind::Text, data.as_bytes().to_vec())
        } else {
            let data = BASE64_STANDARD.decode(data).map_err(Problem::Base64)?;
            (MessageKind::Binary, data)
        };
        Ok(Input::Message {
            link: self.link()?,
            kind,
            payload: payload.into(),
        })
    }

    fn loss(&self) -> Loss {
        Loss {
            class: self.class.map_or(LossClass::Abnormal, LossClass::from),
            code: self.code,
            text: self.reason.clone().unwrap_or_default(),
        }
    }

    fn answer(&self) -> Result<Answer, Problem> {
        let headers = self.headers.iter().flatten();
        let body = self.body.as_deref().unwrap_or_default();
        let body = BASE64_STANDARD.decode(body).map_err(Problem::Base64)?;
        Ok(Answer {
            status_line: self.status.clone().unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name.clone(), of_latin(value)))
                .collect(),
            body: body.into(),
        })
    }

    fn link(&self) -> Result<LinkId, Problem> {
        self.link.map(LinkId).ok_or(Problem::Missing("link"))
    }

    fn parameter(&self) -> Result<ParameterId, Problem> {
        let parameter = self.parameter.map(ParameterId);
        parameter.ok_or(Problem::Missing("parameter"))
    }

    fn data(&self) -> Result<&str, Problem> {
        self.data.as_deref().ok_or(Problem::NoData)
    }
}

impl From<LossClass> for Class {
    fn from(class: LossClass) -> Self {
        match class {
            LossClass::Normal => Self::Normal,
            LossClass::Abnormal => Self::Abnormal,
            LossClass::EndpointGone => Self::EndpointGone,
            LossClass::PingTimeout => Self::PingTimeout,
            LossClass::Policy => Self::Policy,
            LossClass::Network => Self::Network,
            LossClass::Refused => Self::Refused,
            LossClass::Protocol => Self::Protocol,
        }
    }
}

impl From<Class> for LossClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Normal => Self::Normal,
            Class::Abnormal => Self::Abnormal,
            Class::EndpointGone => Self::EndpointGone,
            Class::PingTimeout => Self::PingTimeout,
            Class::Policy => Self::Policy,
            Class::Network => Self::Network,
            Class::Refused => Self::Refused,
            Class::Protocol => Self::Protocol,
        }
    }
}

/// Writes each byte as the character of its number.
pub(super) fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn of_latin(text: &str) -> Vec<u8> {
    let bytes = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'));
    bytes.collect()
}
