//! Standard output: text for people, or one JSON object.

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// Where a command's results go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Results are for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people; with `--json`, nothing.
    pub(crate) fn line(&self, text: impl fmt::Display) -> Result<()> {
        if self.json {
            return Ok(());
        }
        write_line(&text)
    }

    /// The object for programs; without `--json`, nothing.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string(object).map_err(|error| stdout(error.into()))?;
        write_line(&text)
    }
}

fn write_line(text: &dyn fmt::Display) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(stdout),
    }
}

fn stdout(error: io::Error) -> Failure {
    Failure::io(Path::new("standard output"), error)
}

/// A table without frames; `numbers` are the columns to be set flush right.
pub(crate) fn table<const N: usize>(header: [&str; N], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for &column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A number with its thousands set apart: 12,345,678.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in the unit that suits it. Plain ASCII: it may go anywhere.
pub(crate) fn time(nanoseconds: u64) -> String {
    let ns = nanoseconds as f64;
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} us", ns / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

/// A shape as in the schema: [1, 8, 8, 1].
pub(crate) fn shape(dims: &[u32]) -> String {
    let dims: Vec<_> = dims.iter().map(u32::to_string).collect();
    format!("[{}]", dims.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(123), "123");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(time(999), "999 ns");
        assert_eq!(time(12_345), "12.3 us");
        assert_eq!(time(7_891_234), "7.89 ms");
    }
}
