//! The loop that hosts a node, over whatever gives it inputs and executes its effects.
//!
//! The simulator and the live runtime are the only two implementations of [`Env`]: the code that is simulated is
//! the code that is deployed.

use std::sync::Arc;

use tribunal_histories::{Cause, NodeId};
use tribunal_protocols::{Disk, Effect, Host, Input, Node};

/// What a node's surroundings have for it next.
#[derive(Clone, Debug)]
pub enum Turn<N: Node> {
    /// An input.
    Input(Input<N>),
    /// An input in the middle of which the node crashes: only the first effects come to be. It is the last turn.
    CutShort {
        /// The input.
        input: Input<N>,
        /// How many effects come to be.
        effects: usize,
    },
    /// The oldest unsynced writes, so many, reached the disk.
    Synced(usize),
}

/// What surrounds a node: its disk, its network, its timers, its clients.
pub trait Env<N: Node> {
    /// Waits for the next turn; `None` when the node is to stop.
    fn next(&mut self) -> impl Future<Output = Option<Turn<N>>>;

    /// Lends out the node's disk.
    fn with_disk<R>(&mut self, work: impl FnOnce(&mut Disk<N>) -> R) -> R;

    /// Executes effects, in order, and leaves `effects` empty. Writes that are now in the disk's queue are begun
    /// to be brought to the disk; when they are there, a [`Turn::Synced`] says so.
    fn perform(
        &mut self,
        host: &Host<N>,
        cause: Cause,
        effects: &mut Vec<Effect<N>>,
    ) -> impl Future<Output = ()>;
}

/// Hosts a node until its surroundings have nothing more for it.
pub async fn host<N: Node, E: Env<N>>(me: NodeId, config: Arc<N::Config>, env: &mut E) {
    let mut effects = Vec::new();
    let mut host = env.with_disk(|disk| Host::boot(me, config, disk, &mut effects));
    env.perform(&host, Cause::Boot, &mut effects).await;
    while let Some(turn) = env.next().await {
        let cause = match turn {
            Turn::Input(input) => {
                env.with_disk(|disk| host.step(input, disk, &mut effects));
                Cause::Step
            }
            Turn::CutShort {
                input,
                effects: kept,
            } => {
                env.with_disk(|disk| host.step_cut(input, kept, disk, &mut effects));
                Cause::Step
            }
            Turn::Synced(writes) => {
                env.with_disk(|disk| host.synced(writes, disk, &mut effects));
                Cause::Sync
            }
        };
        env.perform(&host, cause, &mut effects).await;
    }
}
