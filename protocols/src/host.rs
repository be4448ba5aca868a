//! A node in the hands of a driver: boots it, feeds it and keeps the write barrier.
//!
//! Every runtime (`World`, the simulator, live processes) drives its nodes through this type, so that the order
//! of effects means the same in all of them.

use std::sync::Arc;

use tribunal_histories::{NodeId, View};

use crate::contract::{Context, Effect, Input, Node};
use crate::disk::Disk;

/// A running node. Dropping it is a crash of its volatile half; [`Disk::crash`] is the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host<N: Node> {
    me: NodeId,
    config: Arc<N::Config>,
    node: N,
}

impl<N: Node> Host<N> {
    /// Starts a node from its disk. What it may do at once is appended to `effects`.
    pub fn boot(
        me: NodeId,
        config: Arc<N::Config>,
        disk: &mut Disk<N>,
        effects: &mut Vec<Effect<N>>,
    ) -> Self {
        let node = N::boot(&mut Context::new(me, &*config, disk, effects));
        disk.accept(effects);
        Self { me, config, node }
    }

    /// Gives the node an input. `effects`, empty before, holds what may happen at once; writes and what waits
    /// for them are in the disk's queue.
    pub fn step(&mut self, input: Input<N>, disk: &mut Disk<N>, effects: &mut Vec<Effect<N>>) {
        self.node.step(
            input,
            &mut Context::new(self.me, &*self.config, disk, effects),
        );
        disk.accept(effects);
    }

    /// As [`Host::step`], but the node crashes after the first `kept` of the step's effects: the rest never were.
    /// The caller then crashes the disk.
    pub fn step_cut(
        &mut self,
        input: Input<N>,
        kept: usize,
        disk: &mut Disk<N>,
        effects: &mut Vec<Effect<N>>,
    ) {
        self.node.step(
            input,
            &mut Context::new(self.me, &*self.config, disk, effects),
        );
        effects.truncate(kept);
        disk.accept(effects);
    }

    /// The oldest `writes` writes reached the disk: releases what waited for them and tells the node.
    pub fn synced(&mut self, writes: usize, disk: &mut Disk<N>, effects: &mut Vec<Effect<N>>) {
        disk.sync(writes, effects);
        let released = effects.len();
        self.node.step(
            Input::Synced,
            &mut Context::new(self.me, &*self.config, disk, effects),
        );
        let mut answer = effects.split_off(released);
        disk.accept(&mut answer);
        effects.append(&mut answer);
    }

    /// Puts a node in this one's place that will do the same.
    pub(crate) fn settle(&mut self, node: N) {
        self.node = node;
    }

    /// Which node it is.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// What the node shows of itself.
    pub fn view<'a>(&'a self, disk: &'a Disk<N>) -> View<'a> {
        self.node.view(disk.written())
    }

    /// The node.
    pub fn node(&self) -> &N {
        &self.node
    }
}
