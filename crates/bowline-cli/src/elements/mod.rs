//! The files of elements and connectors, as they are named on the command line.

mod connector;
mod settings;
pub(crate) mod shown;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bowline_connector::{
    ElementSettings, Plan,
    element::{ElementFile, Problem},
    hooks::Hooks,
};

use self::{connector::Connectors, settings::Settings};
use crate::{args::ElementArgs, exit::Failure, output::status};

/// An element that can run.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) plan: Arc<Plan>,
    pub(crate) settings: Arc<ElementSettings>,
    /// The scripts of its settings.
    pub(crate) hooks: Hooks,
    /// The file of its connector.
    pub(crate) connector: PathBuf,
    /// The text of its settings.
    pub(crate) text: String,
}

/// Loads everything that is named. What is wrong is told on standard error, all of it.
///
/// # Errors
/// If a file has errors or two elements have one name.
pub(crate) fn load(args: &ElementArgs) -> Result<Vec<Loaded>, Failure> {
    let (elements, connectors) = sort_out(args)?;
    let mut reader = Connectors::default();
    let mut texts = Vec::new();
    let mut wrong = 0;
    match (&*connectors, elements.is_empty()) {
        ([], _) => {
            for path in elements {
                texts.push(Settings::of_element(&path)?);
            }
        }
        ([connector], false) => {
            for path in elements {
                texts.push(Settings::of_element(&path)?.with_connector(connector));
            }
        }
        (connectors, true) => {
            for path in connectors {
                texts.push(Settings::of_connector(path));
            }
        }
        (_, false) => return Err(Failure::ManyConnectors),
    }
    let count = texts.len();
    let mut loaded = Vec::new();
    for text in texts {
        match load_one(&mut reader, text, &args.endpoint, count)? {
            Some(element) => loaded.push(element),
            None => wrong += 1,
        }
    }
    if wrong > 0 {
        return Err(Failure::Invalid(wrong));
    }
    check_names(&loaded)?;
    Ok(loaded)
}

/// Loads the connector or the element of one file, for a conversation that says the rest.
///
/// # Errors
/// If a file has errors.
pub(crate) fn load_for(path: &Path, recorded: &str) -> Result<Loaded, Failure> {
    let text = if is_element(path) {
        Settings::of_element(path)?
    } else {
        Settings::recorded(recorded, path)
    };
    let loaded = load_one(&mut Connectors::default(), text, &[], 1)?;
    loaded.ok_or(Failure::Invalid(1))
}

/// Says what is wrong with an element file by itself and beside its connector; `None` if the
/// connector has errors, which are told.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn check(path: &Path) -> Result<Option<Vec<Problem>>, Failure> {
    let file = match Settings::of_element(path)?.parse() {
        Ok(file) => file,
        Err(problems) => return Ok(Some(problems.0)),
    };
    let Some(plan) = Connectors::default().read(file.connector())? else {
        return Ok(None);
    };
    let mut problems = file.check(&plan);
    problems.extend(file.hooks().err().into_iter().flat_map(|wrong| wrong.0));
    problems.sort_by_key(|one| (one.line, one.column));
    Ok(Some(problems))
}

fn load_one(
    reader: &mut Connectors,
    text: Settings,
    endpoints: &[crate::args::EndpointArg],
    count: usize,
) -> Result<Option<Loaded>, Failure> {
    if !endpoints.is_empty() && count > 1 {
        return Err(Failure::EndpointOfMany);
    }
    let Some(file) = tell(text.parse()) else {
        return Ok(None);
    };
    let Some(plan) = reader.read(file.connector())? else {
        return Ok(None);
    };
    let text = text.with_endpoints(endpoints, &plan)?;
    let Some(file) = tell(text.parse()) else {
        return Ok(None);
    };
    let problems = file.check(&plan);
    tell_problems(&problems);
    let hooks = tell(file.hooks());
    let has_errors = problems.iter().any(|problem| problem.is_error);
    let Some(hooks) = hooks.filter(|_| !has_errors) else {
        return Ok(None);
    };
    Ok(Some(Loaded {
        plan,
        settings: Arc::new(file.settings().clone()),
        hooks,
        connector: file.connector().to_owned(),
        text: text.into_text(),
    }))
}

/// Tells apart what is an element and what a connector; folders stand for the elements in them.
fn sort_out(args: &ElementArgs) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let mut elements = args.element.clone();
    let mut connectors = Vec::new();
    for path in &args.files {
        if path.is_dir() {
            elements.extend(elements_in(path)?);
        } else if is_element(path) {
            elements.push(path.clone());
        } else {
            connectors.push(path.clone());
        }
    }
    Ok((elements, connectors))
}

fn elements_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |source| Failure::Access {
        what: "read",
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if is_element(&path) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Failure::NoElements(folder.to_owned()));
    }
    paths.sort();
    Ok(paths)
}

/// Says whether a file is of an element, by its name.
pub(crate) fn is_element(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

fn check_names(loaded: &[Loaded]) -> Result<(), Failure> {
    let mut names: Vec<_> = loaded.iter().map(|one| &*one.settings.name).collect();
    names.sort_unstable();
    let mut pairs = names.windows(2);
    match pairs.find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(Failure::SameName(
            pair.first().copied().unwrap_or_default().to_owned(),
        )),
        None => Ok(()),
    }
}

/// Tells what is wrong; `None` if it is that wrong.
fn tell<T>(read: Result<T, bowline_connector::element::Problems>) -> Option<T> {
    read.map_err(|problems| tell_problems(&problems.0)).ok()
}

fn tell_problems(problems: &[Problem]) {
    for problem in problems {
        status(format_args!("{problem}\n"));
    }
}

/// Reads the settings of an element.
impl Settings {
    fn parse(&self) -> Result<ElementFile, bowline_connector::element::Problems> {
        ElementFile::parse(&self.name(), self.text())
    }
}
