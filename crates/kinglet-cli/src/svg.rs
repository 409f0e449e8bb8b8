//! A picture of the arena: time runs to the right, bytes upwards.

use std::fmt::{self, Write as _};

use crate::arena::{ArenaMap, Block, BlockKind};
use crate::output::thousands;

/// Margins around the plot, in pixels.
const LEFT: f64 = 86.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
/// Height of the plot of the arena.
const ARENA: f64 = 420.0;
/// Between the plots.
const GAP: f64 = 34.0;
/// Height of the plot of bytes alive.
const ALIVE: f64 = 90.0;
/// Below: the names of operators, turned.
const NAMES: f64 = 150.0;
/// The widest and the narrowest that a step is drawn while there is room.
const WIDEST: f64 = 96.0;
const NARROWEST: f64 = 16.0;
/// Where steps become narrower still, so that a plot has an end.
const LONGEST: f64 = 8_000.0;
/// A letter of the labels is about this wide and this high.
const LETTER: (f64, f64) = (5.8, 12.0);

const FILLS: [&str; 8] =
    ["#cfe2f3", "#d9ead3", "#fff2cc", "#ead1dc", "#d9d2e9", "#fce5cd", "#d0e0e3", "#e6e6d4"];
const EDGES: [&str; 8] =
    ["#4a7fb0", "#5d9150", "#b8932b", "#a3577a", "#7763a8", "#c27f3a", "#4d8791", "#85855a"];

const STYLE: &str = "\
text{font-family:'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif;font-size:10px;fill:#222}\
.h{font-size:15px;font-weight:bold}.s{font-size:11px;fill:#444}.e{text-anchor:end}.m{text-anchor:middle;pointer-events:none;paint-order:stroke;stroke:#fff;stroke-opacity:.7;stroke-width:3px}\
.grid{stroke:#e4e4e4;stroke-width:1}.axis{stroke:#888;stroke-width:1;fill:none}\
.arena{stroke:#c00000;stroke-width:1.5}.floor{stroke:#1f5fbf;stroke-width:1.5;stroke-dasharray:7 4}\
.ta{fill:#c00000;font-weight:bold}.tf{fill:#1f5fbf;font-weight:bold}\
.peak{fill:#c00000;fill-opacity:.07}.over{fill:url(#o);stroke:#c00000;stroke-width:1}\
rect.b:hover{stroke-width:3}";

/// Text between tags.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                // Not allowed in XML, however it is written.
                '\u{fffe}' | '\u{ffff}' => f.write_char(char::REPLACEMENT_CHARACTER)?,
                '\n' => f.write_char(c)?,
                c if c.is_control() => f.write_char(char::REPLACEMENT_CHARACTER)?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

struct Picture<'m> {
    map: &'m ArenaMap,
    /// Pixels a step is wide.
    step: f64,
    /// Bytes that the plots are high.
    bytes: f64,
    text: String,
}

/// Draws the arena of the model called `name`.
pub(crate) fn draw(map: &ArenaMap, name: &str) -> String {
    let columns = f64::from(map.end() + 1);
    let (floor, _) = map.floor();
    let mut picture = Picture {
        map,
        step: (960.0 / columns).clamp(NARROWEST, WIDEST).min(LONGEST / columns),
        // Some air, so that the lines on top can be seen.
        bytes: floor.max(map.arena_bytes.into()).max(1) as f64 * 1.04,
        text: String::new(),
    };
    // Writing to a String does not fail.
    let _ = picture.write(name);
    picture.text
}

impl Picture<'_> {
    fn x(&self, time: u32) -> f64 {
        LEFT + f64::from(time) * self.step
    }

    /// Height of an offset in the plot of the arena.
    fn y(&self, bytes: f64) -> f64 {
        TOP + ARENA * (1.0 - bytes / self.bytes)
    }

    /// The same in the plot of bytes alive.
    fn y_alive(&self, bytes: f64) -> f64 {
        TOP + ARENA + GAP + ALIVE * (1.0 - bytes / self.bytes)
    }

    fn write(&mut self, name: &str) -> fmt::Result {
        let right = self.x(self.map.end() + 1);
        let (width, height) = ((right + RIGHT).max(900.0), TOP + ARENA + GAP + ALIVE + NAMES);
        let text = &mut self.text;
        write!(text, r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" "#)?;
        writeln!(text, r#"viewBox="0 0 {width:.0} {height:.0}"><style>{STYLE}</style>"#)?;
        text.write_str(
            "<defs><pattern id=\"o\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" fill=\"#fff\" fill-opacity=\".35\"/>\
             <rect width=\"3\" height=\"7\" fill=\"#c00000\" fill-opacity=\".65\"/></pattern>\
             <pattern id=\"s\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
             <rect width=\"5\" height=\"5\" fill=\"#f2f2f2\"/><circle cx=\"2\" cy=\"2\" r=\"1\" fill=\"#999\"/>\
             </pattern></defs>\n",
        )?;
        writeln!(text, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        self.heading(name)?;
        self.grid(right)?;
        for (i, block) in self.map.blocks.iter().enumerate() {
            self.block(block, i)?;
        }
        let clear = self.overlaps()?;
        for (block, (first, last)) in self.map.blocks.iter().zip(clear) {
            self.label(block, first, last)?;
        }
        self.alive(right)?;
        self.lines(right)?;
        self.names()?;
        self.text.write_str("</svg>\n")
    }

    fn heading(&mut self, name: &str) -> fmt::Result {
        let (floor, time) = self.map.floor();
        let arena = u64::from(self.map.arena_bytes);
        let text = &mut self.text;
        writeln!(text, r#"<text class="h" x="16" y="24">Tensor arena of {}</text>"#, Escaped(name))?;
        writeln!(
            text,
            r#"<text class="s" x="16" y="43"><tspan class="ta">arena {} bytes</tspan>; <tspan class="tf">layer-wise floor {} bytes</tspan>, needed by {}: what is alive there, were no byte shared</text>"#,
            thousands(arena),
            thousands(floor),
            Escaped(&self.map.time_name(time)),
        )?;
        // The legend.
        let mut x = 16.0;
        for (fill, edge, label) in [
            ("#fff", "#1f5fbf", "input of the model"),
            ("#fff", "#1a7f37", "output of the model"),
            (FILLS[0], EDGES[0], "between operators"),
            ("url(#s)", "#777", "scratch"),
            ("url(#o)", "#c00000", "bytes of two tensors at once (in place, or another name)"),
        ] {
            let wide = if edge.starts_with("#1") { 2.5 } else { 1.0 };
            write!(
                text,
                r#"<rect x="{x:.1}" y="55" width="14" height="11" fill="{fill}" stroke="{edge}" stroke-width="{wide}"/>"#
            )?;
            writeln!(text, r#"<text class="s" x="{:.1}" y="65">{label}</text>"#, x + 19.0)?;
            x += 40.0 + label.len() as f64 * 6.3;
        }
        Ok(())
    }

    /// Bytes on the left, and a faint column for the step that needs most.
    fn grid(&mut self, right: f64) -> fmt::Result {
        let (_, time) = self.map.floor();
        let (x, step) = (self.x(time), self.step);
        let (bottom, low) = (TOP + ARENA, TOP + ARENA + GAP);
        let tick = tick(self.bytes);
        let mut at = 0.0;
        while at <= self.bytes {
            let y = self.y(at);
            let label = thousands(at as u64);
            writeln!(
                self.text,
                r#"<path class="grid" d="M{LEFT} {y:.1}H{right:.1}"/><text class="e" x="{:.1}" y="{:.1}">{label}</text>"#,
                LEFT - 6.0,
                y + 3.5,
            )?;
            at += tick;
        }
        for (y, height) in [(TOP, ARENA), (low, ALIVE)] {
            writeln!(
                self.text,
                r#"<rect class="peak" x="{x:.1}" y="{y}" width="{step:.1}" height="{height}"/>"#
            )?;
        }
        writeln!(
            self.text,
            r#"<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right:.1}"/><text class="s" transform="translate(16 {:.0}) rotate(-90)" text-anchor="middle">byte of the arena</text>"#,
            TOP + ARENA / 2.0,
        )
    }

    /// Left edge, upper edge, width and height of a part of a block.
    fn frame(&self, block: &Block, first: u32, last: u32) -> [f64; 4] {
        let y = self.y(block.end().into());
        let width = f64::from(last - first + 1) * self.step;
        [self.x(first), y, width, self.y(block.offset.into()) - y]
    }

    fn block(&mut self, block: &Block, i: usize) -> fmt::Result {
        let [x, y, width, height] = self.frame(block, block.first, block.last);
        let color = i % FILLS.len();
        let fill = FILLS.get(color).copied().unwrap_or("#eee");
        let (fill, edge, wide) = match block.kind {
            BlockKind::Input => (fill, "#1f5fbf", 2.5),
            BlockKind::Output => (fill, "#1a7f37", 2.5),
            BlockKind::Activation => (fill, EDGES.get(color).copied().unwrap_or("#888"), 1.0),
            BlockKind::Scratch => ("url(#s)", "#777", 1.0),
        };
        // The edge lies inside, so that neighbours do not hide it.
        let inset = wide / 2.0;
        writeln!(
            self.text,
            r#"<rect class="b" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{fill}" stroke="{edge}" stroke-width="{wide}"><title>{}</title></rect>"#,
            x + inset,
            y + inset,
            (width - wide).max(0.5),
            (height - wide).max(0.5),
            Escaped(&self.describe(block)),
        )
    }

    /// As much text as there is room for, along the side that has more of it.
    fn label(&mut self, block: &Block, first: u32, last: u32) -> fmt::Result {
        let [x, y, width, height] = self.frame(block, first, last);
        let bytes = format!("{} B", thousands(block.bytes.into()));
        let lines = [block.name.as_str(), block.form.as_str(), bytes.as_str()];
        let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        let letters = |length: f64| ((length - 6.0) / LETTER.0).max(0.0) as usize;
        let is_turned = letters(width) < longest && height > width;
        let (long, wide) = if is_turned { (height, width) } else { (width, height) };
        let room = (wide / LETTER.1) as usize;
        if letters(long) < 4 || room == 0 {
            return Ok(());
        }
        // A name may be cut short; half a number would be wrong.
        let fits = |(i, line): &(usize, &str)| *i == 0 || line.chars().count() <= letters(long);
        let shown: Vec<&str> =
            lines.iter().copied().enumerate().filter(fits).map(|(_, line)| line).take(room).collect();
        let first = (wide - shown.len() as f64 * LETTER.1) / 2.0 + 9.5;
        for (i, line) in shown.iter().enumerate() {
            let across = first + i as f64 * LETTER.1;
            let text = shorten(line, letters(long));
            let (x, y, turn) = match is_turned {
                true => (x + across, y + height / 2.0, " rotate(-90)"),
                false => (x + width / 2.0, y + across, ""),
            };
            writeln!(
                self.text,
                r#"<text class="m" transform="translate({x:.1} {y:.1}){turn}">{}</text>"#,
                Escaped(&text),
            )?;
        }
        Ok(())
    }

    fn describe(&self, block: &Block) -> String {
        let form = if block.form.is_empty() { String::new() } else { format!("\n{}", block.form) };
        format!(
            "{}{form}\n{} bytes at {}..{}\nfrom {} to {}",
            block.name,
            thousands(block.bytes.into()),
            thousands(block.offset.into()),
            thousands(block.end().into()),
            self.map.time_name(block.first),
            self.map.time_name(block.last),
        )
    }

    /// What two blocks share, on top of both. Returns when each block lies alone, for its label.
    fn overlaps(&mut self) -> Result<Vec<(u32, u32)>, fmt::Error> {
        let map = self.map;
        let mut clear: Vec<_> = map.blocks.iter().map(|block| (block.first, block.last)).collect();
        let mut open: Vec<(usize, &Block)> = Vec::new();
        for (i, block) in map.blocks.iter().enumerate() {
            open.retain(|(_, other)| other.last >= block.first);
            for &(k, other) in &open {
                let Some((first, last, offset, end)) = block.overlap(other) else { continue };
                let (x, y) = (self.x(first), self.y(end.into()));
                let title = format!(
                    "{} and {}\nshare {} bytes at {}..{}\nfrom {} to {}",
                    other.name,
                    block.name,
                    thousands((end - offset).into()),
                    thousands(offset.into()),
                    thousands(end.into()),
                    map.time_name(first),
                    map.time_name(last),
                );
                writeln!(
                    self.text,
                    r#"<rect class="over" x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}"><title>{}</title></rect>"#,
                    f64::from(last - first + 1) * self.step,
                    self.y(offset.into()) - y,
                    Escaped(&title),
                )?;
                if let Some(times) = clear.get_mut(k).filter(|times| times.0 < first) {
                    times.1 = times.1.min(first - 1);
                }
                if let Some(times) = clear.get_mut(i).filter(|times| times.1 > last) {
                    times.0 = times.0.max(last + 1);
                }
            }
            open.push((i, block));
        }
        Ok(clear)
    }

    /// Bytes alive at each time.
    fn alive(&mut self, right: f64) -> fmt::Result {
        let (floor, _) = self.map.floor();
        for (time, &bytes) in (0..).zip(&self.map.alive) {
            let y = self.y_alive(bytes as f64);
            let fill = if bytes == floor { "#e06666" } else { "#9fb8d4" };
            writeln!(
                self.text,
                r#"<rect x="{:.1}" y="{y:.1}" width="{:.1}" height="{:.1}" fill="{fill}"><title>{}: {} bytes alive</title></rect>"#,
                self.x(time) + 0.5,
                (self.step - 1.0).max(0.5),
                self.y_alive(0.0) - y,
                Escaped(&self.map.time_name(time)),
                thousands(bytes),
            )?;
        }
        let bottom = self.y_alive(0.0);
        writeln!(
            self.text,
            r#"<path class="axis" d="M{LEFT} {:.1}V{bottom:.1}H{right:.1}"/>"#,
            bottom - ALIVE
        )?;
        for (line, word) in [(0.0, "bytes alive"), (13.0, "at each step")] {
            let (x, y) = (LEFT - 8.0, bottom - ALIVE / 2.0 + line);
            writeln!(self.text, r#"<text class="s e" x="{x}" y="{y:.1}">{word}</text>"#)?;
        }
        Ok(())
    }

    /// The arena's size and the floor, across both plots.
    fn lines(&mut self, right: f64) -> fmt::Result {
        let (floor, _) = self.map.floor();
        let arena = f64::from(self.map.arena_bytes);
        for (class, bytes) in [("arena", arena), ("floor", floor as f64)] {
            for y in [self.y(bytes), self.y_alive(bytes)] {
                writeln!(self.text, r#"<path class="{class}" fill="none" d="M{LEFT} {y:.1}H{right:.1}"/>"#)?;
            }
        }
        Ok(())
    }

    fn names(&mut self) -> fmt::Result {
        let y = TOP + ARENA + GAP + ALIVE + 12.0;
        // As many as can be read.
        let every = (13.0 / self.step).ceil().max(1.0) as u32;
        for time in 0..=self.map.end() {
            let x = self.x(time) + self.step / 2.0;
            let is_last = time == self.map.end();
            if !(time.is_multiple_of(every) || is_last) {
                continue;
            }
            writeln!(
                self.text,
                r#"<text class="e" transform="translate({:.1} {y:.1}) rotate(-60)">{}</text>"#,
                x + 4.0,
                Escaped(&shorten(&self.map.time_name(time), 26)),
            )?;
        }
        Ok(())
    }
}

/// A round number of bytes between lines of the grid.
fn tick(bytes: f64) -> f64 {
    let mut tick = 1.0;
    while bytes / tick > 8.0 {
        tick *= 2.0;
    }
    tick
}

/// At most `letters` letters.
fn shorten(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let start: String = text.chars().take(letters.saturating_sub(1)).collect();
    format!("{start}\u{2026}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: BlockKind, name: &str, offset: u32, times: (u32, u32)) -> Block {
        Block::new(kind, name, offset, 8, times)
    }

    #[test]
    fn overlaps_are_drawn_and_text_is_escaped() {
        let map = ArenaMap {
            arena_bytes: 16,
            blocks: vec![
                block(BlockKind::Input, "a<b>", 0, (0, 1)),
                block(BlockKind::Activation, "apart", 8, (1, 2)),
                block(BlockKind::Output, "half", 4, (1, 2)),
            ],
            ops: vec!["ADD & CO".to_owned()],
            alive: vec![8, 24, 16],
        };
        let picture = draw(&map, "x");
        assert_eq!(map.floor(), (24, 1));
        assert!(picture.contains("a&lt;b&gt;") && picture.contains("ADD &amp; CO"));
        assert!(!picture.contains("a<b"));
        assert!(picture.contains("a&lt;b&gt; and half\nshare 4 bytes at 4..8"), "{picture}");
        assert!(picture.contains("apart and half\nshare 4 bytes at 8..12"), "{picture}");
        assert_eq!(picture.matches("class=\"over\"").count(), 2);
        assert_eq!(picture.matches("<rect class=\"b\"").count(), 3);
    }
}
