//! A cluster of real nodes in synchronous rounds on a complete graph: the setting in which gossip is analysed.
//!
//! In a round every node that gossips turns to one peer, chosen uniformly, and everything that comes of it arrives
//! before the next begins: messages in waves, all of a wave before any of the next. Digests are the first wave, and
//! nothing changes by them; so all that is told in a round was known when it began, as the theory has it.

use std::sync::Arc;

use tribunal_histories::NodeId;
use tribunal_protocols::gossip::{Body, Config, Gossip, Message, Timer};
use tribunal_protocols::{Disk, Effect, Host, Input};

use crate::draw::{Domain, Draw};

/// How one update spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// In which round the last node that heard of it did.
    pub rounds: u32,
    /// How many nodes know it at the end.
    pub reached: usize,
    /// How often a node turned to another by its own timer: a digest, a push, a rumour.
    pub contacts: u64,
    /// All messages, answers among them.
    pub messages: u64,
}

/// A cluster between two rounds.
struct Cluster {
    seed: u64,
    hosts: Vec<Host<Gossip>>,
    disks: Vec<Disk<Gossip>>,
    /// By node: with how many choices its timers come; 0 for one that is not armed.
    gossip: Vec<u64>,
    rumour: Vec<u64>,
    knows: Vec<bool>,
    outbox: Vec<(NodeId, NodeId, Message)>,
    effects: Vec<Effect<Gossip>>,
    spread: Spread,
}

/// Lets one update spread until all know it or nobody tells it any more, for at most so many rounds.
pub fn spread(config: &Config, seed: u64, rounds_max: u32) -> Spread {
    let nodes = config.nodes;
    let mut cluster = Cluster::boot(config, seed);
    let first = NodeId::from_index(Draw::keyed(seed, Domain::Client, 0, 0).index(nodes));
    let request = "write x 1".parse().expect("it is a request");
    let input = Input::Request {
        client: 0,
        sequence: 1,
        request,
    };
    cluster.step(first, input);
    cluster.hears(first, 0);
    for round in 1..=rounds_max {
        let quiet = !cluster.turn(round);
        cluster.deliver(round);
        if quiet
            || cluster.spread.reached == nodes && cluster.rumour.iter().all(|armed| *armed == 0)
        {
            break;
        }
    }
    cluster.spread
}

impl Cluster {
    fn boot(config: &Config, seed: u64) -> Self {
        let nodes = config.nodes;
        let config = Arc::new(config.clone());
        let mut disks: Vec<_> = (0..nodes).map(|_| Disk::default()).collect();
        let mut effects = Vec::new();
        let mut gossip = vec![0; nodes];
        let boot = |node: NodeId| {
            let disk = &mut disks[node.index()];
            let mut host = Host::boot(node, config.clone(), disk, &mut effects);
            host.synced(disk.unsynced_count(), disk, &mut effects);
            for effect in effects.drain(..) {
                if let Effect::SetTimer { choices, .. } = effect {
                    gossip[node.index()] = choices;
                }
            }
            host
        };
        let hosts = NodeId::all(nodes).map(boot).collect();
        Self {
            seed,
            hosts,
            disks,
            gossip,
            rumour: vec![0; nodes],
            knows: vec![false; nodes],
            outbox: Vec::new(),
            effects,
            spread: Spread {
                rounds: 0,
                reached: 0,
                contacts: 0,
                messages: 0,
            },
        }
    }

    /// Every timer that is armed fires. Whether one was.
    fn turn(&mut self, round: u32) -> bool {
        let mut fired = false;
        for node in NodeId::all(self.hosts.len()) {
            let mut draw =
                Draw::keyed(self.seed, Domain::Choice, node.index() as u64, round.into());
            let choices = std::mem::take(&mut self.gossip[node.index()]);
            if choices > 0 {
                self.fire(node, Timer::Gossip, draw.below(choices));
                fired = true;
            }
            let mut choices = std::mem::take(&mut self.rumour[node.index()]);
            while choices > 0 {
                choices = self.fire(node, Timer::Rumour, draw.below(choices));
                fired = true;
            }
        }
        self.spread.contacts += self.outbox.len() as u64;
        fired
    }

    /// A timer fires; if it is armed again for this very round, with how many choices.
    fn fire(&mut self, node: NodeId, timer: Timer, choice: u64) -> u64 {
        self.step(node, Input::Timer { timer, choice })
    }

    /// What is on its way arrives, and what comes of that.
    fn deliver(&mut self, round: u32) {
        while !self.outbox.is_empty() {
            let wave = std::mem::take(&mut self.outbox);
            self.spread.messages += wave.len() as u64;
            for (from, to, message) in wave {
                let tells = matches!(message.body, Body::Delta { .. } | Body::Rumour(_));
                self.step(to, Input::Message { from, message });
                if tells {
                    self.hears(to, round);
                }
            }
        }
    }

    fn hears(&mut self, node: NodeId, round: u32) {
        let place = node.index();
        if !self.knows[place] && !self.disks[place].written().table.records().is_empty() {
            self.knows[place] = true;
            self.spread.reached += 1;
            self.spread.rounds = round;
        }
    }

    /// Gives a node an input; its writes reach its disk at once.
    fn step(&mut self, node: NodeId, input: Input<Gossip>) -> u64 {
        let place = node.index();
        let (host, disk) = (&mut self.hosts[place], &mut self.disks[place]);
        host.step(input, disk, &mut self.effects);
        if disk.is_dirty() {
            host.synced(disk.unsynced_count(), disk, &mut self.effects);
        }
        let mut at_once = 0;
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Send { to, message } => self.outbox.push((node, to, message)),
                Effect::SetTimer {
                    timer,
                    after,
                    choices,
                } => match timer {
                    Timer::Gossip => self.gossip[place] = choices,
                    Timer::Rumour if after.max_us == 0 => at_once = choices,
                    Timer::Rumour => self.rumour[place] = choices,
                },
                Effect::CancelTimer(_)
                | Effect::Reply { .. }
                | Effect::Note(_)
                | Effect::Write(_) => {}
            }
        }
        at_once
    }
}

#[cfg(test)]
mod tests {
    use tribunal_protocols::Bugs;
    use tribunal_protocols::gossip::{Mode, Rumours};

    use super::*;
    use crate::spread::Case;

    #[test]
    fn two_nodes_need_one_round() {
        for mode in [Mode::Push, Mode::Pull, Mode::PushPull] {
            let config = Case::AntiEntropy(mode, 2).config(Bugs::NONE);
            let spread = spread(&config, 7, 10);
            assert_eq!((spread.rounds, spread.reached), (1, 2), "{mode:?}");
            let messages = match mode {
                Mode::Push => 1,
                // The digest of the one that knows is answered by a wish.
                Mode::PushPull => 5,
                _ => 3,
            };
            assert_eq!(spread.messages, messages, "{mode:?}");
        }
    }

    #[test]
    fn what_is_told_in_a_round_was_known_when_it_began() {
        // In a chain of thirds nobody learns in the first round from one who learned in it: at most one node an informed
        // one, with push; and with push-pull whoever turned to it as well.
        for seed in 0..50 {
            let config = Case::AntiEntropy(Mode::Push, 64).config(Bugs::NONE);
            let spread = spread(&config, seed, 5);
            assert!(spread.reached <= 32, "{spread:?}");
        }
    }

    #[test]
    fn a_rumour_that_is_forwarded_once_ends() {
        let config = Case::Rumour(Rumours::ForwardOnce, 100, 2).config(Bugs::NONE);
        let spread = spread(&config, 3, 1_000);
        assert!(spread.rounds < 30 && spread.reached < 100, "{spread:?}");
        assert_eq!(spread.contacts, 2 * spread.reached as u64);
    }
}
