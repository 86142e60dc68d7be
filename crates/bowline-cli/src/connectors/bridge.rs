//! One element on the topics of a hub.

use std::collections::BTreeMap;

use bowline_connector::{
    machine::{AlarmLevel, Value},
    plan::{LinkId, ParameterId, ParameterKind},
    runner::{
        ElementError, ElementEvent, ElementEvents, ElementHandle, LinkStatus, ParameterStatus,
    },
};
use bowline_hub::{Heard, Participant, ParticipantError, Publication, Retain, Subscription};
use serde_json::{Value as Json, json};
use tracing::{debug, info, warn};

use super::topics::{Order, Topics};
use crate::elements::shown::{self, Shown};

/// Publishes what an element shows, and carries out what topics order.
pub(crate) struct Bridge {
    element: ElementHandle,
    hub: Participant,
    topics: Topics,
    /// The alarms that are told.
    alarms: BTreeMap<ParameterId, &'static str>,
}

impl Bridge {
    pub(crate) fn new(element: ElementHandle, hub: Participant) -> Self {
        let topics = Topics::new(&element.settings().name, element.plan());
        Self {
            element,
            hub,
            topics,
            alarms: BTreeMap::new(),
        }
    }

    /// Works until the element or the hub stops.
    ///
    /// # Errors
    /// [`ParticipantError`] if the hub has no room for the element.
    pub(crate) async fn run(mut self, mut events: ElementEvents) -> Result<(), ParticipantError> {
        let mut orders = self.hub.subscribe(&self.topics.orders_filter()).await?;
        self.publish_all().await?;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.tell(event).await?,
                    None => return Ok(()),
                },
                order = heard(&mut orders) => match order {
                    Some(publication) => self.obey(publication).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// Tells everything there is.
    async fn publish_all(&mut self) -> Result<(), ParticipantError> {
        let Ok(snapshot) = self.element.snapshot().await else {
            return Ok(());
        };
        let shown = snapshot.parameters.iter();
        let parameters: Vec<_> = shown.filter_map(|it| self.description(it)).collect();
        let about = json!({
            "name": snapshot.name,
            "connector": self.element.plan().name,
            "parameters": parameters,
        });
        self.keep(&self.topics.about("element"), Some(about))
            .await?;
        for parameter in &snapshot.parameters {
            self.value(parameter.id, &parameter.value, parameter.alarm)
                .await?;
        }
        self.health().await
    }

    /// Describes a parameter for those who show it; the write half of a value stands for both.
    fn description(&self, parameter: &ParameterStatus) -> Option<Json> {
        let name = self.topics.name(parameter.id)?;
        let labels: Vec<_> = parameter
            .discreets
            .iter()
            .map(|it| json!({"label": it.display, "value": json_of(&it.value)}))
            .collect();
        let plan = self.element.plan();
        let decimals = plan.parameters.get(parameter.id)?.decimals;
        Some(json!({
            "topic": name,
            "id": parameter.id.0,
            "description": parameter.description,
            "units": parameter.units,
            "decimals": decimals,
            "about": parameter.subtext,
            "kind": format!("{:?}", parameter.measurement).to_lowercase(),
            "settable": parameter.kind == ParameterKind::Write,
            "labels": labels,
        }))
    }

    async fn tell(&mut self, event: ElementEvent) -> Result<(), ParticipantError> {
        match event {
            ElementEvent::Changed {
                parameter,
                value,
                alarm,
                ..
            } => self.value(parameter, &value, alarm).await,
            ElementEvent::Link { .. }
            | ElementEvent::LinkLost { .. }
            | ElementEvent::Health { .. } => self.health().await,
            ElementEvent::Notice { text, .. } => {
                info!(element = self.element.settings().name, "{text}");
                Ok(())
            }
            ElementEvent::Lost(lost) => {
                debug!(lost, "events of an element were lost; telling all again");
                self.publish_all().await
            }
            // For the stream view; what a later version adds is for nobody yet.
            ElementEvent::Message(_) | _ => Ok(()),
        }
    }

    async fn value(
        &mut self,
        parameter: ParameterId,
        value: &Value,
        alarm: Option<AlarmLevel>,
    ) -> Result<(), ParticipantError> {
        let Some(topic) = self.topics.value(parameter) else {
            return Ok(());
        };
        let alarm = alarm.filter(|alarm| *alarm != AlarmLevel::Normal);
        let alarm = alarm.map(shown::alarm);
        let told = match alarm {
            Some(word) => self.alarms.insert(parameter, word),
            None => self.alarms.remove(&parameter),
        };
        if alarm != told {
            let alarm = alarm.map(Json::from);
            self.keep(&format!("{topic}/alarm"), alarm).await?;
        }
        let payload = match value {
            Value::Empty => None,
            Value::Number(number) => Some(number_of(*number)),
            Value::Bytes(bytes) => Some(Json::from(String::from_utf8_lossy(bytes))),
        };
        self.keep(&topic, payload).await
    }

    /// Tells how the element and its links do.
    async fn health(&self) -> Result<(), ParticipantError> {
        let Ok(snapshot) = self.element.snapshot().await else {
            return Ok(());
        };
        let links: Vec<_> = snapshot.links.iter().map(link).collect();
        let health = json!({"health": shown::level(snapshot.health), "links": links});
        self.keep(&self.topics.about("health"), Some(health)).await
    }

    /// Publishes a retained value; none is forgotten.
    async fn keep(&self, topic: &str, payload: Option<Json>) -> Result<(), ParticipantError> {
        let retain = match payload {
            Some(_) => Retain::Keep,
            None => Retain::Forget,
        };
        let payload = payload.unwrap_or(Json::Null).to_string();
        self.hub.publish(topic, payload, retain).await
    }

    /// Carries out an order, and says so if it cannot be.
    async fn obey(&self, publication: Publication) -> Result<(), ParticipantError> {
        let topic = publication.topic.as_str();
        let Some(order) = self.topics.order(topic) else {
            return Ok(());
        };
        let obeyed = match serde_json::from_slice(&publication.payload) {
            Ok(payload) => self.carry_out(order, &payload).await,
            Err(error) => Err(format!("the payload is no JSON: {error}")),
        };
        let Err(error) = obeyed else { return Ok(()) };
        warn!(topic, error, "an order was not carried out");
        let error = json!({"topic": topic, "error": error}).to_string();
        let about = self.topics.about("error");
        self.hub.publish(&about, error, Retain::No).await
    }

    async fn carry_out(&self, order: Order, payload: &Json) -> Result<(), String> {
        let done = match (payload, order.is_button) {
            (Json::String(text), _) => self.element.set(order.parameter, text).await,
            (Json::Number(number), _) => {
                self.element.set(order.parameter, number.to_string()).await
            }
            (Json::Bool(true) | Json::Null | Json::Object(_), true) => {
                self.element.press(order.parameter).await
            }
            (Json::Bool(on), false) => {
                let value = if *on { "1" } else { "0" };
                self.element.set(order.parameter, value).await
            }
            (Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_), _) => {
                return Err("the payload must be a text or a number".to_owned());
            }
        };
        done.map_err(|error: ElementError| Shown(self.element.plan()).refusal(&error))
    }
}

async fn heard(orders: &mut Subscription) -> Option<Publication> {
    loop {
        match orders.recv().await? {
            Heard::Publication(publication) => return Some(publication),
            Heard::Lost(lost) => warn!(lost, "orders came faster than an element carries out"),
        }
    }
}

fn link(link: &LinkStatus) -> Json {
    let LinkId(id) = link.id;
    json!({
        "id": id,
        "name": link.name,
        "state": link.state.word(),
        "health": shown::level(link.health),
        "endpoint": link.endpoint,
        "loss": link.last_loss.as_ref().map(|loss| &loss.text),
    })
}

/// Gives a number where a text is one.
fn json_of(text: &str) -> Json {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => number_of(number),
        Ok(_) | Err(_) => json!(text),
    }
}

/// Writes a whole number without a fraction.
fn number_of(number: f64) -> Json {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number of at most 53 bits is exact"
    )]
    if number.fract() == 0.0 && number.abs() < WHOLE_MAX {
        json!(number as i64)
    } else {
        json!(number)
    }
}

/// Below this a float has every whole number.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
