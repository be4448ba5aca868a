//! The committed entries of a run, which no node may ever contradict, and who holds them.

use tribunal_histories::{ByNode, LogRecord, LogView, NodeId, NodeSet, View, Voters};

use super::aside::Aside;
use super::ghost::Moment;

/// A committed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Commit {
    /// The entry.
    pub record: LogRecord,
    /// The term of the leader that first knew it committed. The entry's own term may be older, and a leader of a
    /// term between the two may rightly lack the entry.
    pub term: u64,
    /// That leader.
    pub by: Aside<NodeId>,
}

/// Every entry that any node ever knew committed, as one log that is only ever appended to.
///
/// An entry is committed from the moment when the first node's commit or applied index covers it. That is the leader:
/// followers learn of it from the leader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Committed {
    /// What lies at or below this index is not known: no node ever showed it.
    start: u64,
    entries: Vec<Commit>,
    /// The configurations under which entries were committed, each with the last of them.
    electorates: Vec<(Voters, u64)>,
}

impl Committed {
    /// The configurations under which entries were committed, oldest first, each with the index of the last entry that
    /// was.
    pub fn electorates(&self) -> &[(Voters, u64)] {
        &self.electorates
    }

    /// The index of the last committed entry; 0 when nothing was committed.
    pub fn last_index(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    /// The committed entry at an index, if it is known.
    pub fn at(&self, index: u64) -> Option<&Commit> {
        let offset = index.checked_sub(self.start + 1)?;
        self.entries.get(usize::try_from(offset).ok()?)
    }

    /// The last entry that was committed in a term before `term`, with its index.
    pub fn last_before(&self, term: u64) -> Option<(u64, &Commit)> {
        let offset = self.entries.iter().rposition(|commit| commit.term < term)?;
        Some((self.start + 1 + offset as u64, &self.entries[offset]))
    }

    /// Whether a node shows something as committed that is new.
    pub(super) fn lacks(&self, view: &View<'_>) -> bool {
        let last = covered(view).min(view.log.last_index());
        last > self.last_index() && last >= view.log.start
    }

    /// Takes in what a node shows as committed; `voters` is the configuration by which it acted.
    pub(super) fn cover(&mut self, node: NodeId, voters: Voters, view: &View<'_>) {
        if !self.lacks(view) {
            return;
        }
        let last = covered(view).min(view.log.last_index());
        if view.log.start > self.last_index() {
            // The node compacted entries that nobody showed before: a run that begins with old disks. Its base
            // stands for them.
            self.start = view.log.start - 1;
            self.entries.clear();
        }
        let (term, by) = (view.term, Aside(node));
        let news = (self.last_index() + 1..=last).filter_map(|index| view.log.at(index));
        self.entries
            .extend(news.map(|record| Commit { record, term, by }));
        match self.electorates.last_mut() {
            Some((same, index)) if *same == voters => *index = last,
            _ => self.electorates.push((voters, last)),
        }
    }

    /// Whether a log holds the committed entries up to `index`, which equal prefix digests tell. What the log has
    /// compacted is judged by its base, and what cannot be compared is not held against it.
    pub fn agrees(&self, log: &LogView<'_>, index: u64) -> bool {
        let index = index.max(log.start);
        self.at(index)
            .is_none_or(|commit| log.at(index) == Some(commit.record))
    }

    /// The last committed index up to which a log holds the committed entries.
    pub fn held_by(&self, log: &LogView<'_>) -> u64 {
        let mut index = self.last_index().min(log.last_index());
        while index > log.start && !self.agrees(log, index) {
            index -= 1;
        }
        if self.agrees(log, index) { index } else { 0 }
    }

    /// The first committed entry that is not in a log which disagrees somewhere. When that is in what the log has
    /// compacted, its base stands for it.
    pub(super) fn first_missing(&self, log: &LogView<'_>) -> u64 {
        (self.held_by(log) + 1).max(log.start)
    }

    /// Names a committed entry in a sentence.
    pub(super) fn describe(&self, index: u64) -> String {
        match self.at(index) {
            Some(Commit {
                record,
                term,
                by: Aside(by),
            }) => {
                format!(
                    "entry {index} of term {}, which {by} committed in term {term},",
                    record.term
                )
            }
            None => format!("entry {index}, which was committed,"),
        }
    }
}

/// Up to where a node acts on its log as committed.
pub(super) fn covered(view: &View<'_>) -> u64 {
    view.commit_index.max(view.applied_index)
}

/// Names what a log has at an index, in a sentence.
pub(super) fn describe_record(log: &LogView<'_>, index: u64) -> String {
    match log.at(index) {
        Some(LogRecord { term, prefix }) => {
            format!("an entry of term {term} (prefix {prefix}) at index {index}")
        }
        None => format!("nothing at index {index}"),
    }
}

/// By node, up to where it holds the committed entries: kept up to date at the cost of what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Holdings {
    held: ByNode<u64>,
}

impl Holdings {
    /// Brings the table up to date; false when nothing that matters has changed.
    ///
    /// `changed` says whether the log of the observed node changed, `log` shows the log of any node.
    pub(super) fn refresh<'l>(
        &mut self,
        moment: &Moment<'_>,
        changed: bool,
        log: impl Fn(NodeId) -> LogView<'l>,
    ) -> bool {
        let committed = moment.committed;
        if committed.last_index() > moment.committed_before {
            self.held.clear();
            let nodes = NodeId::all(moment.nodes());
            self.held
                .extend(nodes.map(|node| committed.held_by(&log(node))));
            return true;
        }
        let node = moment.now.node;
        match self.held.get_mut(node.index()) {
            Some(held) if changed => *held = committed.held_by(&log(node)),
            _ => return false,
        }
        true
    }

    /// The nodes that hold the committed entries up to `index`.
    pub(super) fn at(&self, index: u64) -> NodeSet {
        let nodes = NodeId::all(self.held.len()).zip(&self.held);
        nodes
            .filter(|(_, held)| **held >= index)
            .map(|(node, _)| node)
            .collect()
    }

    /// The first committed entry that no quorum holds of the configuration under which it was committed, and that
    /// configuration.
    pub(super) fn first_short(&self, committed: &Committed) -> Option<(u64, Voters)> {
        let mut electorates = committed.electorates().iter();
        let (voters, last) =
            electorates.find(|(voters, last)| !voters.has_quorum(self.at(*last)))?;
        let mut indexes = 1..=*last;
        let first = indexes.find(|index| !voters.has_quorum(self.at(*index)))?;
        Some((first, *voters))
    }

    /// Names the nodes that hold the committed entries up to `index`.
    pub(super) fn holders(&self, index: u64) -> String {
        let names: Vec<_> = self.at(index).iter().map(|node| node.to_string()).collect();
        if names.is_empty() {
            "no node".to_owned()
        } else {
            format!("only {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::script::{Log, N1, N2};

    use super::*;

    const ALL: Voters = Voters::of(NodeSet::from_bits(0b11));

    fn view(log: &Log, term: u64, commit_index: u64) -> View<'_> {
        View {
            term,
            log: log.view(),
            commit_index,
            ..View::default()
        }
    }

    #[test]
    fn the_first_to_cover_an_entry_commits_it() {
        let mut log = Log::default();
        log.append(1, "ab");
        let mut committed = Committed::default();
        committed.cover(N1, ALL, &view(&log, 3, 1));
        committed.cover(N2, ALL, &view(&log, 4, 2));
        committed.cover(N1, ALL, &view(&log, 4, 2));
        let terms =
            [1, 2].map(|index| committed.at(index).map(|commit| (commit.term, commit.by.0)));
        assert_eq!(terms, [Some((3, N1)), Some((4, N2))]);
        assert_eq!(committed.last_before(4).map(|(index, _)| index), Some(1));
        assert_eq!(committed.last_before(3), None);
    }

    #[test]
    fn what_was_compacted_before_the_run_is_not_held_against_anyone() {
        let mut log = Log::default();
        log.append(1, "abcde");
        let mut compacted = log.clone();
        compacted.compact(3);
        let mut committed = Committed::default();
        committed.cover(N1, ALL, &view(&compacted, 1, 4));
        assert_eq!(committed.at(2), None);
        assert_eq!(committed.last_index(), 4);
        assert_eq!(committed.held_by(&log.view()), 4);
        let mut other = Log::default();
        other.append(1, "abcx");
        assert!(!committed.agrees(&other.view(), 4));
        assert_eq!(committed.held_by(&other.view()), 3);
        assert_eq!(committed.first_missing(&other.view()), 4);
    }
}
