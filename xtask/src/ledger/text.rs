//! The ledger as Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::run::{Outcome, Run};
use super::{Entry, LITERT, Manifest, TFLITE, TFLM, notes};

/// An operator on some types.
#[derive(Default)]
struct Row<'m> {
    folders: Vec<(&'m Entry, &'m Run)>,
}

/// The manifest's name for whole networks.
const NETWORK: &str = "network";

/// Writes the ledger.
pub(super) fn write(manifest: &Manifest, runs: &[Run]) -> String {
    let mut rows = BTreeMap::<(String, String), Row<'_>>::new();
    for (entry, run) in manifest.models.iter().zip(runs) {
        let types = short_types(&entry.types);
        rows.entry((entry.op.clone(), types)).or_default().folders.push((entry, run));
    }
    let mut notes = Notes::default();
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = head(&mut text, manifest, runs);
    let _ = supported(&mut text, &rows, &mut notes);
    let _ = notes.write(&mut text);
    let _ = unsupported(&mut text, &rows);
    let _ = networks(&mut text, &rows);
    text
}

fn count(runs: &[Run], is: impl Fn(&Outcome) -> bool) -> usize {
    runs.iter().filter(|run| is(&run.outcome)).count()
}

fn head(text: &mut String, manifest: &Manifest, runs: &[Run]) -> std::fmt::Result {
    let exact = count(runs, |outcome| *outcome == Outcome::Exact);
    let refused = count(runs, |outcome| matches!(outcome, Outcome::Refused(_)));
    let version = |package: &str| manifest.versions.get(package).map_or("?", String::as_str);
    writeln!(
        text,
        "# Operators\n\n\
         Made by `cargo xtask ledger` from a run of every golden folder in `models/ops`, with the kernels of every family; do\n\
         not edit. A test fails when it is not up to date, or when an output differs from its golden by a single byte.\n\n\
         {} folders: {exact} exact, {refused} refused with a reason, {} wrong.\n",
        runs.len(),
        runs.len() - exact - refused,
    )?;
    writeln!(
        text,
        "References: **TFLM** (tflite-micro {}), **2.14** (tflite-runtime {}, `BUILTIN_REF`), **LiteRT** (ai-edge-litert {},\n\
         `BUILTIN_REF`). An output that the references agree on is the golden one; where they differ, the notes say which is\n\
         right and why. What the folders cover (paddings, strides, channels, zero points, activations) is in\n\
         [models/ops/COVERAGE.md](../models/ops/COVERAGE.md); the rest of what a model can ask for is checked when it is loaded,\n\
         and `kinglet inspect` says what is missing.\n",
        version("tflite-micro"),
        version("tflite-runtime"),
        version("ai-edge-litert"),
    )?;
    writeln!(text, "Rounding:\n")?;
    for (way, meaning) in notes::WAYS {
        writeln!(text, "- **{way}**: {meaning}")?;
    }
    writeln!(text)
}

fn supported(
    text: &mut String,
    rows: &BTreeMap<(String, String), Row<'_>>,
    notes: &mut Notes,
) -> std::fmt::Result {
    writeln!(
        text,
        "## What runs\n\n\
         `exact`: golden folders that are right to the last byte; so the largest deviation seen is 0 in every row, or the row\n\
         says otherwise. `refused`: folders that ask for more than kinglet has, with the constraint that they break. Under each\n\
         reference: of the exact folders, how many it gives the same bytes for; ≠: how many others, and by how much; –: how many\n\
         it does not run. Fast paths: kernels that take the portable one's place.\n\n\
         | op | types | exact | refused: because | deviation | rounding | TFLM | 2.14 | LiteRT | fast paths | notes |\n\
         |---|---|--:|---|--:|---|---|---|---|---|---|"
    )?;
    for ((op, types), row) in rows {
        let exact: Vec<&Entry> = row.with(|outcome| *outcome == Outcome::Exact).collect();
        let wrong = row.folders.iter().filter_map(|(_, run)| match &run.outcome {
            Outcome::Differs(by) => Some(by.to_string()),
            Outcome::Broken(why) => Some(why.clone()),
            _ => None,
        });
        let wrong: BTreeSet<String> = wrong.collect();
        if op == NETWORK || (exact.is_empty() && wrong.is_empty()) {
            continue;
        }
        let deviation = match wrong.is_empty() {
            true => "0".to_owned(),
            false => wrong.into_iter().collect::<Vec<_>>().join("; "),
        };
        let fast: BTreeSet<&str> =
            row.folders.iter().flat_map(|(_, run)| run.fast.iter().map(String::as_str)).collect();
        let fast: Vec<_> = fast.into_iter().collect();
        writeln!(
            text,
            "| {op} | {types} | {} | {} | {deviation} | {} | {} | {} | {} | {} | {} |",
            exact.len(),
            refusals(row),
            notes::rounding(op, types).unwrap_or("?"),
            agreement(&exact, TFLM),
            agreement(&exact, TFLITE),
            agreement(&exact, LITERT),
            if fast.is_empty() { "–".to_owned() } else { fast.join(", ") },
            notes.of(&exact),
        )?;
    }
    writeln!(text)
}

fn unsupported(text: &mut String, rows: &BTreeMap<(String, String), Row<'_>>) -> std::fmt::Result {
    writeln!(
        text,
        "## What is refused\n\n\
         Operators on types of which no folder runs. `inspect` and `check` give the reason; `include_model!` makes it a compile\n\
         error.\n\n\
         | op | types | folders: because |\n|---|---|---|"
    )?;
    for ((op, types), row) in rows {
        let all_refused = row.folders.iter().all(|(_, run)| matches!(run.outcome, Outcome::Refused(_)));
        if op != NETWORK && all_refused {
            writeln!(text, "| {op} | {types} | {} |", refusals(row))?;
        }
    }
    writeln!(text)
}

fn networks(text: &mut String, rows: &BTreeMap<(String, String), Row<'_>>) -> std::fmt::Result {
    writeln!(text, "## Whole networks\n\n| folder | types | |\n|---|---|---|")?;
    for ((op, types), row) in rows {
        for (entry, run) in row.folders.iter().filter(|_| op == NETWORK) {
            let outcome = match &run.outcome {
                Outcome::Exact => "exact".to_owned(),
                Outcome::Differs(by) => format!("**off by up to {by}**"),
                Outcome::Refused(why) => format!("refused: {}", first_clause(why)),
                Outcome::Broken(why) => format!("**{why}**"),
            };
            writeln!(text, "| {} | {types} | {outcome} |", entry.name)?;
        }
    }
    Ok(())
}

impl<'m> Row<'m> {
    fn with(&self, is: impl Fn(&Outcome) -> bool) -> impl Iterator<Item = &'m Entry> {
        self.folders.iter().filter(move |(_, run)| is(&run.outcome)).map(|(entry, _)| *entry)
    }
}

/// "2: reason; 1: another", with the name of one folder each.
fn refusals(row: &Row<'_>) -> String {
    let mut reasons = BTreeMap::<&str, Vec<&str>>::new();
    for (entry, run) in &row.folders {
        if let Outcome::Refused(why) = &run.outcome {
            reasons.entry(first_clause(why)).or_default().push(&entry.name);
        }
    }
    if reasons.is_empty() {
        return "–".to_owned();
    }
    let reason = |(why, names): (&str, Vec<&str>)| match names.as_slice() {
        [name] => format!("1: {why} (`{name}`)"),
        [name, ..] => format!("{}: {why} (`{name}`, ...)", names.len()),
        [] => String::new(),
    };
    reasons.into_iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// The reason without the advice that follows it.
fn first_clause(why: &str) -> &str {
    let end = why.find([';', '.']).unwrap_or(why.len());
    why.get(..end).unwrap_or(why)
}

/// How often a reference gives the golden bytes.
fn agreement(exact: &[&Entry], reference: &str) -> String {
    let (mut equal, mut different, mut silent) = (0, 0, 0);
    let mut most = 0f64;
    for entry in exact {
        match verdict(entry, reference) {
            Verdict::Equal => equal += 1,
            Verdict::Differs(by) => {
                different += 1;
                most = most.max(by.unwrap_or(0.0));
            }
            Verdict::Silent => silent += 1,
        }
    }
    let mut parts = Vec::new();
    if equal > 0 {
        parts.push(format!("= {equal}"));
    }
    match different {
        0 => {}
        n if most > 0.0 => parts.push(format!("≠ {n} (≤ {})", rounded(most))),
        n => parts.push(format!("≠ {n}")),
    }
    if silent > 0 {
        parts.push(format!("– {silent}"));
    }
    parts.join(" ")
}

enum Verdict {
    Equal,
    /// The largest difference, where it is known.
    Differs(Option<f64>),
    /// It does not run the model.
    Silent,
}

fn verdict(entry: &Entry, reference: &str) -> Verdict {
    if entry.refused.contains_key(reference) {
        return Verdict::Silent;
    }
    if entry.golden == reference || (entry.golden == "both" && reference != LITERT) {
        return Verdict::Equal;
    }
    if reference != LITERT {
        return Verdict::Differs(entry.largest_difference);
    }
    match entry.others.get(reference).map(String::as_str) {
        Some("equal") => Verdict::Equal,
        Some(text) if text.starts_with("differs") => Verdict::Differs(
            text.split(' ').filter_map(|word| word.trim_end_matches(',').parse().ok()).next(),
        ),
        _ => Verdict::Silent,
    }
}

fn rounded(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.1e}") }
}

/// "int8 int8 -> int8" is "int8 → int8": how many inputs are constants does not make another kernel.
fn short_types(types: &str) -> String {
    let short = |side: &str| {
        let words: Vec<&str> = side.split_whitespace().collect();
        match words.first() {
            Some(first) if words.iter().all(|word| word == first) => (*first).to_owned(),
            _ => words.join(" "),
        }
    };
    match types.split_once("->") {
        Some((from, to)) => format!("{} → {}", short(from), short(to)),
        None => types.to_owned(),
    }
}

/// Numbered notes.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    /// The numbers of the notes on these folders.
    fn of(&mut self, entries: &[&Entry]) -> String {
        let mut numbers = BTreeSet::new();
        for entry in entries {
            if let Some(why) = &entry.why {
                numbers.insert(self.number(why.clone()));
            }
            for (reference, says) in &entry.refused {
                // Those that crash are faults; what a reference merely lacks is none.
                if says.starts_with("signal") {
                    numbers.insert(self.number(format!("{reference} crashes ({})", first_clause(says))));
                }
            }
        }
        let numbers: Vec<_> = numbers.into_iter().map(|number| number.to_string()).collect();
        if numbers.is_empty() { "–".to_owned() } else { numbers.join(", ") }
    }

    fn number(&mut self, note: String) -> usize {
        match self.0.iter().position(|known| *known == note) {
            Some(i) => i + 1,
            None => {
                self.0.push(note);
                self.0.len()
            }
        }
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "Known faults of the references, and where they part:\n")?;
        for (i, note) in self.0.iter().enumerate() {
            writeln!(text, "{}. {note}", i + 1)?;
        }
        writeln!(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_short() {
        assert_eq!(short_types("int8 int8 -> int8"), "int8 → int8");
        assert_eq!(short_types("int8 int8 int32 -> int8"), "int8 int8 int32 → int8");
        assert_eq!(short_types("int8 -> int8 int8 int8"), "int8 → int8");
    }

    #[test]
    fn advice_is_left_out() {
        assert_eq!(first_clause("this is a float32 model; convert it"), "this is a float32 model");
        assert_eq!(first_clause("no such type"), "no such type");
    }
}
