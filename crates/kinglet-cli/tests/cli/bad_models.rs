//! Files that are refused: each with its kind, its place and one line that says what to do.

use kinglet_tflite::{DType, Model};

use crate::{DIGITS, folder, kinglet, read, write};

#[test]
fn damaged_files_are_malformed() {
    let folder = folder("malformed");
    let model = read(DIGITS);
    let file = |name: &str, bytes: &[u8]| write(&folder.join(name), bytes);

    assert_refused(&file("empty.tflite", b""), "malformed", &["the file is empty"]);
    let mut other = model.clone();
    other[4..8].copy_from_slice(b"TFL2");
    let file_name = file("identifier.tflite", &other);
    assert_refused(&file_name, "malformed", &["not a TensorFlow Lite model"]);
    assert_refused("Cargo.toml", "malformed", &["not a TensorFlow Lite model"]);

    for length in [4, 8, 100, 1000, model.len() / 2, model.len() - 1000] {
        let file = file("truncated.tflite", &model[..length]);
        assert_refused(&file, "malformed", &["truncated.tflite"]);
    }
}

#[test]
fn unreadable_files_say_so() {
    assert_refused("no/such.tflite", "io", &["no/such.tflite", "no such file"]);
    assert_refused("models/digits", "io", &["folder"]);
}

/// SOFTMAX becomes an operator on strings, which has no place in an int8 network.
pub(crate) fn unknown_op() -> Vec<u8> {
    patch(read(DIGITS), 25, 30, |model| op_name(model, 9) == Some("SKIP_GRAM"))
}

#[test]
fn operators_that_are_not_there_are_named() {
    let file =
        assert_unsupported("unknown_op", &unknown_op(), &["op 9 (SKIP_GRAM)", "does not have this operator"]);

    let inspected = kinglet(["inspect", &file, "--json"]).json();
    assert_eq!(inspected["ops"][9]["name"], "SKIP_GRAM");
    assert_eq!(inspected["ops"][9]["supported"], false);
    assert!(inspected["ops"][9]["reason"].is_string());
    assert_eq!(inspected["ops"][8]["supported"], true);
    assert!(inspected["arena_bytes"].is_null());
    assert_eq!(inspected["macs"], 58400);
    let unsupported = inspected["unsupported"].as_array().expect("a list");
    assert_eq!(unsupported.len(), 1);
    assert!(unsupported[0].as_str().is_some_and(|text| text.starts_with("SKIP_GRAM: ")));
}

#[test]
fn custom_operators_are_named() {
    // SOFTMAX becomes a custom operator, which has no name here.
    let bytes = patch(read(DIGITS), 25, 32, |model| op_name(model, 9) == Some("CUSTOM"));
    assert_unsupported("custom_op", &bytes, &["op 9 (CUSTOM)", "custom operators are not supported"]);
}

#[test]
fn newcomers_models_are_told_how_to_convert() {
    // Only the activations are float32: dynamic-range quantisation.
    let activations = patch(read(DIGITS), 9, 0, |model| input_dtype(model, 0) == Some(DType::Float32));
    assert_unsupported(
        "dynamic_range",
        &activations,
        &["op 0 (CONV_2D)", "dynamic-range", "representative_dataset"],
    );

    // The first filter, too; as float32 its 108 bytes are [3, 3, 3, 1].
    let mut bytes = activations;
    let shape = |channels: u8| [channels, 3, 3, 1].map(u32::from).map(u32::to_le_bytes).concat();
    let at = bytes.windows(16).position(|window| window == shape(12)).expect("the filter's shape");
    bytes[at..at + 16].copy_from_slice(&shape(3));
    let bytes = patch(bytes, 9, 0, |model| input_dtype(model, 1) == Some(DType::Float32));
    assert_unsupported("float32", &bytes, &["op 0 (CONV_2D)", "float32 model", "TFLITE_BUILTINS_INT8"]);
}

/// The model with one byte changed: the first whose change from `from` to `to` makes `is_it` true.
fn patch(mut bytes: Vec<u8>, from: u8, to: u8, is_it: impl Fn(&Model<'_>) -> bool) -> Vec<u8> {
    for i in 0..bytes.len() {
        if bytes[i] == from {
            bytes[i] = to;
            if Model::parse(&bytes).is_ok_and(|model| is_it(&model)) {
                return bytes;
            }
            bytes[i] = from;
        }
    }
    panic!("no byte {from} does it");
}

fn op_name(model: &Model<'_>, op: u32) -> Option<&'static str> {
    model.graph(0).ok()?.node(op).ok()?.code.name()
}

/// Type of an input of operator 0.
fn input_dtype(model: &Model<'_>, i: usize) -> Option<DType> {
    let graph = model.graph(0).ok()?;
    Some(graph.tensor(graph.node(0).ok()?.inputs.get(i)?).ok()?.dtype)
}

/// Every command refuses the file with exit code 1 and one line.
fn assert_refused(file: &str, kind: &str, parts: &[&str]) {
    for command in ["check", "inspect", "run", "bench"] {
        if command == "inspect" && kind == "unsupported" {
            // That is an answer, not a failure.
            assert_eq!(kinglet(["inspect", file]).code, Some(0));
            assert_eq!(kinglet(["inspect", file, "--json"]).json()["supported"], false);
            continue;
        }
        let input: &[&str] = if command == "run" { &["--input", "models/digits/min.in0.bin"] } else { &[] };
        let call = |json: &[&'static str]| {
            kinglet([command, file].into_iter().chain(input.iter().copied()).chain(json.iter().copied()))
        };
        call(&[]).assert_error(1, parts);
        let outcome = call(&["--json"]);
        outcome.assert_error(1, parts);
        let json = outcome.json();
        assert_eq!(json["error"]["kind"], kind, "{command} {file}");
        assert!(json["error"]["where"].is_string() && json["error"]["message"].is_string());
        assert_eq!(json["ok"], if command == "check" { false.into() } else { serde_json::Value::Null });
    }
}

/// As [`assert_refused`]; and `verify` says the same of the folder. Returns the file's path.
fn assert_unsupported(test: &str, model: &[u8], parts: &[&str]) -> String {
    let folder = folder(test);
    let file = write(&folder.join("model.tflite"), model);
    assert_refused(&file, "unsupported", parts);
    for name in ["min.in0.bin", "min.out0.bin"] {
        write(&folder.join(name), &read(&format!("models/digits/{name}")));
    }
    let outcome = kinglet(["verify", "--json", folder.to_str().expect("the path is UTF-8")]);
    outcome.assert_error(1, parts);
    let model = &outcome.json()["models"][0];
    assert_eq!((model["cases"].as_u64(), model["passed"].as_u64()), (Some(1), Some(0)));
    let error = model["error"].as_str().unwrap_or_default();
    for part in parts {
        assert!(error.contains(part), "{error}");
    }
    file
}
