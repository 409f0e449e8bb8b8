//! Each command on sound models.

use serde_json::Value;

use crate::{DIGITS, folder, kinglet, line, read, write};

#[test]
fn without_a_command_it_classifies_digits() {
    let outcome = kinglet([]);
    outcome.assert_fine();
    assert!(outcome.stdout.contains("21 of 21 right"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("1,632 bytes of arena"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("inspect models/digits/model.tflite"), "{}", outcome.stdout);
    // Standard output is no terminal here.
    assert!(outcome.stdout.is_ascii());

    let json = kinglet(["--json"]).assert_fine().json();
    assert_eq!(json["right"], 21);
    assert_eq!(json["total"], 21);
    let image = &json["images"][0];
    assert_eq!(image["file"], "1437_is_2.png");
    assert_eq!(image["answer"], 2);
}

#[test]
fn the_demonstration_is_a_copy_of_digits() {
    assert_eq!(read("crates/kinglet-cli/demo/model.tflite"), read("models/digits/model.tflite"));
    let names = |folder: &str| {
        let folder = crate::root().join(folder);
        let entries = std::fs::read_dir(folder).expect("the folder is there");
        let mut names: Vec<_> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    };
    let images = names("models/digits/images");
    assert_eq!(names("crates/kinglet-cli/demo/images"), images);
    for name in images {
        let read = |folder: &str| read(&format!("{folder}/{name}"));
        assert_eq!(read("crates/kinglet-cli/demo/images"), read("models/digits/images"), "{name}");
    }
}

#[test]
fn run_gives_the_golden_outputs() {
    let out = folder("run");
    let out = out.to_str().expect("the path is UTF-8");
    for how in ["", "--mode loaded", "--mode static --ops", "--reference litert"] {
        let outcome = line(&format!(
            "run {DIGITS} --input models/digits/random0.in0.bin --output-dir {out} --json {how}"
        ));
        let json = outcome.assert_fine().json();
        let golden = read("models/digits/random0.out0.bin");
        assert_eq!(std::fs::read(format!("{out}/out0.bin")).expect("it is written"), golden);
        let output = &json["outputs"][0];
        let values: Vec<_> = golden.iter().map(|&byte| Value::from(byte as i8)).collect();
        assert_eq!(output["values"], Value::from(values));
        assert_eq!(output["dtype"], "int8");
        assert_eq!(output["shape"], serde_json::json!([1, 10]));
        assert_eq!(output["scale"], 0.00390625);
        assert_eq!(output["zero_point"], -128);
        assert_eq!(output["name"], "StatefulPartitionedCall_1:0");
        assert_eq!(json["arena_bytes"], 1632);
        assert!(json["invoke_ns"].as_u64().is_some_and(|ns| ns > 0));
        let crcs = json["op_crc32"].as_array().map(Vec::len);
        assert_eq!(crcs, how.contains("--ops").then_some(10));
    }
    let left = std::fs::read_dir(out).expect("the folder is there").count();
    assert_eq!(left, 1, "temporary files are left");
}

#[test]
fn run_takes_inputs_by_name_and_from_numpy() {
    let folder = folder("numpy");
    let file = |name: &str, descr: &str, shape: &str, fortran: &str| {
        let data = read("models/digits/random0.in0.bin");
        write(&folder.join(name), &npy(descr, shape, fortran, &data))
    };
    let run = |input: &str| kinglet(["run", DIGITS, "--json", "--input", input]);

    let good = file("good.npy", "|i1", "(1, 8, 8, 1)", "False");
    let expected = run("models/digits/random0.in0.bin").json()["outputs"].clone();
    assert_eq!(run(&good).assert_fine().json()["outputs"], expected);
    let named = format!("serving_default_input:0={good}");
    assert_eq!(run(&named).assert_fine().json()["outputs"], expected);

    run(&file("type.npy", "|u1", "(1, 8, 8, 1)", "False"))
        .assert_error(2, &["type.npy", "uint8", "int8", "astype"]);
    run(&file("big.npy", ">i2", "(1, 8, 4, 1)", "False")).assert_error(2, &["big-endian"]);
    run(&file("shape.npy", "|i1", "(8, 8)", "False"))
        .assert_error(2, &["shape.npy", "[8, 8]", "[1, 8, 8, 1]", "reshape(1, 8, 8, 1)"]);
    run(&file("order.npy", "|i1", "(1, 8, 8, 1)", "True")).assert_error(2, &["Fortran"]);
    let short = npy("|i1", "(1, 8, 8, 1)", "False", &[0; 63]);
    run(&write(&folder.join("short.npy"), &short)).assert_error(2, &["63 bytes"]);
    run(&write(&folder.join("no.npy"), b"hello")).assert_error(2, &["no .npy file"]);
}

fn npy(descr: &str, shape: &str, fortran: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    file.extend(format!("{header:<117}\n").bytes());
    file.extend(data);
    file
}

#[test]
fn run_refuses_inputs_that_do_not_fit() {
    let input = "models/digits/min.in0.bin";
    let cases = [
        (format!("--input {DIGITS}"), "give 64 bytes"),
        (String::new(), "the model has one input, serving_default_input:0"),
        (format!("--input other={input}"), "no such input"),
        (format!("--input {input} --input {input}"), "one input too many"),
        (
            format!("--input serving_default_input:0={input} --input serving_default_input:0={input}"),
            "given twice",
        ),
    ];
    for (inputs, part) in cases {
        let outcome = line(&format!("run {DIGITS} {inputs} --json"));
        outcome.assert_error(2, &[part]);
        assert_eq!(outcome.json()["error"]["kind"], "usage");
    }
    line(&format!("run {DIGITS} --input nosuch.bin")).assert_error(1, &["nosuch.bin"]);
}

#[test]
fn inspect_says_what_a_model_is() {
    let json = line(&format!("inspect {DIGITS} --json")).assert_fine().json();
    assert_eq!(json["supported"], true);
    assert_eq!(json["unsupported"], serde_json::json!([]));
    // 64 * 12 * 9, twice; 64 * 12 * 12; 16 * 20 * 9 * 12; 80 * 10.
    assert_eq!(json["macs"], 6912 + 6912 + 9216 + 34560 + 800);
    let ops = json["ops"].as_array().expect("a list");
    let names: Vec<_> = ops.iter().filter_map(|op| op["name"].as_str()).collect();
    assert_eq!(names.first(), Some(&"CONV_2D"));
    assert_eq!(names.len(), 10);
    for op in ops {
        assert_eq!(op["supported"], true);
        assert!(op["kernel"].is_string());
        assert!(op["macs"].is_u64());
        assert!(op["reason"].is_null());
    }
    assert_eq!(ops[0]["outputs"][0]["shape"], serde_json::json!([1, 8, 8, 12]));
    assert_eq!(json["inputs"][0]["dtype"], "int8");
    assert_eq!(json["subgraphs"], 1);
    assert!(json["weights_bytes"].as_u64().is_some_and(|bytes| bytes > 3000));
    assert!(json["metadata"].is_array());

    // What the plan of a device has in RAM is in flash in static mode.
    let loaded = line(&format!("inspect {DIGITS} --json --mode loaded --target cortex-m4"));
    let loaded = loaded.assert_fine().json();
    // Its arena may be larger: kernels for its core may need scratch memory.
    for key in ["state_bytes", "macs"] {
        assert_eq!(loaded[key], json[key], "{key}");
    }
    assert_eq!(json["total_bytes"], json["arena_bytes"]);
    assert!(loaded["total_bytes"].as_u64() > json["total_bytes"].as_u64());
    line(&format!("inspect {DIGITS}")).assert_fine();
}

#[test]
fn inspect_draws_the_arena() {
    let folder = folder("svg");
    let picture = folder.join("arena.svg");
    let shown = picture.to_str().expect("the path is UTF-8");
    for how in ["", "--mode loaded"] {
        let json = line(&format!("inspect {DIGITS} --svg {shown} --json {how}")).assert_fine().json();
        assert_eq!(json["svg"], shown);
        assert_eq!(json["floor_bytes"], 2304);
        let svg = std::fs::read_to_string(&picture).expect("it is written");
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        // The input, eight tensors between operators, the reshape's other name, the output.
        assert_eq!(svg.matches("<rect class=\"b\"").count(), 11);
        // Outputs lie over inputs that die with them; the reshape's input and output lie in one place.
        assert!(svg.matches("<rect class=\"over\"").count() > 2);
        assert!(svg.contains("from 7 RESHAPE to 7 RESHAPE"));
        assert!(svg.contains("layer-wise floor 2,304 bytes"));
    }
    assert_eq!(std::fs::read_dir(&folder).expect("the folder is there").count(), 1, "files are left");
    // What was there is not touched when there is nothing to draw.
    let before = std::fs::read(&picture).expect("it is there");
    let refused = write(&folder.join("refused.tflite"), &crate::bad_models::unknown_op());
    line(&format!("inspect {refused} --svg {shown}")).assert_error(1, &["--svg", "no arena to draw"]);
    assert_eq!(std::fs::read(&picture).expect("it is there"), before);
    line(&format!("inspect {DIGITS} --svg {shown}/no/arena.svg")).assert_error(1, &["arena.svg"]);
}

#[test]
fn check_keeps_to_the_budget() {
    let check = |budget: &str| line(&format!("check {DIGITS} --json {budget}"));
    let json = check("--max-arena 1632 --max-macs 58400").assert_fine().json();
    assert_eq!(json["ok"], true);
    for budget in ["--max-arena 1631", "--max-macs 58399"] {
        let outcome = check(budget);
        outcome.assert_error(1, &["the budget is"]);
        let json = outcome.json();
        assert_eq!(json["ok"], false);
        assert_eq!(json["error"]["kind"], "budget");
        assert!(json["error"]["where"].is_string() && json["error"]["message"].is_string());
    }
}

#[test]
fn bench_times_each_op() {
    for mode in ["static", "loaded"] {
        let json = line(&format!("bench {DIGITS} --runs 3 --json --isa portable --mode {mode}"))
            .assert_fine()
            .json();
        assert_eq!(json["isa"], "portable");
        for key in ["median_ns", "min_ns", "load_ns"] {
            assert!(json[key].as_u64().is_some_and(|ns| ns > 0), "{key}");
        }
        assert_eq!(json["ops"].as_array().map(Vec::len), Some(10));
        assert_eq!(json["ops"][0]["name"], "CONV_2D");
        assert!(json["ops"][0]["median_ns"].is_u64());
    }
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    for arguments in [
        "pack model.tflite",
        "run",
        "check",
        "verify",
        "inspect models/digits/model.tflite --picture x.svg",
        "inspect models/digits/model.tflite --mode loaded --slim on",
        "inspect models/digits/model.tflite --feed rows",
        "inspect models/digits/model.tflite --arena-budget 1000",
        "inspect models/digits/model.tflite --target cortex-m99",
        "verify models/digits --ops --reference litert",
        "bench models/digits/model.tflite --runs 0",
    ] {
        line(arguments).assert_error(2, &["error: "]);
        let outcome = line(&format!("{arguments} --json"));
        outcome.assert_error(2, &["error: "]);
        assert_eq!(outcome.json()["error"]["kind"], "usage", "{arguments}");
    }
    let outcome = line(&format!("bench {DIGITS} --target cortex-m4"));
    outcome.assert_error(2, &["cargo xtask device", "--target cortex-m4"]);
}

#[test]
fn every_command_has_help_with_examples() {
    for command in ["", "run", "verify", "inspect", "check", "bench"] {
        let outcome = line(&format!("{command} --help"));
        outcome.assert_fine();
        assert!(outcome.stdout.contains("Examples:"), "{command}");
    }
}
