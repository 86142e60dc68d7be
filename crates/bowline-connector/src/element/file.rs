//! The file of an element: `ELEMENT.toml`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use toml::de::{DeTable, DeValue};

use super::{
    ElementSettings, Extraction, LinkSettings, Problem, Problems, Reconnect,
    problem::Source,
    reader::{Reader, Section},
};
use crate::{
    hooks::{Hooks, JsonPath, Script},
    plan::{LinkId, ParameterId},
};

/// The file of one element: which connector it runs, and how.
///
/// ```
/// use bowline_connector::element::ElementFile;
///
/// let text = r#"
///     connector = "tank.xml"
///     name = "tank-1"
///
///     [links.1]
///     endpoints = ["ws://127.0.0.1:8050"]
///     keepalive = { interval = "20s", timeout = "10s" }
///
///     [[extract]]
///     from = 43
///     path = "$.tank.level"
///     to = 50
/// "#;
/// let file = ElementFile::parse("tank-1.toml", text)?;
/// assert_eq!(file.settings().name, "tank-1");
/// # Ok::<(), bowline_connector::element::Problems>(())
/// ```
///
/// Files it names are looked for beside it. The guide page lists every setting.
#[derive(Clone, Debug)]
pub struct ElementFile {
    connector: PathBuf,
    pub(super) settings: ElementSettings,
    pub(super) scripts: Vec<ScriptFile>,
    pub(super) source: Source,
    pub(super) places: BTreeMap<String, Range<usize>>,
}

/// A script that is a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFile {
    /// The parameter whose change runs it.
    pub parameter: ParameterId,
    /// Its file.
    pub path: PathBuf,
}

impl ElementFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Problems`] says where it is wrong, and what would be right.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Problems> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let limit = u64::try_from(ELEMENT_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
            .map(|_length| bytes)
            .map_err(|error| error.to_string());
        let text = read.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))
        });
        match text {
            Ok(text) => Self::parse(&name, &text),
            Err(reason) => {
                let source = Source::new(&name, "");
                let problem = source.error(0..0, format!("cannot read the file: {reason}"), "");
                Err(Problems(vec![problem]))
            }
        }
    }

    /// Reads the text of a file of that name.
    ///
    /// # Errors
    /// [`Problems`], as [`read`](Self::read).
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let mut reader = Reader {
            source: Source::new(name, text),
            problems: Vec::new(),
            places: BTreeMap::new(),
        };
        if text.len() > ELEMENT_BYTES_MAX {
            let message = format!("the file has more than {ELEMENT_BYTES_MAX} bytes");
            let help = "an element file is TOML; is this another file?";
            return Err(Problems(vec![reader.source.error(0..0, message, help)]));
        }
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let place = error.span().unwrap_or(0..0);
            reader.error(place, error.message(), "the file is TOML: key = \"value\"");
        }
        if !reader.problems.is_empty() {
            return Err(Problems(reader.problems));
        }
        let root = Section::new(String::new(), table.span(), table.get_ref());
        let file = read_root(&mut reader, root, Path::new(name));
        match file {
            Some(file) if reader.problems.is_empty() => Ok(Self {
                source: reader.source,
                places: reader.places,
                ..file
            }),
            Some(_) | None => {
                reader.problems.sort_by_key(|one| (one.line, one.column));
                Err(Problems(reader.problems))
            }
        }
    }

    /// Gives the path of the connector's file.
    pub fn connector(&self) -> &Path {
        &self.connector
    }

    /// Gives the settings.
    pub const fn settings(&self) -> &ElementSettings {
        &self.settings
    }

    /// Gives the scripts that are hooks, in order.
    pub fn scripts(&self) -> &[ScriptFile] {
        &self.scripts
    }

    /// Reads the scripts.
    ///
    /// # Errors
    /// [`Problems`] with each script that cannot be read or is wrong.
    pub fn hooks(&self) -> Result<Hooks, Problems> {
        let mut hooks = Hooks::new();
        let mut problems = Vec::new();
        for (place, script) in self.scripts.iter().enumerate() {
            match Script::read(&script.path) {
                Ok(compiled) => hooks.add(script.parameter, Arc::new(compiled)),
                Err(error) => {
                    let at = self.place(&format!("hook.{place}.script"));
                    problems.push(self.source.error(at, error.to_string(), ""));
                }
            }
        }
        if problems.is_empty() {
            Ok(hooks)
        } else {
            Err(Problems(problems))
        }
    }

    /// Gives the full names of everything that is set, parameters and places in lists left out.
    #[cfg(test)]
    pub(super) fn keys(&self) -> Vec<&str> {
        let names = self.places.keys().map(String::as_str);
        let names = names.filter(|name| !name.starts_with("parameters."));
        names.collect()
    }

    /// Says where something stands, by its full name.
    pub(super) fn place(&self, name: &str) -> Range<usize> {
        self.places.get(name).cloned().unwrap_or(0..0)
    }

    pub(super) fn error(&self, name: &str, message: String, help: &str) -> Problem {
        self.source.error(self.place(name), message, help)
    }

    pub(super) fn warning(&self, name: &str, message: String, help: &str) -> Problem {
        self.source.warning(self.place(name), message, help)
    }
}

fn read_root(reader: &mut Reader, mut root: Section<'_>, path: &Path) -> Option<ElementFile> {
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let connector = root.text(reader, "connector");
    if connector.is_none() && !reader.places.contains_key("connector") {
        let help = "add connector = \"file.xml\", the file of the connector, above all tables";
        reader.error(0..0, "no connector is named", help);
    }
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = root.text(reader, "name").or(stem).unwrap_or_default();
    if !is_name(&name) {
        let at = reader.places.get("name").cloned().unwrap_or(0..0);
        let message = format!("{name:?} cannot be the name of an element");
        reader.error(at, message, NAME_HELP);
    }
    let id = root.integer(reader, "id", (0, u32::MAX)).unwrap_or(1);
    let timeout = root.duration(reader, "timeout", (Duration::ZERO, DAY));
    let delivers_duplicates = root.flag(reader, "deliver_duplicates").unwrap_or(false);
    let parameters = read_parameters(reader, &mut root);
    let links = read_links(reader, &mut root, &folder);
    let extractions = read_extractions(reader, &mut root);
    let scripts = read_scripts(reader, &mut root, &folder);
    root.finish(reader);
    Some(ElementFile {
        connector: folder.join(connector?),
        settings: ElementSettings {
            name,
            id,
            links,
            timeout,
            parameters,
            delivers_duplicates,
            extractions,
        },
        scripts,
        source: reader.source.clone(),
        places: BTreeMap::new(),
    })
}

fn read_parameters(reader: &mut Reader, root: &mut Section<'_>) -> BTreeMap<ParameterId, String> {
    let mut parameters = BTreeMap::new();
    let item = root.item(reader, "parameters");
    let section = item.and_then(|item| reader.section("parameters".into(), item));
    for (key, item) in section.iter().flat_map(Section::entries) {
        let Some(number) = reader.number_of_key(key, "parameter") else {
            continue;
        };
        reader
            .places
            .insert(format!("parameters.{number}"), key.span());
        if let Some(text) = text_of(item.get_ref()) {
            parameters.insert(ParameterId(number), text);
        } else {
            let kind = item.get_ref().type_str();
            let message = format!("the value of parameter {number} is {kind}");
            let help = "give text in quotes, or a decimal number";
            reader.error(item.span(), message, help);
        }
    }
    parameters
}

/// Takes text, and numbers as they are written.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    if let DeValue::Integer(integer) = value {
        return (integer.radix() == 10).then(|| integer.to_string());
    }
    if let DeValue::Float(float) = value {
        return Some(float.as_str().to_owned());
    }
    value.as_str().map(str::to_owned)
}

fn read_links(
    reader: &mut Reader,
    root: &mut Section<'_>,
    folder: &Path,
) -> BTreeMap<LinkId, LinkSettings> {
    let mut links = BTreeMap::new();
    let item = root.item(reader, "links");
    let section = item.and_then(|item| reader.section("links".into(), item));
    for (key, item) in section.iter().flat_map(Section::entries) {
        let Some(number) = reader.number_of_key(key, "connection") else {
            continue;
        };
        let name = format!("links.{number}");
        reader.places.insert(name.clone(), key.span());
        if let Some(link) = reader.section(name, item) {
            links.insert(LinkId(number), read_link(reader, link, folder));
        }
    }
    links
}

fn read_link(reader: &mut Reader, mut link: Section<'_>, folder: &Path) -> LinkSettings {
    let beside = |path: String| folder.join(path).display().to_string();
    let settings = LinkSettings {
        endpoints: link.texts(reader, "endpoints"),
        port: link
            .integer(reader, "port", (1, u32::from(u16::MAX)))
            .and_then(|port| u16::try_from(port).ok()),
        bus_address: link.text(reader, "bus_address"),
        timeout: link.duration(reader, "timeout", TIMEOUTS),
        retries: link.integer(reader, "retries", (0, 10)),
        include_timeout: link.flag(reader, "include_timeout").unwrap_or(true),
        reconnect: read_reconnect(reader, &mut link),
        keepalive: read_keepalive(reader, &mut link),
        proxy: link.text(reader, "proxy"),
        redirects: link
            .integer(reader, "redirects", (0, 20))
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(0),
        ca_file: link.text(reader, "ca_file").map(beside),
        certificate: read_certificate(reader, &mut link)
            .map(|(chain, key)| (beside(chain), beside(key))),
        danger_skip_verification: link
            .flag(reader, "danger_skip_verification")
            .unwrap_or(false),
    };
    link.finish(reader);
    settings
}

fn read_reconnect(reader: &mut Reader, link: &mut Section<'_>) -> Reconnect {
    let Some(text) = link.text(reader, "reconnect") else {
        return Reconnect::default();
    };
    match &*text {
        "automatic" => Reconnect::Automatic,
        "manual" => Reconnect::Manual,
        other => {
            let name = link.name_of("reconnect");
            let at = reader.places.get(&name).cloned().unwrap_or(0..0);
            let message = format!("{name} is {other:?}");
            reader.error(at, message, "give \"automatic\" or \"manual\"");
            Reconnect::default()
        }
    }
}

fn read_keepalive(reader: &mut Reader, link: &mut Section<'_>) -> Option<(Duration, Duration)> {
    let item = link.item(reader, "keepalive")?;
    let mut pair = reader.section(link.name_of("keepalive"), item)?;
    let interval = pair.duration(reader, "interval", KEEPALIVES);
    let timeout = pair.duration(reader, "timeout", KEEPALIVES);
    if interval.is_none() && !reader.places.contains_key(&pair.name_of("interval")) {
        let help = "give interval = \"20s\", the silence after which a ping is sent";
        reader.error(pair.place.clone(), "the keepalive has no interval", help);
    }
    pair.finish(reader);
    Some((interval?, timeout.unwrap_or(PONG_TIMEOUT_DEFAULT)))
}

fn read_certificate(reader: &mut Reader, link: &mut Section<'_>) -> Option<(String, String)> {
    let item = link.item(reader, "certificate")?;
    let mut pair = reader.section(link.name_of("certificate"), item)?;
    let (chain, key) = (pair.text(reader, "chain"), pair.text(reader, "key"));
    if chain.is_none() || key.is_none() {
        let help = "give chain = \"client.pem\" and key = \"client.key\", PEM files";
        reader.error(pair.place.clone(), "the certificate is not complete", help);
    }
    pair.finish(reader);
    Some((chain?, key?))
}

/// Goes through the tables of a list, such as those of `[[extract]]`.
fn each_of(
    reader: &mut Reader,
    root: &mut Section<'_>,
    key: &'static str,
    mut read: impl FnMut(&mut Reader, &mut Section<'_>),
) {
    let Some(item) = root.item(reader, key) else {
        return;
    };
    let DeValue::Array(items) = item.get_ref() else {
        let message = format!("{key} is {}", item.get_ref().type_str());
        return reader.error(item.span(), message, &format!("write [[{key}]] above each"));
    };
    for (place, item) in items.iter().enumerate() {
        if let Some(mut section) = reader.section(format!("{key}.{place}"), item) {
            read(reader, &mut section);
            section.finish(reader);
        }
    }
}

fn read_extractions(reader: &mut Reader, root: &mut Section<'_>) -> Vec<Extraction> {
    let mut extractions = Vec::new();
    each_of(reader, root, "extract", |reader, section| {
        let from = read_parameter(reader, section, "from");
        let path = required_text(reader, section, "path");
        let to = read_parameter(reader, section, "to");
        if let Some(Err(error)) = path.as_deref().map(JsonPath::parse) {
            let at = reader.places.get(&section.name_of("path")).cloned();
            reader.error(
                at.unwrap_or(0..0),
                error.to_string(),
                "write a path such as $.tank.level",
            );
        }
        if let (Some(from), Some(path), Some(to)) = (from, path, to) {
            extractions.push(Extraction { from, path, to });
        }
    });
    extractions
}

fn read_scripts(reader: &mut Reader, root: &mut Section<'_>, folder: &Path) -> Vec<ScriptFile> {
    let mut scripts = Vec::new();
    each_of(reader, root, "hook", |reader, section| {
        let parameter = read_parameter(reader, section, "parameter");
        let script = required_text(reader, section, "script");
        if let (Some(parameter), Some(script)) = (parameter, script) {
            let path = folder.join(script);
            scripts.push(ScriptFile { parameter, path });
        }
    });
    scripts
}

fn read_parameter(
    reader: &mut Reader,
    section: &mut Section<'_>,
    key: &'static str,
) -> Option<ParameterId> {
    let number = section.integer(reader, key, (0, PARAMETER_MAX));
    check_present(reader, section, key);
    number.map(ParameterId)
}

fn required_text(
    reader: &mut Reader,
    section: &mut Section<'_>,
    key: &'static str,
) -> Option<String> {
    let text = section.text(reader, key);
    check_present(reader, section, key);
    text
}

fn check_present(reader: &mut Reader, section: &Section<'_>, key: &str) {
    let name = section.name_of(key);
    if !reader.places.contains_key(&name) {
        reader.error(
            section.place.clone(),
            format!("{name} is missing"),
            &format!("add {key} = ..."),
        );
    }
}

/// Says whether a name may be one level of a topic.
fn is_name(name: &str) -> bool {
    let is_fine = |character: char| !character.is_control() && !"/+#".contains(character);
    (1..=NAME_LENGTH_MAX).contains(&name.chars().count())
        && !name.starts_with('$')
        && name.chars().all(is_fine)
}

/// The longest element file that is read.
pub const ELEMENT_BYTES_MAX: usize = 1 << 20;

const NAME_LENGTH_MAX: usize = 64;
const NAME_HELP: &str = "give 1 to 64 characters without / + # and control characters, no $ first";
const DAY: Duration = Duration::from_hours(24);
const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_mins(2));
const KEEPALIVES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_hours(1));
const PONG_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);
const PARAMETER_MAX: u32 = 64_299;
