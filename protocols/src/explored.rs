//! What an explorer knows of a protocol, so that it can leave out what makes no difference.
//!
//! Each protocol has one file `explored.rs`. Whatever it says is put to the test: a reduced search must give the verdict
//! of the full one, and a message that is called moot must do nothing whenever it is delivered all the same.

use tribunal_histories::NodeId;

use crate::scenario::Staged;

/// A search that is recommended for a protocol: it ends within two minutes on two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expedition {
    /// A name for tables: `4-ballots`.
    pub name: &'static str,
    /// What it is to find out, in a few words.
    pub about: &'static str,
    /// What is to be said on the command line after `tribunal explore PROTOCOL`.
    pub flags: &'static str,
}

/// Whose names nodes compare, or compute with: those are not alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Nobody's: names are only asked for whether they are equal.
    Nobodys,
    /// Of those that begin something of their own accord (ballots that belong to nodes).
    OfActors,
    /// Of all (ties that names break).
    OfAll,
}

/// A protocol that can be explored.
pub trait Explored: Staged {
    /// Whose names make a difference.
    const NAMES_MATTER: Names;

    /// The searches that are recommended; the first is what `tribunal explore PROTOCOL` does if no bounds are given.
    const GRID: &'static [Expedition];

    /// Whether a message belongs to the choice of a leader, or to how it finds out what was before it: what a search
    /// with coarse elections takes as one step.
    fn is_of_election(message: &Self::Message) -> bool;

    /// Whether a message can no longer matter to a node: delivered now or at any later time, in this life of the node or
    /// in a later one if it may crash, it would change nothing and would be answered by nobody. `node` is `None` while it
    /// is down.
    fn is_moot(
        _config: &Self::Config,
        _node: Option<&Self>,
        _disk: &Self::Durable,
        _from: NodeId,
        _message: &Self::Message,
        _may_crash: bool,
    ) -> bool {
        false
    }

    /// The node without what can make no difference any more, so that states that differ in such alone are one: hints,
    /// counters that nothing is compared with, votes of an election that is over. `None` if nothing is to be left out.
    ///
    /// With `quiet`, nothing that anybody said is still on its way.
    fn settled(
        _config: &Self::Config,
        _node: &Self,
        _disk: &Self::Durable,
        _quiet: bool,
    ) -> Option<Self> {
        None
    }
}

/// Sets a field to a value, for [`Explored::settled`]; whether that changed it.
pub(crate) fn set<T: PartialEq>(field: &mut T, value: T) -> bool {
    let changes = *field != value;
    *field = value;
    changes
}
