//! The command lines of connectors that run: `run`, `set`, `get` and `test`.

use std::{path::PathBuf, str::FromStr};

use clap::{ArgGroup, Args as ClapArgs};
use regex::Regex;

/// Which elements.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["files", "element"]))]
pub(crate) struct ElementArgs {
    /// Connectors, elements (ELEMENT.toml) and folders of elements
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Run the connector with the settings of this file; may be given more than once
    #[arg(long, value_name = "ELEMENT.toml")]
    pub(crate) element: Vec<PathBuf>,
    /// Where a link leads: that of the connection of this number, or the first one
    #[arg(long, value_name = "[LINK=]URL")]
    pub(crate) endpoint: Vec<EndpointArg>,
}

impl ElementArgs {
    /// Names files, as they are.
    pub(crate) const fn of(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            element: Vec::new(),
            endpoint: Vec::new(),
        }
    }
}

/// Arguments of `run`.
#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) elements: ElementArgs,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Forget saved values at the end, and begin without those of before
    #[arg(long)]
    pub(crate) no_save: bool,
    #[command(flatten)]
    pub(crate) view: ViewArgs,
    /// Write what each element hears, says and is told to this file, for `bowline test`; with several
    /// elements one file each, with the name of the element before the ending
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// How elements are shown.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct ViewArgs {
    /// Write one line for each event, also at a terminal
    #[arg(long)]
    pub(crate) plain: bool,
    /// Write one JSON object for each event
    #[arg(long, conflicts_with = "plain")]
    pub(crate) json: bool,
    /// Write every message in and out too
    #[arg(long)]
    pub(crate) stream: bool,
}

/// Where data is kept.
#[derive(Debug, ClapArgs)]
pub(crate) struct DataArgs {
    /// The folder of saved values and of the socket for `set` and `get`, created when missing.
    /// Default: bowline in `$XDG_DATA_HOME`, or in `~/.local/share`
    #[arg(long, value_name = "DIR", env = "BOWLINE_DATA")]
    pub(crate) data: Option<PathBuf>,
}

/// Arguments of `set`.
#[derive(Debug, ClapArgs)]
pub(crate) struct SetArgs {
    /// The name of the element
    pub(crate) element: String,
    /// The name, the description or the id of a write parameter
    pub(crate) parameter: String,
    /// The value or its label; without one a button is pressed
    #[arg(allow_negative_numbers = true)]
    pub(crate) value: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Write the parameter as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `get`.
#[derive(Debug, ClapArgs)]
pub(crate) struct GetArgs {
    /// The name of an element; all if left out
    pub(crate) element: Option<String>,
    /// The name, the description or the id of a parameter; then only its value is written
    pub(crate) parameter: Option<String>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Show parameters too that the connector does not display
    #[arg(long)]
    pub(crate) all: bool,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `test`.
#[derive(Debug, ClapArgs)]
pub(crate) struct TestArgs {
    /// A connector, or an element (ELEMENT.toml)
    pub(crate) file: PathBuf,
    /// Conversations that `bowline run --record FILE` wrote
    #[arg(long, value_name = "REC", required = true, num_args = 1..)]
    pub(crate) conversation: Vec<PathBuf>,
    /// Take what matches this regular expression, in messages and values, to be alike
    #[arg(long, value_name = "PATTERN")]
    pub(crate) ignore: Vec<Regex>,
    /// Write what comes out now into the conversations, instead of complaining
    #[arg(long)]
    pub(crate) bless: bool,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndpointArg {
    /// The number of the connection; the first one if it is not said.
    pub(crate) link: Option<u32>,
    pub(crate) url: String,
}

impl FromStr for EndpointArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbered = text.split_once('=').and_then(|(link, url)| {
            let link = link.parse().ok()?;
            Some((Some(link), url))
        });
        let (link, url) = numbered.unwrap_or((None, text));
        if url.trim().is_empty() {
            return Err("write a URL such as ws://192.0.2.40:9002, or 1=URL for connection 1");
        }
        let url = url.to_owned();
        Ok(Self { link, url })
    }
}

pub(super) const RUN_HELP: &str = "\
At a terminal a table shows links and parameters: arrows choose, Enter sets a parameter or presses a
button, s shows the messages, r makes a link anew, q quits. Elsewhere each event is a line:

  2026-11-20T12:00:00.123Z tank link 1 open
  2026-11-20T12:00:00.130Z tank value 50 Level 42.5 l [major]

`TIME ELEMENT started` comes once an element runs. SIGTERM and Ctrl-C close all links with 1000 and
end the program with 0.

Examples:
  bowline run tank.xml --endpoint ws://192.0.2.40:9002
  bowline run tank.xml --element tank-1.toml --element tank-2.toml
  bowline run elements/ --json
  bowline run tank-1.toml --record tank.jsonl";

pub(super) const SET_HELP: &str = "\
Examples:
  bowline set tank-1 \"Event Feed Endpoint\" ws://192.0.2.40:9002
  bowline set tank-1 Pump On
  bowline set tank-1 Reconnect";

pub(super) const GET_HELP: &str = "\
Examples:
  bowline get
  bowline get tank-1 Level
  bowline get tank-1 --json --all";

pub(super) const TEST_HELP: &str = "\
Nothing is connected and nothing waits: what came in is given to the connector at its recorded time,
timers run between, scripts too. What it sends and the values at the end are compared with the
record; each difference is shown with its line there, - as recorded, + as it is now. The program
ends with 1 if there is one.

Settings come from the record, or from the element if one is given.

Examples:
  bowline test tank.xml --conversation tank.jsonl
  bowline test tank-1.toml --conversation records/*.jsonl --ignore '\"time\":\"[^\"]*\"'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_may_say_their_link() {
        let cases = [
            ("1=ws://a/", Some(1), "ws://a/"),
            ("ws://a/?b=c", None, "ws://a/?b=c"),
            ("host:80", None, "host:80"),
        ];
        for (text, link, url) in cases {
            let url = url.to_owned();
            assert_eq!(text.parse(), Ok(EndpointArg { link, url }));
        }
        assert!("".parse::<EndpointArg>().is_err());
        assert!("1=".parse::<EndpointArg>().is_err());
    }
}
