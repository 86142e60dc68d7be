//! The commands that are typed at a terminal.

use bowline::{CloseCode, Message, proto::Close};

use super::form::{Form, unhex};

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Send this.
    Send(Message),
    /// Send a ping with this payload.
    Ping(Vec<u8>),
    /// Close with this code and reason.
    Close(CloseCode, String),
    /// Say what can be asked for.
    Help,
}

impl Asked {
    /// Reads a line.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn read(line: &str, form: Form) -> Result<Self, String> {
        let Some(command) = line.strip_prefix('/') else {
            let message = form.read(line.as_bytes().to_vec());
            let message = message.map_err(|error| format!("the line {error}"));
            return message.map(Self::Send);
        };
        if command.starts_with('/') {
            return Ok(Self::Send(Message::text(command.to_owned())));
        }
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match name {
            "ping" if rest.len() > PING_LEN_MAX => {
                Err(format!("a ping carries at most {PING_LEN_MAX} bytes"))
            }
            "ping" => Ok(Self::Ping(rest.as_bytes().to_vec())),
            "close" | "quit" | "exit" => close(rest.trim()),
            "binary" | "hex" => {
                let bytes = unhex(rest.as_bytes());
                let bytes = bytes.ok_or("write /binary and hex, two digits for each byte")?;
                Ok(Self::Send(Message::binary(bytes)))
            }
            "help" | "?" => Ok(Self::Help),
            _ => Err(format!(
                "/{name} is no command: /help lists them, and //{name} sends /{name}"
            )),
        }
    }
}

fn close(arguments: &str) -> Result<Asked, String> {
    if arguments.is_empty() {
        return Ok(Asked::Close(CloseCode::NORMAL, String::new()));
    }
    let (code, reason) = arguments.split_once(' ').unwrap_or((arguments, ""));
    let code = code.parse().map(CloseCode);
    let code = code.map_err(|_| "write /close, or /close CODE REASON".to_owned())?;
    match Close::new(code, reason) {
        Ok(_) => Ok(Asked::Close(code, reason.to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

/// Bytes that a ping may carry (RFC 6455 section 5.5).
const PING_LEN_MAX: usize = 125;

pub(super) const HELP: &str = "\
each line is sent as a message; the arrow keys bring earlier ones back
  /ping [TEXT]          ping, and show how long the answer takes
  /binary HEX           send a binary message
  /close [CODE REASON]  close, with 1000 if no code is given; Ctrl-D and Ctrl-C do too
  //TEXT                send a message that begins with a slash
  /help                 show this";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_or_commands() {
        let text = |text: &'static str| Asked::Send(Message::text(text));
        let cases = [
            ("hello", text("hello")),
            ("", text("")),
            (" /ping", text(" /ping")),
            ("//ping", text("/ping")),
            ("/ping", Asked::Ping(vec![])),
            ("/ping a b", Asked::Ping(b"a b".to_vec())),
            ("/binary 00 ff", Asked::Send(Message::binary(vec![0, 255]))),
            ("/close", Asked::Close(CloseCode::NORMAL, String::new())),
            ("/quit", Asked::Close(CloseCode::NORMAL, String::new())),
            (
                "/close 4000 that is all",
                Asked::Close(CloseCode(4000), "that is all".to_owned()),
            ),
            ("/help", Asked::Help),
        ];
        for (line, expected) in cases {
            assert_eq!(Asked::read(line, Form::Text), Ok(expected), "{line}");
        }
        let hex = Asked::read("00", Form::Hex);
        assert_eq!(hex, Ok(Asked::Send(Message::binary(vec![0]))));
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        let long = format!("/ping {}", "x".repeat(126));
        for line in [
            "/nonsense",
            "/binary x",
            "/close now",
            "/close 1005",
            "/close 99",
            &long,
        ] {
            assert!(Asked::read(line, Form::Text).is_err(), "{line}");
        }
        assert!(Asked::read("xyz", Form::Hex).is_err());
    }
}
