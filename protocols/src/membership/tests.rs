//! What rules cost and bring, measured in a cluster that ticks in step.

use tribunal_histories::{MemberStatus, NodeId};

use super::{Config, Membership};
use crate::Step;
use crate::contract::Configuration;
use crate::disk::Loss;
use crate::world::{SyncMode, World};

/// A cluster in which all nodes tick at the same time, and whatever is sent arrives before the next tick.
struct InStep {
    world: World<Membership>,
    messages: usize,
}

impl InStep {
    fn of(config: Config) -> Self {
        Self {
            world: World::fresh(config, SyncMode::Immediate, &mut ()),
            messages: 0,
        }
    }

    fn round(&mut self, number: usize) {
        for node in NodeId::all(self.world.config().nodes) {
            let choice = ((number + 3) * (node.index() + 7) % 11) as u64;
            let members = self
                .world
                .node(node)
                .map_or(1, |node| node.table().members().len());
            let choice = choice % members as u64;
            let name = match choice {
                0 => format!("fire {node} tick"),
                _ => format!("fire {node} tick choosing {choice}"),
            };
            if let Ok(step) = self.world.find(&name) {
                self.world.take(&step, &mut ()).unwrap();
            }
        }
        loop {
            let enabled = self.world.enabled();
            let mut packets = enabled
                .iter()
                .filter(|step| matches!(step, Step::Deliver(_)));
            let Some(packet) = packets.next() else { break };
            self.world.take(packet, &mut ()).unwrap();
            self.messages += 1;
        }
    }

    fn status(&self, node: NodeId, of: NodeId) -> Option<MemberStatus> {
        let node = self.world.node(node)?;
        node.table().find(of).map(|member| member.status)
    }
}

/// Messages in so many ticks of peace, and ticks until all know that a node that crashed has failed.
fn measure(ping_everyone: bool, sections: usize) -> (usize, usize) {
    let nodes = 8;
    let mut cluster = InStep::of(Config {
        timeout_ticks: 60,
        ping_everyone,
        sections,
        slots: 0,
        ..Config::of(nodes)
    });
    const PEACE: usize = 240;
    (0..PEACE).for_each(|number| cluster.round(number));
    let messages = cluster.messages;
    let victim = NodeId(7);
    let crash = Step::Crash {
        node: victim,
        loss: Loss::All,
    };
    cluster.world.take(&crash, &mut ()).unwrap();
    let known = |cluster: &InStep| {
        let mut others = NodeId::all(nodes - 1);
        others.all(|node| cluster.status(node, victim) == Some(MemberStatus::Dead))
    };
    let ticks = (1..400).find(|number| {
        cluster.round(PEACE + number);
        known(&cluster)
    });
    (
        messages,
        ticks.expect("everyone comes to know of the failure"),
    )
}

/// The claim of note 001 that a node pings the others every second with two sections, against Redis Cluster's rule:
/// one of five random members, and whoever was silent for half of the timeout.
#[test]
fn to_ping_one_of_five_costs_less_and_finds_failures_in_the_same_time() {
    let (everyone_messages, everyone_ticks) = measure(true, 2);
    let (five_messages, five_ticks) = measure(false, 3);
    assert!(
        3 * five_messages < everyone_messages,
        "{five_messages} messages instead of {everyone_messages}"
    );
    // The timeout is 60 ticks in both; a ping is due after 30 at the latest.
    assert!((60..=70).contains(&everyone_ticks), "{everyone_ticks}");
    assert!((60..=100).contains(&five_ticks), "{five_ticks}");
}
