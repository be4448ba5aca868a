//! The simulator on madsim: every protocol node is a madsim node with one task, the host loop.
//!
//! madsim gives time, tasks and the life of nodes. Network, timers and disks are the [`Director`]'s, which moves
//! madsim's clock to each event. Exactly one task goes on at a time: the node that finished its turn asks the
//! director what happens next, and wakes whoever it happens to, another node, itself, or, when nodes are to be
//! started and killed, the stage manager. So the order of events is the director's, a seed gives the same steps
//! as it does in the [plain loop](super::plain), and an event costs one poll: the two drivers check each other.
//!
//! madsim frees the tasks of killed nodes only, so a run ends by killing every node and letting time pass once.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use madsim::runtime::{NodeHandle, Runtime};
use tribunal_histories::{Cause, NodeId};
use tribunal_protocols::{Disk, Effect, Host, Node};

use super::cluster::{Cluster, Directive, End};
use crate::runtime::env::{Env, Turn, host};

/// Who says what happens: the simulated cluster, or a script.
pub(super) trait Director<N: Node>: Send + 'static {
    /// The nodes' configuration.
    fn config(&self) -> Arc<N::Config>;
    /// The time of the last event, in nanoseconds since the start.
    fn now_ns(&self) -> u64;
    /// The disk of a node.
    fn disk(&mut self, node: NodeId) -> &mut Disk<N>;
    /// Executes what a node asked for.
    fn perform(&mut self, host: &Host<N>, cause: Cause, effects: &mut Vec<Effect<N>>);
    /// What happens next.
    fn next(&mut self) -> Directive<N>;
    /// The run is to end.
    fn stop(&mut self);
}

impl<N: Node> Director<N> for Cluster<N> {
    fn config(&self) -> Arc<N::Config> {
        Self::config(self)
    }

    fn now_ns(&self) -> u64 {
        Self::now_ns(self)
    }

    fn disk(&mut self, node: NodeId) -> &mut Disk<N> {
        Self::disk(self, node)
    }

    fn perform(&mut self, host: &Host<N>, cause: Cause, effects: &mut Vec<Effect<N>>) {
        Self::perform(self, host, cause, effects);
    }

    fn next(&mut self) -> Directive<N> {
        self.next_directive()
    }

    fn stop(&mut self) {
        Self::stop(self);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one task hands another. All tasks are on one thread and there is never more than one thing under way: the
/// locks are never contended, they are there because madsim wants what starts a node to be `Send`.
struct Inbox<T>(Mutex<(Option<T>, Option<Waker>)>);

impl<T> Inbox<T> {
    fn new() -> Self {
        Self(Mutex::new((None, None)))
    }

    fn put(&self, item: T) {
        let mut inbox = lock(&self.0);
        inbox.0 = Some(item);
        if let Some(waker) = inbox.1.take() {
            waker.wake();
        }
    }

    async fn take(&self) -> T {
        poll_fn(|context| {
            let mut inbox = lock(&self.0);
            match inbox.0.take() {
                Some(item) => Poll::Ready(item),
                None => {
                    inbox.1 = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// What all tasks of a run share.
struct Stage<N: Node, D> {
    director: Mutex<D>,
    turns: Vec<Inbox<Turn<N>>>,
    /// What is for the stage manager.
    management: Inbox<Directive<N>>,
}

impl<N: Node, D: Director<N>> Stage<N, D> {
    /// Lets the next thing happen to whoever it happens to.
    fn go_on(&self, director: &mut D) {
        let before_ns = director.now_ns();
        let directive = director.next();
        madsim::time::advance(Duration::from_nanos(director.now_ns() - before_ns));
        match directive {
            Directive::Turn(node, turn) => self.turns[node.index()].put(turn),
            other => self.management.put(other),
        }
    }
}

/// A node's surroundings under simulation.
struct SimulatedEnv<N: Node, D> {
    me: NodeId,
    stage: Arc<Stage<N, D>>,
}

impl<N: Node, D: Director<N>> Env<N> for SimulatedEnv<N, D> {
    async fn next(&mut self) -> Option<Turn<N>> {
        Some(self.stage.turns[self.me.index()].take().await)
    }

    fn with_disk<R>(&mut self, work: impl FnOnce(&mut Disk<N>) -> R) -> R {
        work(lock(&self.stage.director).disk(self.me))
    }

    async fn perform(&mut self, host: &Host<N>, cause: Cause, effects: &mut Vec<Effect<N>>) {
        let mut director = lock(&self.stage.director);
        director.perform(host, cause, effects);
        self.stage.go_on(&mut director);
    }
}

/// Runs a cluster to its end, and gives it back. `stop` is asked now and then; when it says yes the run is over.
///
/// # Panics
/// If the madsim runtime kept a reference to the cluster, which would be a leak.
pub fn run<N: Node>(cluster: Cluster<N>, seed: u64, stop: &dyn Fn() -> bool) -> (Cluster<N>, End) {
    let nodes = cluster.nodes();
    direct(cluster, nodes, seed, stop)
}

/// Runs what a director directs, on this many nodes, to its end.
pub(super) fn direct<N: Node, D: Director<N>>(
    director: D,
    nodes: usize,
    seed: u64,
    stop: &dyn Fn() -> bool,
) -> (D, End) {
    let stage = Arc::new(Stage {
        director: Mutex::new(director),
        turns: (0..nodes).map(|_| Inbox::new()).collect(),
        management: Inbox::new(),
    });
    let runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
    let end = runtime.block_on(manage(stage.clone(), &runtime, stop));
    drop(runtime);
    let stage = Arc::into_inner(stage).expect("all tasks are gone");
    let director = stage.director.into_inner();
    (director.unwrap_or_else(PoisonError::into_inner), end)
}

/// The stage manager: starts and kills nodes as the director says.
async fn manage<N: Node, D: Director<N>>(
    stage: Arc<Stage<N, D>>,
    runtime: &Runtime,
    stop: &dyn Fn() -> bool,
) -> End {
    let mut nodes: Vec<Option<NodeHandle>> = stage.turns.iter().map(|_| None).collect();
    stage.go_on(&mut lock(&stage.director));
    let end = loop {
        match stage.management.take().await {
            // Its first effects make it go on.
            Directive::Boot(node) => match &nodes[node.index()] {
                Some(handle) => runtime.handle().restart(handle.id()),
                None => nodes[node.index()] = Some(start_node(node, &stage, runtime)),
            },
            Directive::Kill(node) => {
                if let Some(handle) = &nodes[node.index()] {
                    runtime.handle().kill(handle.id());
                }
                stage.go_on(&mut lock(&stage.director));
            }
            Directive::MayStop => {
                let mut director = lock(&stage.director);
                if stop() {
                    director.stop();
                }
                stage.go_on(&mut director);
            }
            Directive::Turn(node, turn) => stage.turns[node.index()].put(turn),
            Directive::Done(end) => break end,
        }
    };
    for handle in nodes.iter().flatten() {
        runtime.handle().kill(handle.id());
    }
    madsim::time::sleep(Duration::from_millis(1)).await;
    end
}

fn start_node<N: Node, D: Director<N>>(
    me: NodeId,
    stage: &Arc<Stage<N, D>>,
    runtime: &Runtime,
) -> NodeHandle {
    let stage = stage.clone();
    let config = lock(&stage.director).config();
    let life = move || {
        let (config, stage) = (config.clone(), stage.clone());
        async move { host(me, config, &mut SimulatedEnv { me, stage }).await }
    };
    runtime
        .create_node()
        .name(me.to_string())
        .init(life)
        .build()
}
