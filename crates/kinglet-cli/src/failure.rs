//! What a command answers when it can't do its work.

use std::fmt;
use std::path::Path;

use kinglet::{Error, ErrorKind, InvokeError, ModelError, PlanError};
use serde_json::{Value, json};

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line asks for what can't be.
    Usage,
    /// A file can't be read or written.
    Io,
    /// The model is refused.
    Model(ErrorKind),
    /// The model needs more than it may take.
    Budget,
    /// The model stopped while it ran.
    Invoke,
    /// What describes a device or a sensor is wrong.
    Description,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Io => "io",
            Self::Model(kind) => kind.name(),
            Self::Budget => "budget",
            Self::Invoke => "invoke",
            Self::Description => "description",
        }
    }
}

/// What went wrong, where, and what to do.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// The file concerned, if it is not `place` itself.
    file: Option<String>,
    place: String,
    message: String,
    /// The operator of the model's first subgraph that is concerned, if one is.
    pub(crate) op: Option<u32>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, place: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { kind, file: None, place: place.to_string(), message: message.to_string(), op: None }
    }

    pub(crate) fn usage(place: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, place, message)
    }

    pub(crate) fn io(path: &Path, error: impl fmt::Display) -> Self {
        Self::new(Kind::Io, path.display(), error)
    }

    /// The same, about something in `file`.
    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.display().to_string());
        self
    }

    /// The same with more to say.
    pub(crate) fn add(mut self, text: &str) -> Self {
        self.message.push_str(text);
        self
    }

    /// The same, somewhere else.
    pub(crate) fn at(mut self, place: String) -> Self {
        self.place = place;
        self
    }

    /// Place and message, without the file's name.
    pub(crate) fn short(&self) -> String {
        format!("{}: {}", self.place, self.message)
    }

    /// 1: the work was tried and failed. 2: wrong usage.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Usage => 2,
            _ => 1,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "kind": self.kind.name(), "where": self.place, "message": self.message })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let (place, text) = (error.place().to_string(), error.to_string());
        let message = text.strip_prefix(&format!("{place}: ")).unwrap_or(&text).to_owned();
        let op = error.op().filter(|_| error.subgraph() == 0);
        Self { op, ..Self::new(Kind::Model(error.kind()), place, message) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Model(error) => return error.into(),
            Error::ArenaTooLarge => ErrorKind::Limit,
            _ => ErrorKind::Unsupported,
        };
        Self::split(kind, &error)
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Error::from(error).into()
    }
}

impl From<InvokeError> for Failure {
    fn from(error: InvokeError) -> Self {
        Self::new(Kind::Invoke, format!("op {}", error.op), error.fault)
    }
}

impl Failure {
    /// The library's errors read "place: message".
    fn split(kind: ErrorKind, error: &Error) -> Self {
        let text = error.to_string();
        let (place, message) = text.split_once(": ").unwrap_or(("model", &text));
        Self::new(Kind::Model(kind), place, message)
    }
}

impl std::error::Error for Failure {}
