//! `bowline get`: shows the parameters of elements that run.

use crate::{
    args::GetArgs,
    control::{ElementState, ParameterState, Request, ask, data_folder},
    exit::{Failure, printable},
    output::{line, pretty_json},
};

/// Shows elements, one of them, or one value.
pub(crate) fn run(args: GetArgs) -> Result<(), Failure> {
    let folder = data_folder(args.data.data.as_deref())?;
    let is_one = args.element.is_some();
    let request = Request::Get {
        element: args.element,
        parameter: args.parameter,
    };
    let (mut elements, parameter) = ask(&folder, &request)?;
    if let Some(parameter) = parameter {
        return if args.json {
            pretty_json(&parameter)
        } else {
            line(format_args!("{}", printable(&parameter.text)))
        };
    }
    if !args.all {
        elements.iter_mut().for_each(leave_displayed);
    }
    match (args.json, elements.as_slice()) {
        (true, [element]) if is_one => pretty_json(element),
        (true, elements) => pretty_json(elements),
        (false, elements) => elements.iter().try_for_each(table),
    }
}

/// Leaves out what the connector does not display, if it displays anything.
fn leave_displayed(element: &mut ElementState) {
    let mut parameters = element.parameters.iter();
    if parameters.any(|parameter| parameter.is_displayed) {
        let is_displayed = |parameter: &ParameterState| parameter.is_displayed;
        element.parameters.retain(is_displayed);
    }
}

fn table(element: &ElementState) -> Result<(), Failure> {
    line(format_args!("{} {}", element.name, element.health))?;
    for link in &element.links {
        let (id, state, health) = (link.id, &link.state, &link.health);
        let endpoint = link.endpoint.as_deref().unwrap_or_default();
        let why = match (&**state, &link.last_loss) {
            ("open", _) | (_, None) => String::new(),
            (_, Some(loss)) => format!(" ({})", printable(loss)),
        };
        let told = format!("  link {id} {state} {health} {endpoint}{why}");
        line(format_args!("{}", told.trim_end()))?;
    }
    let names = element.parameters.iter();
    let width = names.map(|one| one.name.chars().count()).max().unwrap_or(0);
    for parameter in &element.parameters {
        let (id, name) = (parameter.id, &parameter.name);
        let value = cut(&printable(&parameter.text));
        let alarm = match parameter.alarm.as_deref() {
            None | Some("normal") => String::new(),
            Some(alarm) => format!(" [{alarm}]"),
        };
        let units = match &*parameter.units {
            "" => String::new(),
            units => format!(" {units}"),
        };
        let told = format!("  {id:>5} {name:width$} {value}{units}{alarm}");
        line(format_args!("{}", told.trim_end()))?;
    }
    Ok(())
}

/// Leaves one line of a text, not too long.
fn cut(text: &str) -> String {
    let line = text.replace(['\n', '\t'], " ");
    if line.chars().count() <= VALUE_SHOWN_MAX {
        return line;
    }
    let start: String = line.chars().take(VALUE_SHOWN_MAX).collect();
    format!("{start}...")
}

const VALUE_SHOWN_MAX: usize = 100;
