//! The simulator as a plain loop, without an async runtime: for bulk seeds and for shrinking.

use tribunal_histories::{Cause, NodeId};
use tribunal_protocols::{Effect, Host, Node};

use super::cluster::{Cluster, Directive, End};
use crate::runtime::env::Turn;

/// Runs a cluster to its end. `stop` is asked now and then; when it says yes the run is over.
pub fn run<N: Node>(cluster: &mut Cluster<N>, stop: &dyn Fn() -> bool) -> End {
    let config = cluster.config();
    let mut hosts: Vec<Option<Host<N>>> = NodeId::all(cluster.nodes()).map(|_| None).collect();
    let mut effects: Vec<Effect<N>> = Vec::new();
    loop {
        match cluster.next_directive() {
            Directive::Boot(node) => {
                let host = Host::boot(node, config.clone(), cluster.disk(node), &mut effects);
                cluster.perform(&host, Cause::Boot, &mut effects);
                hosts[node.index()] = Some(host);
            }
            Directive::Turn(node, turn) => {
                let Some(host) = &mut hosts[node.index()] else {
                    continue;
                };
                let disk = cluster.disk(node);
                let cause = match turn {
                    Turn::Input(input) => {
                        host.step(input, disk, &mut effects);
                        Cause::Step
                    }
                    Turn::CutShort {
                        input,
                        effects: kept,
                    } => {
                        host.step_cut(input, kept, disk, &mut effects);
                        Cause::Step
                    }
                    Turn::Synced(writes) => {
                        host.synced(writes, disk, &mut effects);
                        Cause::Sync
                    }
                };
                cluster.perform(host, cause, &mut effects);
            }
            Directive::Kill(node) => hosts[node.index()] = None,
            Directive::MayStop => {
                if stop() {
                    cluster.stop();
                }
            }
            Directive::Done(end) => return end,
        }
    }
}
