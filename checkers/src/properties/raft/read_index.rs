//! RI17: a read has all that was committed when it was asked.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, Cause, Claim, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// The read index. A leader answers a read from a state that has every entry that any node had committed when the read
/// came to it, and an entry of its own term is among them: only that tells a leader what is committed.
///
/// It is what the steps of the dissertation are for (ask a quorum whether one still leads, wait until what is committed
/// is applied), so it judges leases as well.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI17",
    name: "read-index",
    statement: "a read has every entry that was committed when it arrived, one of the leader's own term among them",
    source: "dissertation §6.4",
    gated_by: &["RD1", "RD2", "RD3", "RD7"],
    watch: || Box::new(ReadIndex::default()),
};

/// A client's last read, as often as a node has received it: the network may bring it twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Received {
    sequence: u32,
    /// By what the node takes for its read index, the last entry that was committed before.
    committed: BTreeMap<u64, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct ReadIndex {
    /// By node and client, its last read. It stays until it is answered: answers may wait for the disk.
    received: Bag<BTreeMap<(NodeId, u32), Received>>,
}

impl Property for ReadIndex {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let node = moment.now.node;
        if moment.restarted() {
            self.received.retain(|(other, _), _| *other != node);
        }
        for read in moment.group().map_or(&[][..], |group| group.reads) {
            let received = self.received.entry((node, read.client)).or_default();
            if received.sequence < read.sequence {
                received.sequence = read.sequence;
                received.committed.clear();
            }
            if received.sequence == read.sequence {
                let committed = received.committed.entry(read.index);
                committed.or_insert(moment.committed_before);
            }
        }
        let mut tested = false;
        let claims = moment.now.sent.iter().flat_map(|sent| &sent.claims);
        for claim in claims {
            if let Claim::ReadServed {
                client,
                sequence,
                term,
                index,
            } = *claim
            {
                let received = self.received.get(&(node, client));
                // Its client waits for an answer no longer: it has gone on.
                if received.is_some_and(|read| read.sequence > sequence) {
                    continue;
                }
                let received = received.filter(|read| read.sequence == sequence);
                let committed = match received.and_then(|read| read.committed.get(&index)) {
                    Some(committed) => *committed,
                    // It came and was answered in this very step.
                    None if moment.now.cause == Cause::Step => moment.committed_before,
                    // It came and was answered in a step before, and the answer waited for the disk.
                    None => continue,
                };
                served(moment, (term, index), committed)?;
                tested = true;
            }
        }
        Ok(tested)
    }
}

/// A read was answered in a term, from entries up to an index, when so many were committed before it arrived.
fn served(moment: &Moment<'_>, (term, index): (u64, u64), committed: u64) -> Result<(), Violation> {
    let node = moment.now.node;
    if index < committed {
        return Err(INFO.broken(format!(
            "Because {node}, leading term {term}, answered a read from its entries up to {index}, when {} had been \
             committed before the read arrived: a read must see all that was committed when it was asked.",
            moment.committed.describe(committed).trim_end_matches(','),
        )));
    }
    match moment.committed.at(index) {
        Some(commit) if commit.record.term != term => Err(INFO.broken(format!(
            "Because {node}, leading term {term}, answered a read from its entries up to {index}, the last of them of \
             term {}: only when an entry of its own term is committed does a leader know what is.",
            commit.record.term,
        ))),
        None if index > moment.committed.last_index() => Err(INFO.broken(format!(
            "Because {node}, leading term {term}, answered a read from its entries up to {index}, of which only those \
             up to {} are committed.",
            moment.committed.last_index(),
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{Claim, PendingRead};

    use crate::properties::script::{N1, N2, N3, Script, claim};

    #[test]
    fn what_is_committed_later_need_not_be_seen() {
        let mut script = Script::with_committed(3, "ab");
        script.read(N1, 2, |script| {
            script.step(N1, |leader| leader.append("c"));
            script.replicate(N1, &[N2]);
            script.commit(N1, 3);
        });
        script.assert_holds();
        assert_eq!(script.exercised("RI17"), 1);
    }

    #[test]
    fn a_read_that_came_twice_is_judged_by_the_time_that_its_answer_is_of() {
        let mut script = Script::with_committed(3, "ab");
        // The first answer waits for the disk while the read comes again, after another commit.
        script.step(N1, |leader| leader.append("c"));
        script.replicate(N1, &[N2]);
        script.commit(N1, 3);
        let (client, sequence, key, round) = (0, 1, 0, 1);
        let again = PendingRead {
            client,
            sequence,
            key,
            index: 3,
            round,
        };
        script.step(N1, |leader| leader.reads.push(again));
        let of = |index| {
            let served = Claim::ReadServed {
                client,
                sequence,
                term: 1,
                index,
            };
            [claim(N1, served)]
        };
        script.sync_and_send(N1, &of(2));
        script.sync_and_send(N1, &of(3));
        script.assert_holds();
        assert_eq!(script.exercised("RI17"), 1);
    }

    #[test]
    fn what_another_leader_committed_before_must_be_seen() {
        let mut script = Script::with_committed(3, "ab");
        script.elect(N2, 2, &[N3]);
        script.step(N2, |leader| leader.append("c"));
        script.replicate(N2, &[N3]);
        script.commit(N2, 3);
        script.read(N1, 2, |_| {});
        script.assert_says(
            "RI17",
            "Because n1, leading term 1, answered a read from its entries up to 2, when entry 3 of term 2, which n2 \
             committed in term 2 had been committed before the read arrived: a read must see all that was committed \
             when it was asked.",
        );
    }

    #[test]
    fn a_new_leader_does_not_know_what_is_committed() {
        let mut script = Script::with_committed(3, "ab");
        script.commit(N2, 2);
        script.elect(N2, 2, &[N3]);
        script.read(N2, 2, |_| {});
        let violation = script.assert_breaks("RI17");
        assert!(
            violation.sentence.contains("of term 1: only when"),
            "{violation}"
        );
    }

    #[test]
    fn what_is_not_committed_is_not_read() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N1, |leader| leader.append("c"));
        script.read(N1, 3, |_| {});
        script.assert_breaks("RI17");
    }
}
