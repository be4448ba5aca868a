//! What nodes have delivered, in order: Δ of the paper (§4), by node.
//!
//! A node that starts anew delivers again what is behind its snapshot. Of what it had from a snapshot of another node
//! only the end is known, as a digest of the whole.

use std::ops::Range;

use tribunal_histories::{Digest, Facet, LogView, NodeId, PrimariesView, Zxid};

use crate::properties::Moment;

/// A delivered transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Delivery {
    /// Its name; not known if it came in a snapshot.
    pub(super) zxid: Option<Zxid>,
    /// All that the history has up to it; not known if it was not the last in a snapshot.
    pub(super) prefix: Option<Digest>,
}

/// By node, what it has delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Deliveries {
    nodes: Vec<Vec<Delivery>>,
}

impl Deliveries {
    /// Takes in what the observed node has delivered; tells which of it is new, by places from 0.
    pub(super) fn refresh(&mut self, moment: &Moment<'_>) -> Range<usize> {
        let view = &moment.now.view;
        if self.nodes.len() < moment.nodes() {
            self.nodes.resize_with(moment.nodes(), Vec::new);
        }
        let delivered = &mut self.nodes[moment.now.node.index()];
        let applied = usize::try_from(view.applied_index).unwrap_or(usize::MAX);
        delivered.truncate(applied);
        let before = delivered.len();
        let zxids = primaries(moment).zxids;
        for index in before as u64 + 1..=view.applied_index {
            delivered.push(delivery_at(&view.log, zxids, index));
        }
        before..delivered.len()
    }

    /// What a node has delivered.
    pub(super) fn of(&self, node: NodeId) -> &[Delivery] {
        &self.nodes[node.index()]
    }
}

fn delivery_at(log: &LogView<'_>, zxids: &[Zxid], index: u64) -> Delivery {
    let offset = index.checked_sub(log.start + 1);
    let offset = offset.and_then(|offset| usize::try_from(offset).ok());
    Delivery {
        zxid: offset.and_then(|offset| zxids.get(offset).copied()),
        prefix: log.at(index).map(|record| record.prefix),
    }
}

/// What the observed node shows of its epochs; nothing, if it is of another family.
pub(super) fn primaries<'a>(moment: &Moment<'a>) -> PrimariesView<'a> {
    match moment.now.view.facet {
        Facet::Primaries(view) => view,
        _ => PrimariesView::default(),
    }
}

/// The names of the transactions that are new in the observed node's log.
pub(super) fn appended_zxids<'a>(moment: &Moment<'a>) -> &'a [Zxid] {
    let zxids = primaries(moment).zxids;
    let kept = moment.kept.saturating_sub(moment.now.view.log.start);
    let kept = usize::try_from(kept).unwrap_or(usize::MAX);
    &zxids[kept.min(zxids.len())..]
}
