//! Answering a Digest challenge (RFC 7616).

use bowline_proto::handshake::Headers;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::login::Login;

/// What a server asks for in a `WWW-Authenticate` with the scheme Digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    is_session: bool,
    /// Whether to send the name's hash in place of the name (RFC 7616 section 3.4.4).
    hashes_name: bool,
}

/// The hash functions, the wanted one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

/// The challenges in an answer of status 401.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenges {
    /// The best one that can be answered.
    pub(super) digest: Option<Challenge>,
    /// Whether Digest was asked for, in whatever way.
    pub(super) wants_digest: bool,
}

impl Challenges {
    /// Reads every `WWW-Authenticate` (RFC 9110 section 11.6.1).
    pub(super) fn read(headers: &Headers) -> Self {
        let lines = headers.all("www-authenticate");
        let lines = lines.filter_map(|line| str::from_utf8(line).ok());
        let mut found = Self::default();
        for (scheme, parameters) in lines.flat_map(challenges) {
            if scheme.eq_ignore_ascii_case("digest") {
                found.add(Challenge::of(&parameters));
            }
        }
        found
    }

    fn add(&mut self, challenge: Option<Challenge>) {
        self.wants_digest = true;
        let rank = |challenge: &Option<Challenge>| challenge.as_ref().map(|it| it.algorithm);
        if rank(&challenge) > rank(&self.digest) {
            self.digest = challenge;
        }
    }
}

impl Challenge {
    /// Checks the parameters; `None` if this client cannot answer them.
    fn of(parameters: &[(&str, String)]) -> Option<Self> {
        let find = |wanted: &str| {
            let found = parameters
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.clone())
        };
        let (algorithm, is_session) = match find("algorithm") {
            None => (Algorithm::Md5, false),
            Some(name) => match name.to_ascii_lowercase().as_str() {
                "md5" => (Algorithm::Md5, false),
                "md5-sess" => (Algorithm::Md5, true),
                "sha-256" => (Algorithm::Sha256, false),
                "sha-256-sess" => (Algorithm::Sha256, true),
                _ => return None,
            },
        };
        // Without a list of qualities the server is older than RFC 2617.
        let qualities = find("qop")?;
        if !qualities.split(',').any(|quality| quality.trim() == "auth") {
            return None;
        }
        Some(Self {
            realm: find("realm")?,
            nonce: find("nonce")?,
            opaque: find("opaque"),
            algorithm,
            is_session,
            hashes_name: find("userhash").is_some_and(|hash| hash.eq_ignore_ascii_case("true")),
        })
    }

    /// Makes the value of `Authorization` for a GET of `target`, the first one with this nonce.
    /// `client_nonce` is random and has no quotes.
    pub(super) fn answer(&self, login: &Login, target: &str, client_nonce: &str) -> Vec<u8> {
        let hash = |parts: &[&[u8]]| self.algorithm.hash(&parts.join(&b':'));
        let realm = self.realm.as_bytes();
        let mut first = hash(&[&login.name, realm, &login.password]);
        if self.is_session {
            first = hash(&[
                first.as_bytes(),
                self.nonce.as_bytes(),
                client_nonce.as_bytes(),
            ]);
        }
        let second = hash(&[b"GET", target.as_bytes()]);
        let response = hash(&[
            first.as_bytes(),
            self.nonce.as_bytes(),
            COUNT.as_bytes(),
            client_nonce.as_bytes(),
            b"auth",
            second.as_bytes(),
        ]);
        let name = if self.hashes_name {
            hash(&[&login.name, realm]).into_bytes()
        } else {
            login.name.clone()
        };
        let mut value = b"Digest username=".to_vec();
        quote(&mut value, &name);
        for (parameter, text) in [
            ("realm", Some(&*self.realm)),
            ("nonce", Some(&*self.nonce)),
            ("uri", Some(target)),
            ("response", Some(&*response)),
            ("cnonce", Some(client_nonce)),
            ("opaque", self.opaque.as_deref()),
        ] {
            if let Some(text) = text {
                value.extend_from_slice(format!(", {parameter}=").as_bytes());
                quote(&mut value, text.as_bytes());
            }
        }
        let algorithm = self.algorithm_name();
        let rest = format!(", algorithm={algorithm}, qop=auth, nc={COUNT}");
        value.extend_from_slice(rest.as_bytes());
        if self.hashes_name {
            value.extend_from_slice(b", userhash=true");
        }
        value
    }

    const fn algorithm_name(&self) -> &'static str {
        match (self.algorithm, self.is_session) {
            (Algorithm::Md5, false) => "MD5",
            (Algorithm::Md5, true) => "MD5-sess",
            (Algorithm::Sha256, false) => "SHA-256",
            (Algorithm::Sha256, true) => "SHA-256-sess",
        }
    }
}

impl Algorithm {
    /// Gives the hash in hexadecimal digits.
    fn hash(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(bytes)),
            Self::Sha256 => hexadecimal(&Sha256::digest(bytes)),
        }
    }
}

/// Splits a field into its challenges: a scheme and its parameters (RFC 9110 section 11.3).
///
/// Reads as far as the grammar is followed.
fn challenges(line: &str) -> Vec<(&str, Vec<(&str, String)>)> {
    let mut found: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    let mut rest = line.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (word, after) = split_word(rest);
        if word.is_empty() {
            break;
        }
        let value = after
            .trim_start_matches([' ', '\t'])
            .strip_prefix('=')
            .map(|value| value.trim_start_matches([' ', '\t']));
        rest = match (value, found.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let Some((value, after)) = split_value(value) else {
                    break;
                };
                parameters.push((word, value));
                after
            }
            (Some(_), None) => break,
            (None, _) => {
                found.push((word, Vec::new()));
                after
            }
        };
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    found
}

/// Splits off a word: what stands before a blank, a comma or an equals sign.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find([' ', '\t', ',', '=']).unwrap_or(text.len());
    text.split_at(end)
}

/// Splits off a token or a quoted string, which comes without its quotes and escapes.
fn split_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, after) = split_word(text);
        return Some((word.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

/// Writes a quoted string (RFC 9110 section 5.6.4).
fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// How many requests used the nonce: each challenge is answered once.
const COUNT: &str = "00000001";

#[cfg(test)]
mod tests {
    use bowline_proto::handshake::{HeadLimits, HeadParser, ResponseHead};

    use super::*;

    /// The example of RFC 7616 section 3.9.1.
    const MD5: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
        algorithm=MD5, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
        opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn read(lines: &[&str]) -> Challenges {
        let mut head = String::from("HTTP/1.1 401 No\r\n");
        for line in lines {
            head = head + "WWW-Authenticate: " + line + "\r\n";
        }
        head.push_str("\r\n");
        let mut parser = HeadParser::<ResponseHead>::new(HeadLimits::default());
        let parsed = parser.handle_input(head.as_bytes()).unwrap().unwrap();
        Challenges::read(parsed.head.headers())
    }

    fn parameter(answer: &[u8], name: &str) -> String {
        let answer = str::from_utf8(answer).unwrap();
        let (_, parameters) = challenges(answer).remove(0);
        let found = parameters.into_iter().find(|(other, _)| *other == name);
        found.unwrap_or_else(|| panic!("{name} in {answer}")).1
    }

    #[test]
    fn the_examples_of_the_rfc_are_answered_so() {
        let login = Login::new("Mufasa", "Circle of Life");
        let sha256 = MD5.replace("MD5", "SHA-256");
        let cases = [
            (MD5, "8ca523f5e9506fed4657c9700eebdbec", "MD5"),
            (
                &sha256,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
                "SHA-256",
            ),
        ];
        for (line, response, algorithm) in cases {
            let challenge = read(&[line]).digest.unwrap();
            let client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let answer = challenge.answer(&login, "/dir/index.html", client_nonce);
            assert_eq!(parameter(&answer, "response"), response);
            assert_eq!(parameter(&answer, "algorithm"), algorithm);
            assert_eq!(parameter(&answer, "username"), "Mufasa");
            assert_eq!(parameter(&answer, "uri"), "/dir/index.html");
            assert_eq!(parameter(&answer, "qop"), "auth");
            assert_eq!(parameter(&answer, "nc"), "00000001");
            assert_eq!(
                parameter(&answer, "opaque"),
                "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
            );
        }
    }

    #[test]
    fn the_better_hash_is_chosen_wherever_it_stands() {
        let sha256 = MD5.replace("MD5", "SHA-256");
        let joined = format!("Basic realm=\"a, b\", {MD5}, {sha256}");
        let lines: [&[&str]; 4] = [
            &[MD5, &sha256],
            &[&sha256, MD5],
            &[&joined],
            &["Negotiate", "Bearer", &joined],
        ];
        for lines in lines {
            let challenge = read(lines).digest.unwrap();
            assert_eq!(challenge.algorithm, Algorithm::Sha256, "{lines:?}");
        }
    }

    #[test]
    fn challenges_that_cannot_be_answered_are_told_from_none() {
        let unknown = MD5.replace("MD5", "SHA-3");
        let only_whole_body = MD5.replace("auth, auth-int", "auth-int");
        for line in [
            &unknown,
            &only_whole_body,
            "Digest",
            "Digest realm=\"a\", qop=\"auth\"",
            "Digest realm=\"never closed",
        ] {
            let found = read(&[line]);
            assert!(found.wants_digest && found.digest.is_none(), "{line}");
        }
        for line in ["Basic realm=\"a\"", "", "=,=", "realm=\"Digest\""] {
            assert_eq!(read(&[line]), Challenges::default(), "{line}");
        }
    }

    #[test]
    fn quotes_in_names_and_realms_are_escaped_and_names_hashed_when_asked() {
        let line = "digest Realm = \"the \\\"realm\\\"\" ,nonce=n, qop=auth";
        let challenge = read(&[line]).digest.unwrap();
        assert_eq!(challenge.realm, "the \"realm\"");
        let answer = challenge.answer(&Login::new("a\"b\\c", ""), "/", "x");
        let text = str::from_utf8(&answer).unwrap();
        assert!(text.starts_with("Digest username=\"a\\\"b\\\\c\", realm=\"the \\\"realm\\\"\""));

        let line = format!("{line}, userhash=true, algorithm=SHA-256-sess");
        let challenge = read(&[&line]).digest.unwrap();
        let answer = challenge.answer(&Login::new("Mufasa", ""), "/", "x");
        assert_eq!(parameter(&answer, "userhash"), "true");
        assert_eq!(
            parameter(&answer, "username"),
            Algorithm::Sha256.hash(b"Mufasa:the \"realm\"")
        );
    }
}
