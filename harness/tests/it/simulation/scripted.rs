//! A path through `World` is the same path through nodes that madsim runs.

use tribunal::draw::{Domain, Draw};
use tribunal::runtime::sim::scripted;
use tribunal_histories::{EventRecord, NodeId, Observation};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::raft::{Config, Raft};
use tribunal_protocols::world::{Observer, Setup, SyncMode};
use tribunal_protocols::{Loss, Step, World};

/// All that was to be seen, in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    views: Vec<String>,
    events: Vec<EventRecord>,
    notes: Vec<&'static str>,
}

impl Observer for Seen {
    fn observe(&mut self, now: &Observation<'_>) {
        let durable = now.logs.durable_log(now.node);
        self.views.push(format!(
            "{} {:?} {:?} {:?} {durable:?}",
            now.node, now.cause, now.view, now.sent
        ));
    }

    fn client_event(&mut self, event: EventRecord) {
        self.events.push(event);
    }

    fn note(&mut self, probe: &'static str) {
        self.notes.push(probe);
    }
}

fn setup() -> Setup<Raft> {
    Setup::fresh(Config::of(3), SyncMode::Explicit)
}

fn loss(draw: &mut Draw) -> Loss {
    *draw.pick(&[Loss::All, Loss::Last(1), Loss::Torn(0), Loss::Some(0b101)])
}

/// What a random walk does next: mostly what may happen by itself, now and then a client or a fault.
fn next_step(draw: &mut Draw, world: &World<Raft>, sequence: u32) -> Option<Step<Raft>> {
    let node = NodeId::from_index(draw.index(3));
    let loss = loss(draw);
    let enabled = world.enabled();
    let natural = enabled.get(draw.index(enabled.len())).cloned();
    match draw.below(40) {
        0 => Some(Step::Invoke {
            client: 0,
            sequence,
            to: node,
            request: format!("write x {sequence}").parse().unwrap(),
        }),
        1 => Some(Step::Resend {
            client: 0,
            to: node,
        }),
        2 if draw.below(4) == 0 => Some(Step::Crash { node, loss }),
        3 if draw.below(4) == 0 => natural
            .filter(|step| matches!(step, Step::Deliver(_) | Step::Fire { .. }))
            .map(|step| Step::CrashDuring {
                step: Box::new(step),
                effects: draw.index(4) as u16,
                loss,
            }),
        4 => Some(Step::Restart { node }),
        5 => match natural {
            Some(Step::Deliver(packet)) => Some(Step::Duplicate(packet)),
            _ => None,
        },
        // Elections need peace.
        _ => natural.filter(|step| !matches!(step, Step::Fire { .. }) || draw.below(8) == 0),
    }
}

fn walk(seed: u64, steps: usize) -> (Vec<Step<Raft>>, Seen) {
    let mut draw = Draw::keyed(seed, Domain::Order, 0, 0);
    let mut seen = Seen::default();
    let mut world = setup().start(&mut seen);
    let (mut path, mut sequence) = (Vec::new(), 1);
    for _ in 0..steps {
        let Some(step) = next_step(&mut draw, &world, sequence) else {
            continue;
        };
        if world.take(&step, &mut seen).is_ok() {
            sequence += u32::from(matches!(step, Step::Invoke { .. }));
            path.push(step);
        }
    }
    (path, seen)
}

#[test]
fn a_path_of_world_is_the_same_path_under_madsim() {
    let (mut answered, mut cut) = (0, 0);
    for seed in 0..40 {
        let (path, seen) = walk(seed, 1_500);
        cut += path
            .iter()
            .filter(|step| matches!(step, Step::CrashDuring { .. }))
            .count();
        answered += seen.events.len();
        let again = scripted::run::<Raft, Seen>(&setup(), path, Seen::default());
        assert!(again.unwrap() == seen, "seed {seed}");
    }
    assert!(answered > 200, "only {answered} events of clients");
    assert!(cut > 50, "only {cut} steps were cut short");
}

#[test]
fn a_script_that_does_not_fit_is_refused() {
    let (mut path, _) = walk(1, 400);
    let first = path
        .iter()
        .position(|step| matches!(step, Step::Deliver(_)))
        .unwrap();
    let step = path[first].clone();
    path.splice(first..first, std::iter::repeat_n(step.clone(), 2));
    let refused = scripted::run::<Raft, ()>(&setup(), path, ());
    assert_eq!(refused, Err(scripted::OffScript(step.to_string())));
}
