//! Published datasheets entered as files: their sums, their contradictions, their documents.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kinglet_datasheet::datasheet::{page, to_json};
use kinglet_datasheet::lint::lint;
use kinglet_datasheet::risk::{AREAS, Card};
use kinglet_datasheet::sheet::{Evaluation, Measured, Sheet};
use kinglet_datasheet::{footprint, spec};
use kinglet_footprint::table::Document;
use kinglet_footprint::{Component, DataSet};
use kinglet_text::{Language, Text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document(name: &str) -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sheets").join(name);
    let source = std::fs::read_to_string(path).expect("the sheet is there");
    Document::parse(name, &source).expect("TOML")
}

fn sheet(name: &str) -> Sheet {
    Sheet::read(&document(name), None).expect("a datasheet")
}

/// Reads a datasheet that is written here.
fn parse(toml: &str) -> Sheet {
    let document = Document::parse("s.toml", toml).expect("TOML");
    Sheet::read(&document, None).expect("a datasheet")
}

/// Where the contradictions are, by rule.
fn places(sheet: &Sheet) -> Vec<(&'static str, String)> {
    lint(sheet).into_iter().map(|finding| (finding.rule, finding.place)).collect()
}

#[track_caller]
fn assert_finds(toml: &str, rule: &str, message: &str) {
    let findings = lint(&parse(toml));
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((finding.rule, finding.message.to_string().as_str()), (rule, message));
}

#[test]
fn the_open_module() {
    let sheet = sheet("pa1.toml");
    assert_eq!(sheet.footprint.total_kg.0.to_string(), "2.34");
    assert_eq!(sheet.cost().to_string(), "14.51");
    let expected = [
        ("use-stage", "blocks.use_stage"),
        ("period", "model.period_ms"),
        ("confusion", "curves.confusion_percent[0]"),
        ("confusion", "curves.confusion_percent[1]"),
        ("levels", "factors.distance_m"),
        ("levels", "factors.light_lux"),
        ("levels", "factors.skin_tone"),
    ];
    assert_eq!(places(&sheet), expected.map(|(rule, place)| (rule, place.to_owned())));
    let messages: Vec<_> = lint(&sheet).iter().map(|finding| finding.message.to_string()).collect();
    // 3.3 V and 40 mA for three years: 1.50 kg, which makes 3.8 of 2.34.
    assert!(messages[0].contains("132 mW") && messages[0].contains("1.50 kg"), "{}", messages[0]);
    assert!(messages[0].contains("3.82 kg in all"), "{}", messages[0]);
}

#[test]
fn the_commercial_sensor() {
    let sheet = sheet("person_sensor.toml");
    assert_eq!(sheet.footprint.total_kg.0.to_string(), "2.82");
    assert_eq!(sheet.cost().to_string(), "30.97");
    let expected = [
        ("use-stage", "blocks.use_stage"),
        ("packet", "communication.packet_bytes"),
        ("also-stated", "communication.address"),
        ("also-stated", "communication.max_rate_kb_s"),
        ("also-stated", "communication.identities"),
        ("also-stated", "communication.packet.right.name"),
        ("also-stated", "communication.packet.bottom.name"),
        ("also-stated", "communication.packet.confidence.maximum"),
        ("levels", "factors.distance_m"),
    ];
    assert_eq!(places(&sheet), expected.map(|(rule, place)| (rule, place.to_owned())));
}

#[test]
fn other_contradictions() {
    assert_finds(
        "[electrical]\nsupply_v = 3\ncurrent_ma = 10\npower_mw = 50\n[blocks]\nuse_stage = false",
        "power",
        "50 mW are declared, but current by voltage is 30 mW",
    );
    assert_finds(
        "[communication]\nbus = \"I2C\"\naddress = \"0x7a\"",
        "address",
        "0x7a is no 7-bit I2C address that a device may have (0x08 to 0x77)",
    );
    assert_finds(
        "[[communication.packet]]\nname = \"a\"\nbytes = 2\n[[communication.packet]]\nname = \"b\"\noffset = 1\n\
         bytes = 1",
        "packet",
        "a and b overlap",
    );
    assert_finds(
        "[[communication.packet]]\nname = \"a\"\nbytes = 2\nkind = \"u8\"",
        "packet",
        "a is u8 but takes 2 bytes",
    );
    assert_finds(
        "[curves]\nconfusion_percent = [[90, 20], [0, 100]]",
        "confusion",
        "the row of 0 sums to 110 %",
    );
    assert_finds(
        "[model]\nclasses = [\"a\"]\n[curves]\nconfusion_percent = [[90, 10], [0, 100]]",
        "confusion",
        "1 classes are named, but the confusion matrix has 2",
    );
    assert_finds(
        "[[shares]]\nfactor = \"gender\"\nlevel = \"female\"\npercent = 40",
        "shares",
        "the shares of gender sum to 40 %",
    );
    assert_finds(
        "[environment]\ndeclared_total_kg = 3.5",
        "footprint",
        "3.5 kg are declared, but the parts sum to 3.24 kg",
    );
    assert_finds(
        "[environment]\nparts = 2\n[[materials]]\npart = \"x\"",
        "materials",
        "2 is declared, but the bill of materials has 1",
    );
    assert!(places(&parse("")).is_empty());
}

/// What is measured takes the place of what was declared, and says so where they differ.
#[test]
fn measured_figures() {
    let toml = "[model]\nsha256 = \"00\"\narena_bytes = 100\nclasses = [\"no\", \"yes\"]\nram_kb = 1";
    let document = Document::parse("s.toml", toml).expect("TOML");
    let evaluation = Evaluation {
        counts: vec![vec![3, 1], vec![0, 4]],
        scores: vec![(0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.1, false)],
    };
    let measured = Measured {
        sha256: "ff".to_owned(),
        arena_bytes: 100,
        ram_bytes: 2000,
        evaluation: Some(evaluation),
        ..Measured::default()
    };
    let sheet = Sheet::read(&document, Some(&measured)).expect("a datasheet");
    assert_eq!(sheet.text("model", "sha256"), "ff");
    let number = |key| sheet.number("model", key).map(|number| number.normalize().to_string());
    assert_eq!(number("int8_accuracy_percent").as_deref(), Some("87.5"));
    // Five of the six pairs of a positive and a negative are in order.
    assert_eq!(number("roc_auc").as_deref(), Some("0.8333"));
    assert_eq!(
        sheet.confusion.as_ref().map(|c| c.classes.clone()),
        Some(vec!["no".to_owned(), "yes".to_owned()])
    );
    let expected = [("measured", "model.sha256".to_owned()), ("measured", "model.ram_kb".to_owned())];
    assert_eq!(places(&sheet), expected);
}

#[test]
fn the_published_schema_is_current() {
    let path = root().join("docs/datasheet.schema.json");
    let published = std::fs::read_to_string(&path).expect("the schema is there");
    let current = serde_json::to_string_pretty(&spec::schema()).expect("JSON") + "\n";
    assert_eq!(published, current, "write it with: kinglet datasheet --schema > docs/datasheet.schema.json");
}

#[test]
fn documents_follow_the_schema() {
    let schema = jsonschema::validator_for(&spec::schema()).expect("a schema");
    let text = Text::new(Language::English);
    for name in ["pa1.toml", "person_sensor.toml"] {
        let sheet = sheet(name);
        let object = to_json(&sheet, &lint(&sheet), &text);
        let errors: Vec<_> = schema.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        // The validator does look.
        let mut wrong = object.clone();
        wrong["sections"]["electrical"]["current_ma"]["unit"] = "A".into();
        assert!(!schema.is_valid(&wrong));
    }
}

#[test]
fn pages_in_all_languages() {
    for language in Language::ALL {
        let text = Arc::new(Text::new(language));
        for name in ["pa1.toml", "person_sensor.toml"] {
            let (document, sheet) = (document(name), sheet(name));
            let findings = lint(&sheet);
            let html = page(&sheet, &findings, &text).expect("a page");
            assert!(html.contains(&format!("<html lang=\"{}\">", language.code())));
            assert!(html.contains("<svg ") && html.contains(&text.get("section-privacy")) == name.is_empty());
            let card = Card::new(&document, &sheet, &findings, &text).expect("a card");
            assert_eq!(card.areas.len(), 5);
            assert!(card.page(&text).expect("a page").contains(&text.get("risk-waste")));
        }
    }
}

/// What files say reaches pages and charts as text.
#[test]
fn pages_escape() {
    let sheet = parse("[identity]\nproduct = \"<script>alert(1)</script>\"\n[fields]\n\"<b>&\" = 1");
    let html = page(&sheet, &[], &Arc::new(Text::new(Language::English))).expect("a page");
    assert!(!html.contains("<script") && !html.contains("<b>&"));
    assert!(html.contains("&lt;b&gt;&amp;"));
}

#[test]
fn every_key_has_its_text() {
    let text = Text::new(Language::English);
    let mut missing: Vec<String> = Vec::new();
    let mut need = |key: String| {
        if !text.has(&key) {
            missing.push(key);
        }
    };
    for section in spec::SECTIONS {
        need(format!("section-{}", section.key));
        section.fields.iter().for_each(|field| need(format!("field-{}-{}", section.key, field.key)));
    }
    for (area, questions) in AREAS {
        need(format!("risk-{area}"));
        questions.iter().for_each(|question| need(format!("risk-{area}-{question}")));
    }
    for data in DataSet::ALL {
        need(format!("data-{}", data.key()));
        data.presets().iter().for_each(|preset| need(format!("preset-{}", preset.key)));
        for component in Component::ALL {
            need(format!("component-{}", component.key()));
            let choices = data.choices(component).iter();
            choices.for_each(|choice| need(format!("choice-{}-{}", component.key(), choice.key)));
        }
    }
    // Keys that are written out, in the crates' sources and templates.
    for folder in
        ["kinglet-cli/src", "kinglet-datasheet/src", "kinglet-datasheet/templates", "kinglet-footprint/src"]
    {
        let entries = std::fs::read_dir(root().join("crates").join(folder)).expect("a folder");
        for entry in entries {
            let path = entry.expect("an entry").path();
            let Ok(source) = std::fs::read_to_string(&path) else { continue };
            for before in ["text.get(\"", "text.with(\"", "Message::new(\"", "t(\""] {
                for (at, _) in source.match_indices(before) {
                    // A name that ends in t is not the function t.
                    let is_word = source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                    let rest = &source[at + before.len()..];
                    let key = rest.split('"').next().unwrap_or_default();
                    let is_key = key.starts_with(|c: char| c.is_ascii_lowercase()) && !key.ends_with('-');
                    if !is_word && is_key && !key.contains(['{', ' ', '/', '.']) {
                        need(key.to_owned());
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn charts_stay_within_their_frame() {
    let sheet = sheet("pa1.toml");
    let text = Text::new(Language::French);
    let svg = footprint::chart(std::slice::from_ref(&sheet.footprint), &text);
    for attribute in ["x=\"", "x1=\"", "x2=\""] {
        for (at, _) in svg.match_indices(&format!(" {attribute}")) {
            let rest = &svg[at + attribute.len() + 1..];
            let value: f64 = rest.split('"').next().and_then(|text| text.parse().ok()).expect("a number");
            assert!((0.0..=360.0).contains(&value), "{value}");
        }
    }
}
