//! PB-I7: who rejoins gives up only what was not acknowledged.

use tribunal_histories::Cause;

use crate::properties::{Moment, Property, PropertyInfo, Violation};

/// Logs are cut off where they part from the primary's, not where a node last knew operations to be acknowledged.
///
/// That knowledge lags behind: what lies above it may be acknowledged all the same, and this node may be one of those on
/// whose disks it is.
pub static INFO: PropertyInfo = PropertyInfo {
    id: "PB-I7",
    name: "kept-on-rejoin",
    statement: "no node cuts an operation off its log that is acknowledged",
    source: "Kafka KIP-101; Liskov and Cowling 2012, §5",
    gated_by: &["PB4", "PB11"],
    watch: || Box::new(KeptOnRejoin),
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct KeptOnRejoin;

impl Property for KeptOnRejoin {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if moment.now.cause == Cause::Crash || !moment.dropped_entries() {
            return Ok(false);
        }
        let node = moment.now.node;
        for (index, record) in moment.removed() {
            let acknowledged = moment.committed.at(index);
            if let Some(commit) = acknowledged.filter(|commit| commit.record == record) {
                return Err(INFO.broken(format!(
                    "Because {node} cut operation {index} off its log, which {} acknowledged in view {}: a log must be \
                     cut off only where it parts from the primary's.",
                    commit.by, commit.term,
                )));
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::properties::primary_backup::acted::{acknowledge, begin_view, replicas, replicate};
    use crate::properties::script::{N1, N2};

    #[test]
    fn the_high_watermark_lags_behind() {
        let mut script = replicas();
        begin_view(&mut script, N1, 1, &[N1, N2]);
        replicate(&mut script, N1, "ab", &[N2]);
        acknowledge(&mut script, N1, 1, "a");
        script.restart(N2);
        script.step(N2, |backup| backup.log.truncate(1));
        script.assert_holds();
        replicate(&mut script, N1, "", &[N2]);
        acknowledge(&mut script, N1, 2, "ab");
        script.step(N2, |backup| backup.log.truncate(1));
        script.assert_says(
            "PB-I7",
            "Because n2 cut operation 2 off its log, which n1 acknowledged in view 1: a log must be cut off only where \
             it parts from the primary's.",
        );
    }
}
