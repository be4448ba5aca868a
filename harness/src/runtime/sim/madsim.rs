//! The simulator on madsim: every protocol node is a madsim node with one task, the host loop.
//!
//! madsim gives time, tasks and the life of nodes. Network, timers and disks are the [`Cluster`]'s, in one agenda
//! that one router task follows on madsim's time. The router waits until a node has finished its turn before it
//! looks for the next event, so the order of events is the agenda's and a seed gives the same steps as it does
//! in the [plain loop](super::plain): the two check each other.
//!
//! madsim frees the tasks of killed nodes only, so a run ends by killing every node and letting time pass once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use madsim::runtime::{NodeHandle, Runtime};
use madsim::time::Instant;
use tokio::sync::Notify;
use tribunal_histories::{Cause, NodeId};
use tribunal_protocols::{Disk, Effect, Host, Node};

use super::cluster::{Cluster, Directive, End};
use crate::runtime::env::{Env, Turn, host};

/// What the router and the nodes share. All of them are on one thread; the locks are never contended, they are
/// there because madsim wants what starts a node to be `Send`.
struct Shared<N: Node> {
    cluster: Mutex<Cluster<N>>,
    inboxes: Vec<Inbox<N>>,
    /// A node has finished its turn.
    finished: Notify,
}

/// A node's next turn. There is never more than one.
struct Inbox<N: Node> {
    turn: Mutex<Option<Turn<N>>>,
    arrived: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A node's surroundings under simulation.
struct SimulatedEnv<N: Node> {
    me: NodeId,
    shared: Arc<Shared<N>>,
}

impl<N: Node> Env<N> for SimulatedEnv<N> {
    async fn next(&mut self) -> Option<Turn<N>> {
        let inbox = &self.shared.inboxes[self.me.index()];
        loop {
            if let Some(turn) = lock(&inbox.turn).take() {
                return Some(turn);
            }
            inbox.arrived.notified().await;
        }
    }

    fn with_disk<R>(&mut self, work: impl FnOnce(&mut Disk<N>) -> R) -> R {
        work(lock(&self.shared.cluster).disk(self.me))
    }

    async fn perform(&mut self, host: &Host<N>, cause: Cause, effects: &mut Vec<Effect<N>>) {
        lock(&self.shared.cluster).perform(host, cause, effects);
        self.shared.finished.notify_one();
    }
}

/// Runs a cluster to its end, and gives it back.
///
/// # Panics
/// If the madsim runtime kept a reference to the cluster, which would be a leak.
pub fn run<N: Node>(cluster: Cluster<N>, seed: u64, stop: &dyn Fn() -> bool) -> (Cluster<N>, End) {
    let inbox = |_| Inbox {
        turn: Mutex::new(None),
        arrived: Notify::new(),
    };
    let shared = Arc::new(Shared {
        inboxes: (0..cluster.nodes()).map(inbox).collect(),
        cluster: Mutex::new(cluster),
        finished: Notify::new(),
    });
    let runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
    let end = runtime.block_on(route(shared.clone(), &runtime, stop));
    drop(runtime);
    let shared = Arc::into_inner(shared).expect("all tasks are gone");
    (
        shared
            .cluster
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner),
        end,
    )
}

/// The router: brings the cluster's events to the nodes, on madsim's time.
#[expect(
    clippy::disallowed_methods,
    reason = "this is madsim's clock, which the simulation moves"
)]
async fn route<N: Node>(shared: Arc<Shared<N>>, runtime: &Runtime, stop: &dyn Fn() -> bool) -> End {
    #[expect(
        clippy::disallowed_methods,
        reason = "inside of madsim's runtime this is the simulated clock"
    )]
    let start = Instant::now();
    let mut nodes: Vec<Option<NodeHandle>> = shared.inboxes.iter().map(|_| None).collect();
    let end = loop {
        let (directive, now_ns) = {
            let mut cluster = lock(&shared.cluster);
            (cluster.next(stop), cluster.now_ns())
        };
        madsim::time::sleep_until(start + Duration::from_nanos(now_ns)).await;
        match directive {
            Directive::Boot(node) => {
                match &nodes[node.index()] {
                    Some(handle) => runtime.handle().restart(handle.id()),
                    None => nodes[node.index()] = Some(start_node(node, &shared, runtime)),
                }
                shared.finished.notified().await;
            }
            Directive::Turn(node, turn) => {
                let inbox = &shared.inboxes[node.index()];
                *lock(&inbox.turn) = Some(turn);
                inbox.arrived.notify_one();
                shared.finished.notified().await;
            }
            Directive::Kill(node) => {
                if let Some(handle) = &nodes[node.index()] {
                    runtime.handle().kill(handle.id());
                }
            }
            Directive::Done(end) => break end,
        }
    };
    for handle in nodes.iter().flatten() {
        runtime.handle().kill(handle.id());
    }
    madsim::time::sleep(Duration::from_millis(1)).await;
    end
}

fn start_node<N: Node>(me: NodeId, shared: &Arc<Shared<N>>, runtime: &Runtime) -> NodeHandle {
    let shared = shared.clone();
    let config = lock(&shared.cluster).config();
    let life = move || {
        let (config, mut env) = (
            config.clone(),
            SimulatedEnv {
                me,
                shared: shared.clone(),
            },
        );
        async move { host(me, config, &mut env).await }
    };
    runtime
        .create_node()
        .name(me.to_string())
        .init(life)
        .build()
}
