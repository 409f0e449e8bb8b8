//! `kinglet footprint`.

use std::fs;

use crate::{folder, kinglet, line, write};

#[test]
fn a_preset() {
    let json = line("footprint --preset anomaly-detection --json").assert_fine().json();
    assert_eq!(json["total_kg"], 1.61);
    assert_eq!(json["data"], "calculator");
    assert!(json["source"].as_str().is_some_and(|source| source.contains("harvard-edge")));
    assert_eq!(json["parts"].as_array().map(Vec::len), Some(10));
    assert_eq!(json["uncertainty"]["upper_kg"], 3.22);
    // A preset says which data set it is of.
    let json = line("footprint --preset low-cost --json").assert_fine().json();
    assert_eq!((&json["total_kg"], &json["data"]), (&0.89.into(), &"paper".into()));
    assert_eq!(json["references"][0]["kg"], 34);
}

#[test]
fn a_device_with_everything() {
    let folder = folder("footprint_everything");
    let device = write(
        &folder.join("device.toml"),
        br#"
[device]
name = "Leak detector"
preset = "anomaly-detection"
[blocks]
power_supply = "li-ion-typical"
transport = false
memory = 0.05
[fields]
"LoRa radio" = 0.25
[use]
years = 5
country = "IND"
energy_uj = 1004.221
inferences_per_s = 1
sleep_uw = 10
[battery]
voltage_v = 3.6
capacity_mah = 2000
[fleet]
devices = 1_000
[savings]
kg_per_year = 2
[uncertainty]
factor = 2
"#,
    );
    let (svg, html) = (folder.join("bars.svg"), folder.join("page.html"));
    let arguments = ["footprint", &device, "--json", "--svg", svg.to_str().expect("UTF-8")];
    let json =
        kinglet(arguments.into_iter().chain(["--html", html.to_str().expect("UTF-8")])).assert_fine().json();
    assert_eq!(json["name"], "Leak detector");
    assert_eq!(json["use_stage"]["g_per_kwh"], 713.441);
    assert_eq!(json["use_stage"]["grid_name"], "India");
    assert_eq!(json["inference"]["estimated"], false);
    // (1.61 - 0.01 - 0.52 + 1.36 - 0.40 + 0.05 + 0.25) * 2
    assert_eq!(json["embodied_kg"], 4.68);
    assert_eq!(json["fleet"]["devices"], 1000);
    assert!(json["savings"]["net_kg"].as_f64().is_some_and(|kg| kg < 0.0));
    assert!(json["battery"]["days_per_charge"].as_f64().is_some_and(|days| (295.0..296.0).contains(&days)));
    let svg = fs::read_to_string(svg).expect("a chart");
    assert!(svg.starts_with("<svg ") && svg.contains("LoRa radio"));
    let html = fs::read_to_string(html).expect("a page");
    assert!(
        html.starts_with("<!doctype html>") && html.contains("Leak detector") && !html.contains("<script")
    );

    // The command line goes before the file, whole ways of saying something at once.
    let json =
        kinglet(["footprint", &device, "--power-mw", "1", "--grid", "433", "--json"]).assert_fine().json();
    assert_eq!((&json["use_stage"]["average_mw"], &json["use_stage"]["grid"]), (&1.into(), &"given".into()));
}

#[test]
fn an_estimate_from_a_model_is_marked() {
    let json = line("footprint --model models/digits/model.tflite --board nucleo-l4r5zi --period-s 1 --json");
    let json = json.assert_fine().json();
    assert_eq!(json["inference"]["estimated"], true);
    assert_eq!((&json["inference"]["from"], &json["inference"]["count"]), (&"macs".into(), &58_400.into()));
    let text =
        line("footprint --board nucleo-l4r5zi --cycles 1500000 --period-s 1").assert_fine().stdout.clone();
    assert!(text.contains("estimated from 1\u{202f}500\u{202f}000 cycles"), "{text}");
    assert!(text.contains("is an estimate, not a measurement"), "{text}");
}

#[test]
fn devices_compared() {
    let folder = folder("footprint_compare");
    let a = write(&folder.join("a.toml"), b"[device]\nname = \"A\"\n");
    let b = write(&folder.join("b.toml"), b"[device]\nname = \"B\"\npreset = \"anomaly-detection\"\n");
    let json = kinglet(["footprint", "compare", &a, &b, "--json"]).assert_fine().json();
    let parts = json["parts"].as_array().expect("parts");
    let total = parts.last().expect("a total");
    assert_eq!((&total["key"], &total["difference_kg"]), (&"total".into(), &(-1.63).into()));
    assert_eq!(json["devices"].as_array().map(Vec::len), Some(2));
    let text = kinglet(["footprint", "compare", &a, &b]).assert_fine().stdout.clone();
    assert!(text.contains("-1.63"), "{text}");
}

#[test]
fn what_there_is_to_choose_from() {
    let json = line("footprint list countries --json").assert_fine().json();
    assert_eq!(json["countries"].as_array().map(Vec::len), Some(213));
    let json = line("footprint list blocks --json").assert_fine().json();
    assert_eq!(json["data"]["calculator"]["blocks"]["power_supply"][1]["kg"], 1.36);
    line("footprint list energies --lang es").assert_fine();
    line("footprint list boards --lang fr").assert_fine();
    let json = line("footprint growth --json").assert_fine().json();
    assert_eq!(json["growth"][3]["exponential"], 2053);
    line("footprint growth 3").assert_error(2, &["growth", "15 or more"]);
}

#[test]
fn bad_input_is_one_line_and_leaves_no_file() {
    let folder = folder("footprint_bad");
    let (svg, html) = (folder.join("bars.svg"), folder.join("page.html"));
    let bad = |name: &str, toml: &[u8], code: i32, parts: &[&str], more: &[&str]| {
        let file = write(&folder.join(name), toml);
        let files = ["--svg", svg.to_str().expect("UTF-8"), "--html", html.to_str().expect("UTF-8")];
        let arguments = ["footprint", &file].into_iter().chain(files).chain(more.iter().copied());
        let outcome = kinglet(arguments);
        outcome.assert_error(code, parts);
        assert_eq!(outcome.stdout, "");
        assert!(!svg.exists() && !html.exists(), "{name} left a file");
    };
    bad("key.toml", b"[use]\nyeras = 3", 1, &["key.toml:2: use.yeras", "did you mean years?"], &[]);
    bad("section.toml", b"[batery]\nvoltage_v = 3", 1, &["did you mean battery?"], &[]);
    bad("negative.toml", b"[blocks]\nui = -1", 1, &["blocks.ui", "out of range; give 0 to 1000000"], &[]);
    bad("absurd.toml", b"[use]\nyears = 1_000_000", 1, &["use.years", "give 0.01 to 100"], &[]);
    bad("country.toml", b"[use]\ncountry = \"UTO\"", 1, &["use.country", "there is no country \"UTO\""], &[]);
    bad("field.toml", b"[fields]\nradio = \"much\"", 1, &["fields.radio", "\"much\" is not a number"], &[]);
    bad("model.toml", b"[device]\nmodel = \"none.tflite\"", 1, &["none.tflite", "no such file"], &[]);
    bad("toml.toml", b"[device", 1, &["toml.toml:1", "not TOML"], &[]);
    bad("text.toml", b"\xff\xfe", 1, &["text.toml", "UTF-8"], &[]);
    bad("fine.toml", b"", 2, &["--country", "did you mean \"NOR\"?"], &["--country", "NRO"]);
    bad("fine.toml", b"", 2, &["--devices", "out of range"], &["--devices", "1e20"]);
    bad("fine.toml", b"", 2, &["--field radio", "NAME=VALUE"], &["--field", "radio"]);
    bad("fine.toml", b"", 2, &["--model", "--board"], &["--model", crate::DIGITS]);
    let outcome = line("footprint --years x --lang es --json");
    outcome.assert_error(2, &["--years", "no es un número"]);
    assert_eq!(outcome.json()["error"]["kind"], "usage");
}
