//! Stacks: last in, first out.
//!
//! An element whose put and take may coincide can come and go at one moment, whatever the stack holds. Each of the
//! others is certainly there from the return of its put to the invocation of its take. While some element certainly
//! is, the stack is never empty, so that the bottom of it stays the same: for each *component*, a longest time from L
//! to R without a gap, one of its elements was put in by L and taken out from R on. Any that can be is as good as any
//! other: if an order has another one at the bottom, take this one out of it, and put it below all. Without that
//! element the rest of the component falls into components again, and so on; if none can be the bottom, elements that
//! cover the time from L to R clash.
//!
//! After Abdulla and others 2025, who call the bottom an extreme value. Each level of the stack costs one pass over
//! what lies above it, so that stacks which are high all the time cost the most.

use super::contents::{Clash, Contents, Element, cover};
use super::ordering::by_positions;
use super::{NEVER, Question};

/// Something that happens after an event; at one moment first what ends, then what comes and goes, then what begins.
type Placed = ((u32, u8), u32);

const ENDS: u8 = 0;
const COMES_AND_GOES: u8 = 1;
const BEGINS: u8 = 2;

/// What is yet to be done.
enum Task {
    /// The component of these elements.
    Component(usize, usize),
    /// The bottom is taken out after an event.
    Close(u32, u32),
}

/// The operations in a legal order, or a clash.
pub(super) fn arrange(contents: &Contents, question: Question) -> Result<Vec<u32>, Clash> {
    let elements = &contents.elements;
    let lasts = |element: &Element| element.put_returned < element.take_invoked();
    let [mut sorted] = by_positions(elements.len(), |at| [elements[at].put_returned]);
    sorted.retain(|at| lasts(&elements[*at as usize]));
    let mut line: Vec<Placed> = Vec::with_capacity(2 * sorted.len());
    let mut spans = Vec::new();
    let mut tasks = Vec::new();
    let whole = 0..sorted.len();
    for (from, to) in components(elements, &sorted, whole) {
        let begin = elements[sorted[from] as usize].put_returned;
        spans.push((begin, end(elements, &sorted[from..to])));
        tasks.push(Task::Component(from, to));
    }
    tasks.reverse();
    while let Some(task) = tasks.pop() {
        let (from, to) = match task {
            Task::Component(from, to) => (from, to),
            Task::Close(operation, after) => {
                if operation != NEVER {
                    line.push(((after, ENDS), operation));
                }
                continue;
            }
        };
        let component = &mut sorted[from..to];
        let begin = elements[component[0] as usize].put_returned;
        let end = end(elements, component);
        let is_bottom = |at: &u32| {
            let element = &elements[*at as usize];
            element.put_invoked < begin && element.take_returned >= end
        };
        let Some(place) = component.iter().position(is_bottom) else {
            let all = component.iter().map(|at| (*at, elements[*at as usize]));
            return Err(Clash {
                elements: cover(all, begin, end),
                nothings: Vec::new(),
            });
        };
        component[..=place].rotate_right(1);
        let bottom = &elements[component[0] as usize];
        line.push(((begin - 1, BEGINS), bottom.put_invoked));
        tasks.push(Task::Close(bottom.take, end));
        let first = tasks.len();
        let above = components(elements, &sorted, from + 1..to);
        tasks.extend(above.map(|(from, to)| Task::Component(from, to)));
        tasks[first..].reverse();
    }
    let mut extras = place_nothings(contents, &spans)?;
    if question == Question::Existence {
        return Ok(Vec::new());
    }
    for element in elements.iter().filter(|element| !lasts(element)) {
        let moment = (element.take_invoked(), COMES_AND_GOES);
        extras.extend([(moment, element.put_invoked), (moment, element.take)]);
    }
    extras.sort_by_key(|(moment, _)| *moment);
    Ok(merge(&line, &extras))
}

/// The last moment at which one of the elements is certainly there.
fn end(elements: &[Element], component: &[u32]) -> u32 {
    let ends = component
        .iter()
        .map(|at| elements[*at as usize].take_invoked());
    ends.max().unwrap_or(0)
}

/// The components of elements that are sorted by when they begin to be there.
fn components<'a>(
    elements: &'a [Element],
    sorted: &'a [u32],
    range: std::ops::Range<usize>,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let mut from = range.start;
    std::iter::from_fn(move || {
        if from >= range.end {
            return None;
        }
        let mut end = 0;
        let mut to = from;
        while to < range.end {
            let element = &elements[sorted[to] as usize];
            if to > from && element.put_returned > end {
                break;
            }
            end = end.max(element.take_invoked());
            to += 1;
        }
        let component = (from, to);
        from = to;
        Some(component)
    })
}

/// Places each operation that found nothing: where it begins, or where the component ends in which it does.
fn place_nothings(contents: &Contents, spans: &[(u32, u32)]) -> Result<Vec<Placed>, Clash> {
    let mut placed = Vec::with_capacity(contents.nothings.len());
    for (at, nothing) in (0..).zip(&contents.nothings) {
        let span = spans.partition_point(|(begin, _)| *begin <= nothing.invoked);
        let until = span.checked_sub(1).map_or(0, |span| spans[span].1);
        let moment = nothing.invoked.max(until);
        if moment >= nothing.returned {
            let all = (0..).zip(contents.elements.iter().copied());
            return Err(Clash {
                elements: cover(all, nothing.invoked, nothing.returned),
                nothings: vec![at],
            });
        }
        placed.push(((moment, COMES_AND_GOES), nothing.invoked));
    }
    Ok(placed)
}

/// The operations of both lines in the order of their moments.
fn merge(line: &[Placed], extras: &[Placed]) -> Vec<u32> {
    let mut merged = Vec::with_capacity(line.len() + extras.len());
    let mut extras = extras.iter().peekable();
    for (moment, operation) in line {
        while let Some((_, extra)) = extras.next_if(|(other, _)| other < moment) {
            merged.push(*extra);
        }
        merged.push(*operation);
    }
    merged.extend(extras.map(|(_, extra)| *extra));
    merged
}
