//! Whether an element file fits its connector.

use super::{ElementFile, LinkSettings, Problem};
use crate::{
    Plan,
    plan::{BusAddress, Link, LinkId, ParameterId},
};

impl ElementFile {
    /// Checks the settings against the connector. What is no error does not keep the element from
    /// running.
    pub fn check(&self, plan: &Plan) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (id, settings) in &self.settings.links {
            match plan.links.get(*id) {
                Some(link) => self.check_link(&mut problems, *id, (link, settings)),
                None => problems.push(self.error(
                    &format!("links.{}", id.0),
                    format!("there is no {id}"),
                    &links_of(plan),
                )),
            }
        }
        self.check_endpoints(&mut problems, plan);
        for id in self.settings.parameters.keys() {
            self.check_parameter(&mut problems, plan, (&format!("parameters.{}", id.0), *id));
        }
        for (place, extraction) in self.settings.extractions.iter().enumerate() {
            for (key, id) in [("from", extraction.from), ("to", extraction.to)] {
                let name = format!("extract.{place}.{key}");
                self.check_parameter(&mut problems, plan, (&name, id));
            }
        }
        for (place, script) in self.scripts.iter().enumerate() {
            let name = format!("hook.{place}.parameter");
            self.check_parameter(&mut problems, plan, (&name, script.parameter));
        }
        problems
    }

    fn check_parameter(
        &self,
        problems: &mut Vec<Problem>,
        plan: &Plan,
        (name, id): (&str, ParameterId),
    ) {
        if !plan.parameters.contains(id) {
            let help = "use the id of a parameter of the connector";
            problems.push(self.error(name, format!("there is no {id}"), help));
        }
    }

    fn check_link(
        &self,
        problems: &mut Vec<Problem>,
        id: LinkId,
        (link, settings): (&Link, &LinkSettings),
    ) {
        let name = |key: &str| format!("links.{}.{key}", id.0);
        if link.port_fixed && settings.port.is_some_and(|port| Some(port) != link.port) {
            let port = link
                .port
                .map_or_else(|| "its own".to_owned(), |port| port.to_string());
            let message = format!("the connector does not let the port of {id} be changed");
            let help = format!("take port out; the connector uses {port}");
            problems.push(self.error(&name("port"), message, &help));
        }
        if let Some(address) = &settings.bus_address {
            self.check_bus_address(problems, id, (&link.bus_address, address));
        }
        if settings.danger_skip_verification {
            let message = format!(
                "the server of {id} is NOT VERIFIED: whoever sits on the way can read and change everything"
            );
            let help = "trust the server's own certificate with ca_file in place of this";
            problems.push(self.warning(&name("danger_skip_verification"), message, help));
        }
    }

    fn check_bus_address(
        &self,
        problems: &mut Vec<Problem>,
        id: LinkId,
        (rule, address): (&BusAddress, &str),
    ) {
        let name = format!("links.{}.bus_address", id.0);
        let is_same = |known: &String| known.eq_ignore_ascii_case(address);
        if rule.is_fixed && !rule.default.as_ref().is_some_and(is_same) {
            let message = format!("the connector does not let the bus address of {id} be changed");
            problems.push(self.error(&name, message, "take bus_address out"));
        } else if !rule.is_fixed && !rule.allows(address) {
            let message = format!("{address:?} is no bus address of {id}");
            problems.push(self.error(&name, message, &allowed(rule)));
        }
    }

    /// Warns of links that nothing tells where to go.
    fn check_endpoints(&self, problems: &mut Vec<Problem>, plan: &Plan) {
        for (id, _) in plan.links.iter() {
            let settings = self.settings.links.get(&id);
            let is_set = settings.is_some_and(|settings| !settings.endpoints.is_empty());
            let mut parameters = plan.parameters.iter();
            let is_dynamic = parameters.any(|(_, parameter)| parameter.endpoint_of == Some(id));
            if !is_set && !is_dynamic {
                let message = format!("{id} has no endpoint: it will not be opened");
                let help = format!("add endpoints = [\"ws://host\"] under [links.{}]", id.0);
                problems.push(self.warning(&format!("links.{}", id.0), message, &help));
            }
        }
    }
}

fn allowed(rule: &BusAddress) -> String {
    if !rule.choices.is_empty() {
        return format!("choose one of: {}", rule.choices.join(", "));
    }
    let (first, last) = &rule.range;
    let show = |end: &Option<String>| end.clone().unwrap_or_else(|| "any".to_owned());
    format!("choose one from {} to {}", show(first), show(last))
}

fn links_of(plan: &Plan) -> String {
    let links: Vec<_> = plan.links.iter().map(|(id, _)| id.to_string()).collect();
    if links.is_empty() {
        "the connector has no connections of the WebSocket kind".to_owned()
    } else {
        format!("the connector has {}", links.join(", "))
    }
}
