//! Keeps secrets out of what is recorded.

use bowline_connector::machine::HeaderList;

use super::line::latin;

/// Gives path and query of a URL, without secrets: hosts and ports change from one computer to the
/// next.
pub(super) fn target_of(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.find(['/', '?']);
    let target = target.and_then(|start| after_scheme.get(start..));
    let target = target.unwrap_or("/");
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=..."),
        Some(_) | None => part.to_owned(),
    });
    let parts: Vec<_> = parts.collect();
    format!("{path}?{}", parts.join("&"))
}

/// Says whether a name is one that secrets go by.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Writes headers, without secrets.
pub(super) fn without_secrets(headers: &HeaderList) -> Vec<(String, String)> {
    let headers = headers.iter().map(|(name, value)| {
        let value = if is_secret(name) {
            "...".to_owned()
        } else {
            latin(value)
        };
        (name.clone(), value)
    });
    headers.collect()
}

/// Parts of names that secrets go by.
const SECRET_PARTS: [&str; 6] = ["auth", "cookie", "token", "secret", "password", "key"];
