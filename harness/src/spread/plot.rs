//! The table as a picture: rounds by the number of nodes, and residue by k. An SVG of its own, without a script.

use std::fmt::Write;

use tribunal_protocols::gossip::{Mode, Rumours};

use super::reference::forwarded_once;
use super::{Case, Row};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 320.0;
/// Left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 36.0, 16.0, 44.0);
const COLOURS: [&str; 3] = ["#b2182b", "#2166ac", "#1b7837"];

/// A panel: its axes, and what is drawn so far.
struct Panel {
    svg: String,
    left: f64,
    x: (f64, f64),
    y: (f64, f64),
}

/// The picture of some rows; `None` if there is nothing to show in it.
pub fn svg(rows: &[Row]) -> Option<String> {
    let mut panels = Vec::new();
    let left = |panels: &Vec<String>| panels.len() as f64 * WIDTH;
    panels.extend(rounds(rows, 0.0));
    let place = left(&panels);
    panels.extend(residues(rows, place));
    let width = left(&panels);
    (!panels.is_empty()).then(|| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" width=\"{width}\" \
             height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>\n{}</svg>\n",
            panels.concat()
        )
    })
}

/// Rounds until all know: means as lines, from there to the 99th percentile as whiskers.
fn rounds(rows: &[Row], left: f64) -> Option<String> {
    let modes = [Mode::Push, Mode::Pull, Mode::PushPull];
    let points = |mode| {
        rows.iter()
            .filter(move |row| matches!(row.case, Case::AntiEntropy(of, _) if of == mode))
    };
    let all = || modes.iter().flat_map(|mode| points(*mode));
    let log = |row: &Row| (row.nodes as f64).log2();
    let most = all().map(|row| row.measured.p99).max()?;
    let first = all().map(log).fold(f64::INFINITY, f64::min);
    let last = all().map(log).fold(0.0, f64::max);
    let x = (first.floor() - 0.5, last.ceil() + 0.5);
    let mut panel = Panel::new(left, x, (0.0, f64::from(most) + 2.0));
    panel.title("Rounds until all know an update", "nodes", "rounds");
    for power in (first.floor() as i32..=last.ceil() as i32).step_by(2) {
        panel.tick_x(f64::from(power), &(1_u64 << power).to_string());
    }
    for rounds in (0..=most + 2).step_by(5) {
        panel.tick_y(f64::from(rounds), &rounds.to_string());
    }
    for (place, mode) in modes.into_iter().enumerate() {
        let line: Vec<_> = points(mode)
            .map(|row| (log(row), row.measured.rounds.mean))
            .collect();
        panel.line(&line, COLOURS[place], "");
        for row in points(mode) {
            let (at, mean) = (log(row), row.measured.rounds.mean);
            panel.line(
                &[(at, mean), (at, f64::from(row.measured.p99))],
                COLOURS[place],
                "",
            );
            panel.dot(at, mean, COLOURS[place]);
        }
        if let Some(row) = points(mode).next() {
            panel.legend(place, &row.name, COLOURS[place]);
        }
    }
    Some(panel.svg)
}

/// The share that forward-once misses, against its theory; by powers of ten.
fn residues(rows: &[Row], left: f64) -> Option<String> {
    let points: Vec<_> = rows
        .iter()
        .filter_map(|row| match row.case {
            Case::Rumour(Rumours::ForwardOnce, 1000, k) if row.measured.residue.mean > 0.0 => {
                Some((k as f64, row.measured.residue.mean.log10()))
            }
            _ => None,
        })
        .collect();
    let (first, last) = (points.first()?.0, points.last()?.0);
    let mut panel = Panel::new(left, (first - 0.5, last + 0.5), (-4.0, 0.0));
    panel.title("Nodes that forward-once misses, of 1,000", "k", "residue");
    let mut k = first;
    while k <= last {
        panel.tick_x(k, &k.to_string());
        k += 1.0;
    }
    for power in -4..=0 {
        panel.tick_y(f64::from(power), &format!("{}", 10_f64.powi(power)));
    }
    let theory: Vec<_> = points
        .iter()
        .map(|(k, _)| (*k, forwarded_once(1000, *k as u64).log10()))
        .collect();
    panel.line(&theory, COLOURS[1], " stroke-dasharray=\"5 4\"");
    for (k, residue) in points {
        panel.dot(k, residue, COLOURS[0]);
    }
    panel.legend(0, "measured", COLOURS[0]);
    panel.legend(1, "s = e^(-k(1-s)), for n = 1000", COLOURS[1]);
    Some(panel.svg)
}

impl Panel {
    fn new(left: f64, x: (f64, f64), y: (f64, f64)) -> Self {
        let svg = String::new();
        Self { svg, left, x, y }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, top, right, bottom) = MARGIN;
        let share = |value, (low, high): (f64, f64)| (value - low) / (high - low);
        let across = self.left + left + share(x, self.x) * (WIDTH - left - right);
        let down = HEIGHT - bottom - share(y, self.y) * (HEIGHT - top - bottom);
        (across, down)
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.svg.write_fmt(text);
        self.svg.push('\n');
    }

    fn title(&mut self, title: &str, x: &str, y: &str) {
        let (left, right) = (self.at(self.x.0, self.y.0), self.at(self.x.1, self.y.1));
        let middle = (left.0 + right.0) / 2.0;
        self.put(format_args!(
            "<text x=\"{middle:.1}\" y=\"20\" text-anchor=\"middle\" font-weight=\"bold\">{title}</text>"
        ));
        self.put(format_args!(
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{x}</text>",
            HEIGHT - 8.0
        ));
        let (across, down) = (self.left + 14.0, (left.1 + right.1) / 2.0);
        self.put(format_args!(
            "<text x=\"{across:.1}\" y=\"{down:.1}\" text-anchor=\"middle\" \
             transform=\"rotate(-90 {across:.1} {down:.1})\">{y}</text>"
        ));
        self.put(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" stroke=\"#888\"/>",
            left.0,
            right.1,
            right.0 - left.0,
            left.1 - right.1
        ));
    }

    fn tick_x(&mut self, x: f64, label: &str) {
        let (across, down) = self.at(x, self.y.0);
        let down = down + 16.0;
        self.put(format_args!(
            "<text x=\"{across:.1}\" y=\"{down:.1}\" text-anchor=\"middle\">{label}</text>"
        ));
    }

    fn tick_y(&mut self, y: f64, label: &str) {
        let ((left, down), (right, _)) = (self.at(self.x.0, y), self.at(self.x.1, y));
        self.put(format_args!(
            "<line x1=\"{left:.1}\" y1=\"{down:.1}\" x2=\"{right:.1}\" y2=\"{down:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 6.0,
            down + 4.0
        ));
    }

    fn line(&mut self, points: &[(f64, f64)], colour: &str, style: &str) {
        let points: Vec<_> = points
            .iter()
            .map(|(x, y)| self.at(*x, *y))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let points = points.join(" ");
        self.put(format_args!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{style}/>"
        ));
    }

    fn dot(&mut self, x: f64, y: f64, colour: &str) {
        let (x, y) = self.at(x, y);
        self.put(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\" fill=\"{colour}\"/>"
        ));
    }

    fn legend(&mut self, place: usize, text: &str, colour: &str) {
        let (x, y) = (
            self.left + MARGIN.0 + 14.0,
            MARGIN.1 + 18.0 + 17.0 * place as f64,
        );
        self.put(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3.2\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{y:.1}\">{text}</text>",
            y - 4.0,
            x + 9.0
        ));
    }
}
