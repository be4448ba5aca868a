//! Tables acted out by hand, for the tests of properties.

use tribunal_histories::{
    Cause, Digest, Facet, LogView, Logs, NodeId, Observation, TableEntry, View,
};

use crate::properties::{Monitor, Violation};

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);

/// A record of a register.
pub(super) fn wrote(key: u32, time: u64, author: NodeId, value: char) -> TableEntry {
    TableEntry {
        key,
        owner: None,
        time,
        author,
        value: Some(Digest::default().then(&value)),
    }
}

/// A tombstone of a register.
pub(super) fn deleted(key: u32, time: u64, author: NodeId) -> TableEntry {
    TableEntry {
        value: None,
        ..wrote(key, time, author, ' ')
    }
}

/// A record of a node's own share of a counter.
pub(super) fn share(key: u32, time: u64, author: NodeId, value: char) -> TableEntry {
    TableEntry {
        owner: Some(author),
        ..wrote(key, time, author, value)
    }
}

struct NoLogs(usize);

impl Logs for NoLogs {
    fn nodes(&self) -> usize {
        self.0
    }

    fn log(&self, _: NodeId) -> LogView<'_> {
        LogView::default()
    }

    fn durable_log(&self, _: NodeId) -> LogView<'_> {
        LogView::default()
    }
}

/// A cluster and the monitor that watches it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    nodes: usize,
    monitor: Monitor,
}

impl Script {
    /// Boots a cluster whose tables are empty.
    pub(super) fn of(nodes: usize) -> Self {
        let monitor = Monitor::of("gossip").unwrap();
        let mut script = Self { nodes, monitor };
        for node in NodeId::all(nodes) {
            script.observe(node, Cause::Boot, &[]);
        }
        script
    }

    fn observe(&mut self, node: NodeId, cause: Cause, table: &[TableEntry]) {
        let state = match table {
            [] => Digest::default(),
            some => Digest::default().then(some),
        };
        let view = View {
            state,
            facet: Facet::Table(table),
            ..View::default()
        };
        self.monitor.observe(&Observation {
            node,
            cause,
            view,
            sent: &[],
            logs: &NoLogs(self.nodes),
        });
    }

    /// After a step a node holds this.
    pub(super) fn holds(&mut self, node: NodeId, table: &[TableEntry]) {
        self.observe(node, Cause::Step, table);
    }

    /// A node crashes, and starts again with this.
    pub(super) fn crashes(&mut self, node: NodeId, table: &[TableEntry]) {
        self.observe(node, Cause::Crash, table);
        self.observe(node, Cause::Boot, table);
    }

    #[track_caller]
    pub(super) fn assert_holds(&self) {
        assert_eq!(self.monitor.violations(), &[]);
    }

    /// The last observation broke this property, and perhaps others.
    #[track_caller]
    pub(super) fn assert_breaks(&self, property: &str) -> &Violation {
        let violations = self.monitor.violations();
        violations
            .iter()
            .find(|violation| violation.property == property)
            .unwrap_or_else(|| panic!("{property} is not among {violations:?}"))
    }

    #[track_caller]
    pub(super) fn assert_says(&self, property: &str, sentence: &str) {
        assert_eq!(self.assert_breaks(property).sentence, sentence);
    }

    /// How often a property was put to the test.
    pub(super) fn exercised(&self, property: &str) -> u64 {
        let mut exercises = self.monitor.exercised();
        let exercise = exercises.find(|exercise| exercise.property == property);
        exercise.unwrap().count
    }
}
