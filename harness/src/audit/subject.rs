//! What an audit needs of a system that is not ours, and what may be done to it.

use std::collections::BTreeSet;

use tribunal_histories::{Kind, NodeId, Value};

use super::Ledger;
use crate::generator::Invocation;
use crate::nemesis::{DiskLoss, Fault, Grudge, PacketRates};

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The thread whose operation it is.
    pub thread: usize,
    /// `ok`, `fail` or `info`.
    pub kind: Kind,
    /// The result of an `ok`.
    pub value: Value,
}

/// A system while it runs. It has a clock of its own: simulated, or real.
pub trait Subject {
    /// How many nodes it has.
    fn nodes(&self) -> usize;

    /// The time since the start, in microseconds.
    fn now_us(&self) -> u64;

    /// The nodes that run, paused or not.
    fn up(&self) -> BTreeSet<NodeId>;

    /// What happens is written down here.
    fn ledger(&mut self) -> &mut Ledger;

    /// Begins an operation.
    fn call(&mut self, invocation: &Invocation);

    /// The client of a thread waits no longer for the operation in flight there.
    fn give_up(&mut self, thread: usize) -> Completion;

    /// Lets time pass until then, or until operations have ended or the system is [broken](Subject::is_broken),
    /// whichever is first; without a time until nothing more happens by itself.
    fn advance(&mut self, until_us: Option<u64>) -> Vec<Completion>;

    /// After the last fault: waits until all nodes take part again, or cannot. Where time is ours, nobody needs to.
    fn recover(&mut self, stop: &dyn Fn() -> bool) {
        let _ = stop;
    }

    /// Whether it cannot go on.
    fn is_broken(&self) -> bool;

    /// Its nodes can be killed.
    fn as_kill(&mut self) -> Option<&mut dyn Kill> {
        None
    }

    /// Its nodes can be paused.
    fn as_pause(&mut self) -> Option<&mut dyn Pause> {
        None
    }

    /// Links between its nodes can be cut.
    fn as_cut(&mut self) -> Option<&mut dyn Cut> {
        None
    }

    /// Its messages can be disturbed.
    fn as_disturb(&mut self) -> Option<&mut dyn Disturb> {
        None
    }
}

/// Nodes can be killed and started again.
pub trait Kill {
    /// The node's processes are gone at once; its files stay.
    fn kill(&mut self, node: NodeId);

    /// The node starts again.
    fn restart(&mut self, node: NodeId);
}

/// Nodes can be stopped for a while.
pub trait Pause {
    /// The node does nothing, and what is sent to it waits.
    fn pause(&mut self, node: NodeId);

    /// It goes on.
    fn resume(&mut self, node: NodeId);

    /// The nodes that are paused.
    fn paused(&self) -> BTreeSet<NodeId>;
}

/// Links can be cut, each direction by itself.
pub trait Cut {
    /// Exactly these links are cut, whatever was before.
    fn cut(&mut self, grudge: &Grudge);
}

/// Messages can be lost, duplicated, delayed and reordered.
pub trait Disturb {
    /// From now on messages fare so.
    fn disturb(&mut self, rates: PacketRates);
}

/// The nemesis wants what the subject has no power for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this system cannot be made to {fault}; choose another nemesis")]
pub struct CannotInject {
    /// What it wants.
    pub fault: Fault,
}

/// Injects a fault, or ends one.
///
/// # Errors
/// The subject does not have the power.
pub fn inject(subject: &mut dyn Subject, fault: &Fault) -> Result<(), CannotInject> {
    let done = match fault {
        Fault::Partition(grudge) => subject.as_cut().map(|cut| cut.cut(grudge)),
        Fault::Heal => subject.as_cut().map(|cut| cut.cut(&Grudge::default())),
        Fault::Packet(rates) => subject.as_disturb().map(|links| links.disturb(*rates)),
        Fault::PacketCalm => {
            let calm = PacketRates::default();
            subject.as_disturb().map(|links| links.disturb(calm))
        }
        Fault::Kill {
            nodes,
            loss: DiskLoss::Nothing,
        } => subject
            .as_kill()
            .map(|power| nodes.iter().for_each(|node| power.kill(*node))),
        Fault::Restart { nodes } => subject
            .as_kill()
            .map(|power| nodes.iter().for_each(|node| power.restart(*node))),
        Fault::Pause { nodes } => subject
            .as_pause()
            .map(|power| nodes.iter().for_each(|node| power.pause(*node))),
        Fault::Resume { nodes } => subject
            .as_pause()
            .map(|power| nodes.iter().for_each(|node| power.resume(*node))),
        Fault::Kill { .. }
        | Fault::ClockRate { .. }
        | Fault::ClockBump { .. }
        | Fault::ClockReset
        | Fault::DiskSlow { .. }
        | Fault::DiskFast => None,
    };
    done.ok_or_else(|| CannotInject {
        fault: fault.clone(),
    })
}
