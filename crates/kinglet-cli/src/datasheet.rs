//! `kinglet datasheet` and `kinglet risk`: documents about a sensor.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use kinglet::Options;
use kinglet_datasheet::datasheet::{page, to_json};
use kinglet_datasheet::lint::{Finding, lint};
use kinglet_datasheet::risk::{AREAS, Card};
use kinglet_datasheet::sheet::{Evaluation, Measured, Sheet};
use kinglet_datasheet::spec;
use kinglet_footprint::board::{BOARDS, Board};
use kinglet_footprint::table::{Document, Value};
use kinglet_text::Text;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::args::Mode;
use crate::failure::{Failure, Kind, Result};
use crate::model::{self, ModelFile, Planning, Prepared};
use crate::output::Output;
use crate::report::{self, Lang};
use crate::survey::{self, TensorReport};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kinglet datasheet sensor.toml --html sensor.html     a page that prints well
  kinglet datasheet sensor.toml --json                 the same for programs; --schema describes it
  kinglet datasheet sensor.toml --lint                 does it contradict itself? exit code 1 if it does
  kinglet datasheet sensor.toml --model m.tflite --board nucleo-l4r5zi --lang es --html sensor.html

The file has the sections that --schema names, each field as KEY = VALUE, and those of `kinglet footprint`.
[model] file = \"m.tflite\" lets kinglet measure; [evaluation] inputs and labels let it run the model.";

/// What to make of which file.
#[derive(Debug, Args)]
pub(crate) struct Datasheet {
    /// A TOML file that describes the sensor.
    #[arg(value_name = "SENSOR.toml", required_unless_present = "schema")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    with: With,
    /// Write a page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write JSON.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only look for contradictions.
    #[arg(long, conflicts_with_all = ["html", "output"])]
    lint: bool,
    /// Print the JSON Schema of datasheets.
    #[arg(long, conflicts_with_all = ["sheet", "html", "output", "lint"])]
    schema: bool,
}

#[derive(Debug, Args)]
struct With {
    /// The model, in place of the file's.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A board whose published times the time of an inference is estimated from, in place of the file's.
    #[arg(long)]
    board: Option<String>,
    /// Language of what is printed and written.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

pub(crate) const RISK_EXAMPLES: &str = "\
Examples:
  kinglet risk sensor.toml                             the questions, and what the datasheet answers
  kinglet risk sensor.toml --answer privacy.consent=\"asked at the door\"
                                                       keeps the answer in sensor.toml
  kinglet risk sensor.toml --html risk.html --lang fr";

/// Which card.
#[derive(Debug, Args)]
pub(crate) struct Risk {
    /// The datasheet's TOML file.
    #[arg(value_name = "SENSOR.toml")]
    sheet: PathBuf,
    #[command(flatten)]
    with: With,
    /// Keep an answer in the file. May be repeated.
    #[arg(long = "answer", value_name = "AREA.QUESTION=TEXT")]
    answers: Vec<String>,
    /// Write a page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// A datasheet with its contradictions.
struct Read {
    document: Document,
    sheet: Sheet,
    findings: Vec<Finding>,
}

fn read(path: &Path, document: Document, with: &With, text: &Text) -> Result<Read> {
    let model = report::model_path(with.model.as_deref(), &document, "model", "file", Some(path), text)?;
    let measured = match &model {
        Some(model) => Some(measure(model, &document, path, with, text)?),
        None => {
            if document.root().node("evaluation").is_some() {
                return Err(Failure::new(Kind::Description, path.display(), text.get("error-no-model")));
            }
            None
        }
    };
    let sheet = Sheet::read(&document, measured.as_ref()).map_err(|error| report::failure(&error, text))?;
    let findings = lint(&sheet);
    Ok(Read { document, sheet, findings })
}

pub(crate) fn execute(args: &Datasheet, output: &Output) -> Result<bool> {
    let text = args.with.lang.text();
    let Some(path) = &args.sheet else {
        let schema = spec::schema();
        output.line(serde_json::to_string_pretty(&schema).unwrap_or_default())?;
        output.object(&schema)?;
        return Ok(true);
    };
    let read = read(path, report::read(path, &text)?, &args.with, &text)?;
    let says: Vec<_> = read.findings.iter().map(|finding| finding.say(&text)).collect();
    if args.lint {
        for finding in &read.findings {
            output.line(format_args!("{}: {}", finding.place, text.say(&finding.message)))?;
        }
        if read.findings.is_empty() {
            output.line(text.get("no-findings"))?;
        }
        output.object(&json!({ "findings": says, "count": says.len() }))?;
        return Ok(read.findings.is_empty());
    }

    let object = to_json(&read.sheet, &read.findings, &text);
    let mut files: Vec<(&Path, String)> = Vec::new();
    if let Some(path) = &args.output {
        files.push((path, serde_json::to_string_pretty(&object).unwrap_or_default() + "\n"));
    }
    if let Some(path) = &args.html {
        files.push((path, page(&read.sheet, &read.findings, &text).map_err(report::template)?));
    }
    report::write(&files)?;

    let name = if read.sheet.name().is_empty() { text.get("unnamed") } else { read.sheet.name().to_owned() };
    output.line(text.with("datasheet-title", &[("name", &name)]))?;
    let (given, known) = read.sheet.completeness();
    output.line(text.with("evidence-completeness", &[("given", &given), ("known", &known)]))?;
    output.line(format_args!(
        "{}: {} kg CO2e",
        text.get("total"),
        text.number(read.sheet.footprint.total_kg.0, 2)
    ))?;
    output.line(text.with("count-findings", &[("count", &read.findings.len())]))?;
    for finding in &read.findings {
        output.line(format_args!("  {}: {}", finding.place, text.say(&finding.message)))?;
    }
    for (path, _) in &files {
        output.line(text.with("written", &[("file", &path.display())]))?;
    }
    output.object(&object)?;
    Ok(true)
}

pub(crate) fn execute_risk(args: &Risk, output: &Output) -> Result<bool> {
    let text = args.with.lang.text();
    let mut source = report::read_text(&args.sheet, &text)?;
    if !args.answers.is_empty() {
        source = keep(&args.sheet, &source, &args.answers, &text)?;
    }
    let document = report::parse(&args.sheet, &source, &text)?;
    let read = read(&args.sheet, document, &args.with, &text)?;
    let card = Card::new(&read.document, &read.sheet, &read.findings, &text)
        .map_err(|error| report::failure(&error, &text))?;
    // All is as it should be: now the answers may be kept.
    let mut files: Vec<(&Path, String)> = Vec::new();
    if !args.answers.is_empty() {
        files.push((&args.sheet, source));
    }
    if let Some(path) = &args.html {
        files.push((path, card.page(&text).map_err(report::template)?));
    }
    report::write(&files)?;

    output.line(text.with("risk-title", &[("name", &card.name)]))?;
    for area in &card.areas {
        output.line(format_args!("\n{}", area.name))?;
        for question in &area.questions {
            output.line(format_args!("  {}.{}: {}", area.key, question.key, question.question))?;
            if let Some(answer) = &question.answer {
                output.line(format_args!("    {answer} ({})", text.get("risk-answered")))?;
            }
            for line in &question.evidence {
                output.line(format_args!("    {line} ({})", text.get("risk-datasheet")))?;
            }
            if question.answer.is_none() && question.evidence.is_empty() {
                output.line(format_args!("    {}", text.get("risk-open")))?;
            }
        }
    }
    let counts: [(&str, &dyn std::fmt::Display); 2] =
        [("answered", &card.answered), ("questions", &card.questions)];
    output.line(format_args!("\n{}\n{}", text.with("risk-counts", &counts), text.get("risk-note")))?;
    for (path, _) in &files {
        output.line(text.with("written", &[("file", &path.display())]))?;
    }
    output.object(&card)?;
    Ok(true)
}

/// The file's text with answers in it; all else stays as it is written.
fn keep(path: &Path, source: &str, answers: &[String], text: &Text) -> Result<String> {
    // What is no TOML is said by the reader that knows all languages.
    report::parse(path, source, text)?;
    let fail = |error: toml_edit::TomlError| Failure::new(Kind::Description, path.display(), error.message());
    let mut document: toml_edit::DocumentMut = source.parse().map_err(fail)?;
    for answer in answers {
        let unknown = || {
            let message = text.with("error-answer", &[("given", answer)]);
            Failure::usage(format!("--answer {answer}"), message)
        };
        let (place, said) = answer.split_once('=').ok_or_else(unknown)?;
        let (area, key) = place.split_once('.').ok_or_else(unknown)?;
        let questions = AREAS.iter().find(|(name, _)| *name == area).map(|(_, keys)| *keys);
        if !questions.is_some_and(|keys| keys.contains(&key)) {
            return Err(unknown());
        }
        let new_table = |implicit: bool| {
            let mut table = toml_edit::Table::new();
            table.set_implicit(implicit);
            toml_edit::Item::Table(table)
        };
        let risk = document.entry("risk").or_insert_with(|| new_table(true));
        let area = risk.as_table_mut().ok_or_else(unknown)?.entry(area).or_insert_with(|| new_table(false));
        area.as_table_like_mut().ok_or_else(unknown)?.insert(key, toml_edit::value(said));
    }
    Ok(document.to_string())
}

/// All that kinglet can say about a model by itself.
fn measure(path: &Path, document: &Document, sheet: &Path, with: &With, text: &Text) -> Result<Measured> {
    let file = ModelFile::read(path)?;
    let model = file.parse()?;
    let graph = file.graph()?;
    let ops = survey::ops(&graph).map_err(|error| file.explain(error))?;
    // As include_model! does it where nothing is said.
    let planning = Planning { mode: Mode::Static, options: Options::default(), slim: true };
    let compiled = model::compile(&file, &planning)?;
    let prepared = Prepared::new(&file, &planning)?;
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for op in &ops {
        *names.entry(&op.name).or_default() += 1;
    }
    let operators = names.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        count => format!("{name} ×{count}"),
    });
    let macs = survey::total_macs(&ops);
    let describe = |tensors: Vec<Option<TensorReport>>| -> Vec<String> {
        tensors
            .into_iter()
            .flatten()
            .map(|tensor| format!("{} {}", tensor.dtype, crate::output::shape(&tensor.shape)))
            .collect()
    };
    let board = board(document, with, text)?;
    let latency = board.and_then(|board| Some((board.ms_from_macs(macs)?, board.name)));
    Ok(Measured {
        sha256: Sha256::digest(file.bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
        file_bytes: file.bytes().len() as u64,
        inputs: describe(survey::tensors(&graph, graph.inputs().iter())),
        outputs: describe(survey::tensors(&graph, graph.outputs().iter())),
        operators: operators.collect(),
        macs,
        weights_bytes: survey::weights_bytes(&model),
        arena_bytes: compiled.arena_bytes as u64,
        ram_bytes: prepared.usage().total_bytes as u64,
        flash_bytes: (compiled.plan.len() + compiled.constants.len()) as u64,
        latency,
        evaluation: evaluate(&prepared, document, sheet, text)?,
    })
}

fn board(document: &Document, with: &With, text: &Text) -> Result<Option<&'static Board>> {
    let mut named = Document::empty();
    if let Some(board) = &with.board {
        named.set("model", "board", Value::Text(board.clone()), "--board");
    }
    let document = if with.board.is_some() { &named } else { document };
    let keys: Vec<_> = BOARDS.iter().map(|board| board.key).collect();
    let index = document.root().section("model").and_then(|section| match section {
        Some(section) => section.one_of("board", &keys),
        None => Ok(None),
    });
    Ok(index.map_err(|error| report::failure(&error, text))?.and_then(|index| BOARDS.get(index)))
}

/// Runs the model on labelled inputs.
fn evaluate(
    prepared: &Prepared<'_>,
    document: &Document,
    sheet: &Path,
    text: &Text,
) -> Result<Option<Evaluation>> {
    let fail = |error| report::failure(&error, text);
    let Some(section) = document.root().section("evaluation").map_err(fail)? else { return Ok(None) };
    section.only(&["inputs", "labels"]).map_err(fail)?;
    let folder = sheet.parent().unwrap_or(Path::new(""));
    let file = |key: &'static str| -> Result<PathBuf> {
        let missing = || section.error("", kinglet_text::Message::new("error-missing").with("key", key));
        let name = section.text(key).map_err(fail)?.ok_or_else(|| fail(missing()))?;
        Ok(folder.join(name))
    };
    let (inputs_path, labels_path) = (file("inputs")?, file("labels")?);
    let labels = report::read_text(&labels_path, text)?;
    let labels: Vec<usize> = labels
        .split_whitespace()
        .map(|word| {
            let message = || text.with("error-labels", &[("value", &word)]);
            word.parse().map_err(|_| Failure::new(Kind::Description, labels_path.display(), message()))
        })
        .collect::<Result<_>>()?;
    let inputs = fs::read(&inputs_path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::io(&inputs_path, text.get("error-no-file")),
        _ => Failure::io(&inputs_path, error),
    })?;

    let mut memory = prepared.memory()?;
    let mut net = prepared.start(&mut memory)?;
    let unsuited = || Failure::new(Kind::Description, "evaluation", text.get("error-evaluated-model"));
    let each = net.input_bytes_mut(0).ok_or_else(unsuited)?.len();
    if net.input_count() != 1 || net.output_count() != 1 || net.output::<i8>(0).is_err() || each == 0 {
        return Err(unsuited());
    }
    if inputs.len() != labels.len().saturating_mul(each) || labels.is_empty() {
        let sizes: [(&str, &dyn std::fmt::Display); 3] =
            [("labels", &labels.len()), ("bytes", &inputs.len()), ("each", &each)];
        let message = text.with("error-evaluation", &sizes);
        return Err(Failure::new(Kind::Description, inputs_path.display(), message));
    }
    let scores = net.output::<i8>(0).map_err(|_| unsuited())?.len();
    // One score is that of the second of two classes.
    let classes = scores.max(2);
    if let Some(label) = labels.iter().find(|label| **label >= classes) {
        let message = text.with("error-class-range", &[("value", label), ("classes", &classes)]);
        return Err(Failure::new(Kind::Description, labels_path.display(), message));
    }
    let mut evaluation = Evaluation { counts: vec![vec![0; classes]; classes], scores: Vec::new() };
    let mut values = vec![0.0; scores];
    for (sample, label) in inputs.chunks_exact(each).zip(labels) {
        net.reset();
        net.input_bytes_mut(0).ok_or_else(unsuited)?.copy_from_slice(sample);
        net.invoke()?;
        net.dequantize_output(0, &mut values).map_err(|_| unsuited())?;
        let said = match values.as_slice() {
            [score] => usize::from(*score >= 0.5),
            // The first of equals, as argmax has it.
            values => {
                let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
                (1..values.len()).fold(0, better)
            }
        };
        if classes == 2 {
            evaluation.scores.push((values.last().copied().unwrap_or(0.0), label == 1));
        }
        if let Some(count) = evaluation.counts.get_mut(label).and_then(|row| row.get_mut(said)) {
            *count += 1;
        }
    }
    Ok(Some(evaluation))
}
