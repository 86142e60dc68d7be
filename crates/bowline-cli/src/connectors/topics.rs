//! The topics of an element.
//!
//! ```text
//! connectors/<element>/<parameter>          its value, retained
//! connectors/<element>/<parameter>/alarm    its alarm, retained while there is one
//! connectors/<element>/<parameter>/set      sets it, or presses it
//! connectors/<element>/-/element            what there is to show and set, retained
//! connectors/<element>/-/health             how the element and its links do, retained
//! connectors/<element>/-/error              why an order was not carried out
//! ```

use std::collections::{BTreeMap, HashSet};

use bowline_connector::{
    Plan,
    plan::{Measurement, Parameter, ParameterId, ParameterKind},
};

/// The names of an element's topics.
#[derive(Debug)]
pub(crate) struct Topics {
    base: String,
    values: BTreeMap<ParameterId, String>,
    orders: BTreeMap<String, Order>,
}

/// What a `set` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The parameter that is set.
    pub(crate) parameter: ParameterId,
    /// Whether it is a button, which any payload presses.
    pub(crate) is_button: bool,
}

impl Topics {
    /// Names the topics of the parameters that are to be shown. The read and the write half of a
    /// value share a topic, as they share their name.
    pub(crate) fn new(element: &str, plan: &Plan) -> Self {
        let mut topics = Self {
            base: format!("{ROOT}/{}", level(element)),
            values: BTreeMap::new(),
            orders: BTreeMap::new(),
        };
        let mut taken = HashSet::new();
        let shown = |(_, parameter): &(ParameterId, &Parameter)| parameter.is_displayed;
        for (id, parameter) in plan.parameters.iter().filter(shown) {
            if parameter.kind != ParameterKind::Write {
                let name = unused(&mut taken, id, &parameter.name);
                topics.values.insert(id, name);
            }
        }
        let mut taken = HashSet::new();
        for (id, parameter) in plan.parameters.iter().filter(shown) {
            if parameter.kind == ParameterKind::Write {
                let name = unused(&mut taken, id, &parameter.name);
                let is_button = parameter.measurement == Measurement::Button;
                let parameter = id;
                topics.orders.insert(
                    name,
                    Order {
                        parameter,
                        is_button,
                    },
                );
            }
        }
        topics
    }

    /// Gives the topic of a value; `None` if it is not shown.
    pub(crate) fn value(&self, parameter: ParameterId) -> Option<String> {
        let name = self.values.get(&parameter)?;
        Some(format!("{}/{name}", self.base))
    }

    /// Gives the last level of the topic of a parameter.
    pub(crate) fn name(&self, parameter: ParameterId) -> Option<&str> {
        let order = |(_, order): &(&String, &Order)| order.parameter == parameter;
        let name = self.values.get(&parameter);
        let name = name.or_else(|| self.orders.iter().find(order).map(|(name, _)| name));
        name.map(String::as_str)
    }

    /// Gives what a topic orders.
    pub(crate) fn order(&self, topic: &str) -> Option<Order> {
        let relative = topic.strip_prefix(&self.base)?.strip_prefix('/')?;
        self.orders.get(relative.strip_suffix("/set")?).copied()
    }

    /// Gives a topic about the element itself.
    pub(crate) fn about(&self, what: &str) -> String {
        format!("{}/-/{what}", self.base)
    }

    /// Gives the filter of all orders.
    pub(crate) fn orders_filter(&self) -> String {
        format!("{}/+/set", self.base)
    }
}

/// Takes a name that no other parameter has.
fn unused(taken: &mut HashSet<String>, id: ParameterId, name: &str) -> String {
    let mut name = level(name);
    if name.is_empty() || name == "-" || !taken.insert(name.clone()) {
        name = format!("{name}.{}", id.0);
        taken.insert(name.clone());
    }
    name
}

/// Makes a level of a topic out of a name.
fn level(name: &str) -> String {
    let mut level = String::new();
    for c in name.chars() {
        if level.len() + c.len_utf8() > LEVEL_LEN_MAX {
            break;
        }
        level.push(if matches!(c, '/' | '+' | '#' | '\0') {
            '_'
        } else {
            c
        });
    }
    level
}

/// What the topics of all elements begin with.
const ROOT: &str = "connectors";
/// The bytes of a name; a number behind it still fits into the level of a topic.
const LEVEL_LEN_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(parameters: &[(u32, &str, &str, &str)]) -> Plan {
        let parameter = |(id, name, kind, measurement): &(u32, &str, &str, &str)| {
            format!(
                "<Param id='{id}'><Name>{name}</Name><Description>{name}</Description>\
                 <Type>{kind}</Type><Display><RTDisplay>true</RTDisplay></Display>\
                 <Measurement><Type>{measurement}</Type></Measurement></Param>"
            )
        };
        let parameters: String = parameters.iter().map(parameter).collect();
        let xml = format!("<Protocol><Params>{parameters}</Params></Protocol>");
        let reading = bowline_connector::read("test.xml", xml.as_bytes());
        reading.plan.unwrap()
    }

    #[test]
    fn halves_share_a_topic_and_namesakes_do_not() {
        let plan = plan(&[
            (1, "Level", "read", "number"),
            (2, "Level", "write", "number"),
            (3, "Level", "read", "number"),
            (4, "a/b", "write", "button"),
        ]);
        let topics = Topics::new("tank 1", &plan);
        let value = |id| topics.value(ParameterId(id));
        assert_eq!(value(1).unwrap(), "connectors/tank 1/Level");
        assert_eq!(value(2), None);
        assert_eq!(value(3).unwrap(), "connectors/tank 1/Level.3");
        let order = |topic| {
            let order = topics.order(topic)?;
            Some((order.parameter.0, order.is_button))
        };
        assert_eq!(order("connectors/tank 1/Level/set"), Some((2, false)));
        assert_eq!(order("connectors/tank 1/a_b/set"), Some((4, true)));
        assert_eq!(order("connectors/tank 1/a_b"), None);
        assert_eq!(order("connectors/other/a_b/set"), None);
        assert_eq!(topics.name(ParameterId(4)), Some("a_b"));
    }
}
