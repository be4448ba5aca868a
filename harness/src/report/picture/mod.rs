//! The picture of a history: one page that needs no network and no other file.
//!
//! Lanes of processes, a bar for each operation, and the order that explains them drawn through the bars; where there
//! is none, the longest that there is, and the operation that it has no place for. Of a long history the page has the
//! part around the violation, so that it opens at once.

mod order;
mod window;

use std::fmt::Write;

use serde::Serialize;
use tribunal_checkers::verdict::{Counterexample, Evidence, Judgement};
use tribunal_checkers::{CheckRequest, CheckerEntry, Verdict};
use tribunal_histories::{History, Operation, Outcome, Value};

use super::html::escaped;
use crate::cli::check::timeline;
use crate::cli::quantity::{counted, grouped};
use order::Order;
use window::Window;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The most characters of a value that the page has.
const VALUE_MAX: usize = 200;

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What the history is called.
    pub name: &'a str,
    /// What happened.
    pub history: &'a History,
    /// The lines of the file that events stand on, by position; empty if there is no file.
    pub lines: &'a [u32],
    /// What was asked about it.
    pub request: &'a CheckRequest,
    /// The answer.
    pub verdict: &'a Verdict,
}

/// What the page's script draws.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    /// The names of the lanes.
    processes: Vec<String>,
    operations: Vec<Drawn>,
    /// How many columns there are.
    columns: usize,
    /// Before which columns events are missing, and how many.
    breaks: Vec<(usize, usize)>,
    /// The order: which operation, at which column, and its place in the whole order.
    order: Vec<(usize, f64, usize)>,
    order_length: usize,
    /// The column of the event at which no order was left; -1 if there is none.
    failed_at: i64,
    /// The same as a fraction of the whole history.
    failed_fraction: f64,
    /// Operations by time, over the whole history.
    density: Vec<usize>,
    /// The part that is shown, as fractions of the whole.
    shown: [f64; 2],
}

/// A bar.
#[derive(Debug, Serialize)]
struct Drawn {
    lane: usize,
    /// The columns of its events; -1 if it never returns.
    from: usize,
    to: i64,
    /// 0 for ok, 1 for fail, 2 for info.
    outcome: u8,
    what: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    core: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    impossible: bool,
    /// What else is to be known about it.
    facts: Vec<(&'static str, String)>,
}

/// Draws the page.
pub fn page(subject: &Subject<'_>) -> String {
    let object = Object::of(subject);
    let order = Order::of(subject, &object);
    let marked = Marked::of(subject);
    let window = Window::around(&object.operations, &marked);
    let data = window.data(subject, &object, &marked, &order);
    let json = serde_json::to_string(&data).expect("numbers and texts can be written");
    let answer = subject.verdict.answer().name();
    let mut sentences = subject.verdict.sentences.iter();
    let headline = sentences.next().map_or("", String::as_str);
    let mut because = String::new();
    for sentence in sentences {
        let _ = writeln!(because, "<p>{}</p>", escaped(sentence));
    }
    if !because.is_empty() {
        because = format!("<div class=\"because\">\n{because}</div>\n");
    }
    let jump = match marked.positions.is_empty() {
        true => "",
        false => "<button class=\"jump\" id=\"jump\">✗ the violation</button>\n",
    };
    let parts = [
        ("title", escaped(&format!("{answer}: {}", subject.name))),
        ("style", STYLE.to_owned()),
        ("answer", answer.to_owned()),
        ("ANSWER", answer.to_uppercase()),
        ("headline", escaped(headline)),
        ("facts", escaped(&facts(subject, &object))),
        ("because", because),
        ("jump", jump.to_owned()),
        ("legend", legend(&marked, &order)),
        ("whole", escaped(&window.sentence(object.operations.len()))),
        // Within a script element, only `<` could end it.
        ("data", json.replace('<', "\\u003c")),
        ("script", SCRIPT.to_owned()),
    ];
    filled(PAGE, &parts)
}

/// The template with its `{places}` filled; what is filled in is not looked at again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a place is closed");
        let part = parts.iter().find(|(other, _)| *other == name);
        page.push_str(before);
        page.push_str(&part.expect("every place has a part").1);
        rest = after;
    }
    page + rest
}

fn legend(marked: &Marked, order: &Order) -> String {
    let mut legend = String::new();
    if !marked.positions.is_empty() {
        legend += "<span class=\"wrong\">what cannot be placed</span>\n";
    }
    if !order.operations.is_empty() {
        let which = if order.is_partial {
            "the longest order there is"
        } else {
            "an order that explains all"
        };
        let _ = writeln!(legend, "<span class=\"order\">{which}</span>");
    }
    legend
}

/// The object that is drawn: all operations on one key, or all.
struct Object {
    key: Option<Value>,
    operations: Vec<Operation>,
}

impl Object {
    fn of(subject: &Subject<'_>) -> Self {
        let history = subject.history;
        let key = match &subject.verdict.judgement {
            Judgement::Invalid { counterexample } => key_of(counterexample),
            Judgement::Valid {
                evidence: Evidence::Linearization { orders },
            } => {
                // The first of those with the most operations.
                let longest = orders
                    .iter()
                    .rev()
                    .max_by_key(|order| order.operations.len());
                longest.map(|order| order.key.clone())
            }
            Judgement::Valid { .. } | Judgement::Unknown { .. } => None,
        };
        let id = key.as_ref().and_then(|key| history.values().find(key));
        let of_key = |operation: &Operation| id.is_none_or(|id| operation.key == id);
        let operations = history.operations().filter(of_key).collect();
        Self { key, operations }
    }
}

/// The key of the object that a counterexample is about.
fn key_of(counterexample: &Counterexample) -> Option<Value> {
    match counterexample {
        Counterexample::Core(core) => Some(core.key.clone()),
        Counterexample::Elements { key, .. }
        | Counterexample::Orders { key, .. }
        | Counterexample::OutOfBounds { key, .. }
        | Counterexample::Contradiction { key, .. } => Some(key.clone()),
        Counterexample::Tables { .. } | Counterexample::Cluster { .. } => None,
    }
}

/// What is wrong, by the positions of the invocations.
struct Marked {
    positions: Vec<usize>,
    impossible: Option<usize>,
    /// The position of the event at which no order was left.
    failed_at: Option<usize>,
}

impl Marked {
    fn of(subject: &Subject<'_>) -> Self {
        let Judgement::Invalid { counterexample } = &subject.verdict.judgement else {
            return Self {
                positions: Vec::new(),
                impossible: None,
                failed_at: None,
            };
        };
        let core = match counterexample {
            Counterexample::Core(core) => Some(core),
            _ => None,
        };
        Self {
            positions: timeline::operations(subject.history, counterexample),
            impossible: core.map(|core| core.impossible),
            failed_at: core.and_then(|core| core.prefix.checked_sub(1)),
        }
    }
}

fn facts(subject: &Subject<'_>, object: &Object) -> String {
    let counts = subject.history.statistics();
    let operations = counts.operations;
    let mut text = format!(
        "{}: {} by {}: {} ok, {} fail, {} info",
        subject.name,
        counted(operations.total(), "operation"),
        subject.verdict.checker,
        grouped(operations.ok),
        grouped(operations.fail),
        grouped(operations.info),
    );
    if let Some(key) = object.key.as_ref().filter(|key| !key.is_nil()) {
        let here = counted(object.operations.len() as u64, "operation");
        let _ = write!(
            text,
            "; drawn is key {key} of {}, {here}",
            grouped(counts.keys as u64)
        );
    }
    text
}

/// How a bar looks, and what it says when it is pointed at.
fn drawn(
    subject: &Subject<'_>,
    entry: Option<&CheckerEntry>,
    operation: &Operation,
) -> (u8, String, Vec<(&'static str, String)>) {
    let history = subject.history;
    let outcome = match operation.outcome {
        Outcome::Ok => 0,
        Outcome::Fail => 1,
        Outcome::Info => 2,
    };
    let mut facts = Vec::new();
    let mut value = |name, value: Value| {
        if !value.is_nil() {
            facts.push((name, shortened(&value.to_string(), VALUE_MAX)));
        }
    };
    value("invoked with", history.value(operation.input));
    value("returned", history.value(operation.output));
    let completion = history.pair(operation.invoked);
    let ends = || [Some(operation.invoked), completion].into_iter().flatten();
    let joined = |texts: Vec<String>| texts.join(" – ");
    let lines = ends()
        .filter_map(|at| subject.lines.get(at))
        .map(u32::to_string);
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        facts.push(("lines", joined(lines)));
    }
    let times = ends().filter_map(|at| history.events()[at].time_ns());
    let times: Vec<_> = times
        .map(|time| format!("{:.6} s", time as f64 / 1e9))
        .collect();
    if !times.is_empty() {
        facts.push(("time", joined(times)));
    }
    (outcome, timeline::what(history, entry, operation), facts)
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    kept + "…"
}
