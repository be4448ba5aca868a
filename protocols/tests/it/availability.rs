//! Note 004: waiting for every backup makes a group less available the larger it is; a majority makes it more so. Both
//! are computed, and found by trying every set of nodes that may be down.

use tribunal_histories::{EventRecord, Kind, NodeId};
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::primary_backup::{Config, PrimaryBackup};
use tribunal_protocols::world::SyncMode;
use tribunal_protocols::{Loss, Step, World};

type Group = World<PrimaryBackup>;

fn take(group: &mut Group, name: &str, events: &mut Vec<EventRecord>) {
    let step = group.find(name).unwrap();
    group.take(&step, events).unwrap();
}

/// Everything that is on its way arrives.
fn settle(group: &mut Group, events: &mut Vec<EventRecord>) {
    let arrives = |step: &Step<PrimaryBackup>| matches!(step, Step::Deliver(_));
    while let Some(step) = group.enabled().into_iter().find(arrives) {
        group.take(&step, events).unwrap();
    }
}

/// Whether a write is acknowledged while only these nodes are up, a bit each: they are given all the time they need.
fn can_write(config: &Config, up: u32) -> bool {
    let mut events = Vec::new();
    let mut group = Group::fresh(config.clone(), SyncMode::Immediate, &mut ());
    let nodes: Vec<_> = NodeId::all(config.nodes).collect();
    let is_up = |node: &NodeId| up >> node.index() & 1 == 1;
    for node in nodes.iter().filter(|node| !is_up(node)) {
        let (node, loss) = (*node, Loss::All);
        group
            .take(&Step::Crash { node, loss }, &mut events)
            .unwrap();
    }
    let Some(first) = nodes.iter().find(|node| is_up(node)) else {
        return false;
    };
    if config.view_change {
        take(&mut group, &format!("fire {first} view"), &mut events);
    }
    settle(&mut group, &mut events);
    take(
        &mut group,
        &format!("invoke c0→{first} #1 write x 5"),
        &mut events,
    );
    settle(&mut group, &mut events);
    events.iter().any(|event| event.kind == Kind::Ok)
}

/// How probable it is that a write is acknowledged when each node is up with probability `p`.
fn availability(config: &Config, p: f64) -> f64 {
    (0..1_u32 << config.nodes)
        .filter(|up| can_write(config, *up))
        .map(|up| {
            let (up, all) = (
                up.count_ones().cast_signed(),
                i32::try_from(config.nodes).unwrap(),
            );
            p.powi(up) * (1.0 - p).powi(all - up)
        })
        .sum()
}

/// The terms of the binomial distribution from a majority up.
fn majority(nodes: u32, p: f64) -> f64 {
    let choose = |k: u32| {
        (0..k).fold(1.0, |product, i| {
            product * f64::from(nodes - i) / f64::from(i + 1)
        })
    };
    let term = |up: u32| {
        let (up, down) = (up.cast_signed(), (nodes - up).cast_signed());
        choose(up.cast_unsigned()) * p.powi(up) * (1.0 - p).powi(down)
    };
    (nodes / 2 + 1..=nodes).map(term).sum()
}

#[test]
fn all_ack_is_less_available_the_larger_it_is_and_a_majority_more() {
    let p = 0.99_f64;
    let mut table = Vec::new();
    for nodes in [1_u32, 3, 5] {
        let with_views = Config::of(nodes as usize);
        let all_ack = Config {
            view_change: false,
            ..with_views.clone()
        };
        let (all, most) = (availability(&all_ack, p), availability(&with_views, p));
        assert!(
            (all - p.powi(nodes.cast_signed())).abs() < 1e-12,
            "{nodes}: {all}"
        );
        assert!((most - majority(nodes, p)).abs() < 1e-12, "{nodes}: {most}");
        table.push(format!("{nodes} nodes: all {all:.5}, a majority {most:.5}"));
    }
    assert_eq!(
        table,
        [
            "1 nodes: all 0.99000, a majority 0.99000",
            "3 nodes: all 0.97030, a majority 0.99970",
            "5 nodes: all 0.95099, a majority 0.99999",
        ]
    );
}
