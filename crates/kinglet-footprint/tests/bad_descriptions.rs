//! What is wrong with a description is said in one line: where, what, and what to do.

use kinglet_footprint::table::Document;
use kinglet_footprint::{Description, ModelFacts};

#[track_caller]
fn assert_refused(toml: &str, expected: &str) {
    let description = Document::parse("d.toml", toml)
        .and_then(|document| Description::read(&document, ModelFacts::default()));
    let error = description.expect_err("refused").to_string();
    assert_eq!(error, expected);
    assert!(!error.contains('\n'));
}

#[test]
fn unknown_keys() {
    assert_refused("[block]\n", "d.toml:1: block: unknown key block; did you mean blocks?");
    assert_refused(
        "[use]\nyears = 3\npower_mv = 1",
        "d.toml:3: use.power_mv: unknown key power_mv; did you mean power_mw?",
    );
    assert_refused(
        "[blocks]\nprocesing = 0.1",
        "d.toml:2: blocks.procesing: unknown key procesing; did you mean processing?",
    );
    assert_refused(
        "[battery]\nxyzzy_plugh = 1",
        "d.toml:2: battery.xyzzy_plugh: unknown key xyzzy_plugh; known are: voltage_v, capacity_mah",
    );
}

#[test]
fn unknown_values() {
    assert_refused(
        "[device]\npreset = \"visoin\"",
        "d.toml:2: device.preset: unknown value \"visoin\"; did you mean \"vision\"?",
    );
    assert_refused(
        "[device]\ndata = \"calculator\"\npreset = \"low-cost\"",
        "d.toml:3: device.preset: preset low-cost belongs to the data set paper, not calculator; leave data out",
    );
    assert_refused(
        "[blocks]\nui = \"3-leds\"",
        "d.toml:2: blocks.ui: unknown value \"3-leds\"; did you mean \"2-leds\"?",
    );
    assert_refused(
        "[blocks]\nmemory = \"small\"",
        "d.toml:2: blocks.memory: the data set calculator has no values for it; give a number of kg",
    );
    assert_refused(
        "[use]\ncountry = \"UKR1\"",
        "d.toml:2: use.country: there is no country \"UKR1\"; give an ISO 3166 code of three letters, or an English \
         name",
    );
    assert_refused(
        "[use]\ncountry = \"KEM\"",
        "d.toml:2: use.country: there is no country \"KEM\"; did you mean \"KEN\"?",
    );
    assert_refused(
        "[use]\ncountry = \"Brasil\"",
        "d.toml:2: use.country: there is no country \"Brasil\"; did you mean \"Brazil\"?",
    );
}

#[test]
fn numbers() {
    assert_refused(
        "[blocks]\ncasing = -0.1",
        "d.toml:2: blocks.casing: -0.1 is out of range; give 0 to 1000000",
    );
    assert_refused("[use]\nyears = 1e9", "d.toml:2: use.years: 1000000000 is out of range; give 0.01 to 100");
    assert_refused("[use]\nyears = 0", "d.toml:2: use.years: 0 is out of range; give 0.01 to 100");
    assert_refused("[fields]\nradio = \"x\"", "d.toml:2: fields.radio: \"x\" is not a number; give one");
    assert_refused("[fields]\nradio = nan", "d.toml:2: fields.radio: nan is not a number; give one");
    assert_refused("[fields]\nradio = inf", "d.toml:2: fields.radio: inf is not a number; give one");
    assert_refused(
        "[fields]\nradio = 1e300",
        "d.toml:2: fields.radio: 1e300 has more digits than can be kept; give fewer",
    );
    assert_refused("[fields]\nradio = true", "d.toml:2: fields.radio: true is not a number; give one");
    assert_refused("[fleet]\ndevices = 1.5", "d.toml:2: fleet.devices: 1.5 is not a whole number; give one");
}

#[test]
fn what_does_not_fit_together() {
    assert_refused(
        "[use]\npower_mw = 1\nenergy_uj = 3",
        "d.toml:3: use.energy_uj: power_mw, energy_uj say the same thing; give one of them",
    );
    assert_refused(
        "[use]\npower_mw = 1\nsleep_uw = 3",
        "d.toml:3: use.sleep_uw: sleep_uw means nothing beside power_mw; leave one of them out",
    );
    assert_refused("[use]\nenergy_uj = 3", "d.toml:1: use: inferences_per_s is missing; give it too");
    assert_refused("[use]\nsleep_uw = 3", "d.toml:1: use: energy_uj is missing; give it too");
    assert_refused(
        "[use]\nboard = \"nucleo-l4r5zi\"\nperiod_s = 1",
        "d.toml:2: use.board: a board alone says nothing; give a model, or macs, or cycles",
    );
    assert_refused(
        "[use]\nboard = \"nucleo-u575zi-q\"\ncycles = 1000\nperiod_s = 1",
        "d.toml:3: use.cycles: the clock of nucleo-u575zi-q is not published; give macs instead of cycles",
    );
    assert_refused(
        "[blocks]\nuse_stage = 0.5\n[use]\npower_mw = 3",
        "d.toml:2: blocks.use_stage: [use] computes the use stage; leave this out, or [use]",
    );
    assert_refused("use = 3", "d.toml:1: use: this has to be a table, [use]");
}

#[test]
fn what_is_no_toml() {
    let error = Document::parse("d.toml", "[use]\nyears = \n").expect_err("refused").to_string();
    assert!(error.starts_with("d.toml:2: this is not TOML: "), "{error}");
    assert_eq!(error.lines().count(), 1);
}
