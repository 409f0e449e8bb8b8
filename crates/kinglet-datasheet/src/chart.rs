//! Charts as SVG: plain shapes and text, readable on a telephone and on paper.

use std::fmt::Write as _;

use kinglet_text::Text;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

/// Width of all charts in units of the SVG, which are pixels on a telephone.
const WIDTH: f64 = 360.0;

/// What a bar stands for; its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A part.
    Part,
    /// A part that depends on how it is used.
    Use,
    /// A sum.
    Total,
    /// Something to compare with.
    Reference,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Use => "use",
            Self::Total => "total",
            Self::Reference => "reference",
        }
    }
}

/// A bar of a chart.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// Zero or more.
    pub value: Decimal,
    /// What it stands for.
    pub kind: Kind,
    /// What is written before its value, to tell bars of a group apart.
    pub mark: String,
}

/// Escapes text for XML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text of at most `most` characters; what is left out is in the chart's table.
fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return escape(text);
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    escape(start.trim_end()) + "…"
}

/// The first lines of every chart. The colours can be told apart by people who see few (Okabe and Ito).
fn open(svg: &mut String, height: f64, title: &str) {
    let title = escape(title);
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"{title}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\
         <title>{title}</title><style>\
         .part{{fill:#0072b2}}.use{{fill:#d55e00}}.total{{fill:#009e73}}.reference{{fill:#888}}\
         .grid{{stroke:#ddd;stroke-width:1}}.axis{{stroke:#666;stroke-width:1}}\
         .line{{fill:none;stroke:#0072b2;stroke-width:2}}.dash{{stroke:#999;stroke-dasharray:4 3}}\
         text{{fill:#222}}.soft{{fill:#555}}.on{{fill:#fff}}</style>\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>"
    );
}

/// Horizontal bars on a logarithmic axis in kg. A value of zero has no bar.
pub fn log_bars(title: &str, unit: &str, groups: &[Vec<Bar>], text: &Text) -> String {
    const LABEL: f64 = 140.0;
    const VALUE: f64 = 46.0;
    const TOP: f64 = 34.0;
    const ROW: f64 = 19.0;
    const GAP: f64 = 8.0;
    let bars = || groups.iter().flatten();
    let positive = || bars().map(|bar| bar.value).filter(|value| *value > Decimal::ZERO);
    let decade = |value: Decimal| value.to_f64().unwrap_or(1.0).log10();
    // Each bar needs some length: the axis starts below the smallest, at a power of ten.
    let low = positive().min().map_or(-2.0, |value| (decade(value) - 0.01).floor().clamp(-6.0, 12.0));
    let high = positive().max().map_or(1.0, |value| decade(value).ceil()).max(low + 1.0);
    let span = WIDTH - LABEL - VALUE;
    let x = |exponent: f64| LABEL + span * ((exponent - low) / (high - low)).clamp(0.0, 1.0);
    let rows = bars().count() as f64;
    let bottom = TOP + rows * ROW + (groups.len().saturating_sub(1)) as f64 * GAP;
    let height = bottom + 34.0;

    let mut svg = String::new();
    open(&mut svg, height, title);
    let _ = write!(
        svg,
        "<text x=\"8\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{}</text>",
        clip(title, 50)
    );
    // At most six lines, so that their numbers stay apart.
    let step = ((high - low) / 5.0).ceil().max(1.0) as usize;
    for exponent in (low as i32..=high as i32).step_by(step) {
        let at = x(exponent.into());
        let power = match exponent {
            0.. => Decimal::from(10u64.saturating_pow(exponent.unsigned_abs())),
            _ => Decimal::new(1, exponent.unsigned_abs()),
        };
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{}\" y2=\"{bottom}\"/>\
             <text class=\"soft\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\">{}</text>",
            TOP - 4.0,
            bottom + 13.0,
            short(power, text),
        );
    }
    let _ = write!(
        svg,
        "<text class=\"soft\" x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\">{}</text>",
        LABEL + span / 2.0,
        bottom + 27.0,
        escape(unit),
    );
    let mut y = TOP;
    for (i, group) in groups.iter().enumerate() {
        if i > 0 {
            y += GAP;
        }
        for bar in group {
            let end = if bar.value > Decimal::ZERO { x(decade(bar.value)) } else { LABEL };
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}<title>{}</title></text>\
                 <rect class=\"{}\" x=\"{LABEL}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                LABEL - 6.0,
                y + 13.0,
                clip(&bar.label, 20),
                escape(&bar.label),
                bar.kind.class(),
                y + 2.0,
                end - LABEL,
                ROW - 4.0,
                end + 4.0,
                y + 13.0,
                escape(format!("{} {}", bar.mark, kg(bar.value, text)).trim_start()),
            );
            y += ROW;
        }
    }
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"{LABEL}\" x2=\"{LABEL}\" y1=\"{}\" y2=\"{bottom}\"/>",
        TOP - 4.0
    );
    svg.push_str("</svg>\n");
    svg
}

/// Kilogrammes: two decimals, as the calculator shows them, and more digits where those would be lost.
pub fn kg(value: Decimal, text: &Text) -> String {
    let size = value.abs();
    if size.is_zero() || size >= Decimal::new(1, 2) && size < Decimal::from(100_000) {
        return text.number(value, 2);
    }
    if size >= Decimal::from(100_000) {
        // Fewer digits than the sum has are sure.
        return if size < Decimal::from(1_000_000_000) {
            text.significant(value, 4)
        } else {
            short(value, text)
        };
    }
    text.significant(value, 2)
}

/// A number as short as can be: large ones as a power of ten.
fn short(value: Decimal, text: &Text) -> String {
    let exponent = value.abs().to_f64().unwrap_or(0.0).log10().floor();
    if (-4.0..5.0).contains(&exponent) || value.is_zero() {
        return text.plain(value);
    }
    let mantissa = value.to_f64().unwrap_or(0.0) / 10f64.powf(exponent);
    let mantissa = text.significant(Decimal::try_from(mantissa).unwrap_or_default(), 3);
    let digits: String = format!("{exponent}")
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '0'..='9' => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][c as usize - '0' as usize],
            other => other,
        })
        .collect();
    if mantissa == "1" { format!("10{digits}") } else { format!("{mantissa}·10{digits}") }
}

/// A curve through points from 0 to 1 on both axes, with the diagonal where that is what chance gives.
pub fn curve(title: &str, axes: [&str; 2], points: &[(f64, f64)], diagonal: bool, text: &Text) -> String {
    const LEFT: f64 = 52.0;
    const TOP: f64 = 34.0;
    const SIDE: f64 = 240.0;
    let height = TOP + SIDE + 40.0;
    let (x, y) = (|value: f64| LEFT + SIDE * value, |value: f64| TOP + SIDE * (1.0 - value));
    let mut svg = String::new();
    open(&mut svg, height, title);
    let _ = write!(
        svg,
        "<text x=\"8\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{}</text>",
        clip(title, 50)
    );
    for i in 0..=5 {
        let value = f64::from(i) / 5.0;
        let label = text.plain(Decimal::new(i64::from(i) * 2, 1));
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1}\"/>\
             <line class=\"grid\" x1=\"{LEFT}\" x2=\"{2}\" y1=\"{3:.1}\" y2=\"{3:.1}\"/>\
             <text class=\"soft\" x=\"{0:.1}\" y=\"{4}\" text-anchor=\"middle\" font-size=\"10\">{label}</text>\
             <text class=\"soft\" x=\"{5}\" y=\"{6:.1}\" text-anchor=\"end\" font-size=\"10\">{label}</text>",
            x(value),
            TOP + SIDE,
            LEFT + SIDE,
            y(value),
            TOP + SIDE + 13.0,
            LEFT - 5.0,
            y(value) + 3.5,
        );
    }
    if diagonal {
        let _ = write!(
            svg,
            "<line class=\"dash\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            x(0.0),
            y(0.0),
            x(1.0),
            y(1.0)
        );
    }
    let path: Vec<_> = points.iter().map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b))).collect();
    let _ = write!(svg, "<polyline class=\"line\" points=\"{}\"/>", path.join(" "));
    if points.len() <= 20 {
        for &(a, b) in points {
            let _ = write!(svg, "<circle class=\"part\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>", x(a), y(b));
        }
    }
    let (middle, [horizontal, vertical]) = (TOP + SIDE / 2.0, axes.map(escape));
    let _ = writeln!(
        svg,
        "<text class=\"soft\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{horizontal}</text>\
         <text class=\"soft\" x=\"14\" y=\"{middle}\" text-anchor=\"middle\" \
         transform=\"rotate(-90 14 {middle})\">{vertical}</text></svg>",
        LEFT + SIDE / 2.0,
        TOP + SIDE + 30.0,
    );
    svg
}

/// Horizontal bars from 0 to 1 (or to the largest), one for each level of a factor.
pub fn levels(title: &str, unit: &str, bars: &[Bar], text: &Text) -> String {
    const LABEL: f64 = 112.0;
    const VALUE: f64 = 44.0;
    const TOP: f64 = 34.0;
    const ROW: f64 = 22.0;
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(Decimal::ONE);
    let most = most.to_f64().unwrap_or(1.0);
    let span = WIDTH - LABEL - VALUE;
    let bottom = TOP + ROW * bars.len() as f64;
    let mut svg = String::new();
    open(&mut svg, bottom + 34.0, title);
    let _ = write!(
        svg,
        "<text x=\"8\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{}</text>",
        clip(title, 50)
    );
    for i in 0..=4 {
        let at = LABEL + span * f64::from(i) / 4.0;
        let value = Decimal::try_from(most * f64::from(i) / 4.0).unwrap_or_default();
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"soft\" x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\">{}</text>",
            bottom + 13.0,
            text.significant(value, 3),
        );
    }
    for (i, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * i as f64;
        let width = span * bar.value.to_f64().unwrap_or(0.0) / most;
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{}\" x=\"{LABEL}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{}</text>",
            LABEL - 6.0,
            y + 15.0,
            clip(&bar.label, 18),
            bar.kind.class(),
            y + 3.0,
            ROW - 6.0,
            LABEL + width + 4.0,
            y + 15.0,
            text.significant(bar.value, 3),
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"soft\" x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\">{}</text></svg>",
        LABEL + span / 2.0,
        bottom + 27.0,
        escape(unit),
    );
    svg
}

/// A confusion matrix in percent of each row: rows are what is, columns what was said.
pub fn confusion(
    title: &str,
    axes: [&str; 2],
    classes: &[String],
    rows: &[Vec<Decimal>],
    text: &Text,
) -> String {
    const LEFT: f64 = 86.0;
    const TOP: f64 = 62.0;
    let count = classes.len().max(1) as f64;
    let cell = ((WIDTH - LEFT - 10.0) / count).min(72.0);
    let height = TOP + cell.min(44.0) * count + 12.0;
    let tall = cell.min(44.0);
    let mut svg = String::new();
    open(&mut svg, height, title);
    let [actual, predicted] = axes.map(escape);
    let _ = write!(
        svg,
        "<text x=\"8\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{}</text>\
         <text class=\"soft\" x=\"{}\" y=\"36\" text-anchor=\"middle\" font-size=\"10\">{predicted}</text>\
         <text class=\"soft\" x=\"8\" y=\"{}\" font-size=\"10\">{actual}</text>",
        clip(title, 50),
        LEFT + cell * count / 2.0,
        TOP - 8.0,
    );
    let letters = ((cell / 6.0) as usize).max(2);
    for (i, class) in classes.iter().enumerate() {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\">{}</text>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"10\">{}</text>",
            LEFT + cell * (i as f64 + 0.5),
            TOP - 8.0,
            clip(class, letters),
            LEFT - 6.0,
            TOP + tall * (i as f64 + 0.5) + 3.5,
            clip(class, 13),
        );
    }
    for (i, row) in rows.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let share = (value.to_f64().unwrap_or(0.0) / 100.0).clamp(0.0, 1.0);
            let class = if share > 0.55 { "on" } else { "" };
            let digits = if cell < 34.0 { 2 } else { 3 };
            let label =
                if value.is_zero() && cell < 34.0 { String::new() } else { text.significant(*value, digits) };
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#0072b2\" \
                 fill-opacity=\"{:.2}\" stroke=\"#ddd\"/>\
                 <text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"{}\">{label}</text>",
                cell - 1.0,
                tall - 1.0,
                share,
                LEFT + cell * (j as f64 + 0.5),
                TOP + tall * (i as f64 + 0.5) + 3.5,
                if cell < 34.0 { 9 } else { 11 },
                x = LEFT + cell * j as f64,
                y = TOP + tall * i as f64,
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// A rectangle with its dimensions, to scale: width across, length down, in mm.
pub fn outline(title: &str, (width, length): (f64, f64), labels: [&str; 2], below: &str) -> String {
    const SIDE: f64 = 130.0;
    const LEFT: f64 = 100.0;
    const TOP: f64 = 52.0;
    let scale = SIDE / width.max(length).max(1e-6);
    let (wide, tall) = ((width * scale).max(4.0), (length * scale).max(4.0));
    let (right, bottom) = (LEFT + wide, TOP + tall);
    let [across, down] = labels.map(escape);
    let mut svg = String::new();
    open(&mut svg, bottom + 34.0, title);
    let _ = writeln!(
        svg,
        "<text x=\"8\" y=\"18\" font-size=\"13\" font-weight=\"bold\">{}</text>\
         <rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{wide:.1}\" height=\"{tall:.1}\" rx=\"4\" fill=\"#f3f6f8\" \
         stroke=\"#0072b2\" stroke-width=\"2\"/>\
         <line class=\"axis\" x1=\"{LEFT}\" x2=\"{right:.1}\" y1=\"{y}\" y2=\"{y}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{across}</text>\
         <line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{down}</text>\
         <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text></svg>",
        clip(title, 50),
        LEFT + wide / 2.0,
        TOP - 12.0,
        right + 14.0,
        TOP + tall / 2.0 + 4.0,
        LEFT + wide / 2.0,
        bottom + 20.0,
        escape(below),
        y = TOP - 7.0,
        x = right + 8.0,
    );
    svg
}
