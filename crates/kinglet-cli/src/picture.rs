//! Small greyscale pictures on a terminal.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

/// What standard output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Half blocks in levels of grey: two pixels to a character.
    Colour,
    /// ASCII characters of different weight.
    Plain,
}

impl Style {
    pub(crate) fn of_stdout() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb { Self::Colour } else { Self::Plain }
    }

    /// Right or wrong.
    pub(crate) fn mark(self, right: bool) -> &'static str {
        match (self, right) {
            (Self::Colour, true) => "✓",
            (Self::Colour, false) => "✗",
            (Self::Plain, true) => "ok",
            (Self::Plain, false) => "NO",
        }
    }
}

/// A picture: 0 is black, 255 white.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) grey: Vec<u8>,
}

impl Picture {
    /// The picture as text, each line filled with blanks up to `columns`.
    pub(crate) fn lines(&self, style: Style, columns: usize) -> Vec<String> {
        let blanks = " ".repeat(columns.saturating_sub(self.width));
        let rows: Vec<&[u8]> = self.grey.chunks(self.width.max(1)).collect();
        match style {
            Style::Plain => rows.iter().map(|row| plain(row) + &blanks).collect(),
            Style::Colour => rows
                .chunks(2)
                .map(|pair| {
                    let (upper, lower) = match *pair {
                        [upper, lower] => (upper, lower),
                        [upper] => (upper, [].as_slice()),
                        _ => Default::default(),
                    };
                    half_blocks(upper, lower) + &blanks
                })
                .collect(),
        }
    }
}

fn plain(row: &[u8]) -> String {
    const SHADES: &[u8; 10] = b" .:-=+*#%@";
    row.iter()
        .map(|&grey| {
            let level = usize::from(grey) * SHADES.len() / 256;
            char::from(SHADES.get(level).copied().unwrap_or(b' '))
        })
        .collect()
}

/// Upper pixels in the foreground, lower ones in the background.
fn half_blocks(upper: &[u8], lower: &[u8]) -> String {
    let mut line = String::new();
    for (i, &grey) in upper.iter().enumerate() {
        let below = lower.get(i).copied().unwrap_or(0);
        // Writing to a String does not fail.
        let _ = write!(line, "\x1b[38;5;{}m\x1b[48;5;{}m▀", level(grey), level(below));
    }
    line.push_str("\x1b[0m");
    line
}

/// One of the 24 grey levels of a terminal with 256 colours.
fn level(grey: u8) -> u8 {
    232 + (u16::from(grey) * 24 / 256) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fill_their_columns() {
        let picture = Picture { width: 2, grey: vec![0, 255, 128, 0, 0, 0] };
        assert_eq!(picture.lines(Style::Plain, 4), [" @  ", "+   ", "    "]);
        assert_eq!(picture.lines(Style::Colour, 2).len(), 2);
    }
}
