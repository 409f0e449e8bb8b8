//! `kinglet` without a command: classifies the bundled images of digits.

use std::io::Cursor;
use std::path::Path;
use std::time::Instant;

use kinglet::{Interpreter, Options};
use serde::Serialize;

use crate::args::Mode;
use crate::failure::{Failure, Result};
use crate::invoke::nanoseconds;
use crate::model::{ModelFile, Planning, Prepared};
use crate::output::{Output, thousands, time};
use crate::picture::{Picture, Style};

const MODEL_NAME: &str = "models/digits/model.tflite";
/// A copy, since a package of this crate holds nothing from outside its folder; a test compares the two.
const MODEL: &[u8] = include_bytes!("../demo/model.tflite");

/// Held-out digits: names and PNG files. A name says what the digit is: `1437_is_2.png`.
const IMAGES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/digits.rs"));

#[derive(Serialize)]
struct Report {
    model: &'static str,
    images: Vec<Answer>,
    right: usize,
    total: usize,
    arena_bytes: usize,
}

#[derive(Serialize)]
struct Answer {
    file: &'static str,
    label: usize,
    answer: usize,
    right: bool,
    /// The probability that the model gives its answer.
    confidence: f32,
    invoke_ns: u64,
    #[serde(skip)]
    picture: Picture,
}

pub(crate) fn execute(output: &Output) -> Result<bool> {
    let file = ModelFile::from_bytes(Path::new(MODEL_NAME), MODEL)?;
    // As on a device that gets the file over the air.
    let options = Options::default().with_prepared(true);
    let prepared = Prepared::new(&file, &Planning { mode: Mode::Loaded, options, slim: false })?;
    let mut memory = prepared.memory()?;
    let mut net = prepared.start(&mut memory)?;
    let images =
        IMAGES.iter().map(|(name, png)| classify(&mut net, name, png)).collect::<Result<Vec<_>>>()?;
    let report = Report {
        model: MODEL_NAME,
        right: images.iter().filter(|answer| answer.right).count(),
        total: images.len(),
        images,
        arena_bytes: net.usage().arena_bytes,
    };
    print(&report, net.usage(), output)?;
    output.object(&report)?;
    Ok(true)
}

fn classify(net: &mut Interpreter<'_>, name: &'static str, png: &[u8]) -> Result<Answer> {
    let fail = |error: &dyn std::fmt::Display| Failure::io(Path::new(name), error);
    let label = label(name).ok_or_else(|| fail(&"the name does not say which digit it is"))?;
    let picture = decode(png).map_err(|error| fail(&error))?;

    // Ink is bright; the model's scale is 1/255 and its zero point -128.
    let input = net.input::<i8>(0).map_err(|error| fail(&error))?;
    if input.len() != picture.grey.len() {
        return Err(fail(&"the image does not have the size of the model's input"));
    }
    for (q, &grey) in input.iter_mut().zip(&picture.grey) {
        *q = (i16::from(grey) - 128) as i8;
    }
    let start = Instant::now();
    net.invoke().map_err(|error| fail(&error))?;
    let invoke_ns = nanoseconds(start.elapsed());

    let mut probabilities = [0.0; 10];
    net.dequantize_output(0, &mut probabilities).map_err(|error| fail(&error))?;
    let (answer, confidence) =
        probabilities.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    Ok(Answer { file: name, label, answer, right: answer == label, confidence, invoke_ns, picture })
}

/// `1437_is_2.png` shows a 2.
fn label(name: &str) -> Option<usize> {
    let (_, digit) = name.strip_suffix(".png")?.rsplit_once("_is_")?;
    digit.parse().ok()
}

fn decode(png: &[u8]) -> std::result::Result<Picture, png::DecodingError> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info()?;
    let wrong = |text: &str| png::DecodingError::IoError(std::io::Error::other(text.to_owned()));
    if reader.output_color_type() != (png::ColorType::Grayscale, png::BitDepth::Eight) {
        return Err(wrong("the image is not 8-bit greyscale"));
    }
    let size = reader.output_buffer_size();
    let mut grey = vec![0; size.ok_or_else(|| wrong("the image is too large"))?];
    let frame = reader.next_frame(&mut grey)?;
    Ok(Picture { width: frame.width as usize, grey })
}

/// Pictures side by side: as many as 80 columns hold.
const IN_A_ROW: usize = 7;

fn print(report: &Report, usage: kinglet::Usage, output: &Output) -> Result<()> {
    let style = Style::of_stdout();
    output.line(format_args!(
        "Handwritten digits that the model has not seen in training, 8x8 pixels each.\n\
         Model: {} ({} bytes), int8.\n",
        report.model,
        thousands(MODEL.len() as u64)
    ))?;
    for answers in report.images.chunks(IN_A_ROW) {
        let cells: Vec<Vec<String>> = answers.iter().map(|answer| cell(answer, style)).collect();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let lines: Vec<_> = cells.iter().map(|cell| cell.get(line).map_or("", String::as_str)).collect();
            output.line(lines.concat().trim_end())?;
        }
        output.line("")?;
    }

    let mut times: Vec<_> = report.images.iter().map(|answer| answer.invoke_ns).collect();
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or(0);
    output.line(format_args!(
        "{} of {} right; {} an image (median)\n\
         {} bytes of arena; with plan and state {} bytes of RAM in all",
        report.right,
        report.total,
        time(median),
        thousands(usage.arena_bytes as u64),
        thousands(usage.total_bytes as u64),
    ))?;

    let program = std::env::args().next();
    let program = program.as_deref().unwrap_or("kinglet");
    output.line("\nWhat to try next, in the repository's root:")?;
    for (what, command) in [
        ("its layers, and the memory they need", "inspect models/digits/model.tflite"),
        ("are all outputs right to the last byte?", "verify models/digits models/hello_sine"),
        ("how fast is it on this machine?", "bench models/digits/model.tflite"),
        ("everything else, also for .tflite files of your own", "--help"),
    ] {
        output.line(format_args!("  # {what}\n  {program} {command}"))?;
    }
    Ok(())
}

/// Columns of a picture and the text below it, with a gap.
const CELL: usize = 11;

fn cell(answer: &Answer, style: Style) -> Vec<String> {
    let mut lines = answer.picture.lines(style, CELL);
    let mark = style.mark(answer.right);
    let confidence = format!("{:.1}% sure", 100.0 * answer.confidence);
    for text in [
        format!("says {} {mark}", answer.answer),
        format!("it is {}", answer.label),
        confidence,
        time(answer.invoke_ns),
    ] {
        lines.push(format!("{text:<CELL$}"));
    }
    lines
}
