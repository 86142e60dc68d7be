//! `bowline set`: sets a parameter of an element that runs.

use crate::{
    args::SetArgs,
    control::{Request, ask, data_folder},
    exit::{Failure, printable},
    output::{json, line},
};

/// Sets a parameter, or presses a button.
pub(crate) fn run(args: SetArgs) -> Result<(), Failure> {
    let folder = data_folder(args.data.data.as_deref())?;
    let request = Request::Set {
        element: args.element,
        parameter: args.parameter,
        value: args.value,
    };
    let (_, parameter) = ask(&folder, &request)?;
    let Some(parameter) = parameter else {
        return Ok(());
    };
    if args.json {
        return json(&parameter);
    }
    let (element, name) = (&parameter.element, &parameter.name);
    if parameter.is_button {
        return line(format_args!("{element} {} {name} pressed", parameter.id));
    }
    let text = printable(&parameter.text);
    line(format_args!("{element} {} {name} {text}", parameter.id))
}
