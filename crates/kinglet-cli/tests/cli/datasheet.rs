//! `kinglet datasheet` and `kinglet risk`.

use std::fs;

use crate::{folder, kinglet, line, root, write};

const SHEET: &str = "docs/examples/digits/digits.toml";

#[test]
fn our_own_model() {
    let json = kinglet(["datasheet", SHEET, "--json"]).assert_fine().json();
    assert_eq!(json["format"], "kinglet-datasheet-1");
    let model = &json["sections"]["model"];
    for key in
        ["sha256", "file_bytes", "operators", "macs", "arena_bytes", "flash_bytes", "int8_accuracy_percent"]
    {
        assert_eq!(model[key]["origin"], "measured", "{key}");
    }
    assert_eq!((&model["file_bytes"]["value"], &model["macs"]["value"]), (&9808.into(), &58_400.into()));
    assert_eq!(model["latency_ms"]["origin"], "estimated");
    assert_eq!(model["classes"]["origin"], "declared");
    // The arena is what inspect says.
    let inspected = line("inspect models/digits/model.tflite --json").assert_fine().json();
    assert_eq!(model["arena_bytes"]["value"], inspected["arena_bytes"]);
    // 353 of 360, as models/digits/training.json has it for the float network.
    assert_eq!(
        (&model["int8_accuracy_percent"]["value"], &model["evaluated_samples"]["value"]),
        (&98.06.into(), &360.into())
    );
    assert_eq!(json["confusion"]["percent"].as_array().map(Vec::len), Some(10));
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    line(&format!("datasheet {SHEET} --lint")).assert_fine();
    // A datasheet describes a device as well.
    let footprint = line(&format!("footprint {SHEET} --json")).assert_fine().json();
    assert_eq!(footprint["total_kg"], json["footprint"]["total_kg"]);
}

#[test]
fn pages_and_files() {
    let folder = folder("datasheet_pages");
    for lang in ["en", "es", "pt", "fr"] {
        let (html, risk) = (folder.join(format!("{lang}.html")), folder.join(format!("risk-{lang}.html")));
        let html = html.to_str().expect("UTF-8");
        kinglet(["datasheet", SHEET, "--lang", lang, "--html", html]).assert_fine();
        kinglet(["risk", SHEET, "--lang", lang, "--html", risk.to_str().expect("UTF-8")]).assert_fine();
        let html = fs::read_to_string(html).expect("a page");
        assert!(html.contains(&format!("<html lang=\"{lang}\">")) && html.matches("<svg ").count() >= 3);
    }
    let output = folder.join("sheet.json");
    kinglet(["datasheet", SHEET, "--output", output.to_str().expect("UTF-8")]).assert_fine();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(output).expect("a file")).expect("JSON");
    assert_eq!(json["sections"]["identity"]["revision"]["value"], "1");
}

#[test]
fn the_schema_is_the_published_one() {
    let schema = line("datasheet --schema").assert_fine().stdout.clone();
    assert_eq!(schema, fs::read_to_string(root().join("docs/datasheet.schema.json")).expect("the schema"));
}

#[test]
fn contradictions_fail_the_lint() {
    let folder = folder("datasheet_lint");
    let sheet = write(&folder.join("s.toml"), b"[model]\nperiod_ms = 1000\nlatency_ms = 2200\n");
    let outcome = kinglet(["datasheet", &sheet, "--lint", "--json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    let json = outcome.json();
    assert_eq!((&json["count"], &json["findings"][0]["rule"]), (&1.into(), &"period".into()));
    let outcome = kinglet(["datasheet", &sheet, "--lint", "--lang", "fr"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.contains("une inférence toutes les 1000 ms"), "{}", outcome.stdout);
}

#[test]
fn bad_datasheets() {
    let folder = folder("datasheet_bad");
    let (html, output) = (folder.join("page.html"), folder.join("sheet.json"));
    let bad = |toml: &str, code: i32, parts: &[&str], more: &[&str]| {
        let file = write(&folder.join("s.toml"), toml.as_bytes());
        let files = ["--html", html.to_str().expect("UTF-8"), "--output", output.to_str().expect("UTF-8")];
        let arguments = ["datasheet", &file].into_iter().chain(files).chain(more.iter().copied());
        kinglet(arguments).assert_error(code, parts);
        assert!(!html.exists() && !output.exists(), "a file was left");
    };
    bad("[electical]\ncurrent_ma = 1", 1, &["s.toml:1", "did you mean electrical?"], &[]);
    bad("[electrical]\ncurent_ma = 1", 1, &["electrical.curent_ma", "did you mean current_ma?"], &[]);
    bad("[electrical]\ncurrent_ma = -1", 1, &["electrical.current_ma", "out of range"], &[]);
    bad("[electrical]\ncurrent_ma = \"much\"", 1, &["\"much\" is not a number"], &[]);
    bad("[electrical]\nvoltage_v = [5, 3]", 1, &["two numbers, the lower first"], &[]);
    bad("[model]\nroc_auc = 84", 1, &["model.roc_auc", "give 0 to 1"], &[]);
    bad("[use]\ncountry = \"XXX\"", 1, &["there is no country \"XXX\""], &[]);
    bad("[nutrition_risks]\nconsent = { status = \"sfae\" }", 1, &["did you mean \"safe\"?"], &[]);
    bad("[model]\nfile = \"none.tflite\"", 1, &["none.tflite", "no such file"], &[]);
    bad("[evaluation]\ninputs = \"x\"\nlabels = \"y\"", 1, &["an evaluation needs a model"], &[]);
    bad("[curves]\nconfusion_percent = [[1, 2], [3]]", 1, &["as many rows, columns and names"], &[]);
    bad("[[communication.packet]]\nbytes = 1", 1, &["communication.packet[1]", "name is missing"], &[]);
    bad("", 2, &["--board", "unknown value"], &["--model", crate::DIGITS, "--board", "nucleo"]);
    let labels = |labels: &str, parts: &[&str]| {
        write(&folder.join("inputs.bin"), &[0; 128]);
        write(&folder.join("labels.txt"), labels.as_bytes());
        let toml = "[evaluation]\ninputs = \"inputs.bin\"\nlabels = \"labels.txt\"";
        bad(toml, 1, parts, &["--model", crate::DIGITS]);
    };
    labels("1 x", &["labels.txt", "x is not a class"]);
    labels("1 10", &["labels.txt", "class 10 is more than the model's 10 classes"]);
    labels("1 2 3", &["inputs.bin", "3 labels and 128 bytes of inputs; each takes 64"]);
    line("datasheet").assert_error(2, &["SENSOR.toml"]);
    line("datasheet none.toml").assert_error(1, &["none.toml", "no such file"]);
}

#[test]
fn answers_are_kept() {
    let folder = folder("risk_answers");
    let sheet = write(&folder.join("s.toml"), b"# My sensor.\n[identity]\nproduct = \"S\"  # its name\n");
    let json = kinglet(["risk", &sheet, "--answer", "privacy.consent=asked at the door", "--json"]);
    let json = json.assert_fine().json();
    assert_eq!(json["areas"].as_array().map(Vec::len), Some(5));
    let source = fs::read_to_string(&sheet).expect("the sheet");
    assert!(source.starts_with("# My sensor.\n[identity]\nproduct = \"S\"  # its name\n"), "{source}");
    assert!(source.contains("[risk.privacy]\nconsent = \"asked at the door\"\n"), "{source}");
    // Another answer takes its place.
    kinglet(["risk", &sheet, "--answer", "privacy.consent=signs", "--answer", "waste.parts=no"])
        .assert_fine();
    let text = kinglet(["risk", &sheet]).assert_fine().stdout.clone();
    assert!(text.contains("signs (answered)") && !text.contains("at the door"), "{text}");
    assert!(text.contains("They publish no levels"), "{text}");

    let before = fs::read_to_string(&sheet).expect("the sheet");
    for answer in ["privacy.nothing=x", "nothing", "nothing.consent=x"] {
        kinglet(["risk", &sheet, "--answer", answer]).assert_error(2, &["--answer", "has no question"]);
    }
    assert_eq!(fs::read_to_string(&sheet).expect("the sheet"), before);
    let wrong = write(&folder.join("wrong.toml"), b"[risk.privcy]\nconsent = \"x\"");
    kinglet(["risk", &wrong]).assert_error(1, &["risk.privcy", "did you mean privacy?"]);
    let wrong = write(&folder.join("wrong.toml"), b"[risk.privacy]\nconsent = 3");
    kinglet(["risk", &wrong]).assert_error(1, &["risk.privacy.consent", "text in quotes"]);
}
