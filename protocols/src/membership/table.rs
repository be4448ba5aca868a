//! The table of members, and what of it survives a crash.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{LogView, MemberStatus, MemberView, NodeId, Ownership, View};

use super::config::Config;
use crate::contract::Durable;
use crate::quorum::NodeSet;

/// A life of a member. Of two that are heard of, the greater counts: a later one, or else its end.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Life {
    /// Which, from 1; 0 before the first.
    pub generation: u64,
    /// Whether it has ended: the member was removed, or left.
    pub removed: bool,
}

impl Life {
    /// The life that a belief is about.
    pub fn of(member: &MemberView) -> Self {
        Self {
            generation: member.generation,
            removed: member.status == MemberStatus::Removed,
        }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.removed { " removed" } else { "" };
        write!(f, "g{}{ended}", self.generation)
    }
}

/// What survives a crash: lives, not opinions; and whatever binds a node (`nodes.conf` of Redis Cluster).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Roster {
    /// By member, its life; founders live their first if nothing is said.
    pub lives: BTreeMap<NodeId, Life>,
    /// The node's own highest incarnation, and the generation in which it took it.
    pub incarnation: (u64, u64),
    /// The highest epoch in which it has voted (`lastVoteEpoch`).
    pub voted: u64,
    /// Slots that have changed hands.
    pub slots: BTreeMap<u16, Ownership>,
}

/// A change of what survives. Each only ever raises something, so one that is lost does not matter to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Write {
    /// A member's life began or ended.
    Life(NodeId, Life),
    /// The node took a new incarnation.
    Incarnation {
        /// In this life.
        generation: u64,
        /// Which.
        incarnation: u64,
    },
    /// The node voted in an epoch.
    Voted(u64),
    /// A slot changed hands.
    Slot(u16, Ownership),
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Life(member, life) => write!(f, "{member} {life}"),
            Self::Incarnation {
                generation,
                incarnation,
            } => write!(f, "incarnation g{generation}.{incarnation}"),
            Self::Voted(epoch) => write!(f, "voted e{epoch}"),
            Self::Slot(slot, Ownership { epoch, owner }) => write!(f, "s{slot} {owner}@{epoch}"),
        }
    }
}

impl Durable for Roster {
    type Write = Write;

    fn apply(&mut self, write: &Write) {
        match *write {
            Write::Life(member, life) => {
                let known = self.lives.entry(member).or_default();
                *known = life.max(*known);
            }
            Write::Incarnation {
                generation,
                incarnation,
            } => self.incarnation = self.incarnation.max((generation, incarnation)),
            Write::Voted(epoch) => self.voted = self.voted.max(epoch),
            Write::Slot(slot, claim) => {
                let known = self.slots.entry(slot).or_insert(claim);
                *known = claim.max(*known);
            }
        }
    }

    fn torn(_write: &Write) -> Option<Write> {
        None
    }

    fn log(&self) -> LogView<'_> {
        LogView::default()
    }

    fn view(&self) -> View<'_> {
        View::default()
    }
}

/// What a node believes of the members, itself included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Table {
    /// In the order of their names.
    members: Vec<MemberView>,
}

impl Table {
    /// The table that a node begins with: what its disk has, and the founders.
    pub(super) fn of(me: NodeId, config: &Config, roster: &Roster) -> Self {
        let begins = |node: NodeId| {
            let outside = Life {
                generation: 0,
                removed: true,
            };
            let first = Life {
                generation: 1,
                removed: false,
            };
            match roster.lives.get(&node) {
                Some(life) => Some(*life),
                None if config.is_founder(node) => Some(first),
                None => (node == me).then_some(outside),
            }
        };
        let mut table = Self::default();
        for node in NodeId::all(config.nodes) {
            if let Some(life) = begins(node) {
                table.begin(node, life, config);
            }
        }
        let (generation, incarnation) = roster.incarnation;
        if let Some(own) = table.find_mut(me)
            && own.generation == generation
        {
            own.incarnation = incarnation;
        }
        table
    }

    /// All members, in the order of their names, those that were removed included.
    pub fn members(&self) -> &[MemberView] {
        &self.members
    }

    /// What is believed of a node, if anything is.
    pub fn find(&self, node: NodeId) -> Option<&MemberView> {
        let place = self.place(node).ok()?;
        self.members.get(place)
    }

    pub(super) fn find_mut(&mut self, node: NodeId) -> Option<&mut MemberView> {
        let place = self.place(node).ok()?;
        self.members.get_mut(place)
    }

    fn place(&self, node: NodeId) -> Result<usize, usize> {
        self.members
            .binary_search_by_key(&node, |member| member.member)
    }

    /// Whether a node is a member: known and not removed.
    pub fn has(&self, node: NodeId) -> bool {
        self.find(node)
            .is_some_and(|member| member.status != MemberStatus::Removed)
    }

    /// Whether a node is a member that has a vote.
    pub(super) fn has_voter(&self, node: NodeId) -> bool {
        self.has(node) && self.find(node).is_some_and(|member| member.votes)
    }

    /// The members, whatever their health.
    pub(super) fn present(&self) -> NodeSet {
        self.those(|member| member.status != MemberStatus::Removed)
    }

    pub(super) fn those(&self, wanted: impl Fn(&MemberView) -> bool) -> NodeSet {
        let members = self.members.iter().filter(|member| wanted(member));
        members.map(|member| member.member).collect()
    }

    /// A life of a member begins, or ends, in this table.
    pub(super) fn begin(&mut self, node: NodeId, life: Life, config: &Config) {
        let status = if life.removed {
            MemberStatus::Removed
        } else {
            MemberStatus::Alive
        };
        let member = MemberView {
            member: node,
            generation: life.generation,
            incarnation: 0,
            status,
            votes: config.masters().contains(node),
        };
        match self.place(node) {
            // The end of a life leaves its incarnation.
            Ok(place) if self.members[place].generation == life.generation => {
                self.members[place].status = status;
            }
            Ok(place) => self.members[place] = member,
            Err(place) => self.members.insert(place, member),
        }
    }

    /// Begins at incarnation 0 again: for a planted bug.
    pub(super) fn forget_incarnation(&mut self, node: NodeId) {
        if let Some(member) = self.find_mut(node) {
            member.incarnation = 0;
        }
    }
}
