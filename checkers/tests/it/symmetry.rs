//! Nodes that are alike may change names: a run with the names changed ends in the state with the names changed, by the
//! fingerprints that an explorer goes by; and what is called moot does nothing, whenever it arrives.

use tribunal_checkers::properties::Monitor;
use tribunal_histories::{EventRecord, NodeId, NodeSet, Observation, Renaming, Renamings};
use tribunal_protocols::contract::{Configuration, with_fields};
use tribunal_protocols::explored::Explored;
use tribunal_protocols::paxos::Paxos;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::world::{Address, Body, Observer, Setup, SharedPacket, SyncMode};
use tribunal_protocols::{Step, World};

/// A monitor that watches a world.
struct Watching(Monitor);

impl Observer for Watching {
    fn observe(&mut self, observation: &Observation<'_>) {
        self.0.observe(observation);
    }
    fn client_event(&mut self, _event: EventRecord) {}
    fn note(&mut self, _probe: &'static str) {}
}

/// Numbers that look random and are the same in every run (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

/// All that may happen to a cluster: by itself, by clients and by crashes.
fn all_steps<N: Explored>(world: &World<N>, nodes: usize, requests: &[N::Request]) -> Vec<Step<N>> {
    let mut steps = world.enabled();
    for node in NodeId::all(nodes) {
        match world.node(node) {
            Some(_) => steps.push(Step::Crash {
                node,
                loss: tribunal_protocols::Loss::All,
            }),
            None => steps.push(Step::Restart { node }),
        }
        for (client, request) in (0..).zip(requests) {
            if world.call(client).is_none() {
                steps.push(Step::Invoke {
                    client,
                    sequence: 1,
                    to: node,
                    request: request.clone(),
                });
            }
        }
    }
    steps
}

/// Takes random steps in one cluster and the same under other names in another: at each, both have the same fingerprint.
fn assert_names_do_not_matter<N: Explored>(
    setup: &Setup<N>,
    requests: &[N::Request],
    class: NodeSet,
) {
    let nodes = setup.config.nodes();
    let names = Renaming::within(nodes, &[class]);
    // As many as under other names: a world keeps the fingerprints under all that it is asked about.
    let identity = Renaming::identity(nodes);
    let plain = Renamings::new(vec![identity.clone(), identity.clone()]);
    let mut numbers = Numbers(1);
    for renaming in names.iter().skip(1) {
        let under = Renamings::new(vec![identity.clone(), renaming.clone()]);
        for _ in 0..20 {
            let watching = || Watching(Monitor::of(N::NAME).expect("it has properties"));
            let (mut one, mut other) = (watching(), watching());
            let (mut first, mut second) = (setup.start(&mut one), setup.start(&mut other));
            for _ in 0..40 {
                let steps = all_steps(&first, nodes, requests);
                let step = &steps[numbers.below(steps.len())];
                let renamed = renaming.fingerprint(step);
                let mut like = all_steps(&second, nodes, requests).into_iter();
                let like = like
                    .find(|like| plain[0].fingerprint(like) == renamed)
                    .unwrap_or_else(|| panic!("{step} has no like under other names"));
                first.take(step, &mut one).expect("it is enabled");
                second.take(&like, &mut other).expect("it is enabled");
                assert_eq!(
                    first.fingerprint(&under, 1),
                    second.fingerprint(&plain, 0),
                    "after {step} and {like}"
                );
                assert_eq!(
                    one.0.fingerprint(&under, 1),
                    other.0.fingerprint(&plain, 0),
                    "what properties remember after {step} and {like}"
                );
            }
        }
    }
}

#[test]
fn raft_nodes_are_alike() {
    let config = with_fields(
        &<Raft as tribunal_protocols::Node>::Config::of(3),
        [("snapshot_after", "2")],
    );
    let setup = Setup::<Raft>::fresh(config.expect("the field exists"), SyncMode::Immediate);
    let requests = ["write x 1", "read x"].map(|text| text.parse().expect("a command"));
    assert_names_do_not_matter(&setup, &requests, NodeSet::all(3));
}

/// What a packet does when it arrives: nothing, if the network is all that changed.
fn does_nothing<N: Explored>(world: &World<N>, packet: &SharedPacket<N>) -> bool {
    let mut before = world.clone();
    let mut after = world.clone();
    let arrives = after.take(&Step::Deliver(packet.clone()), &mut ()).is_ok();
    before.lose(packet);
    let inert = |world: &mut World<N>| {
        world.settle(false, N::settled);
    };
    inert(&mut before);
    inert(&mut after);
    !arrives || before == after
}

/// Random runs in which packets that are called moot are kept: from then on, each does nothing if it arrives.
fn assert_moot_is_moot<N: Explored>(
    setup: &Setup<N>,
    requests: &[N::Request],
    may_crash: bool,
) -> usize {
    let nodes = setup.config.nodes();
    let mut numbers = Numbers(7);
    let mut seen = 0;
    for _ in 0..300 {
        let mut world = setup.start(&mut ());
        let mut moot: Vec<SharedPacket<N>> = Vec::new();
        for _ in 0..60 {
            let mut steps = all_steps(&world, nodes, requests);
            steps.retain(|step| may_crash || !matches!(step, Step::Crash { .. }));
            if steps.is_empty() {
                break;
            }
            // The cluster gets further without the crashes, which are many among what may happen.
            let place = numbers.below(steps.len());
            let place = match steps[place] {
                Step::Crash { .. } => numbers.below(steps.len()),
                _ => place,
            };
            world.take(&steps[place], &mut ()).expect("it is enabled");
            moot.retain(|packet| world.network().any(|(other, _)| other == packet));
            for (packet, _) in world.network() {
                let (Address::Node(from), Address::Node(to)) = (packet.from, packet.to) else {
                    continue;
                };
                let Body::Message(message) = &packet.body else {
                    continue;
                };
                let disk = world.disk(to).written();
                let is_moot = N::is_moot(
                    world.config(),
                    world.node(to),
                    disk,
                    from,
                    message,
                    may_crash,
                );
                if is_moot && !moot.contains(packet) {
                    moot.push(packet.clone());
                }
            }
            for packet in &moot {
                seen += 1;
                assert!(does_nothing(&world, packet), "{packet} was moot");
            }
        }
    }
    seen
}

#[test]
fn what_is_moot_in_paxos_does_nothing() {
    let set = [("refusals", "false"), ("votes_to_all", "false")];
    let config = with_fields(&<Paxos as tribunal_protocols::Node>::Config::of(3), set);
    let setup = Setup::<Paxos>::fresh(config.expect("the fields exist"), SyncMode::Immediate);
    let requests = ["propose 1", "propose 2"].map(|text| text.parse().expect("a request"));
    for may_crash in [false, true] {
        let judged = assert_moot_is_moot(&setup, &requests, may_crash);
        assert!(judged > 1_000, "{judged}");
    }
}
