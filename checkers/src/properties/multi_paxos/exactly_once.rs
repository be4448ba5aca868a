//! MP4: a command is executed once, however often it is chosen.

use std::collections::BTreeMap;

use tribunal_histories::{Bag, Cause, Execution, Facet, NodeId};

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// A replica executes a client's command once: sent twice, or proposed again by a new leader, it may be chosen in two
/// slots.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "MP4",
    name: "exactly-once",
    statement: "a replica executes each command of a client at most once, in whichever slots it is chosen",
    source: "Ongaro's dissertation (2014) §6.3; Lamport, Paxos Made Simple (2001) §3",
    gated_by: &["MP13", "MP18"],
    watch: || Box::new(ExactlyOnce::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct ExactlyOnce {
    replicas: Bag<BTreeMap<NodeId, Executed>>,
}

/// What one replica has executed since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Executed {
    judged: usize,
    /// By client and sequence, where.
    commands: BTreeMap<(u32, u32), u64>,
}

impl Property for ExactlyOnce {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let Facet::Replica(replica) = moment.now.view.facet else {
            return Ok(false);
        };
        let node = moment.now.node;
        let executed = self.replicas.entry(node).or_default();
        if moment.now.cause == Cause::Boot {
            *executed = Executed::default();
        }
        let new = replica.executed.get(executed.judged..).unwrap_or_default();
        for done in new {
            let Execution {
                index,
                client,
                sequence,
            } = *done;
            if let Some(first) = executed.commands.insert((client, sequence), index) {
                return Err(INFO.broken(format!(
                    "Because {node} executed operation {sequence} of client c{client} in slot {index}, which it had \
                     executed in slot {first}: a command that is chosen twice must be executed once."
                )));
            }
        }
        executed.judged = replica.executed.len();
        Ok(!new.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::multi_paxos::script::{Cluster, N1, N2};

    #[test]
    fn replicas_execute_the_same_command_each_once_a_life() {
        let mut cluster = Cluster::of(3);
        cluster.executes(N1, 1, (0, 1));
        cluster.executes(N1, 2, (0, 2));
        cluster.executes(N2, 1, (0, 1));
        cluster.restarts(N1);
        cluster.executes(N1, 1, (0, 1));
        cluster.assert_holds();
        assert_eq!(cluster.exercised("MP4"), 4);
    }

    #[test]
    fn a_command_in_two_slots_is_executed_in_the_first() {
        let mut cluster = Cluster::of(3);
        cluster.executes(N1, 1, (3, 1));
        cluster.executes(N1, 4, (3, 1));
        cluster.assert_says(
            "MP4",
            "Because n1 executed operation 1 of client c3 in slot 4, which it had executed in slot 1: a command that \
             is chosen twice must be executed once.",
        );
    }
}
