//! ZI11: proposals are in order, acknowledgements are true, and commits are of what was proposed.

use std::collections::BTreeMap;

use tribunal_histories::{Claim, Digest, HistoryClaim};

use super::delivery::primaries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Sanity of messages, when they go out: proposals and commits may be said again, and an acknowledgement may cover
/// several transactions, for channels here lose messages.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI11",
    name: "message-sanity",
    statement: "a proposal is the next after those of its epoch; what is acknowledged is on the disk, as the leader \
                proposed it; what is committed was proposed",
    source: "Zab §5, phase 3; Remix (EuroSys 2025), table 2, I-11 to I-14",
    gated_by: &["ZB3", "ZB5", "ZB9"],
    watch: || Box::new(MessageSanity::default()),
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct MessageSanity {
    /// By epoch, the last index that its leader has, as it leads.
    proposed: BTreeMap<u64, u64>,
    /// By epoch and index, the leader's history up to there.
    histories: BTreeMap<(u64, u64), Digest>,
}

impl Property for MessageSanity {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if moment.leads() && (moment.was_elected() || moment.log_changed()) {
            self.learn(moment);
        }
        let mut tested = false;
        for claim in moment.now.sent.iter().flat_map(|sent| &sent.claims) {
            match claim {
                Claim::Broadcasts(claim) => self.is_in_order(moment, claim)?,
                Claim::Stored(claim) => self.is_stored(moment, claim)?,
                Claim::Commits(claim) => self.was_proposed(moment, claim)?,
                _ => continue,
            }
            tested = true;
        }
        Ok(tested)
    }
}

impl MessageSanity {
    /// What a leader has in its history is what followers may acknowledge.
    fn learn(&mut self, moment: &Moment<'_>) {
        let (log, epoch) = (moment.now.view.log, primaries(moment).epoch);
        let from = if moment.was_elected() {
            log.start
        } else {
            moment.kept
        };
        for index in from.max(log.start)..=log.last_index() {
            if let Some(record) = log.at(index) {
                self.histories
                    .entry((epoch, index))
                    .or_insert(record.prefix);
            }
        }
        if moment.was_elected() {
            self.proposed.entry(epoch).or_insert(log.last_index());
        }
    }

    fn is_in_order(&mut self, moment: &Moment<'_>, claim: &HistoryClaim) -> Result<(), Violation> {
        let last = self.proposed.entry(claim.epoch).or_insert(claim.index);
        if claim.index > *last + 1 {
            return Err(INFO.broken(format!(
                "Because {} proposed {} at index {} of epoch {} when it had proposed up to index {last}: a proposal \
                 must be the next one.",
                moment.now.node, claim.zxid, claim.index, claim.epoch
            )));
        }
        *last = claim.index.max(*last);
        Ok(())
    }

    fn is_stored(&self, moment: &Moment<'_>, claim: &HistoryClaim) -> Result<(), Violation> {
        let node = moment.now.node;
        let disk = moment.now.logs.durable_log(node);
        let proposed = self.histories.get(&(claim.epoch, claim.index));
        let stored = disk.at(claim.index).map(|record| record.prefix);
        let what = match (stored, proposed) {
            _ if claim.index < disk.start => return Ok(()),
            (None, _) => "it is not on its disk",
            (Some(stored), Some(proposed)) if stored != *proposed => "its disk has something else",
            _ => return Ok(()),
        };
        Err(INFO.broken(format!(
            "Because {node} acknowledged {} at index {} in epoch {}, and {what}: what is acknowledged must be on the \
             disk as the leader proposed it.",
            claim.zxid, claim.index, claim.epoch
        )))
    }

    fn was_proposed(&self, moment: &Moment<'_>, claim: &HistoryClaim) -> Result<(), Violation> {
        let last = self.proposed.get(&claim.epoch).copied();
        if last.is_none_or(|last| claim.index <= last) {
            return Ok(());
        }
        Err(INFO.broken(format!(
            "Because {} told that {} at index {} is committed in epoch {}, in which nothing behind index {} was \
             proposed: only a proposal is committed.",
            moment.now.node,
            claim.zxid,
            claim.index,
            claim.epoch,
            last.unwrap_or_default()
        )))
    }
}

#[cfg(test)]
mod tests {
    use tribunal_histories::Claim;

    use crate::properties::zab::script::{N1, N2, N3, Script, claim};

    #[test]
    fn proposals_acknowledgements_and_commits_in_order_are_right() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[N2]);
        script.send(N1, N2, Claim::Broadcasts(claim(1, 1, 1)));
        script.send(N1, N3, Claim::Broadcasts(claim(1, 1, 1)));
        script.send(N2, N1, Claim::Stored(claim(1, 1, 1)));
        script.send(N1, N2, Claim::Commits(claim(1, 1, 1)));
        script.assert_holds();
        assert!(script.exercised("ZI11") > 3);
    }

    #[test]
    fn what_is_not_on_the_disk_may_not_be_acknowledged() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.broadcast(N1, &[]);
        script.send(N2, N1, Claim::Stored(claim(1, 1, 1)));
        script.assert_says(
            "ZI11",
            "Because n2 acknowledged 1:1 at index 1 in epoch 1, and it is not on its disk: what is acknowledged must \
             be on the disk as the leader proposed it.",
        );
    }

    #[test]
    fn nor_may_something_else() {
        let mut script = Script::with_disks(3, &[(1, 1)]);
        script.establish(N1, 2, &[N2]);
        script.broadcast(N1, &[]);
        script.step(N3, |actor| actor.append(1, 2));
        script.sync(N3);
        script.send(N3, N1, Claim::Stored(claim(2, 1, 2)));
        script.assert_breaks("ZI11");
    }

    #[test]
    fn proposals_leave_no_gap_and_commits_are_of_proposals() {
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.send(N1, N2, Claim::Broadcasts(claim(1, 2, 2)));
        script.assert_breaks("ZI11");
        let mut script = Script::zab(3);
        script.establish(N1, 1, &[N2]);
        script.send(N1, N2, Claim::Commits(claim(1, 1, 1)));
        script.assert_breaks("ZI11");
    }
}
