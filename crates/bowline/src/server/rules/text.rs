//! Reads the text form of rules.

use std::str::FromStr;

use super::{
    error::{Expected, RuleError, RuleFault, RulePlace},
    list::RuleList,
    methods::Methods,
    pattern::UrlPattern,
    rule::{Access, Addresses, Redirect, Route, Rule, Users, WebSocketUse},
};

/// A list of rules and where each stands in the text.
pub(super) struct ReadRules {
    pub(super) list: RuleList,
    places: Vec<RulePlace>,
}

impl ReadRules {
    /// Turns the number of a rule in an error into its line.
    pub(super) fn place(&self, mut error: RuleError) -> RuleError {
        if let RulePlace::Rule(number) = error.place
            && let Some(place) = self.places.get(number - 1)
        {
            error.place = *place;
        }
        error
    }
}

pub(super) fn read(text: &str) -> Result<ReadRules, RuleError> {
    if text.len() > RuleList::TEXT_LENGTH_MAX {
        return Err(RuleError {
            place: RulePlace::List,
            fault: RuleFault::TooMany {
                what: "bytes of text",
                max: RuleList::TEXT_LENGTH_MAX,
            },
        });
    }
    let mut read = ReadRules {
        list: RuleList::default(),
        places: Vec::new(),
    };
    let mut switch_seen = false;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        let mut words = Words::new(line, index + 1)?;
        let Some(keyword) = words.next() else {
            continue;
        };
        let rule = match keyword.text {
            "websocket" => {
                keyword.once(&mut switch_seen)?;
                read.list.websocket = words.switch()?;
                words.end()?;
                continue;
            }
            "address-group" => {
                words.address_group(&mut read.list)?;
                continue;
            }
            "redirect" => words.redirect()?,
            "noredirect" => Rule::Redirect(Redirect {
                methods: words.methods()?,
                pattern: words.parsed(Expected::Pattern)?,
                target: None,
            }),
            "allow" => Rule::Allow(words.access()?),
            "deny" => Rule::Deny(words.access()?),
            "route" => words.route()?,
            _ => return Err(keyword.fault(RuleFault::Keyword)),
        };
        words.end()?;
        if read.list.rules.len() == RuleList::RULES_MAX {
            return Err(keyword.fault(RuleFault::TooMany {
                what: "rules",
                max: RuleList::RULES_MAX,
            }));
        }
        read.list.rules.push(rule);
        read.places.push(keyword.place);
    }
    Ok(read)
}

/// A word and where it begins.
#[derive(Clone, Copy)]
struct Word<'t> {
    text: &'t str,
    place: RulePlace,
}

impl Word<'_> {
    const fn fault(&self, fault: RuleFault) -> RuleError {
        RuleError {
            place: self.place,
            fault,
        }
    }

    fn parse<T: FromStr<Err: Into<RuleFault>>>(&self) -> Result<T, RuleError> {
        let parsed = self.text.parse();
        parsed.map_err(|error: T::Err| self.fault(error.into()))
    }

    /// Refuses to be the second of its kind.
    const fn once(&self, seen: &mut bool) -> Result<(), RuleError> {
        if *seen {
            return Err(self.fault(RuleFault::Repeated));
        }
        *seen = true;
        Ok(())
    }
}

/// The words of one line, up to its comment.
struct Words<'t> {
    line: usize,
    /// How far the words have been read, in characters.
    column: usize,
    rest: &'t str,
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    fn next(&mut self) -> Option<Word<'t>> {
        let text = self.rest.trim_start_matches(BLANKS);
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        // Blanks are one byte and one character each.
        let column = self.column + self.rest.len() - text.len();
        let end = text.find(BLANKS).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.column = column + word.chars().count();
        self.rest = rest;
        Some(Word {
            text: word,
            place: RulePlace::Text {
                line: self.line,
                column,
            },
        })
    }
}

impl<'t> Words<'t> {
    /// Takes a line whose characters are all allowed.
    fn new(text: &'t str, line: usize) -> Result<Self, RuleError> {
        let is_foreign = |character: char| {
            (character.is_control() || character.is_whitespace()) && !BLANKS.contains(&character)
        };
        let foreign = text.chars().enumerate().find(|(_, one)| is_foreign(*one));
        match foreign {
            Some((index, character)) => Err(RuleError {
                place: RulePlace::Text {
                    line,
                    column: index + 1,
                },
                fault: RuleFault::Character(character),
            }),
            None => Ok(Self {
                line,
                column: 1,
                rest: text,
            }),
        }
    }

    fn expect(&mut self, expected: Expected) -> Result<Word<'t>, RuleError> {
        self.next().ok_or(RuleError {
            place: RulePlace::Text {
                line: self.line,
                column: self.column,
            },
            fault: RuleFault::Missing(expected),
        })
    }

    fn parsed<T: FromStr<Err: Into<RuleFault>>>(
        &mut self,
        expected: Expected,
    ) -> Result<T, RuleError> {
        self.expect(expected)?.parse()
    }

    fn end(&mut self) -> Result<(), RuleError> {
        match self.next() {
            Some(word) => Err(word.fault(RuleFault::Excess)),
            None => Ok(()),
        }
    }

    /// Reads the methods, if the next word is not the pattern already.
    fn methods(&mut self) -> Result<Methods, RuleError> {
        let ahead = self.rest.trim_start_matches(BLANKS);
        if ahead.starts_with(|first: char| first.is_ascii_uppercase()) {
            self.parsed(Expected::Pattern)
        } else {
            Ok(Methods::ASSUMED)
        }
    }

    fn switch(&mut self) -> Result<bool, RuleError> {
        let word = self.expect(Expected::Switch)?;
        match word.text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(word.fault(RuleFault::Switch)),
        }
    }

    fn address_group(&mut self, list: &mut RuleList) -> Result<(), RuleError> {
        let name = self.expect(Expected::GroupName)?;
        let mut ranges = vec![self.parsed(Expected::Addresses)?];
        for word in &mut *self {
            ranges.push(word.parse()?);
        }
        match list.address_groups.insert(name.parse()?, ranges) {
            Some(_) => Err(name.fault(RuleFault::Repeated)),
            None => Ok(()),
        }
    }

    fn redirect(&mut self) -> Result<Rule, RuleError> {
        Ok(Rule::Redirect(Redirect {
            methods: self.methods()?,
            pattern: self.parsed(Expected::Pattern)?,
            target: Some(self.parsed(Expected::Target)?),
        }))
    }

    fn route(&mut self) -> Result<Rule, RuleError> {
        Ok(Rule::Route(Route {
            methods: self.methods()?,
            pattern: self.parsed(Expected::Pattern)?,
            name: self.parsed(Expected::RouteName)?,
            websocket: match self.next() {
                None => WebSocketUse::Inherit,
                Some(word) => match word.text {
                    "websocket" => WebSocketUse::Allow,
                    "nowebsocket" => WebSocketUse::Deny,
                    "websocket-only" => WebSocketUse::Only,
                    _ => return Err(word.fault(RuleFault::Excess)),
                },
            },
        }))
    }

    fn access(&mut self) -> Result<Access, RuleError> {
        let methods = self.methods()?;
        let pattern: UrlPattern = self.parsed(Expected::Pattern)?;
        let (mut users, mut addresses) = (Users::Anyone, Addresses::Anywhere);
        let (mut users_seen, mut addresses_seen) = (false, false);
        let mut realm = None;
        let mut realm_seen = false;
        while let Some(word) = self.next() {
            match word.text {
                "user" => {
                    word.once(&mut users_seen)?;
                    users = Users::Named(self.parsed(Expected::UserPattern)?);
                }
                "user-group" => {
                    word.once(&mut users_seen)?;
                    users = Users::Group(self.parsed(Expected::GroupName)?);
                }
                "address" => {
                    word.once(&mut addresses_seen)?;
                    addresses = Addresses::Ranges(self.ranges()?);
                }
                "address-group" => {
                    word.once(&mut addresses_seen)?;
                    addresses = Addresses::Group(self.parsed(Expected::GroupName)?);
                }
                "realm" => {
                    word.once(&mut realm_seen)?;
                    realm = Some(self.parsed(Expected::Realm)?);
                }
                _ => return Err(word.fault(RuleFault::Excess)),
            }
        }
        Ok(Access {
            methods,
            pattern,
            users,
            addresses,
            realm,
        })
    }

    fn ranges<T: FromStr<Err: Into<RuleFault>>>(&mut self) -> Result<Vec<T>, RuleError> {
        let word = self.expect(Expected::Addresses)?;
        let mut before = 0;
        let range = |text: &'t str| {
            let place = word.place.moved(before);
            before += text.chars().count() + 1;
            Word { text, place }.parse()
        };
        word.text.split(',').map(range).collect()
    }
}

const BLANKS: [char; 2] = [' ', '\t'];
