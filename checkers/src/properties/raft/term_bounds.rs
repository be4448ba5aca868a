//! RI10: terms rise along a log, and neither a log nor a message is ahead of its node's term.

use tribunal_histories::Cause;

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Term bounds. A node that is down has no current term: its log is compared when it has started again.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "RI10",
    name: "term-bounds",
    statement: "terms never decrease along a log; no entry and no message has a term above its node's",
    source: "dissertation lemmas 6 and 7; ccfraft.tla MonoLogInv, MonoTermInv",
    gated_by: &["RF6", "RF13", "RF14"],
    watch: || Box::new(TermBounds),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct TermBounds;

impl Property for TermBounds {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        let (now, view) = (moment.now, &moment.now.view);
        let mut tested = false;
        let mut previous = view.log.at(moment.kept.max(view.log.start));
        for (index, record) in moment.appended() {
            if let Some(previous) = previous.filter(|previous| previous.term > record.term) {
                return Err(INFO.broken(format!(
                    "Because in the log of {} entry {index} of term {} follows an entry of term {}: \
                     terms must not decrease along a log.",
                    now.node, record.term, previous.term,
                )));
            }
            previous = Some(record);
            tested = true;
        }
        if now.cause == Cause::Crash {
            return Ok(tested);
        }
        let last = view.log.last();
        if last.term > view.term {
            return Err(INFO.broken(format!(
                "Because {} is in term {} but its entry {} is of term {}: \
                 a node's term must not be below the terms in its log.",
                now.node,
                view.term,
                view.log.last_index(),
                last.term,
            )));
        }
        if let Some(ahead) = now.sent.iter().find(|sent| sent.term > view.term) {
            return Err(INFO.broken(format!(
                "Because {}, in term {}, sent {} a message of term {}: \
                 a node must not speak in a term that it has not reached.",
                now.node, view.term, ahead.to, ahead.term,
            )));
        }
        Ok(tested || !now.sent.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::MessageView;

    use crate::properties::script::{N1, N2, Script};

    #[test]
    fn terms_may_rise_along_a_log_and_a_message_may_be_old() {
        let mut script = Script::with_committed(3, "ab");
        script.step(N2, |node| {
            node.follow(3);
            node.log.append(2, "c");
            node.log.append(3, "d");
        });
        let old = MessageView {
            to: N1,
            term: 1,
            grants_vote: false,
            claims: Vec::new(),
        };
        script.sync_and_send(N2, &[old]);
        script.assert_holds();
        assert!(script.exercised("RI10") > 0);
    }

    #[test]
    fn terms_may_not_decrease_along_a_log() {
        let mut script = Script::raft(3);
        script.step(N1, |node| {
            node.follow(2);
            node.log.append(2, "a");
        });
        script.step(N1, |node| node.log.append(1, "b"));
        script.assert_says(
            "RI10",
            "Because in the log of n1 entry 2 of term 1 follows an entry of term 2: terms must not decrease \
             along a log.",
        );
    }

    #[test]
    fn a_log_may_not_be_ahead_of_its_node_after_a_restart() {
        let mut script = Script::raft(3);
        script.step(N1, |node| {
            node.follow(2);
            node.append("a");
        });
        script.sync(N1);
        script.actor(N1).disk.term = 0;
        script.restart(N1);
        script.assert_says(
            "RI10",
            "Because n1 is in term 0 but its entry 1 is of term 2: a node's term must not be below the terms \
             in its log.",
        );
    }

    #[test]
    fn a_message_may_not_be_ahead_of_its_sender() {
        let mut script = Script::raft(3);
        let ahead = MessageView {
            to: N2,
            term: 1,
            grants_vote: false,
            claims: Vec::new(),
        };
        script.sync_and_send(N1, &[ahead]);
        script.assert_says(
            "RI10",
            "Because n1, in term 0, sent n2 a message of term 1: a node must not speak in a term that it has \
             not reached.",
        );
    }
}
