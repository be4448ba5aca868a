//! What exploration finds, against the table in `docs/exploration-bugs.md`: every planted bug that has flags for it is
//! there, and those that take a moment only are explored again. The others are hunted every night.

use tribunal::hunt::{Attempt, hunt};
use tribunal_protocols::bugs::{Bug, FoundBy};
use tribunal_protocols::registry::{PROTOCOLS, Protocol};

use super::simulation::on_two_threads;

const TABLE: &str = include_str!("../../../docs/exploration-bugs.md");

/// Searches that took longer when they were measured are not for every push.
const QUICK_S: f64 = 0.25;

/// A bug as the table has it.
#[derive(Clone, Copy)]
struct Row {
    violated: &'static str,
    moves: usize,
    steps: usize,
    cpu_s: f64,
}

/// The row of a bug: `| RF1 | raft | RI5 | 3 | 17 | 163 | 417 | 0.02 |`.
fn row(protocol: &Protocol, bug: &Bug) -> Option<Row> {
    let cells = TABLE.lines().map(|line| {
        let cells = line.split('|').map(str::trim);
        cells.skip(1).collect::<Vec<_>>()
    });
    let mut rows = cells.filter(|cells| cells.starts_with(&[bug.id, protocol.name]));
    let cells = rows.next()?;
    assert!(rows.next().is_none(), "{} has two rows", bug.id);
    Some(Row {
        violated: cells[2],
        moves: cells[3].parse().ok()?,
        steps: cells[4].parse().ok()?,
        cpu_s: cells[7].parse().ok()?,
    })
}

fn explored() -> impl Iterator<Item = (&'static Protocol, &'static Bug)> {
    let of = |protocol: &'static Protocol| protocol.bugs.iter().map(move |bug| (protocol, bug));
    let all = PROTOCOLS.iter().flat_map(of);
    all.filter(|(_, bug)| bug.explored.is_some())
}

#[test]
fn the_table_has_every_bug_that_exploration_finds() {
    let without = explored().filter(|(protocol, bug)| row(protocol, bug).is_none());
    let without: Vec<_> = without.map(|(_, bug)| bug.id).collect();
    assert!(without.is_empty(), "not in the table: {without:?}");
}

#[test]
fn quick_explorations_find_what_the_table_says() {
    let quick: Vec<_> = explored()
        .filter_map(|(protocol, bug)| Some((protocol, bug, row(protocol, bug)?)))
        .filter(|(_, _, row)| row.cpu_s <= QUICK_S)
        .collect();
    assert!(quick.len() > 50, "only {} are quick", quick.len());
    let wrong: Vec<String> = on_two_threads(&quick, |(protocol, bug, row)| {
        let attempt = hunt(protocol, bug, FoundBy::Exploration, false, &|| false);
        let attempt = attempt.expect("the hunt can be run");
        let attempt = attempt.expect("the bug is explored");
        let differs = !is_as_told(&attempt, &row);
        differs.then(|| format!("{}: {attempt:?}", bug.id))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether the same was found, as soon. That its trace replays is part of a hunt.
fn is_as_told(attempt: &Attempt, row: &Row) -> bool {
    attempt.found.as_ref().is_some_and(|found| {
        let moves = found.search.map(|search| search.moves);
        found.violated == row.violated && moves == Some(row.moves) && found.steps == row.steps
    })
}
