//! The part of a history that is drawn, and where its bars and points are.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_checkers::CheckerEntry;
use tribunal_histories::{Operation, Process};

use super::order::Order;
use super::{Data, Drawn, Marked, Object, Subject, drawn};
use crate::cli::quantity::grouped;

/// The most operations around the violation that a page has: it stays below a few megabytes whatever their values are.
pub(super) const OPERATIONS_MAX: usize = 4_000;

/// How many operations that began before are shown because they had not ended: crashed ones never do.
const OPEN_MAX: usize = 100;

/// How many bars the overview has.
const BUCKETS: usize = 200;

/// The operations that are drawn, in the order of their invocations.
pub(super) struct Window {
    operations: Vec<Operation>,
    /// The range of those that are drawn without exception.
    from: usize,
    to: usize,
}

impl Window {
    /// The operations around what is wrong, and what is wrong wherever it is; the first if nothing is.
    pub(super) fn around(operations: &[Operation], marked: &Marked) -> Self {
        let at = |position: usize| operations.partition_point(|other| other.invoked < position);
        let center = marked.impossible.or(marked.positions.last().copied());
        let latest_from = operations.len().saturating_sub(OPERATIONS_MAX);
        // More of what came before than of what came after.
        let from = center.map_or(0, |center| {
            at(center).saturating_sub(OPERATIONS_MAX * 3 / 4)
        });
        let from = from.min(latest_from);
        let to = operations.len().min(from + OPERATIONS_MAX);
        let begins = operations.get(from).map_or(0, |first| first.invoked);
        let is_open = |operation: &&Operation| operation.returned.is_none_or(|end| end > begins);
        let mut drawn: BTreeSet<usize> = (from..to).collect();
        let before = operations[..from].iter().rev();
        let open = before.filter(is_open).take(OPEN_MAX);
        drawn.extend(open.map(|operation| at(operation.invoked)));
        let marked = marked.positions.iter().map(|position| at(*position));
        drawn.extend(marked.filter(|place| *place < operations.len()));
        Self {
            operations: drawn.into_iter().map(|place| operations[place]).collect(),
            from,
            to,
        }
    }

    /// What is drawn of how much.
    pub(super) fn sentence(&self, all: usize) -> String {
        let number = |count: usize| grouped(count as u64);
        if self.operations.len() == all {
            return format!("All {} operations are drawn.", number(all));
        }
        format!(
            "Operations {} to {} of {} are drawn, and what is wrong before them or had not ended.",
            number(self.from + 1),
            number(self.to),
            number(all)
        )
    }

    /// Everything that the page's script draws.
    pub(super) fn data(
        &self,
        subject: &Subject<'_>,
        object: &Object,
        marked: &Marked,
        order: &Order,
    ) -> Data {
        let columns = Columns::of(&self.operations);
        let lanes = self.lanes();
        let lane_of: BTreeMap<Process, usize> = lanes.iter().copied().zip(0..).collect();
        let entry = CheckerEntry::named(&subject.verdict.checker);
        let bar = |operation: &Operation| {
            let (outcome, what, facts) = drawn(subject, entry, operation);
            let end = operation.returned.map(|end| columns.of_event(end) as i64);
            Drawn {
                lane: lane_of[&operation.process],
                from: columns.of_event(operation.invoked),
                to: end.unwrap_or(-1),
                outcome,
                what,
                core: marked.positions.contains(&operation.invoked),
                impossible: marked.impossible == Some(operation.invoked),
                facts,
            }
        };
        let events = subject.history.len().max(1) as f64;
        let fraction = |at: usize| at as f64 / events;
        let shown = |place: usize| {
            object
                .operations
                .get(place)
                .map_or(1.0, |one| fraction(one.invoked))
        };
        Data {
            processes: lanes.iter().map(Process::to_string).collect(),
            operations: self.operations.iter().map(bar).collect(),
            breaks: columns.breaks(&object.operations),
            order: self.points(&columns, order),
            order_length: order.operations.len(),
            failed_at: marked
                .failed_at
                .map_or(-1, |at| columns.of_event(at) as i64),
            failed_fraction: marked.failed_at.map_or(-1.0, fraction),
            density: density(&object.operations, subject.history.len()),
            shown: [shown(self.from), shown(self.to)],
            columns: columns.events.len(),
        }
    }

    /// The processes, each with a lane; those of which only crashed operations are drawn come last.
    fn lanes(&self) -> Vec<Process> {
        let returned = self.operations.iter().filter(|one| one.returned.is_some());
        let first: BTreeSet<Process> = returned.map(|one| one.process).collect();
        let all: BTreeSet<Process> = self.operations.iter().map(|one| one.process).collect();
        let last = all.difference(&first);
        first.iter().chain(last).copied().collect()
    }

    /// The points of the order: an operation takes effect as early as it can, after those before it in the order.
    /// Between two events, points are spread evenly.
    fn points(&self, columns: &Columns, order: &Order) -> Vec<(usize, f64, usize)> {
        let place_of = |position: usize| {
            let found = self
                .operations
                .binary_search_by_key(&position, |one| one.invoked);
            found.ok()
        };
        let mut last = 0;
        let mut points: Vec<(usize, usize, usize)> = Vec::new();
        for (place, position) in order.operations.iter().enumerate() {
            last = last.max(*position);
            if let Some(operation) = place_of(*position) {
                points.push((operation, columns.before(last), place));
            }
        }
        let gaps = points.chunk_by(|one, other| one.1 == other.1);
        let spread = gaps.flat_map(|gap| {
            let share = 1.0 / (gap.len() + 1) as f64;
            let points = gap.iter().zip(1..);
            points.map(move |((operation, column, place), nth)| {
                let column = *column as f64 + share * f64::from(nth);
                (*operation, (column * 1e3).round() / 1e3, *place)
            })
        });
        spread.collect()
    }
}

/// The events of the operations that are drawn, each with a column.
struct Columns {
    events: Vec<usize>,
}

impl Columns {
    fn of(operations: &[Operation]) -> Self {
        let ends = |operation: &Operation| [Some(operation.invoked), operation.returned];
        let events: BTreeSet<usize> = operations.iter().flat_map(ends).flatten().collect();
        Self {
            events: events.into_iter().collect(),
        }
    }

    /// The column of an event, or of the first after it.
    fn of_event(&self, position: usize) -> usize {
        self.events.partition_point(|other| *other < position)
    }

    /// The column of the last event that is not after this.
    fn before(&self, position: usize) -> usize {
        let not_after = self.events.partition_point(|other| *other <= position);
        not_after.saturating_sub(1)
    }

    /// Before which columns events of the object are missing, and how many.
    fn breaks(&self, operations: &[Operation]) -> Vec<(usize, usize)> {
        let ends = |operation: &Operation| [Some(operation.invoked), operation.returned];
        let mut all: Vec<usize> = operations.iter().flat_map(ends).flatten().collect();
        all.sort_unstable();
        let place = |position: usize| all.partition_point(|other| *other < position);
        let pairs = self.events.windows(2).zip(1..);
        pairs
            .map(|(pair, column)| (column, place(pair[1]) - place(pair[0]) - 1))
            .filter(|(_, missing)| *missing > 0)
            .collect()
    }
}

/// How many operations begin in each part of the history.
fn density(operations: &[Operation], events: usize) -> Vec<usize> {
    let mut density = vec![0; BUCKETS.min(events.max(1))];
    let buckets = density.len();
    for operation in operations {
        density[operation.invoked * buckets / events] += 1;
    }
    density
}
