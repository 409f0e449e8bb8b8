//! `kinglet verify`, on golden folders that are right and on those that are not.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{folder, kinglet, line, read, write};

#[test]
fn our_own_models_pass_in_every_way() {
    for how in ["", "--ops", "--mode static", "--mode loaded --ops", "--reference litert --mode loaded"] {
        let outcome = line(&format!("verify models/digits models/hello_sine/ --json {how}"));
        let json = outcome.assert_fine().json();
        assert_eq!((&json["passed"], &json["failed"]), (&Value::from(2), &Value::from(0)));
        let digits = &json["models"][0];
        assert_eq!(digits["name"], "digits");
        assert_eq!(digits["cases"], digits["passed"]);
        assert_eq!(digits["mismatched_bytes"], 0);
        assert_eq!(digits["max_abs_diff"], 0.0);
        assert!(digits["error"].is_null());
        assert_eq!(json["models"][1]["name"], "hello_sine");
        let crcs = digits["op_crc32"].as_array().map(Vec::len);
        assert_eq!(crcs, how.contains("--ops").then_some(10));
    }
    line("verify models/digits").assert_fine();
}

#[test]
fn the_two_references_differ() {
    // hello_sine's all256 under LiteRT's arithmetic, without LiteRT's own golden file.
    let folder = golden("references", "models/hello_sine", &["all256.in0.bin", "all256.out0.bin"]);
    assert_eq!(verify(&folder, "").1["passed"], 1);
    let (_, json) = verify(&folder, "--reference litert");
    let model = &json["models"][0];
    assert_eq!((&json["failed"], &model["passed"]), (&Value::from(1), &Value::from(0)));
    assert!(model["mismatched_bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    assert_eq!(model["max_abs_diff"], 2.0);
}

#[test]
fn wrong_bytes_are_counted() {
    let folder = golden("bytes", "models/digits", &["min.in0.bin", "min.out0.bin"]);
    let mut out = read("models/digits/min.out0.bin");
    out[3] = (out[3] as i8 + 7) as u8;
    out[5] = (out[5] as i8 - 2) as u8;
    write(&folder.join("min.out0.bin"), &out);
    let (code, json) = verify(&folder, "");
    assert_eq!(code, Some(1));
    let model = &json["models"][0];
    assert_eq!((&model["cases"], &model["passed"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(model["mismatched_bytes"], 2);
    assert_eq!(model["max_abs_diff"], 7.0);
}

#[test]
fn incomplete_folders_fail() {
    let files = ["min.in0.bin", "min.out0.bin"];
    let no_cases = golden("no_cases", "models/digits", &[]);
    assert_fails(&no_cases, "no cases");

    let missing_out = golden("missing_out", "models/digits", &files);
    fs::remove_file(missing_out.join("min.out0.bin")).expect("it is there");
    assert_fails(&missing_out, "min.out0.bin is missing");

    let missing_in = golden("missing_in", "models/digits", &files);
    fs::remove_file(missing_in.join("min.in0.bin")).expect("it is there");
    assert_fails(&missing_in, "min.in0.bin is missing");

    let extra = golden("extra", "models/digits", &files);
    write(&extra.join("min.out1.bin"), &[0; 10]);
    assert_fails(&extra, "min.out1.bin belongs to no tensor");

    let short = golden("short", "models/digits", &files);
    write(&short.join("min.in0.bin"), &[0; 63]);
    assert_fails(&short, "min.in0.bin has 63 bytes");

    let empty = golden("empty", "models/digits", &files);
    write(&empty.join("min.out0.bin"), &[]);
    assert_fails(&empty, "min.out0.bin has 0 bytes");

    let uneven = golden("uneven", "models/digits", &files);
    write(&uneven.join("min.in0.bin"), &[0; 128]);
    assert_fails(&uneven, "min.out0.bin holds 1 invocations, other files of the case 2");

    let no_model = golden("no_model", "models/digits", &files);
    fs::remove_file(no_model.join("model.tflite")).expect("it is there");
    assert_fails(&no_model, "model.tflite");

    assert_fails(Path::new("no/such/folder"), "can't be read");
    assert_fails(Path::new("Cargo.toml"), "can't be read");
}

#[test]
fn one_bad_case_does_not_hide_the_others() {
    let files = ["min.in0.bin", "min.out0.bin", "max.in0.bin"];
    let (_, json) = verify(&golden("one_bad", "models/digits", &files), "");
    let model = &json["models"][0];
    assert_eq!((&model["cases"], &model["passed"]), (&Value::from(2), &Value::from(1)));
    assert_eq!(model["error"], "max.out0.bin is missing");
}

#[test]
fn wrong_op_checksums_name_the_op() {
    let folder = golden("ops/digits", "models/digits", &["min.in0.bin", "min.out0.bin"]);
    let text = String::from_utf8(read("models/op_crcs.json")).expect("it is UTF-8");
    let crcs = folder.parent().expect("it has one").join("op_crcs.json");

    write(&crcs, text.as_bytes());
    assert_eq!(verify(&folder, "--ops").0, Some(0));
    write(&crcs, text.replace("21389e7d", "00000000").as_bytes());
    assert_eq!(verify(&folder, "").0, Some(0));
    let (code, json) = verify(&folder, "--ops");
    assert_eq!(code, Some(1));
    let error = json["models"][0]["error"].as_str().expect("an error");
    assert!(error.starts_with("op 3 (ADD)") && error.contains("21389e7d"), "{error}");

    write(&crcs, b"{");
    let (_, json) = verify(&folder, "--ops");
    let error = json["models"][0]["error"].as_str().expect("an error");
    assert!(error.contains("op_crcs.json"), "{error}");
}

/// A golden folder with the model and some files of another.
fn golden(test: &str, from: &str, files: &[&str]) -> PathBuf {
    let folder = folder(&format!("golden/{test}"));
    for file in files.iter().chain(&["model.tflite"]) {
        write(&folder.join(file), &read(&format!("{from}/{file}")));
    }
    folder
}

fn verify(folder: &Path, how: &str) -> (Option<i32>, Value) {
    let folder = folder.to_str().expect("the path is UTF-8");
    let outcome = kinglet(["verify", folder, "--json"].into_iter().chain(how.split_whitespace()));
    (outcome.code, outcome.json())
}

fn assert_fails(folder: &Path, part: &str) {
    let (code, json) = verify(folder, "");
    assert_eq!(code, Some(1));
    assert_eq!((&json["passed"], &json["failed"]), (&Value::from(0), &Value::from(1)));
    let error = json["models"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains(part), "{error}");
}
