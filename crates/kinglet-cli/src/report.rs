//! What the commands that make documents share: the language, the description, the files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use kinglet_footprint::ModelFacts;
use kinglet_footprint::table::{Document, Error};
use kinglet_text::{Language, Text};

use crate::failure::{Failure, Kind, Result};
use crate::model::ModelFile;
use crate::survey;
use crate::tensor_file;

/// The language of what is printed and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    #[default]
    En,
    Es,
    Pt,
    Fr,
}

impl Lang {
    pub(crate) fn text(self) -> Arc<Text> {
        Arc::new(Text::new(match self {
            Self::En => Language::English,
            Self::Es => Language::Spanish,
            Self::Pt => Language::Portuguese,
            Self::Fr => Language::French,
        }))
    }
}

/// Reads a description.
pub(crate) fn read(path: &Path, text: &Text) -> Result<Document> {
    parse(path, &read_text(path, text)?, text)
}

pub(crate) fn parse(path: &Path, source: &str, text: &Text) -> Result<Document> {
    Document::parse(&path.display().to_string(), source).map_err(|error| failure(&error, text))
}

pub(crate) fn read_text(path: &Path, text: &Text) -> Result<String> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::io(path, text.get("error-no-file")),
        io::ErrorKind::InvalidData => Failure::new(Kind::Description, path.display(), text.get("error-utf8")),
        _ => Failure::io(path, error),
    })
}

/// What is wrong with a description, in its reader's language.
pub(crate) fn failure(error: &Error, text: &Text) -> Failure {
    let kind = if error.is_usage() { Kind::Usage } else { Kind::Description };
    Failure::new(kind, error.place(), text.say(&error.message))
}

/// The model that a description names, relative to it; the command line's has precedence.
pub(crate) fn model_path(
    option: Option<&Path>,
    document: &Document,
    section: &str,
    key: &str,
    file: Option<&Path>,
    text: &Text,
) -> Result<Option<PathBuf>> {
    if let Some(path) = option {
        return Ok(Some(path.to_owned()));
    }
    let named = document.root().section(section).and_then(|section| match section {
        Some(section) => section.text(key),
        None => Ok(None),
    });
    let named = named.map_err(|error| failure(&error, text))?;
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    Ok(named.map(|name| folder.join(name)))
}

/// What the footprint takes from a model.
pub(crate) fn model_facts(path: &Path) -> Result<ModelFacts> {
    let file = ModelFile::read(path)?;
    let ops = survey::ops(&file.graph()?).map_err(|error| file.explain(error))?;
    Ok(ModelFacts { macs: Some(survey::total_macs(&ops)) })
}

/// A page could not be filled: a fault of kinglet's.
pub(crate) fn template(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Io, "template", error)
}

/// Writes files, all of which have been made before the first is written.
pub(crate) fn write(files: &[(&Path, String)]) -> Result<()> {
    files.iter().try_for_each(|(path, content)| tensor_file::write(path, content.as_bytes()))
}
