//! Which moves there are in a state: what may happen by itself, what clients do, and what goes wrong within the budget.

use std::collections::BTreeMap;

use tribunal_histories::{NodeId, NodeSet};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::explored::Explored;
use tribunal_protocols::world::{Address, SharedPacket, SyncMode, World};
use tribunal_protocols::{ClientId, Loss, Step};

use super::bounds::{Asked, Budget, Grain};
use super::moves::{Carried, CrashPoint, Move, What, begins_at};
use super::search::Search;
use super::state::State;

/// Which of the further ones of a kind of fault are still in the budget.
fn more(spent: u8, budget: u8) -> bool {
    spent < budget
}

impl<N: Explored> Search<N> {
    /// All moves of a state.
    pub(super) fn moves(&self, state: &State<N>, moves: &mut Vec<Move<N>>) {
        if let Some(near) = &self.neighbourhood {
            return near.moves(state, self.setup.sync, moves);
        }
        let mut steps = Vec::new();
        self.natural_steps(state, &mut steps);
        self.client_steps(state, &mut steps);
        if !self.mover.exchanges() && self.budget.late == 0 {
            self.crash_points(state, &steps, moves);
            moves.extend(steps.into_iter().map(Move::of));
        } else {
            for step in steps {
                self.exchanges(state, &step, moves);
            }
        }
        self.faults(state, moves);
        self.losses(state, moves);
    }

    /// What may happen without a client or a fault: packets arrive, writes reach disks, and timers fire, within the
    /// budget.
    fn natural_steps(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        let enabled = state.world.enabled().into_iter();
        steps.extend(enabled.filter(|step| match step {
            Step::Fire { node, timer, .. } => {
                let kind = self.kind_of(timer);
                let allowed = self.budget.timeouts.allowed(kind);
                let may = allowed.is_none_or(|most| more(state.spent.timeouts[kind], most));
                may && self.is_actor(*node)
            }
            _ => true,
        }));
        if more(state.spent.duplicates, self.budget.duplicates) {
            let packets = state.world.network().filter(|(packet, count)| {
                *count == 1 && packet.from != packet.to && matches!(packet.to, Address::Node(_))
            });
            steps.extend(packets.map(|(packet, _)| Step::Duplicate(packet.clone())));
        }
    }

    /// Clients that wait for nothing invoke their next operation; others send theirs again, within the budget.
    fn client_steps(&self, state: &State<N>, steps: &mut Vec<Step<N>>) {
        let mut before: Option<(&Vec<N::Request>, bool)> = None;
        for (client, requests) in (0 as ClientId..).zip(&self.requests) {
            let call = state.world.call(client);
            // Of clients that will do the same, the first begins first.
            let waits = self.reductions.clients
                && self.budget.asked == Asked::Any
                && before == Some((requests, false));
            before = Some((requests, call.is_some()));
            if waits && call.is_none() {
                continue;
            }
            let (made, open) = call.unwrap_or((0, false));
            if open {
                if more(state.spent.resends, self.budget.resends) {
                    let nodes = self.asked_by(client, state);
                    steps.extend(nodes.map(|to| Step::Resend { client, to }));
                }
            } else if let Some(request) = requests.get(made as usize) {
                let nodes = self.asked_by(client, state);
                steps.extend(nodes.map(|to| Step::Invoke {
                    client,
                    sequence: made + 1,
                    to,
                    request: request.clone(),
                }));
            }
        }
    }

    /// The nodes that a client may ask. Where a request arrives at once, asking a node that is down is asking nobody.
    fn asked_by<'s>(
        &'s self,
        client: ClientId,
        state: &'s State<N>,
    ) -> impl Iterator<Item = NodeId> + 's {
        let actors = self.actors();
        let own = usize::try_from(client).unwrap_or_default() % actors;
        let asked = move |node: &NodeId| match self.budget.asked {
            Asked::Any => true,
            Asked::Own => node.index() == own,
        };
        let nodes = NodeId::all(actors).filter(asked);
        nodes.filter(|node| !self.reductions.absorb || state.world.node(*node).is_some())
    }

    /// Where a node may crash in the middle of one of these steps. After no effect, nothing but the packet or timer is
    /// gone; after all, the node crashes between steps.
    fn crash_points(&self, state: &State<N>, steps: &[Step<N>], moves: &mut Vec<Move<N>>) {
        if !self.may_crash_within(state) {
            return;
        }
        for step in steps {
            let effects = state.world.effects_of(step).unwrap_or(0);
            let cuts = (1..effects).map(|kept| during(step, kept));
            moves.extend(cuts.map(Move::of));
        }
    }

    /// Whether a node may crash now.
    fn may_crash(&self, state: &State<N>) -> bool {
        more(state.spent.crashes, self.budget.crashes)
    }

    fn may_crash_within(&self, state: &State<N>) -> bool {
        self.budget.crash_within_steps && self.may_crash(state)
    }

    /// A step, and the exchanges that may come of it: among which nodes, whose answers are lost, who crashes when, and
    /// what is late.
    fn exchanges(&self, state: &State<N>, step: &Step<N>, moves: &mut Vec<Move<N>>) {
        let everybody = NodeSet::all(self.setup.config.nodes());
        let whole = Move {
            contact: everybody,
            ..Move::of(step.clone())
        };
        let within = self.may_crash_within(state);
        let Some((probe, world)) = self.probe(state, &whole, within) else {
            return;
        };
        // What is not beyond the bound after the whole exchange is not after a part of it.
        if self.is_beyond_term(&world) && self.ends_alone(state, step) {
            return;
        }
        let mut reached = probe.reached;
        if let Some(node) = begins_at(step) {
            reached.remove(node);
        }
        let mut begin = vec![step.clone()];
        if within {
            let effects = state.world.effects_of(step).unwrap_or(0);
            begin.extend((1..effects).map(|kept| during(step, kept)));
        }
        for (place, step) in begin.into_iter().enumerate() {
            let most = self.budget.contacts.map_or(usize::MAX, usize::from);
            for contact in subsets(reached).filter(|contact| contact.len() <= most) {
                for backwards in [false, true] {
                    if backwards && contact.len() < 2 {
                        continue;
                    }
                    let it = Move {
                        contact,
                        backwards,
                        ..Move::of(step.clone())
                    };
                    if self.budget.grain == Grain::Rounds {
                        self.rounds(state, it, everybody, moves);
                        continue;
                    }
                    self.mutes(state, &it, moves);
                    let crashes = within && place == 0;
                    if crashes || self.budget.late > 0 {
                        let carried = self.probe(state, &it, crashes);
                        let carried = carried.map(|(carried, _)| carried).unwrap_or_default();
                        self.crashes_within(state, &it, &carried, crashes, moves);
                        self.late(state, &it, &carried, moves);
                    }
                    moves.push(it);
                }
            }
        }
    }

    /// The same move, with whom what follows an election may reach, and whether the node hears of it.
    fn rounds(&self, state: &State<N>, it: Move<N>, everybody: NodeSet, moves: &mut Vec<Move<N>>) {
        let whole = Move {
            reach: Some(everybody),
            ..it
        };
        let follows = self
            .probe(state, &whole, false)
            .is_some_and(|(carried, _)| carried.follows);
        if !follows {
            return moves.push(whole);
        }
        for reach in subsets(everybody) {
            let heard = Move {
                reach: Some(reach),
                ..whole.clone()
            };
            let mute = reach;
            let unheard = (!mute.is_empty()).then(|| Move {
                mute,
                ..heard.clone()
            });
            moves.extend([Some(heard), unheard].into_iter().flatten());
        }
    }

    /// The same move with the answers of some nodes lost.
    fn mutes(&self, state: &State<N>, it: &Move<N>, moves: &mut Vec<Move<N>>) {
        let left = usize::from(self.budget.drops.saturating_sub(state.spent.drops));
        let some = subsets(it.contact).filter(|mute| !mute.is_empty() && mute.len() <= left);
        moves.extend(some.map(|mute| Move { mute, ..it.clone() }));
    }

    /// The same move, in which a node crashes while it is given something.
    fn crashes_within(
        &self,
        _state: &State<N>,
        it: &Move<N>,
        carried: &Carried,
        crashes: bool,
        moves: &mut Vec<Move<N>>,
    ) {
        if !crashes {
            return;
        }
        for (delivery, all) in (0..).zip(&carried.effects) {
            moves.extend((1..*all).map(|effects| Move {
                crash: Some(CrashPoint { delivery, effects }),
                ..it.clone()
            }));
        }
    }

    /// The same move, with a packet that would be lost late instead.
    fn late(&self, state: &State<N>, it: &Move<N>, carried: &Carried, moves: &mut Vec<Move<N>>) {
        let on_their_way = state
            .world
            .network()
            .filter(|(packet, _)| self.mover.is_exchanged::<N>(packet, false));
        if on_their_way.count() < usize::from(self.budget.late) {
            moves.extend((0..carried.lost).map(|place| Move {
                late: Some(place),
                ..it.clone()
            }));
        }
    }

    /// Whether a step is beyond the bound of terms already where nobody else hears of it: an exchange is then, too.
    fn ends_alone(&self, state: &State<N>, step: &Step<N>) -> bool {
        let alone = self.probe(state, &Move::of(step.clone()), false);
        alone.is_some_and(|(_, world)| self.is_beyond_term(&world))
    }

    /// What a move would do, and to what world it would lead.
    fn probe(
        &self,
        state: &State<N>,
        it: &Move<N>,
        count_effects: bool,
    ) -> Option<(Carried, World<N>)> {
        let mut world = state.world.clone();
        let carried = self
            .mover
            .carry_out(&mut world, it, &mut (), count_effects, &mut |_| ());
        Some((carried.ok()?, world))
    }

    /// Nodes crash between steps, and nodes that are down start again; links are cut, and mended.
    fn faults(&self, state: &State<N>, moves: &mut Vec<Move<N>>) {
        let world = &state.world;
        let nodes = self.setup.config.nodes();
        let restarts = self.budget.restarts;
        let mut steps = Vec::new();
        for node in NodeId::all(nodes) {
            if world.node(node).is_none() {
                if restarts.is_none_or(|most| more(state.spent.restarts, most)) {
                    steps.push(Step::Restart { node });
                }
            } else if self.may_crash(state) {
                let loss = Loss::All;
                steps.push(Step::Crash { node, loss });
                if self.setup.sync == SyncMode::Explicit && world.disk(node).is_dirty() {
                    let loss = Loss::Last(0);
                    steps.push(Step::Crash { node, loss });
                }
            }
        }
        for step in steps {
            match self.mover.exchanges() {
                true => self.exchanges(state, &step, moves),
                false => moves.push(Move::of(step)),
            }
        }
        if more(state.spent.cuts, self.budget.cuts) {
            for one in NodeId::all(nodes) {
                for other in NodeId::all(nodes).skip(one.index() + 1) {
                    if !world.is_cut(one, other) {
                        let both = [one, other].to_vec();
                        let (from, to) = (both.clone(), both);
                        moves.push(Move::of(Step::Cut { from, to }));
                    }
                }
            }
        }
        let all = NodeId::all(nodes);
        let is_cut = |one| {
            all.clone()
                .any(|other| one != other && world.is_cut(one, other))
        };
        if self.budget.cuts > 0 && all.clone().any(is_cut) {
            moves.push(Move::of(Step::Heal));
        }
    }

    /// Where packets keep their order, what is first on a link may be lost, so that what follows arrives.
    fn losses(&self, state: &State<N>, moves: &mut Vec<Move<N>>) {
        if !self.budget.in_order || !more(state.spent.drops, self.budget.drops) {
            return;
        }
        let mut first: BTreeMap<_, &SharedPacket<N>> = BTreeMap::new();
        for (packet, _) in state.world.network() {
            first.entry((packet.from, packet.to)).or_insert(packet);
        }
        moves.extend(first.into_values().map(|packet| Move {
            what: What::Lose(packet.clone()),
            contact: NodeSet::EMPTY,
            reach: None,
            backwards: false,
            mute: NodeSet::EMPTY,
            crash: None,
            late: None,
        }));
    }

    /// How many nodes are asked by clients and have timers fire.
    pub(super) fn actors(&self) -> usize {
        actors(&self.budget, self.setup.config.nodes())
    }

    fn is_actor(&self, node: NodeId) -> bool {
        node.index() < self.actors()
    }
}

/// How many nodes are asked by clients and have timers fire.
pub(super) fn actors(budget: &Budget, nodes: usize) -> usize {
    budget.actors.unwrap_or(nodes).clamp(1, nodes)
}

/// A crash in the middle of a step.
fn during<N: Explored>(step: &Step<N>, effects: usize) -> Step<N> {
    Step::CrashDuring {
        step: Box::new(step.clone()),
        effects: u16::try_from(effects).unwrap_or(u16::MAX),
        loss: Loss::Last(0),
    }
}

/// All sets of some of these nodes, none among them.
fn subsets(of: NodeSet) -> impl Iterator<Item = NodeSet> {
    let all = of.bits();
    let mut next = Some(0_u64);
    std::iter::from_fn(move || {
        let bits = next?;
        // Counting within the bits of `all`.
        next = (bits != all).then(|| (bits | !all).wrapping_add(1) & all);
        Some(NodeSet::from_bits(bits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_all_and_each_once() {
        let of = NodeSet::from_bits(0b1011);
        let found: Vec<_> = subsets(of).map(NodeSet::bits).collect();
        assert_eq!(found, [0, 1, 0b10, 0b11, 0b1000, 0b1001, 0b1010, 0b1011]);
        assert_eq!(subsets(NodeSet::EMPTY).count(), 1);
    }
}
