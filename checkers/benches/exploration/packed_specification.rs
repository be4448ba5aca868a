//! `Paxos.tla` by hand, packed into four words: three acceptors, two values, at most four ballots.

use stateright::{Model, Property};

const ACCEPTORS: u32 = 3;
const VALUES: u64 = 2;
/// Bits of a vote: twice the ballot and 2, and the value; 0 for none.
const VOTE: u32 = 4;

/// A state: the acceptors, and by kind of message those that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// By acceptor, 8 bits: `maxBal` and 1, then its vote.
    acceptors: u32,
    /// By ballot: 1a.
    prepares: u8,
    /// By ballot, 2 bits: 2a, the value and 1.
    proposals: u8,
    /// By ballot and acceptor: whether it has sent 2b.
    accepted: u16,
    /// By ballot and acceptor, 5 bits: 16 for a 1b, and the vote that it tells.
    promises: [u16; 4],
}

/// An action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `Phase1a(b)`
    Prepare(u32),
    /// `Phase1b(a)`
    Promise(u32, u32),
    /// `Phase2a(b, v)`
    Propose(u32, u64),
    /// `Phase2b(a)`
    Accept(u32, u32),
}

impl State {
    fn promised(&self, acceptor: u32) -> u32 {
        self.acceptors >> (8 * acceptor) & 7
    }

    fn vote(&self, acceptor: u32) -> u32 {
        self.acceptors >> (8 * acceptor + 3) & 0b1111
    }

    fn set_acceptor(&mut self, acceptor: u32, promised: u32, vote: u32) {
        self.acceptors &= !(0xff << (8 * acceptor));
        self.acceptors |= (promised | vote << 3) << (8 * acceptor);
    }

    fn proposal(&self, ballot: u32) -> u32 {
        u32::from(self.proposals) >> (2 * ballot) & 3
    }

    fn told(&self, ballot: u32, acceptor: u32) -> u32 {
        u32::from(self.promises[ballot as usize]) >> ((VOTE + 1) * acceptor) & 0b1_1111
    }

    /// The values that `Phase2a` may propose, as bits.
    fn safe(&self, ballot: u32) -> u32 {
        let mut safe = 0;
        for left_out in 0..ACCEPTORS {
            let (mut both, mut highest) = (true, 0);
            for acceptor in (0..ACCEPTORS).filter(|acceptor| *acceptor != left_out) {
                let told = self.told(ballot, acceptor);
                both &= told != 0;
                highest = highest.max(told & 0b1111);
            }
            if both {
                safe |= match highest {
                    0 => 0b11,
                    vote => 1 << (vote & 1),
                };
            }
        }
        safe
    }
}

/// The model, with so many ballots.
pub struct Packed(pub u32);

impl Model for Packed {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for ballot in 0..self.0 {
            if state.prepares >> ballot & 1 == 0 {
                actions.push(Action::Prepare(ballot));
            } else {
                let may = (0..ACCEPTORS).filter(|who| ballot + 1 > state.promised(*who));
                actions.extend(may.map(|who| Action::Promise(who, ballot)));
            }
            match state.proposal(ballot) {
                0 => {
                    let safe = state.safe(ballot);
                    let values = (0..VALUES).filter(|value| safe >> value & 1 == 1);
                    actions.extend(values.map(|value| Action::Propose(ballot, value)));
                }
                value => {
                    let vote = 2 * (ballot + 1) + value - 1;
                    let may = (0..ACCEPTORS).filter(|who| {
                        ballot + 1 >= state.promised(*who) && state.vote(*who) != vote
                    });
                    actions.extend(may.map(|who| Action::Accept(who, ballot)));
                }
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        match action {
            Action::Prepare(ballot) => next.prepares |= 1 << ballot,
            Action::Promise(who, ballot) => {
                let vote = state.vote(who);
                next.set_acceptor(who, ballot + 1, vote);
                let told = u16::try_from(0b1_0000 | vote).expect("five bits");
                next.promises[ballot as usize] |= told << ((VOTE + 1) * who);
            }
            Action::Propose(ballot, value) => {
                let proposal = u8::try_from(value + 1).expect("two bits");
                next.proposals |= proposal << (2 * ballot);
            }
            Action::Accept(who, ballot) => {
                let vote = 2 * (ballot + 1) + state.proposal(ballot) - 1;
                next.set_acceptor(who, ballot + 1, vote);
                next.accepted |= 1 << (3 * ballot + who);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "one value is chosen",
            |model, state: &State| {
                let chosen = (0..model.0)
                    .filter(|ballot| (state.accepted >> (3 * ballot) & 0b111).count_ones() >= 2);
                let values =
                    chosen.fold(0_u32, |values, ballot| values | 1 << state.proposal(ballot));
                values.count_ones() <= 1
            },
        )]
    }
}
