//! Reading TOML with errors that say where, what, and what to do.

use std::fmt;

use kinglet_text::{Message, Text};
use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file: its name, and the line, from 1.
    File(String, usize),
    /// On the command line: the option.
    Option(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name, line) => write!(f, "{name}:{line}"),
            Self::Option(option) => f.write_str(option),
        }
    }
}

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where it was said.
    pub place: Place,
    /// The key concerned, as in `use.years`; empty when it is none.
    pub key: String,
    /// What is wrong, and what to do.
    pub message: Message,
}

impl Error {
    /// Whether the command line is to blame, not a file.
    pub const fn is_usage(&self) -> bool {
        matches!(self.place, Place::Option(_))
    }

    /// Where: file, line and key, or the option.
    pub fn place(&self) -> String {
        match &self.place {
            Place::File(..) if !self.key.is_empty() => format!("{}: {}", self.place, self.key),
            place => place.to_string(),
        }
    }

    /// Where and what, in a language.
    pub fn say(&self, text: &Text) -> String {
        format!("{}: {}", self.place(), text.say(&self.message))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.message)
    }
}

impl std::error::Error for Error {}

/// The result of reading a description.
pub type Result<T> = std::result::Result<T, Error>;

/// A value and where it was said.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was said.
    pub place: Place,
}

/// A value of TOML. Numbers are exactly what is written.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text, or a date as it is written.
    Text(String),
    /// A number.
    Number(Decimal),
    /// True or false.
    Bool(bool),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order in which they are written.
    Table(Vec<(String, Node)>),
}

impl Value {
    /// The number or truth value that a text on the command line reads as; else the text itself.
    pub fn from_text(text: &str) -> Self {
        match (text, text.parse().or_else(|_| Decimal::from_scientific(text))) {
            (_, Ok(number)) => Self::Number(number),
            ("true", _) => Self::Bool(true),
            ("false", _) => Self::Bool(false),
            _ => Self::Text(text.to_owned()),
        }
    }
}

/// A description: a file, with what the command line says on top.
#[derive(Clone, Debug)]
pub struct Document {
    root: Node,
}

impl Document {
    /// An empty description.
    pub fn empty() -> Self {
        Self { root: Node { value: Value::Table(Vec::new()), place: Place::Option(String::new()) } }
    }

    /// Reads TOML; `name` is what errors call it.
    ///
    /// # Errors
    /// When it is not TOML, or a number has more digits than can be kept.
    pub fn parse(name: &str, source: &str) -> Result<Self> {
        let reader = Reader { name, source };
        let table = DeTable::parse(source).map_err(|error| {
            let place = reader.place(error.span().map_or(0, |span| span.start));
            let what = error.message().replace('\n', "; ");
            Error { place, key: String::new(), message: Message::new("error-toml").with("what", what) }
        })?;
        let value = reader.table("", table.get_ref())?;
        Ok(Self { root: Node { value, place: Place::File(name.to_owned(), 1) } })
    }

    /// Says something on the command line, in place of what is said so far.
    pub fn set(&mut self, section: &str, key: &str, value: Value, option: &str) {
        let place = Place::Option(option.to_owned());
        let node = Node { value, place: place.clone() };
        let Value::Table(sections) = &mut self.root.value else { return };
        if !sections.iter().any(|(name, _)| name == section) {
            sections.push((section.to_owned(), Node { value: Value::Table(Vec::new()), place }));
        }
        let entries = sections.iter_mut().find(|(name, _)| name == section).map(|(_, node)| &mut node.value);
        if let Some(Value::Table(entries)) = entries {
            entries.retain(|(name, _)| name != key);
            entries.push((key.to_owned(), node));
        }
    }

    /// Forgets what a file says under these keys of a section.
    pub fn forget(&mut self, section: &str, keys: &[&str]) {
        let Value::Table(sections) = &mut self.root.value else { return };
        let entries = sections.iter_mut().find(|(name, _)| name == section).map(|(_, node)| &mut node.value);
        if let Some(Value::Table(entries)) = entries {
            entries.retain(|(name, node)| {
                !keys.contains(&name.as_str()) || matches!(node.place, Place::Option(_))
            });
        }
    }

    /// The whole as a section.
    pub fn root(&self) -> Section<'_> {
        let entries = match &self.root.value {
            Value::Table(entries) => entries.as_slice(),
            _ => &[],
        };
        Section { path: String::new(), place: &self.root.place, entries }
    }
}

struct Reader<'a> {
    name: &'a str,
    source: &'a str,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.source.as_bytes().get(..offset).unwrap_or_default();
        Place::File(self.name.to_owned(), 1 + before.iter().filter(|&&byte| byte == b'\n').count())
    }

    fn table(&self, path: &str, table: &DeTable<'_>) -> Result<Value> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries = entries.into_iter().map(|(key, value)| {
            let name = key.get_ref().to_string();
            let path = join(path, &name);
            let place = self.place(key.span().start);
            Ok((name, self.node(&path, place, value.get_ref())?))
        });
        Ok(Value::Table(entries.collect::<Result<_>>()?))
    }

    fn node(&self, path: &str, place: Place, value: &DeValue<'_>) -> Result<Node> {
        let unreadable = |text: &str| Error {
            place: place.clone(),
            key: path.to_owned(),
            message: match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Message::new("error-digits").with("value", text),
                _ => Message::new("error-not-a-number").with("value", text),
            },
        };
        let value = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                let text = number.as_str();
                let number = i64::from_str_radix(text, number.radix()).ok().map(Decimal::from);
                Value::Number(number.ok_or_else(|| unreadable(text))?)
            }
            DeValue::Float(number) => {
                let text = number.as_str();
                let number = text.parse().or_else(|_| Decimal::from_scientific(&text.to_ascii_lowercase()));
                Value::Number(number.map_err(|_| unreadable(text))?)
            }
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(date) => Value::Text(date.to_string()),
            DeValue::Array(values) => {
                let values = values.iter().enumerate().map(|(i, value)| {
                    let place = self.place(value.span().start);
                    self.node(&format!("{path}[{i}]"), place, value.get_ref())
                });
                Value::List(values.collect::<Result<_>>()?)
            }
            DeValue::Table(table) => self.table(path, table)?,
        };
        Ok(Node { value, place })
    }
}

fn join(path: &str, key: &str) -> String {
    match (path, key) {
        ("", _) => key.to_owned(),
        (_, "") => path.to_owned(),
        _ => format!("{path}.{key}"),
    }
}

/// What a number may be, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    low: Decimal,
    high: Decimal,
}

impl Range {
    /// From 0 to a whole number.
    pub const fn up_to(high: u32) -> Self {
        Self { low: Decimal::ZERO, high: Decimal::from_parts(high, 0, 0, false, 0) }
    }

    /// The same with another lower end: `digits` with `places` after the decimal mark.
    #[must_use]
    pub const fn from(self, digits: u32, places: u32) -> Self {
        Self { low: Decimal::from_parts(digits, 0, 0, false, places), high: self.high }
    }

    /// From -`ends` to `ends`.
    pub const fn around_zero(ends: u32) -> Self {
        let high = Decimal::from_parts(ends, 0, 0, false, 0);
        Self { low: Decimal::from_parts(ends, 0, 0, true, 0), high }
    }

    /// From 0 to a number of thousands of billions.
    pub const fn up_to_trillions(high: u32) -> Self {
        let product = high as u64 * 1_000_000_000_000;
        Self {
            low: Decimal::ZERO,
            high: Decimal::from_parts(product as u32, (product >> 32) as u32, 0, false, 0),
        }
    }
}

/// A table of a description.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    path: String,
    place: &'a Place,
    entries: &'a [(String, Node)],
}

impl<'a> Section<'a> {
    /// Where it is.
    pub const fn place(&self) -> &'a Place {
        self.place
    }

    /// Its keys and values.
    pub const fn entries(&self) -> &'a [(String, Node)] {
        self.entries
    }

    /// The value of a key.
    pub fn node(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The whole name of a key.
    pub fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// An error about a key.
    pub fn error(&self, key: &str, message: Message) -> Error {
        let place = self.node(key).map_or(self.place, |node| &node.place).clone();
        Error { place, key: self.path(key), message }
    }

    /// Refuses keys that are not among these.
    ///
    /// # Errors
    /// For the first such key: which it is, and which known one is nearest.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        let unknown = self.entries.iter().find(|(name, _)| !known.contains(&name.as_str()));
        match unknown {
            None => Ok(()),
            Some((name, _)) => Err(self.error(name, did_you_mean("key", name, known.iter().copied()))),
        }
    }

    /// A table in it.
    ///
    /// # Errors
    /// When it is something else.
    pub fn section(&self, key: &str) -> Result<Option<Self>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        match &node.value {
            Value::Table(entries) => Ok(Some(Self { path: self.path(key), place: &node.place, entries })),
            _ => Err(self.error(key, Message::new("error-not-a-table").with("key", self.path(key)))),
        }
    }

    /// A list of tables in it; empty where there is none.
    ///
    /// # Errors
    /// When it is something else.
    pub fn sections(&self, key: &str) -> Result<Vec<Self>> {
        let Some(node) = self.node(key) else { return Ok(Vec::new()) };
        let error = || self.error(key, Message::new("error-not-tables").with("key", self.path(key)));
        let Value::List(nodes) = &node.value else { return Err(error()) };
        let section = |(i, node): (usize, &'a Node)| match &node.value {
            Value::Table(entries) => {
                Ok(Self { path: format!("{}[{}]", self.path(key), i + 1), place: &node.place, entries })
            }
            _ => Err(error()),
        };
        nodes.iter().enumerate().map(section).collect()
    }

    /// A text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(key, Message::new("error-not-a-text"))),
        }
    }

    /// True or false.
    ///
    /// # Errors
    /// When it is something else.
    pub fn bool(&self, key: &str) -> Result<Option<bool>> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.error(key, Message::new("error-not-a-bool"))),
        }
    }

    /// A number within a range.
    ///
    /// # Errors
    /// When it is no number, or outside.
    pub fn number(&self, key: &str, range: Range) -> Result<Option<Decimal>> {
        let Some(node) = self.node(key) else { return Ok(None) };
        self.check(key, node, range).map(Some)
    }

    /// The same for a node of this section.
    ///
    /// # Errors
    /// When it is no number, or outside.
    pub fn check(&self, key: &str, node: &Node, range: Range) -> Result<Decimal> {
        match &node.value {
            Value::Number(value) if (range.low..=range.high).contains(value) => Ok(*value),
            Value::Number(value) => {
                let message = Message::new("error-range")
                    .with("value", value)
                    .with("low", range.low)
                    .with("high", range.high);
                Err(self.error(key, message))
            }
            Value::Text(text) => {
                Err(self.error(key, Message::new("error-not-a-number").with("value", format!("\"{text}\""))))
            }
            Value::Bool(value) => {
                Err(self.error(key, Message::new("error-not-a-number").with("value", value)))
            }
            Value::List(_) | Value::Table(_) => {
                Err(self.error(key, Message::new("error-not-a-number").with("value", "[...]")))
            }
        }
    }

    /// One of several words: its number among them.
    ///
    /// # Errors
    /// When it is none of them: which is nearest.
    pub fn one_of(&self, key: &str, words: &[&str]) -> Result<Option<usize>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match words.iter().position(|word| *word == text) {
            Some(i) => Ok(Some(i)),
            None => Err(self.error(key, did_you_mean("value", text, words.iter().copied()))),
        }
    }
}

/// That something is not known, with what is nearest, or else all that is known. `what`: key, value, country.
pub fn did_you_mean<'a>(
    what: &'static str,
    unknown: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Message {
    let lower = unknown.to_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&lower, &word.to_lowercase());
    // The first letter is seldom wrong.
    let starts = |word: &str| word.to_lowercase().chars().next() == lower.chars().next();
    let nearest =
        known.clone().min_by_key(|word| (distance(word), !starts(word))).map(|word| (distance(word), word));
    let (near, far) = match what {
        "key" => ("error-unknown-key-near", "error-unknown-key"),
        "country" => ("error-unknown-country-near", "error-unknown-country"),
        _ => ("error-unknown-value-near", "error-unknown-value"),
    };
    match nearest {
        // More than half of the letters wrong: not what was meant.
        Some((distance, word)) if distance * 2 <= lower.chars().count().max(word.chars().count()) => {
            Message::new(near).with("given", unknown).with("nearest", word)
        }
        _ if what == "country" => Message::new(far).with("given", unknown),
        _ => Message::new(far).with("given", unknown).with("known", known.collect::<Vec<_>>().join(", ")),
    }
}
