//! Finds what people name.

use bowline_connector::{
    Plan,
    plan::{Measurement, Parameter, ParameterId, ParameterKind},
    runner::ElementHandle,
};

/// What a parameter is wanted for: the read and the write half of a value share a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Reading,
    Setting,
}

/// Finds an element by its name.
///
/// # Errors
/// What to tell the person.
pub(super) fn element<'e>(
    elements: &'e [ElementHandle],
    name: &str,
) -> Result<&'e ElementHandle, String> {
    let mut all = elements.iter();
    let found = all.find(|element| element.settings().name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = elements
            .iter()
            .map(|element| element.settings().name.as_str())
            .collect();
        format!(
            "there is no element {name:?}; there are: {}",
            names.join(", ")
        )
    })
}

/// Finds a parameter by its number, its name or its description; what is written exactly so comes
/// before what differs in capitals.
///
/// # Errors
/// What to tell the person.
pub(super) fn parameter(plan: &Plan, text: &str, purpose: Purpose) -> Result<ParameterId, String> {
    if let Ok(number) = text.parse() {
        let id = ParameterId(number);
        if plan.parameters.contains(id) {
            return Ok(id);
        }
    }
    let tests: [fn(&Parameter, &str) -> bool; 4] = [
        |parameter, text| parameter.name == text,
        |parameter, text| parameter.description == text,
        |parameter, text| parameter.name.eq_ignore_ascii_case(text),
        |parameter, text| parameter.description.eq_ignore_ascii_case(text),
    ];
    for test in tests {
        let named: Vec<_> = plan
            .parameters
            .iter()
            .filter(|(_, parameter)| test(parameter, text))
            .collect();
        let fit = |(_, parameter): &&(ParameterId, &Parameter)| {
            (parameter.kind == ParameterKind::Write) == (purpose == Purpose::Setting)
        };
        let fitting: Vec<_> = named.iter().filter(fit).copied().collect();
        let candidates = if fitting.is_empty() { named } else { fitting };
        match &*candidates {
            [] => {}
            [(id, _)] => return Ok(*id),
            several => {
                let ids: Vec<_> = several.iter().map(|(id, _)| id.0.to_string()).collect();
                let ids = ids.join(", ");
                return Err(format!(
                    "{text:?} is the name of several: give one of {ids}"
                ));
            }
        }
    }
    Err(format!(
        "there is no parameter {text:?}{}",
        nearest(plan, text)
    ))
}

/// Gives the one value a button has, if it is one.
///
/// # Errors
/// What to tell the person who gave no value.
pub(super) fn check_button(plan: &Plan, id: ParameterId) -> Result<(), String> {
    let parameter = plan.parameters.get(id);
    let Some(parameter) = parameter.filter(|one| one.measurement == Measurement::Button) else {
        return Err(format!("{id} is no button: give a value"));
    };
    if parameter.discreets.len() > 1 {
        let labels = parameter.discreets.iter();
        let labels: Vec<_> = labels.map(|discreet| discreet.display.as_str()).collect();
        let labels = labels.join(", ");
        return Err(format!("{id} has several buttons: give one of {labels}"));
    }
    Ok(())
}

/// Suggests names that have the text in them.
fn nearest(plan: &Plan, text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let parameters = plan.parameters.iter();
    let names = parameters.map(|(_, parameter)| parameter.name.as_str());
    let mut alike: Vec<_> = names
        .filter(|name| !text.is_empty() && name.to_ascii_lowercase().contains(&text))
        .collect();
    alike.sort_unstable();
    alike.dedup();
    alike.truncate(SUGGESTIONS_MAX);
    if alike.is_empty() {
        String::new()
    } else {
        format!("; there is: {}", alike.join(", "))
    }
}

const SUGGESTIONS_MAX: usize = 5;
