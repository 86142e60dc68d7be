//! What parameters have to do with each other.

use std::collections::HashMap;

use super::Builder;
use crate::{
    diagnostic::{Code, Diagnostic},
    plan::{LengthRule, LinkId, ParameterId, ParameterKind},
};

impl Builder<'_, '_> {
    /// Tells links with several endpoint parameters.
    pub(super) fn endpoints(&mut self) {
        let mut seen: HashMap<LinkId, ParameterId> = HashMap::new();
        let rows = self.plan.parameters.iter();
        let rows: Vec<_> = rows
            .filter_map(|(id, parameter)| Some((id, parameter.endpoint_of?)))
            .collect();
        for (id, link) in rows {
            if let Some(first) = seen.get(&link) {
                let message = format!("{first} is the endpoint of {link} as well");
                let span = self.parameter_span(id);
                let other = self.parameter_span(*first);
                self.said.add(
                    Diagnostic::warning(Code::DynamicEndpoint, span, message)
                        .label("the one that is set last counts")
                        .related(other, "the other one"),
                );
            } else {
                seen.insert(link, id);
            }
        }
    }

    /// Tells names that two halves of the same sort share, and setters without another half.
    pub(super) fn parameter_names(&mut self) {
        let mut reads: HashMap<String, ParameterId> = HashMap::new();
        let mut doubles = Vec::new();
        let mut setters = Vec::new();
        for (id, parameter) in self.plan.parameters.iter() {
            let name = parameter.name.to_lowercase();
            if parameter.setter {
                setters.push((id, name.clone(), parameter.kind));
            }
            if parameter.kind == ParameterKind::Read && !name.is_empty() {
                if let Some(first) = reads.get(&name) {
                    doubles.push((id, *first));
                } else {
                    reads.insert(name, id);
                }
            }
        }
        for (id, first) in doubles {
            let message = format!("{first} and {id} are read parameters of the same name");
            let (span, other) = (self.parameter_span(id), self.parameter_span(first));
            self.said.add(
                Diagnostic::warning(Code::DuplicateName, span, message)
                    .label("a setter sets the first one")
                    .related(other, "the first one"),
            );
        }
        for (id, name, kind) in setters {
            let span = self.parameter_span(id);
            let message = if kind != ParameterKind::Write {
                format!("{id} is a setter and no write parameter")
            } else if reads.contains_key(&name) {
                continue;
            } else {
                format!("there is no read parameter of the name of setter {}", id.0)
            };
            self.said
                .add(Diagnostic::warning(Code::SetterAlone, span, message).label("sets nothing"));
        }
    }

    /// Tells lengths that depend on each other in a circle.
    pub(super) fn length_loops(&mut self) {
        let next = |id: ParameterId| match self.plan.parameters.get(id)?.interpretation.length {
            LengthRule::OtherParameter { id, .. } => Some(id),
            LengthRule::Fixed(_) | LengthRule::NextParameter | LengthRule::LastNextParameter => {
                None
            }
        };
        let mut done: HashMap<ParameterId, usize> = HashMap::new();
        let mut found = Vec::new();
        for (walk, (start, _)) in self.plan.parameters.iter().enumerate() {
            let mut at = start;
            while !done.contains_key(&at) {
                done.insert(at, walk);
                match next(at) {
                    Some(after) if done.get(&after) == Some(&walk) => {
                        found.push((at, after));
                        break;
                    }
                    Some(after) => at = after,
                    None => break,
                }
            }
        }
        for (id, other) in found {
            let message = format!("the length of {id} depends on itself");
            let span = self.parameter_span(id);
            let diagnostic = Diagnostic::error(Code::LengthLoop, span, message);
            self.said
                .add(diagnostic.related(self.parameter_span(other), "by way of this one"));
        }
    }
}
