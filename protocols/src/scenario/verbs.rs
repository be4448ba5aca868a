//! The commands that are short for several steps, or for a step with a long name.

use std::collections::BTreeMap;

use tribunal_histories::{NodeId, Role};

use super::play::Stage;
use super::{Staged, Wrong, show};
use crate::world::{Address, PacketOf, SharedPacket, Step, World};

/// The most steps that one command may become.
const STEPS_MAX: usize = 10_000;

impl<N: Staged> Stage<N> {
    /// Delivers the one packet whose text begins with these words.
    pub(super) fn deliver(&mut self, words: &str) -> Result<(), Wrong> {
        let way = words.split(' ').next().unwrap_or_default();
        let begins = |text: &str, words: &str| {
            text.strip_prefix(words)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let enabled = self.world.enabled().into_iter();
        let on_the_way: Vec<_> = enabled
            .filter_map(|step| match step {
                Step::Deliver(packet) => Some(packet),
                _ => None,
            })
            .map(|packet| (packet.to_string(), packet))
            .filter(|(text, _)| begins(text, way))
            .collect();
        let names = |packets: &[(String, SharedPacket<N>)]| {
            packets.iter().map(|(text, _)| text.clone()).collect()
        };
        let matching: Vec<_> = on_the_way
            .iter()
            .filter(|(text, _)| begins(text, words))
            .cloned()
            .collect();
        match &matching[..] {
            [(_, packet)] => self.take(&Step::Deliver(packet.clone())),
            [] => Err(Wrong::NoPacket(names(&on_the_way))),
            several => Err(Wrong::Ambiguous(names(several))),
        }
    }

    /// A node asks for votes, and hears the answers of these voters.
    pub(super) fn campaign(&mut self, words: &str) -> Result<NodeId, Wrong> {
        let (candidate, voters) = words.split_once(" with ").unwrap_or((words, ""));
        let candidate = self
            .world
            .node_named(candidate)
            .ok_or(Wrong::NotUnderstood("campaign n1 with n2 n3"))?;
        let voters = self.nodes(voters)?;
        let older: BTreeMap<PacketOf<N>, u16> = self
            .world
            .network()
            .map(|(packet, count)| ((**packet).clone(), count))
            .collect();
        let fire = self.world.find(&format!("fire {candidate} election"))?;
        self.take(&fire)?;
        self.take_all(|world, step| match step {
            _ if leads(world, candidate) => false,
            Step::Sync { node, .. } => *node == candidate || voters.contains(node),
            Step::Deliver(packet) => {
                let between = match (packet.from, packet.to) {
                    (Address::Node(from), Address::Node(to)) => {
                        from == candidate && voters.contains(&to)
                            || to == candidate && (voters.contains(&from) || from == candidate)
                    }
                    _ => false,
                };
                let before = older.get(packet).copied().unwrap_or(0);
                between
                    && world
                        .network()
                        .any(|(other, count)| other == packet && count > before)
            }
            _ => false,
        })?;
        Ok(candidate)
    }

    /// A node asks these voters for votes, and must win.
    pub(super) fn elect(&mut self, words: &str) -> Result<(), Wrong> {
        let candidate = self.campaign(words)?;
        if leads(&self.world, candidate) {
            return Ok(());
        }
        Err(Wrong::Unmet(show::node(&self.world, candidate)))
    }

    /// Everything among these nodes, their clients and their disks arrives.
    pub(super) fn settle(&mut self, words: &str) -> Result<(), Wrong> {
        let group = self.nodes(words)?;
        let within = |end: Address| match end {
            Address::Node(node) => group.contains(&node),
            Address::Client(_) => true,
        };
        self.take_all(|_, step| match step {
            Step::Sync { node, .. } => group.contains(node),
            Step::Deliver(packet) => within(packet.from) && within(packet.to),
            _ => false,
        })
    }

    /// Nothing gets from one side to the other any more.
    pub(super) fn partition(&mut self, words: &str) -> Result<(), Wrong> {
        let Some((left, right)) = words.split_once('|') else {
            return Err(Wrong::NotUnderstood("partition n1 n2 | n3 n4 n5"));
        };
        let (left, right) = (self.nodes(left)?, self.nodes(right)?);
        for (from, to) in [(&left, &right), (&right, &left)] {
            self.take(&Step::Cut {
                from: from.clone(),
                to: to.clone(),
            })?;
        }
        Ok(())
    }

    /// Shows every node, and how every client's latest operation stands.
    pub(super) fn show(&mut self) {
        let nodes = self.all_nodes().into_iter();
        let mut lines: Vec<_> = nodes.map(|node| show::node(&self.world, node)).collect();
        lines.extend(self.latest().map(show::event));
        self.shown.append(&mut lines);
    }

    /// The nodes of a list of names; all, if it is empty.
    pub(super) fn nodes(&self, words: &str) -> Result<Vec<NodeId>, Wrong> {
        if words.trim().is_empty() {
            return Ok(self.all_nodes());
        }
        words
            .split_whitespace()
            .map(|node| self.world.node_named(node))
            .collect::<Option<_>>()
            .ok_or(Wrong::NotUnderstood("… n1 n2 n3, nodes of this cluster"))
    }

    /// Takes the first enabled step that is wanted, until none is.
    fn take_all(&mut self, wanted: impl Fn(&World<N>, &Step<N>) -> bool) -> Result<(), Wrong> {
        for _ in 0..STEPS_MAX {
            let mut enabled = self.world.enabled().into_iter();
            let Some(step) = enabled.find(|step| wanted(&self.world, step)) else {
                return Ok(());
            };
            self.take(&step)?;
        }
        Err(Wrong::NotSettled(STEPS_MAX))
    }
}

fn leads<N: Staged>(world: &World<N>, node: NodeId) -> bool {
    world.view(node).role == Role::Leader
}
