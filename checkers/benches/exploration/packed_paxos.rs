//! Our Paxos by hand: the system that [`question`](super::paxos::question) asks about, packed into six words.
//!
//! Three nodes; each of two clients proposes one value to a node of its own, the first or the second; no timer fires. So
//! each of those nodes begins at most one ballot, and everything that can ever be on the network has a place of its own.
//! It has as many states and transitions as our Paxos has through the explorer, which the benchmark checks.

use stateright::{Model, Property};

const NODES: u32 = 3;
const PROPOSERS: u32 = 2;

/// Some bits of a word.
#[derive(Clone, Copy)]
struct Field {
    word: usize,
    shift: u32,
    bits: u32,
}

const fn field(word: usize, shift: u32, bits: u32) -> Field {
    Field { word, shift, bits }
}

/// What is in a node's word. Votes are twice the ballot's code and the value, 0 for none.
mod node {
    use super::{Field, field};

    pub(super) const fn ballot(node: u32) -> Field {
        field(node as usize, 0, 2)
    }
    pub(super) const fn promise(node: u32) -> Field {
        field(node as usize, 2, 2)
    }
    pub(super) const fn accepted(node: u32) -> Field {
        field(node as usize, 4, 3)
    }
    /// One of [`super::IDLE`], [`super::PREPARING`], [`super::PROPOSING`].
    pub(super) const fn phase(node: u32) -> Field {
        field(node as usize, 7, 2)
    }
    pub(super) const fn proposed(node: u32) -> Field {
        field(node as usize, 9, 1)
    }
    pub(super) const fn heard_of(node: u32) -> Field {
        field(node as usize, 10, 2)
    }
    pub(super) const fn failures(node: u32) -> Field {
        field(node as usize, 12, 1)
    }
    /// Whether it is promised by an acceptor, and the vote that this told.
    pub(super) const fn promised_by(node: u32, acceptor: u32) -> Field {
        field(node as usize, 13 + 4 * acceptor, 4)
    }
    pub(super) const fn promises(node: u32) -> Field {
        field(node as usize, 13, 12)
    }
    pub(super) const fn heard(node: u32, acceptor: u32) -> Field {
        field(node as usize, 25 + 3 * acceptor, 3)
    }
    /// The value and 1; 0 for none.
    pub(super) const fn learned(node: u32) -> Field {
        field(node as usize, 34, 2)
    }
    pub(super) const fn waiting(node: u32) -> Field {
        field(node as usize, 36, 1)
    }
    pub(super) const fn round_timer(node: u32) -> Field {
        field(node as usize, 37, 1)
    }
    pub(super) const fn learn_timer(node: u32) -> Field {
        field(node as usize, 38, 1)
    }
}

/// What is on the network and what clients saw: 0 where there is nothing.
mod on_the_way {
    use super::{Field, field};

    pub(super) const fn prepare(proposer: u32, acceptor: u32) -> Field {
        field(3, 3 * proposer + acceptor, 1)
    }
    /// 8 and the vote that it tells.
    pub(super) const fn promise(proposer: u32, acceptor: u32) -> Field {
        field(3, 6 + 4 * (3 * proposer + acceptor), 4)
    }
    /// The value and 1.
    pub(super) const fn accept(proposer: u32, acceptor: u32) -> Field {
        field(3, 30 + 2 * (3 * proposer + acceptor), 2)
    }
    /// The value and 1.
    pub(super) const fn chosen(proposer: u32, acceptor: u32) -> Field {
        field(3, 42 + 2 * (3 * proposer + acceptor), 2)
    }
    pub(super) const fn request(proposer: u32) -> Field {
        field(3, 54 + proposer, 1)
    }
    /// The value and 1.
    pub(super) const fn response(proposer: u32) -> Field {
        field(3, 56 + 2 * proposer, 2)
    }
    /// The value and 1.
    pub(super) const fn accepted(proposer: u32, acceptor: u32, learner: u32) -> Field {
        field(4, 2 * (9 * proposer + 3 * acceptor + learner), 2)
    }
    /// Events in their order, 3 bits each: a client's invocation, or its completion with a value.
    pub(super) const fn event(place: u32) -> Field {
        field(5, 3 * place, 3)
    }
}

const IDLE: u64 = 0;
const PREPARING: u64 = 1;
const PROPOSING: u64 = 2;

/// Ballots and their codes: 1, 2 and 4 are 1, 2 and 3, in their order.
const FOUR: u64 = 3;
/// The highest ballot that may be promised.
const BOUND: u64 = 1;

/// A state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State([u64; 6]);

impl State {
    fn get(&self, field: Field) -> u64 {
        self.0[field.word] >> field.shift & ((1 << field.bits) - 1)
    }

    fn set(&mut self, field: Field, value: u64) {
        let mask = ((1 << field.bits) - 1) << field.shift;
        let word = &mut self.0[field.word];
        *word = *word & !mask | value << field.shift;
    }

    fn clear(&mut self, field: Field) -> u64 {
        let value = self.get(field);
        self.set(field, 0);
        value
    }

    fn saw(&mut self, event: u64) {
        let free = (0..4).find(|place| self.get(on_the_way::event(*place)) == 0);
        self.set(on_the_way::event(free.expect("of four events")), event);
    }

    fn has_invoked(&self, client: u32) -> bool {
        (0..4).any(|place| self.get(on_the_way::event(place)) == 1 + u64::from(client))
    }

    /// The ballot below which an acceptor accepts nothing.
    fn promised(&self, node: u32) -> u64 {
        let voted = self.get(node::accepted(node)) >> 1;
        self.get(node::promise(node)).max(voted)
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A client begins its operation.
    Invoke(u32),
    /// A request arrives.
    Request(u32),
    /// A response arrives.
    Response(u32),
    /// 1a arrives at an acceptor.
    Prepare(u32, u32),
    /// 1b arrives at a proposer.
    Promise(u32, u32),
    /// 2a arrives at an acceptor.
    Accept(u32, u32),
    /// 2b arrives at a learner.
    Accepted(u32, u32, u32),
    /// A proposer is told what is chosen.
    Chosen(u32, u32),
}

/// The model.
pub struct Packed;

impl Model for Packed {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for proposer in 0..PROPOSERS {
            let mut offer = |field, step| {
                if state.get(field) != 0 {
                    steps.push(step);
                }
            };
            offer(on_the_way::request(proposer), Step::Request(proposer));
            offer(on_the_way::response(proposer), Step::Response(proposer));
            for acceptor in 0..NODES {
                let way = (proposer, acceptor);
                offer(
                    on_the_way::prepare(way.0, way.1),
                    Step::Prepare(way.0, way.1),
                );
                offer(
                    on_the_way::promise(way.0, way.1),
                    Step::Promise(way.0, way.1),
                );
                offer(on_the_way::accept(way.0, way.1), Step::Accept(way.0, way.1));
                offer(on_the_way::chosen(way.0, way.1), Step::Chosen(way.0, way.1));
                for learner in 0..NODES {
                    let field = on_the_way::accepted(proposer, acceptor, learner);
                    offer(field, Step::Accepted(proposer, acceptor, learner));
                }
            }
            if !state.has_invoked(proposer) {
                steps.push(Step::Invoke(proposer));
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = *state;
        match step {
            Step::Invoke(client) => {
                next.saw(1 + u64::from(client));
                next.set(on_the_way::request(client), 1);
            }
            Step::Request(proposer) => next.serve(proposer),
            Step::Response(client) => {
                let value = next.clear(on_the_way::response(client)) - 1;
                next.saw(3 + 2 * u64::from(client) + value);
            }
            Step::Prepare(proposer, acceptor) => next.prepare(proposer, acceptor)?,
            Step::Promise(proposer, acceptor) => next.gather(proposer, acceptor),
            Step::Accept(proposer, acceptor) => next.accept(proposer, acceptor),
            Step::Accepted(proposer, acceptor, learner) => {
                next.count_vote(proposer, acceptor, learner);
            }
            Step::Chosen(proposer, acceptor) => {
                let value = next.clear(on_the_way::chosen(proposer, acceptor)) - 1;
                next.learn(proposer, value);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("agreement", |_, state: &State| {
            let learned = (0..NODES).map(|node| state.get(node::learned(node)));
            learned.fold(0, |all, one| all | one) != 3
        })]
    }
}

impl State {
    fn serve(&mut self, proposer: u32) {
        self.set(on_the_way::request(proposer), 0);
        let learned = self.get(node::learned(proposer));
        if learned != 0 {
            self.set(on_the_way::response(proposer), learned);
            return;
        }
        self.set(node::waiting(proposer), 1);
        let ballot = match (proposer, self.get(node::heard_of(proposer))) {
            (0, 2) => FOUR,
            (0, _) => 1,
            _ => 2,
        };
        self.set(node::ballot(proposer), ballot);
        self.set(node::phase(proposer), PREPARING);
        self.set(node::round_timer(proposer), 1);
        self.set(node::failures(proposer), 1);
        for acceptor in 0..NODES {
            self.set(on_the_way::prepare(proposer, acceptor), 1);
        }
    }

    /// `None` beyond the bound.
    fn prepare(&mut self, proposer: u32, acceptor: u32) -> Option<()> {
        self.set(on_the_way::prepare(proposer, acceptor), 0);
        let ballot = self.get(node::ballot(proposer));
        let heard_of = self.get(node::heard_of(acceptor)).max(ballot);
        self.set(node::heard_of(acceptor), heard_of);
        let learned = self.get(node::learned(acceptor));
        if learned != 0 {
            self.set(on_the_way::chosen(proposer, acceptor), learned);
            return Some(());
        }
        let promised = self.promised(acceptor);
        if ballot < promised {
            return Some(());
        }
        if ballot > BOUND {
            return None;
        }
        if ballot > promised {
            self.set(node::promise(acceptor), ballot);
        }
        let told = 8 + self.get(node::accepted(acceptor));
        self.set(on_the_way::promise(proposer, acceptor), told);
        Some(())
    }

    fn gather(&mut self, proposer: u32, acceptor: u32) {
        let told = self.clear(on_the_way::promise(proposer, acceptor));
        if self.get(node::phase(proposer)) != PREPARING {
            return;
        }
        self.set(node::promised_by(proposer, acceptor), told);
        let promises = (0..NODES).map(|acceptor| self.get(node::promised_by(proposer, acceptor)));
        let (mut count, mut highest) = (0, 0);
        for promise in promises {
            count += promise >> 3;
            highest = highest.max(promise & 7);
        }
        if count < 2 {
            return;
        }
        let value = match highest {
            0 => u64::from(proposer),
            vote => vote & 1,
        };
        self.set(node::phase(proposer), PROPOSING);
        self.set(node::promises(proposer), 0);
        self.set(node::proposed(proposer), value);
        for acceptor in 0..NODES {
            self.set(on_the_way::accept(proposer, acceptor), value + 1);
        }
    }

    fn accept(&mut self, proposer: u32, acceptor: u32) {
        let value = self.clear(on_the_way::accept(proposer, acceptor)) - 1;
        let ballot = self.get(node::ballot(proposer));
        if ballot < self.promised(acceptor) {
            return;
        }
        self.set(node::accepted(acceptor), 2 * ballot + value);
        for learner in 0..NODES {
            self.set(on_the_way::accepted(proposer, acceptor, learner), value + 1);
        }
        self.wait_to_learn(acceptor);
    }

    fn wait_to_learn(&mut self, node: u32) {
        if self.get(node::learned(node)) == 0 {
            self.set(node::learn_timer(node), 1);
        }
    }

    fn count_vote(&mut self, proposer: u32, acceptor: u32, learner: u32) {
        let value = self.clear(on_the_way::accepted(proposer, acceptor, learner)) - 1;
        let vote = 2 * self.get(node::ballot(proposer)) + value;
        let heard = node::heard(learner, acceptor);
        if self.get(heard) >> 1 < vote >> 1 {
            self.set(heard, vote);
        }
        let votes = (0..NODES).filter(|acceptor| self.get(node::heard(learner, *acceptor)) == vote);
        if votes.count() >= 2 {
            self.learn(learner, value);
        } else {
            self.wait_to_learn(learner);
        }
    }

    fn learn(&mut self, node: u32, value: u64) {
        if self.get(node::learned(node)) == 0 {
            self.set(node::learned(node), value + 1);
            self.set(node::learn_timer(node), 0);
        }
        if self.clear(node::waiting(node)) != 0 {
            self.set(on_the_way::response(node), value + 1);
        }
        self.set(node::phase(node), IDLE);
        self.set(node::promises(node), 0);
        self.set(node::proposed(node), 0);
        self.set(node::failures(node), 0);
        self.set(node::round_timer(node), 0);
    }
}
