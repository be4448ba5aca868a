//! Random walks through a world: whatever order things happen in, Raft elects, commits and stays consistent.

use tribunal_histories::{EventRecord, Kind, NodeId, Role};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::raft::{Config, Raft};
use tribunal_protocols::world::SyncMode;
use tribunal_protocols::{Bugs, Loss, Step, World};

/// A small pseudo-random sequence (Knuth's MMIX constants): enough to pick steps in a test.
struct Walk(u64);

impl Walk {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

/// Small snapshots, so that walks come past many.
fn config(seed: u64) -> Config {
    Config {
        snapshot_after: 3,
        entries_kept: seed % 3,
        ..Config::of(3)
    }
}

fn walk(seed: u64, steps: usize, sync: SyncMode) -> (World<Raft>, Vec<EventRecord>, Vec<String>) {
    let mut walk = Walk(seed);
    let mut events = Vec::new();
    let mut world = World::<Raft>::fresh(config(seed), sync, &mut ());
    let mut names = Vec::new();
    let (mut client, mut sequence) = (0, 0);
    for _ in 0..steps {
        let steps: Vec<_> = world.enabled();
        let down = NodeId::all(3).find(|node| world.node(*node).is_none());
        let node = NodeId::from_index(walk.below(3));
        let step = match walk.below(40) {
            0 => Step::Invoke {
                client,
                sequence,
                to: node,
                request: format!("write x {sequence}").parse().unwrap(),
            },
            1 => Step::Resend { client, to: node },
            2 if walk.below(8) == 0 => Step::GiveUp { client },
            3 if walk.below(4) == 0 => Step::Crash {
                node,
                loss: Loss::Last(1),
            },
            4 => match down {
                Some(node) => Step::Restart { node },
                None => continue,
            },
            _ => {
                // Timers are as likely as all packets together would make them unlikely: elections need peace.
                let Some(step) = steps.get(walk.below(steps.len().max(1))) else {
                    continue;
                };
                if matches!(step, Step::Fire { .. }) && walk.below(8) > 0 {
                    continue;
                } else {
                    step.clone()
                }
            }
        };
        if world.take(&step, &mut events).is_ok() {
            match step {
                Step::Invoke { .. } => sequence += 1,
                Step::GiveUp { .. } => (client, sequence) = (client + 1, 0),
                _ => {}
            }
            names.push(step.to_string());
        }
    }
    (world, events, names)
}

#[test]
fn logs_agree_and_clients_are_served() {
    let (mut answered, mut compared) = (0, 0);
    for seed in 0..60 {
        for sync in [SyncMode::Immediate, SyncMode::Explicit] {
            let (world, events, _) = walk(seed, 1500, sync);
            answered += events.iter().filter(|event| event.kind == Kind::Ok).count();
            let leaders: Vec<_> = NodeId::all(3)
                .filter(|node| world.view(*node).role == Role::Leader)
                .collect();
            for (one, other) in leaders.iter().zip(leaders.iter().skip(1)) {
                assert_ne!(
                    world.view(*one).term,
                    world.view(*other).term,
                    "seed {seed}: two leaders in one term"
                );
            }
            for one in NodeId::all(3) {
                for other in NodeId::all(3) {
                    let (one, other) = (world.view(one), world.view(other));
                    let both = one.commit_index.min(other.commit_index);
                    // What one of them has compacted cannot be compared.
                    if let (Some(left), Some(right)) = (one.log.at(both), other.log.at(both)) {
                        assert_eq!(left, right, "seed {seed}: committed prefixes differ");
                        compared += u64::from(both > 0);
                    }
                }
            }
        }
    }
    assert!(
        answered > 500,
        "only {answered} operations of 120 walks were answered"
    );
    assert!(compared > 500, "only {compared} prefixes could be compared");
}

#[test]
fn the_names_of_a_walk_lead_the_same_way_again() {
    for seed in 0..20 {
        let (end, events, names) = walk(seed, 800, SyncMode::Explicit);
        let mut world = World::<Raft>::fresh(config(seed), SyncMode::Explicit, &mut ());
        let mut again = Vec::new();
        for name in &names {
            let step = world
                .find(name)
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(step.to_string(), *name);
            world
                .take(&step, &mut again)
                .unwrap_or_else(|error| panic!("seed {seed}, {name}: {error}"));
        }
        assert_eq!(again, events);
        for node in NodeId::all(3) {
            assert_eq!(world.view(node), end.view(node));
        }
    }
}

/// Short walks from the same start come to the same places again, where other things happen.
#[test]
fn a_world_that_remembers_what_nodes_did_ends_where_one_that_does_not_ends() {
    for sync in [SyncMode::Immediate, SyncMode::Explicit] {
        let starts = [0, 1, 2].map(|seed| {
            let mut start = World::<Raft>::fresh(config(seed), sync, &mut ());
            start.remember_deeds();
            start
        });
        for (seed, start) in (0..600).zip(starts.iter().cycle()) {
            let (end, events, names) = walk(seed, 60, sync);
            let (mut world, mut again) = (start.clone(), Vec::new());
            for name in &names {
                let step = world
                    .find(name)
                    .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                world.take(&step, &mut again).expect("it is enabled");
            }
            assert_eq!(again, events, "seed {seed}");
            assert!(world == end, "seed {seed}");
        }
    }
}

#[test]
fn no_bug_is_on_by_accident() {
    assert_eq!(Config::of(5).bugs, Bugs::NONE);
}
