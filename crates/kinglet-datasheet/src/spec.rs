//! What a datasheet holds: sections and fields.
//!
//! The sections are those of "Datasheets for Machine Learning Sensors" (arXiv 2306.08848): a sensor's ordinary
//! datasheet, an IoT security and privacy label, data and model characteristics, end-to-end performance and
//! environmental impact. The data's label follows the Dataset Nutrition Label; the security and privacy label has
//! the fields of CISPL 1.0 but, as it leaves out that label's layout, does not claim to comply with it.

use kinglet_footprint::table::Range;
use serde_json::{Map, Value, json};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A number with its unit.
    Number(&'static str, Range),
    /// The lower and the upper end, with their unit.
    Ends(&'static str, Range),
    /// True or false.
    Bool,
    /// A text with how safe it is: `{ status = "safe", text = "..." }`.
    Status,
}

/// A field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its key; the label is the text `field-SECTION-KEY`.
    pub key: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether kinglet can measure it.
    pub measurable: bool,
}

/// A section.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SectionSpec {
    /// Its key; the heading is the text `section-KEY`.
    pub key: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

const ANY: Range = Range::up_to(1_000_000_000);
const PERCENT: Range = Range::up_to(100);
const PART: Range = Range::up_to(1);

const fn field(key: &'static str, kind: FieldKind) -> Field {
    Field { key, kind, measurable: false }
}

const fn text(key: &'static str) -> Field {
    field(key, FieldKind::Text)
}

const fn texts(key: &'static str) -> Field {
    field(key, FieldKind::Texts)
}

const fn number(key: &'static str, unit: &'static str) -> Field {
    field(key, FieldKind::Number(unit, ANY))
}

const fn percent(key: &'static str) -> Field {
    field(key, FieldKind::Number("%", PERCENT))
}

const fn part(key: &'static str) -> Field {
    field(key, FieldKind::Number("", PART))
}

const fn status(key: &'static str) -> Field {
    field(key, FieldKind::Status)
}

const fn measured(field: Field) -> Field {
    Field { measurable: true, ..field }
}

/// A bus's bytes and other small counts.
const fn count(key: &'static str) -> Field {
    number(key, "")
}

/// The sections, in the order of the document. `communication`, `performance` and `environment` have tables
/// besides.
pub const SECTIONS: &[SectionSpec] = &[
    SectionSpec {
        key: "identity",
        fields: &[
            text("product"),
            text("part_number"),
            text("revision"),
            text("date"),
            text("maker"),
            text("contact"),
            text("country"),
            text("firmware"),
        ],
    },
    SectionSpec {
        key: "description",
        fields: &[text("text"), texts("features"), texts("use_cases"), texts("do_not_use")],
    },
    SectionSpec { key: "compliance", fields: &[texts("standards"), texts("certificates"), text("auditor")] },
    SectionSpec {
        key: "form",
        fields: &[
            number("width_mm", "mm"),
            number("length_mm", "mm"),
            number("height_mm", "mm"),
            number("weight_g", "g"),
            text("orientation"),
            text("schematic"),
        ],
    },
    SectionSpec {
        key: "electrical",
        fields: &[
            field("voltage_v", FieldKind::Ends("V", Range::up_to(1000))),
            field("voltage_regulator_off_v", FieldKind::Ends("V", Range::up_to(1000))),
            field("supply_v", FieldKind::Number("V", Range::up_to(1000))),
            field("current_ma", FieldKind::Number("mA", Range::up_to(100_000))),
            field("sleep_ua", FieldKind::Number("µA", ANY)),
            field("power_mw", FieldKind::Number("mW", Range::up_to(1_000_000))),
            field("duty", FieldKind::Number("", PART)),
            field("temperature_c", FieldKind::Ends("°C", Range::around_zero(300))),
        ],
    },
    SectionSpec {
        key: "sensor",
        fields: &[
            text("kind"),
            text("processor"),
            text("part"),
            text("pixels_active"),
            text("pixels_effective"),
            text("colour"),
            field("field_of_view_deg", FieldKind::Number("°", Range::up_to(360))),
            number("frame_rate_hz", "Hz"),
            number("frame_clock_mhz", "MHz"),
            number("sample_rate_hz", "Hz"),
            number("snr_db", "dB"),
            text("range"),
            field("light_klux", FieldKind::Ends("klux", ANY)),
        ],
    },
    SectionSpec {
        key: "communication",
        fields: &[
            text("bus"),
            text("connector"),
            text("address"),
            number("max_rate_kb_s", "kb/s"),
            number("max_cable_m", "m"),
            texts("pins"),
            number("gpio_max_ma", "mA"),
            text("interrupt"),
            text("led"),
            text("transfer"),
            count("packet_bytes"),
            count("identities"),
        ],
    },
    SectionSpec {
        key: "model",
        fields: &[
            text("architecture"),
            texts("classes"),
            texts("preprocessing"),
            text("dataset"),
            count("training_samples"),
            count("training_cycles"),
            count("learning_rate"),
            part("dropout"),
            percent("validation_percent"),
            text("framework"),
            text("compiler"),
            text("quantisation"),
            measured(text("sha256")),
            measured(number("file_bytes", "B")),
            measured(texts("inputs")),
            measured(texts("outputs")),
            measured(texts("operators")),
            measured(count("macs")),
            measured(number("weights_bytes", "B")),
            measured(number("arena_bytes", "B")),
            measured(number("ram_bytes", "B")),
            measured(number("flash_bytes", "B")),
            number("ram_kb", "kB"),
            number("flash_kb", "kB"),
            measured(number("latency_ms", "ms")),
            number("period_ms", "ms"),
            count("threshold"),
            percent("float_accuracy_percent"),
            percent("float_false_positive_percent"),
            percent("float_false_negative_percent"),
            measured(percent("int8_accuracy_percent")),
            percent("int8_false_positive_percent"),
            percent("int8_false_negative_percent"),
            percent("precision_percent"),
            percent("recall_percent"),
            measured(count("evaluated_samples")),
            measured(part("roc_auc")),
            part("pr_auc"),
        ],
    },
    SectionSpec { key: "nutrition_glance", fields: GLANCE },
    SectionSpec { key: "nutrition_use", fields: USE },
    SectionSpec { key: "nutrition_risks", fields: RISKS },
    SectionSpec {
        key: "nutrition_features",
        fields: &[status("assumptions"), status("proxies"), status("planning"), status("domain_knowledge")],
    },
    SectionSpec {
        key: "nutrition_rows",
        fields: &[
            status("subpopulations"),
            status("representation"),
            status("individual_inferences"),
            status("collection"),
            status("other"),
        ],
    },
    SectionSpec {
        key: "nutrition_values",
        fields: &[
            status("protocols"),
            status("imputation"),
            status("manipulation"),
            status("missing"),
            status("raw"),
        ],
    },
    SectionSpec {
        key: "performance",
        fields: &[
            text("protocol"),
            count("participants"),
            count("devices"),
            count("repeats"),
            text("place"),
            text("recruitment"),
            text("consent"),
        ],
    },
    SectionSpec {
        key: "environment",
        fields: &[
            field("declared_total_kg", FieldKind::Number("kg", ANY)),
            count("parts_covered"),
            count("parts"),
            field("mcu_g", FieldKind::Number("g", ANY)),
            field("mcu_water_l", FieldKind::Number("l", ANY)),
            text("end_of_life"),
        ],
    },
    SectionSpec { key: "security", fields: SECURITY },
    SectionSpec { key: "privacy", fields: PRIVACY },
];

const GLANCE: &[Field] = &[
    status("about_humans"),
    status("sources"),
    status("technical_review"),
    status("ethical_review"),
    status("update_frequency"),
];

const USE: &[Field] = &[
    text("domains"),
    text("intended"),
    text("other_uses"),
    text("known_uses"),
    text("restrictions"),
    texts("do_not_use"),
    text("collection"),
];

const RISKS: &[Field] = &[
    status("individuals"),
    status("consent"),
    status("inferences"),
    status("sensitive"),
    status("known_issues"),
    status("other_issues"),
];

const SECURITY: &[Field] = &[
    text("updates"),
    text("access"),
    text("oversight"),
    text("ports"),
    text("hardware_safety"),
    text("software_safety"),
    text("personal_safety"),
    text("vulnerabilities"),
    text("components"),
    text("encryption"),
];

const PRIVACY: &[Field] = &[
    text("data"),
    text("purpose"),
    text("stored_on_device"),
    text("stored_in_cloud"),
    text("shared_with"),
    text("sold_to"),
    text("other_data"),
    text("collection_frequency"),
    text("retention"),
    text("linkage"),
    text("inferred"),
    text("children"),
    text("compliance"),
    text("policy"),
    text("offline"),
    text("no_processing"),
    text("actuation"),
    text("platforms"),
];

/// Parts of the data's nutrition label.
pub const NUTRITION: [&str; 6] = [
    "nutrition_glance",
    "nutrition_use",
    "nutrition_risks",
    "nutrition_features",
    "nutrition_rows",
    "nutrition_values",
];

/// How safe something about the data is.
pub const STATUSES: [&str; 3] = ["safe", "risky", "unknown"];

/// The section with this key.
pub fn section(key: &str) -> Option<&'static SectionSpec> {
    SECTIONS.iter().find(|section| section.key == key)
}

/// The JSON Schema of a datasheet.
pub fn schema() -> Value {
    let mut sections = Map::new();
    for section in SECTIONS {
        let mut fields = Map::new();
        for field in section.fields {
            fields.insert(field.key.to_owned(), field_schema(field));
        }
        let object = json!({ "type": "object", "properties": fields, "additionalProperties": false });
        sections.insert(section.key.to_owned(), object);
    }
    let number = || json!({ "type": "number" });
    let text = || json!({ "type": "string" });
    let object = |properties: Value, required: &[&str]| {
        json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        })
    };
    let list = |items: Value| json!({ "type": "array", "items": items });
    let nullable = |kind: &str| json!({ "type": [kind, "null"] });
    let point = json!({ "type": "array", "items": { "type": "number", "minimum": 0, "maximum": 1 },
        "minItems": 2, "maxItems": 2 });
    let packet = object(
        json!({ "name": text(), "offset": number(), "bytes": number(), "kind": text(), "count": number(),
            "minimum": nullable("number"), "maximum": nullable("number"), "meaning": text() }),
        &["name", "bytes"],
    );
    let register = object(
        json!({ "address": text(), "name": text(), "default": text(), "meaning": text() }),
        &["address", "name"],
    );
    let result = object(
        json!({ "factor": text(), "level": text(), "metric": text(), "value": number(), "group": { "type": "boolean" } }),
        &["factor", "level", "value"],
    );
    let share = object(
        json!({ "factor": text(), "level": text(), "percent": number() }),
        &["factor", "level", "percent"],
    );
    let material = object(
        json!({ "part": text(), "category": text(), "covered": { "type": "boolean" }, "unit_cost": number(),
            "quantity": number(), "maker": text(), "link": text() }),
        &["part", "covered", "unit_cost", "quantity"],
    );
    let finding =
        object(json!({ "rule": text(), "where": text(), "message": text() }), &["rule", "where", "message"]);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Datasheet of a machine-learning sensor",
        "description": "What `kinglet datasheet --json` prints. Every figure says where it comes from: declared by \
            the maker, measured or computed by kinglet, or estimated. Absent fields were not disclosed.",
        "type": "object",
        "properties": {
            "format": { "const": FORMAT },
            "sections": object(Value::Object(sections), &[]),
            "packet": list(packet),
            "registers": list(register),
            "factors": { "type": "object", "additionalProperties": list(text()) },
            "results": list(result),
            "shares": list(share),
            "confusion": { "anyOf": [{ "type": "null" }, object(
                json!({ "classes": list(text()), "percent": list(list(number())), "origin": origin_schema() }),
                &["classes", "percent", "origin"],
            )] },
            "roc": list(point.clone()),
            "precision_recall": list(point),
            "materials": list(material),
            "materials_cost": number(),
            "footprint": { "type": "object",
                "description": "As `kinglet footprint --json` prints it; kg CO2-equivalent.",
                "properties": { "total_kg": number(), "parts": { "type": "array" } },
                "required": ["total_kg", "embodied_kg", "operational_kg", "parts", "source", "uncertainty"] },
            "nutrition": { "type": "object", "additionalProperties": object(
                json!({ "safe": number(), "risky": number(), "unknown": number() }),
                &["safe", "risky", "unknown"],
            ) },
            "glossary": { "type": "object", "additionalProperties": text() },
            "completeness": object(
                json!({ "given": number(), "known": number(), "percent": number() }),
                &["given", "known", "percent"],
            ),
            "findings": list(finding),
        },
        "required": ["format", "sections", "footprint", "completeness", "findings"],
        "additionalProperties": false,
    })
}

/// What the documents of this version are called.
pub const FORMAT: &str = "kinglet-datasheet-1";

fn origin_schema() -> Value {
    json!({ "enum": ["declared", "measured", "computed", "estimated"] })
}

fn field_schema(field: &Field) -> Value {
    let (value, unit) = match field.kind {
        FieldKind::Text => (json!({ "type": "string" }), ""),
        FieldKind::Texts => (json!({ "type": "array", "items": { "type": "string" } }), ""),
        FieldKind::Number(unit, _) => (json!({ "type": "number" }), unit),
        FieldKind::Ends(unit, _) => {
            (json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 }), unit)
        }
        FieldKind::Bool => (json!({ "type": "boolean" }), ""),
        FieldKind::Status => (json!({ "type": "string" }), ""),
    };
    let mut properties = Map::new();
    let mut required = vec!["value", "origin"];
    properties.insert("value".to_owned(), value);
    properties.insert("origin".to_owned(), origin_schema());
    if !unit.is_empty() {
        properties.insert("unit".to_owned(), json!({ "const": unit }));
        required.push("unit");
    }
    if field.kind == FieldKind::Status {
        properties.insert("status".to_owned(), json!({ "enum": STATUSES }));
        required.push("status");
    }
    if field.measurable {
        // The least and the most of an estimate, and what it was made from.
        properties.insert("low".to_owned(), json!({ "type": "number" }));
        properties.insert("high".to_owned(), json!({ "type": "number" }));
        properties.insert("from".to_owned(), json!({ "type": "string" }));
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
