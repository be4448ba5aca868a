//! ZI8: the initial histories of established epochs continue each other.

use std::collections::BTreeMap;

use tribunal_histories::{LogRecord, LogView};

use super::delivery::primaries;
use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Initial histories, whichever of two epochs is established first: an old leader may learn late that it was.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "ZI8",
    name: "initial-history",
    statement: "of two established epochs, the initial history of the earlier is the beginning of that of the later",
    source: "Zab §5, claim 6; Remix (EuroSys 2025), table 2, I-8, in either order of establishment",
    gated_by: &["ZB15", "ZB21"],
    watch: || Box::new(InitialHistory::default()),
};

/// A leader's history when it was established.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Initial {
    start: u64,
    base: LogRecord,
    records: Vec<LogRecord>,
}

impl Initial {
    fn log(&self) -> LogView<'_> {
        LogView {
            start: self.start,
            base: self.base,
            records: &self.records,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct InitialHistory {
    established: BTreeMap<u64, Initial>,
}

impl Property for InitialHistory {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !moment.was_elected() {
            return Ok(false);
        }
        let (node, epoch, log) = (
            moment.now.node,
            primaries(moment).epoch,
            moment.now.view.log,
        );
        for (other, initial) in &self.established {
            let other_log = initial.log();
            let (earlier, later) = match other {
                _ if *other < epoch => (&other_log, &log),
                _ => (&log, &other_log),
            };
            let end = earlier.last_index();
            // What the later history has compacted cannot be compared.
            if end >= later.start && later.at(end) != Some(earlier.last()) {
                let (first, second) = (epoch.min(*other), epoch.max(*other));
                return Err(INFO.broken(format!(
                    "Because {node} was established in epoch {epoch}, and the {end} transactions of the initial \
                     history of epoch {first} are not the beginning of that of epoch {second}: a later primary must \
                     begin with all that an earlier one began with."
                )));
            }
        }
        self.established.entry(epoch).or_insert(Initial {
            start: log.start,
            base: log.base,
            records: log.records.to_vec(),
        });
        Ok(self.established.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::zab::script::{N1, N2, N3, Script};

    #[test]
    fn a_later_history_continues_an_earlier_one_though_that_is_established_late() {
        let mut script = Script::zab(3);
        script.establish(N1, 2, &[N2]);
        script.broadcast(N1, &[N2]);
        script.establish(N2, 3, &[]);
        script.establish(N3, 1, &[]);
        script.assert_holds();
        assert!(script.exercised("ZI8") > 0);
    }

    #[test]
    fn an_initial_history_that_is_forgotten_is_found() {
        let mut script = Script::with_disks(3, &[(1, 1)]);
        script.establish(N1, 2, &[N2]);
        script.step(N3, |actor| actor.truncate(0));
        script.establish(N3, 3, &[]);
        script.assert_says(
            "ZI8",
            "Because n3 was established in epoch 3, and the 1 transactions of the initial history of epoch 2 are not \
             the beginning of that of epoch 3: a later primary must begin with all that an earlier one began with.",
        );
    }

    #[test]
    fn also_when_the_earlier_epoch_is_established_later() {
        let mut script = Script::with_disks(3, &[(1, 1)]);
        script.step(N3, |actor| actor.truncate(0));
        script.establish(N3, 3, &[]);
        script.establish(N1, 2, &[]);
        script.assert_breaks("ZI8");
    }
}
