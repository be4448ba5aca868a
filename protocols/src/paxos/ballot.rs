//! Ballots: numbers of proposals, each of which belongs to one node (Paxos Made Simple §2.5: proposers choose their
//! numbers from disjoint sets).
//!
//! Of `n` nodes, the first owns ballots 1, n+1, 2n+1, …, the second 2, n+2, …; a round is a ballot of each. That one
//! node's ballots differ across its lives is a matter of its disk: it writes down a ballot before it uses it.

use tribunal_histories::NodeId;

/// The number of a proposal; 0 is below all.
pub type Ballot = u64;

/// The first ballot of a node above another ballot.
pub(super) fn next(above: Ballot, me: NodeId, nodes: usize) -> Ballot {
    let nodes = nodes as u64;
    let mine = above / nodes * nodes + me.index() as u64 + 1;
    if mine > above { mine } else { mine + nodes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nodes_share_a_ballot_and_every_ballot_has_an_owner() {
        for nodes in 1..6 {
            let mut owned = Vec::new();
            for node in NodeId::all(nodes) {
                let first = next(0, node, nodes);
                let its_own =
                    std::iter::successors(Some(first), |last| Some(next(*last, node, nodes)));
                owned.extend(its_own.take(4));
            }
            owned.sort_unstable();
            assert!(owned.into_iter().eq(1..=4 * nodes as u64), "{nodes}");
        }
    }

    #[test]
    fn the_next_ballot_is_the_nearest() {
        assert_eq!(next(7, NodeId(0), 3), 10);
        assert_eq!(next(7, NodeId(1), 3), 8);
        assert_eq!(next(6, NodeId(0), 3), 7);
        assert_eq!(next(6, NodeId(2), 3), 9);
    }
}
