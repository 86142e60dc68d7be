//! The text of an element's settings.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf, absolute},
};

use bowline_connector::{Plan, element::ELEMENT_BYTES_MAX};
use toml::{Table, Value};

use crate::{args::EndpointArg, exit::Failure};

/// The text of an element's settings, and the file it is from or could be from: files it names are
/// beside that.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    path: PathBuf,
    text: String,
}

impl Settings {
    /// Reads the file of an element.
    pub(super) fn of_element(path: &Path) -> Result<Self, Failure> {
        let limit = u64::try_from(ELEMENT_BYTES_MAX).unwrap_or(u64::MAX);
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_string(&mut text))
            .map_err(|source| Failure::Access {
                what: "read",
                path: path.to_owned(),
                source,
            })?;
        let path = path.to_owned();
        Ok(Self { path, text })
    }

    /// Makes the settings of a connector that runs as it is.
    pub(super) fn of_connector(connector: &Path) -> Self {
        let mut table = Table::new();
        if let Some(name) = connector.file_name() {
            set_text(&mut table, "connector", &name.to_string_lossy());
        }
        if let Some(stem) = connector.file_stem() {
            set_text(&mut table, "name", &stem.to_string_lossy());
        }
        Self {
            path: connector.with_extension("toml"),
            text: table.to_string(),
        }
    }

    /// Takes settings from a record, for this connector.
    pub(super) fn recorded(text: &str, connector: &Path) -> Self {
        let settings = Self {
            path: connector.with_extension("toml"),
            text: text.to_owned(),
        };
        settings.with_connector(connector)
    }

    /// Names another connector. Text that is no TOML is left, and told when it is read.
    pub(super) fn with_connector(self, connector: &Path) -> Self {
        let Ok(mut table) = self.text.parse::<Table>() else {
            return self;
        };
        let connector = absolute(connector).unwrap_or_else(|_| connector.to_owned());
        set_text(&mut table, "connector", &connector.to_string_lossy());
        self.with_table(&table)
    }

    /// Says where links lead: the endpoint of a link, and the parameter that holds it.
    pub(super) fn with_endpoints(
        self,
        endpoints: &[EndpointArg],
        plan: &Plan,
    ) -> Result<Self, Failure> {
        if endpoints.is_empty() {
            return Ok(self);
        }
        let Ok(mut table) = self.text.parse::<Table>() else {
            return Ok(self);
        };
        for endpoint in endpoints {
            let first = plan.links.iter().map(|(id, _)| id).next();
            let named = endpoint.link.map(bowline_connector::plan::LinkId);
            let link = named.or(first).ok_or(Failure::NoLinks)?;
            if !plan.links.contains(link) {
                let links = plan.links.iter().map(|(id, _)| id.to_string());
                return Err(Failure::NoSuchLink {
                    link: link.0,
                    links: links.collect::<Vec<_>>().join(", "),
                });
            }
            let links = table_of(&mut table, "links");
            let own = table_of(links, &link.0.to_string());
            let urls = vec![Value::String(endpoint.url.clone())];
            own.insert("endpoints".to_owned(), Value::Array(urls));
            let mut parameters = plan.parameters.iter();
            let holder = parameters.find(|(_, parameter)| parameter.endpoint_of == Some(link));
            if let Some((holder, _)) = holder {
                let parameters = table_of(&mut table, "parameters");
                set_text(parameters, &holder.0.to_string(), &endpoint.url);
            }
        }
        Ok(self.with_table(&table))
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn with_table(self, table: &Table) -> Self {
        let text = table.to_string();
        // The name comes from the file unless it is said.
        Self { text, ..self }
    }
}

fn set_text(table: &mut Table, key: &str, text: &str) {
    table.insert(key.to_owned(), Value::String(text.to_owned()));
}

/// Gives a table in a table, which is added when missing or something else.
fn table_of<'t>(table: &'t mut Table, key: &str) -> &'t mut Table {
    let entry = table.entry(key.to_owned());
    let entry = entry.or_insert_with(|| Value::Table(Table::new()));
    if !entry.is_table() {
        *entry = Value::Table(Table::new());
    }
    entry.as_table_mut().expect("it was made one")
}
