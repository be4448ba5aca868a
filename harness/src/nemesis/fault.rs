//! What can go wrong, as plain data: what a runtime injects, a trace names and a shrinker takes away.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::NodeId;

use super::{Grudge, NemesisContext};

/// What a runtime must be able to do for a fault to be injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Change the pace of a node's clock, and shift it.
    Clock,
    /// Lose what a node had not synced, and delay its syncs.
    Disk,
    /// Kill nodes and restart them.
    Kill,
    /// Lose, duplicate, delay and reorder messages.
    Packet,
    /// Cut links, each direction by itself.
    Partition,
    /// Pause nodes and resume them.
    Pause,
    /// Lose the whole disks of nodes, whose protocol claims to survive that.
    Wipe,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "skew clocks",
            Self::Disk => "lose unsynced writes",
            Self::Kill => "kill nodes",
            Self::Packet => "disturb packets",
            Self::Partition => "cut links",
            Self::Pause => "pause nodes",
            Self::Wipe => "lose whole disks",
        })
    }
}

/// What a kill does to writes that the node had not synced. Which of them, where that is open, the runtime draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskLoss {
    /// Nothing is lost: the process died, and the operating system still has them.
    Nothing,
    /// All are lost: the power failed.
    All,
    /// Some number of the last are lost.
    Suffix,
    /// Some number of the last are lost, and of the one before them only a part reached the disk.
    Torn,
    /// Any of them are lost: the disk wrote in an order of its own.
    Reorder,
    /// The whole disk is lost, with all that was ever written to it, and another takes its place.
    Disk,
}

impl fmt::Display for DiskLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "losing nothing",
            Self::All => "losing all unsynced writes",
            Self::Suffix => "losing the last unsynced writes",
            Self::Torn => "losing the last unsynced writes and tearing one",
            Self::Reorder => "losing any unsynced writes",
            Self::Disk => "losing the whole disk",
        })
    }
}

/// What the network does to messages while it is disturbed; rates per million messages.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PacketRates {
    /// Messages that are lost.
    pub loss_ppm: u32,
    /// Messages that arrive twice.
    pub duplicate_ppm: u32,
    /// Messages that overtake those sent before them on their link, or are overtaken.
    pub reorder_ppm: u32,
    /// What is added to the latency of each message at most; how much, is drawn evenly.
    pub delay_us_max: u64,
}

impl fmt::Display for PacketRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates = [
            ("lose", self.loss_ppm),
            ("duplicate", self.duplicate_ppm),
            ("reorder", self.reorder_ppm),
        ];
        let mut parts: Vec<String> = rates
            .iter()
            .filter(|(_, ppm)| *ppm > 0)
            .map(|(verb, ppm)| format!("{verb} {}.{:02} %", ppm / 10_000, ppm / 100 % 100))
            .collect();
        if self.delay_us_max > 0 {
            parts.push(format!("delay up to {} us", self.delay_us_max));
        }
        f.write_str(&parts.join(", "))
    }
}

/// Something that is done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Exactly these links are cut, whatever was before.
    Partition(Grudge),
    /// No link is cut.
    Heal,
    /// These nodes, which were up, lose their volatile state, and of their disks what `loss` says.
    Kill {
        /// Which.
        nodes: BTreeSet<NodeId>,
        /// What happens to unsynced writes.
        loss: DiskLoss,
    },
    /// These nodes, which were down, boot from their disks.
    Restart {
        /// Which.
        nodes: BTreeSet<NodeId>,
    },
    /// These nodes take no step; what is sent to them and their timers wait.
    Pause {
        /// Which.
        nodes: BTreeSet<NodeId>,
    },
    /// These nodes, which were paused, go on.
    Resume {
        /// Which.
        nodes: BTreeSet<NodeId>,
    },
    /// The clocks of these nodes run at another pace: a timer of theirs takes its duration divided by the rate.
    ClockRate {
        /// Which.
        nodes: BTreeSet<NodeId>,
        /// Millionths of true time: 1,000,000 is true, 2,000,000 twice as fast.
        rate_ppm: u32,
    },
    /// The clocks of these nodes jump: their armed timers come due so much earlier, or later if it is negative.
    ClockBump {
        /// Which.
        nodes: BTreeSet<NodeId>,
        /// How far ahead.
        ahead_us: i64,
    },
    /// All clocks run at the true pace again.
    ClockReset,
    /// The network treats messages so.
    Packet(PacketRates),
    /// The network treats messages well again.
    PacketCalm,
    /// Each sync of these nodes takes so much longer.
    DiskSlow {
        /// Which.
        nodes: BTreeSet<NodeId>,
        /// How much.
        delay_us: u64,
    },
    /// All disks are as fast as ever.
    DiskFast,
}

impl Fault {
    /// What is left of the fault for a cluster in this state: nodes that are down cannot be killed or paused,
    /// and only those that are can be restarted or resumed. `None` if nothing is left.
    pub fn possible(mut self, context: &NemesisContext) -> Option<Self> {
        let (up, paused) = (&context.up, &context.paused);
        match &mut self {
            Self::Kill {
                nodes,
                loss: DiskLoss::Disk,
            } => {
                // Those who have yet to re-learn what they lost must stay a minority.
                let most = context.nodes.saturating_sub(1) / 2;
                let mut without_memory = context.amnesic.clone();
                nodes.retain(|node| {
                    up.contains(node)
                        && (without_memory.contains(node)
                            || without_memory.len() < most && without_memory.insert(*node))
                });
            }
            Self::Kill { nodes, .. } => nodes.retain(|node| up.contains(node)),
            Self::Pause { nodes } => {
                nodes.retain(|node| up.contains(node) && !paused.contains(node))
            }
            Self::Restart { nodes } => nodes.retain(|node| !up.contains(node)),
            Self::Resume { nodes } => nodes.retain(|node| paused.contains(node)),
            _ => {}
        }
        let is_something = match &self {
            Self::Kill { nodes, .. }
            | Self::Restart { nodes }
            | Self::Pause { nodes }
            | Self::Resume { nodes }
            | Self::ClockRate { nodes, .. }
            | Self::ClockBump { nodes, .. }
            | Self::DiskSlow { nodes, .. } => !nodes.is_empty(),
            Self::Partition(grudge) => !grudge.is_empty(),
            Self::Packet(rates) => *rates != PacketRates::default(),
            Self::Heal | Self::ClockReset | Self::PacketCalm | Self::DiskFast => true,
        };
        is_something.then_some(self)
    }

    /// The name of its kind, for counting.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Heal => "heal",
            Self::Kill { .. } => "kill",
            Self::Restart { .. } => "restart",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::ClockRate { .. } => "clock rate",
            Self::ClockBump { .. } => "clock bump",
            Self::ClockReset => "clock reset",
            Self::Packet(_) => "packet",
            Self::PacketCalm => "packet calm",
            Self::DiskSlow { .. } => "slow disk",
            Self::DiskFast => "fast disk",
        }
    }

    /// The fault that ends this one wherever it lasts; `None` where that depends on the nodes' state.
    pub(super) fn remedy(&self) -> Option<Self> {
        match self {
            Self::Partition(_) => Some(Self::Heal),
            Self::ClockRate { .. } | Self::ClockBump { .. } => Some(Self::ClockReset),
            Self::Packet(_) => Some(Self::PacketCalm),
            Self::DiskSlow { .. } => Some(Self::DiskFast),
            _ => None,
        }
    }
}

/// The fault as a line of a trace: `kill n2, losing all unsynced writes`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(grudge) => write!(f, "partition {grudge}"),
            Self::Heal => f.write_str("heal the network"),
            Self::Kill { nodes, loss } => write!(f, "kill {}, {loss}", names(nodes)),
            Self::Restart { nodes } => write!(f, "restart {}", names(nodes)),
            Self::Pause { nodes } => write!(f, "pause {}", names(nodes)),
            Self::Resume { nodes } => write!(f, "resume {}", names(nodes)),
            Self::ClockRate { nodes, rate_ppm } => {
                let (whole, part) = (rate_ppm / 1_000_000, rate_ppm / 1_000 % 1_000);
                write!(f, "run the clocks of {} at {whole}.{part:03}", names(nodes))
            }
            Self::ClockBump { nodes, ahead_us } => {
                write!(f, "bump the clocks of {} by {ahead_us:+} us", names(nodes))
            }
            Self::ClockReset => f.write_str("reset the clocks"),
            Self::Packet(rates) => write!(f, "disturb packets: {rates}"),
            Self::PacketCalm => f.write_str("calm the packets"),
            Self::DiskSlow { nodes, delay_us } => {
                write!(f, "slow the disks of {} by {delay_us} us", names(nodes))
            }
            Self::DiskFast => f.write_str("let the disks be fast"),
        }
    }
}

/// The names of nodes: `n1 n3`.
pub(super) fn names<'a>(nodes: impl IntoIterator<Item = &'a NodeId>) -> String {
    let names: Vec<String> = nodes.into_iter().map(NodeId::to_string).collect();
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nemesis::tests::{context, nodes};

    #[test]
    fn only_what_is_possible_is_left() {
        let mut context = context(5);
        context.up.remove(&NodeId(0));
        context.paused.insert(NodeId(1));
        let left = |fault: Fault| fault.possible(&context).map(|fault| fault.to_string());
        let loss = DiskLoss::Nothing;
        let kill = |some: &[u16]| {
            left(Fault::Kill {
                nodes: nodes(some),
                loss,
            })
        };
        assert_eq!(kill(&[0, 1]).as_deref(), Some("kill n2, losing nothing"));
        assert_eq!(kill(&[0]), None);
        let [pause, resume, restart] = [
            Fault::Pause {
                nodes: nodes(&[0, 1, 2]),
            },
            Fault::Resume {
                nodes: nodes(&[0, 1, 2]),
            },
            Fault::Restart {
                nodes: nodes(&[0, 1, 2]),
            },
        ];
        assert_eq!(left(pause).as_deref(), Some("pause n3"));
        assert_eq!(left(resume).as_deref(), Some("resume n2"));
        assert_eq!(left(restart).as_deref(), Some("restart n1"));
        assert_eq!(left(Fault::Partition(Grudge::default())), None);
        assert_eq!(left(Fault::Packet(PacketRates::default())), None);
        assert_eq!(left(Fault::Heal), Some(Fault::Heal.to_string()));
    }

    #[test]
    fn faults_read_as_sentences_and_come_back_from_json() {
        let some = || nodes(&[1, 2]);
        let faults = [
            Fault::Partition(Grudge::complete(&[
                vec![NodeId(0)],
                vec![NodeId(1), NodeId(2)],
            ])),
            Fault::Kill {
                nodes: some(),
                loss: DiskLoss::Torn,
            },
            Fault::Restart { nodes: some() },
            Fault::ClockRate {
                nodes: some(),
                rate_ppm: 1_250_000,
            },
            Fault::ClockBump {
                nodes: some(),
                ahead_us: -800,
            },
            Fault::Packet(PacketRates {
                loss_ppm: 12_500,
                delay_us_max: 90,
                ..PacketRates::default()
            }),
            Fault::DiskSlow {
                nodes: some(),
                delay_us: 7,
            },
        ];
        let text: Vec<String> = faults.iter().map(Fault::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @"
        partition n1 | n2 n3
        kill n2 n3, losing the last unsynced writes and tearing one
        restart n2 n3
        run the clocks of n2 n3 at 1.250
        bump the clocks of n2 n3 by -800 us
        disturb packets: lose 1.25 %, delay up to 90 us
        slow the disks of n2 n3 by 7 us
        ");
        for fault in faults {
            let json = serde_json::to_string(&fault).expect("faults are plain data");
            assert_eq!(serde_json::from_str::<Fault>(&json).expect(&json), fault);
        }
    }
}
