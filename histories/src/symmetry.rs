//! Symmetry: nodes that are alike may change their names, and nothing that matters is different.
//!
//! An explorer that has seen a state need not see it again with two nodes' names exchanged. For that it needs a
//! fingerprint of a state *under a renaming*: the one that the renamed state would have, without making that state.
//! [`Renaming::fingerprint`] takes it from the [`Hash`] that every state has: [`NodeId`] and [`NodeSet`] write themselves
//! in a way that a [hasher](Hasher) of ours can tell from numbers, and renames. What is kept by node says so, for its
//! order is an order of names: [`ByNode`] for a list with a place a node, [`Bag`] for maps and sets whose keys have
//! names in them.
//!
//! After C. N. Ip and D. L. Dill, *Better Verification Through Symmetry* (Formal Methods in System Design 9, 1996):
//! there the type of names is the *scalarset*.

use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::{Deref, DerefMut};

use foldhash::quality::{FixedState, FoldHasher};
use serde::{Deserialize, Serialize};

use crate::node::NodeId;
use crate::node_set::NodeSet;

/// Seeds every fingerprint: the same in every run.
const STATE: FixedState = FixedState::with_seed(0x7269_6275_6e61_6c21);

/// A number that equal values share, and unequal ones almost never: 64 bits of a hash of good quality, the same in
/// every run.
pub fn fingerprint<T: Hash + ?Sized>(value: &T) -> u64 {
    STATE.hash_one(value)
}

/// New names for all nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    /// By node, its new name.
    names: Vec<NodeId>,
}

impl Renaming {
    /// Every node keeps its name.
    pub fn identity(nodes: usize) -> Self {
        Self {
            names: NodeId::all(nodes).collect(),
        }
    }

    /// All renamings under which the nodes of each of these classes change names among themselves, and all others keep
    /// theirs. The first is the identity.
    pub fn within(nodes: usize, classes: &[NodeSet]) -> Vec<Self> {
        let mut all = vec![Self::identity(nodes)];
        for class in classes {
            let members: Vec<_> = class.iter().collect();
            let orders = permutations(&members);
            all = all
                .iter()
                .flat_map(|renaming| {
                    orders.iter().map(|order| {
                        let mut names = renaming.names.clone();
                        for (member, name) in members.iter().zip(order) {
                            names[member.index()] = *name;
                        }
                        Self { names }
                    })
                })
                .collect();
        }
        all
    }

    /// The new name of a node.
    pub fn of(&self, node: NodeId) -> NodeId {
        self.names.get(node.index()).copied().unwrap_or(node)
    }

    /// The new names of some nodes.
    pub fn of_all(&self, nodes: NodeSet) -> NodeSet {
        nodes.iter().map(|node| self.of(node)).collect()
    }

    /// Whether no node changes its name.
    pub fn is_identity(&self) -> bool {
        NodeId::all(self.names.len()).eq(self.names.iter().copied())
    }

    /// The fingerprint that a value would have under the new names.
    pub fn fingerprint<T: Hash + ?Sized>(&self, value: &T) -> u64 {
        let mut hasher = RenamingHasher {
            renaming: self,
            open: Vec::new(),
            top: STATE.build_hasher(),
            bag: 0,
        };
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// All orders of some nodes, the given one first.
fn permutations(nodes: &[NodeId]) -> Vec<Vec<NodeId>> {
    if nodes.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for place in 0..nodes.len() {
        let mut rest = nodes.to_vec();
        let first = rest.remove(place);
        for mut order in permutations(&rest) {
            order.insert(0, first);
            all.push(order);
        }
    }
    all
}

/// How a bag is written: numbers that nothing else writes as `i32`.
mod mark {
    pub(super) const BAG: i32 = 1;
    pub(super) const ITEM: i32 = 2;
    pub(super) const ITEM_END: i32 = 3;
    pub(super) const BAG_END: i32 = 4;
}

/// Writes items whose order says nothing.
fn hash_bag<H: Hasher, T: Hash>(items: impl Iterator<Item = T>, state: &mut H) {
    state.write_i32(mark::BAG);
    for item in items {
        state.write_i32(mark::ITEM);
        item.hash(state);
        state.write_i32(mark::ITEM_END);
    }
    state.write_i32(mark::BAG_END);
}

/// A hasher that writes the names of nodes anew. Nodes are what is written as `i16`, sets of nodes what is written as
/// `i128`, and bags what stands between marks written as `i32`: nothing that is hashed here has such numbers otherwise.
struct RenamingHasher<'a> {
    renaming: &'a Renaming,
    /// What goes on when the innermost bag or item ends.
    open: Vec<(FoldHasher<'static>, u64)>,
    top: FoldHasher<'static>,
    /// The sum of the items of the innermost bag so far.
    bag: u64,
}

impl Hasher for RenamingHasher<'_> {
    fn finish(&self) -> u64 {
        self.top.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.top.write(bytes);
    }

    fn write_u8(&mut self, number: u8) {
        self.top.write_u8(number);
    }

    fn write_u16(&mut self, number: u16) {
        self.top.write_u16(number);
    }

    fn write_u32(&mut self, number: u32) {
        self.top.write_u32(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.top.write_u64(number);
    }

    fn write_u128(&mut self, number: u128) {
        self.top.write_u128(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.top.write_usize(number);
    }

    fn write_i16(&mut self, number: i16) {
        let node = NodeId(number.cast_unsigned());
        self.top.write_u16(self.renaming.of(node).0);
    }

    fn write_i128(&mut self, number: i128) {
        let bits = u64::try_from(number).expect("sets of nodes have 64 bits");
        let renamed = self.renaming.of_all(NodeSet::from_bits(bits));
        self.top.write_u64(renamed.bits());
    }

    fn write_i32(&mut self, number: i32) {
        match number {
            mark::BAG | mark::ITEM => {
                let outer = std::mem::replace(&mut self.top, STATE.build_hasher());
                self.open.push((outer, std::mem::take(&mut self.bag)));
            }
            _ => {
                // An empty stack is an end without a beginning, which `hash_bag` does not write.
                let Some((outer, sum)) = self.open.pop() else {
                    return;
                };
                let inner = std::mem::replace(&mut self.top, outer);
                if number == mark::ITEM_END {
                    self.bag = sum.wrapping_add(inner.finish());
                } else {
                    let items = std::mem::replace(&mut self.bag, sum);
                    self.top.write_u64(items);
                }
            }
        }
    }
}

/// A list with a place for each node, in the order of the nodes. It may be shorter than the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByNode<T>(pub Vec<T>);

impl<T> Default for ByNode<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Hash> Hash for ByNode<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_bag(NodeId::all(self.0.len()).zip(self), state);
    }
}

impl<T> Deref for ByNode<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for ByNode<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<'a, T> IntoIterator for &'a ByNode<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> FromIterator<T> for ByNode<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

/// A map or set whose order is one of names, so that it says nothing: its keys have nodes in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bag<C>(pub C);

impl<C> Hash for Bag<C>
where
    for<'a> &'a C: IntoIterator<Item: Hash>,
{
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_bag((&self.0).into_iter(), state);
    }
}

impl<C> Deref for Bag<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> DerefMut for Bag<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Something of everything, about three nodes.
    #[derive(Clone, Hash)]
    struct State {
        leader: Option<NodeId>,
        votes: NodeSet,
        terms: ByNode<u64>,
        cast: Bag<BTreeMap<(u64, NodeId), NodeId>>,
        number: u16,
    }

    fn state(names: [u16; 3]) -> State {
        let node = |place: usize| NodeId(names[place]);
        let mut terms = ByNode(vec![0; 3]);
        for place in 0..3 {
            terms[node(place).index()] = 10 + place as u64;
        }
        State {
            leader: Some(node(1)),
            votes: [node(0), node(1)].into_iter().collect(),
            terms,
            cast: Bag([((7, node(0)), node(1)), ((7, node(2)), node(2))].into()),
            number: 1,
        }
    }

    #[test]
    fn a_fingerprint_under_a_renaming_is_that_of_the_renamed_state() {
        let all = Renaming::within(3, &[NodeSet::all(3)]);
        assert_eq!(all.len(), 6);
        let plain = Renaming::identity(3);
        assert_eq!(all[0], plain);
        let before = state([0, 1, 2]);
        for renaming in &all {
            let names = [0, 1, 2].map(|place| renaming.of(NodeId(place)).0);
            assert_eq!(
                renaming.fingerprint(&before),
                plain.fingerprint(&state(names))
            );
            let others = all.iter().filter(|other| *other != renaming);
            for other in others {
                assert_ne!(renaming.fingerprint(&before), other.fingerprint(&before));
            }
        }
    }

    #[test]
    fn numbers_are_not_renamed_and_lengths_count() {
        let swapped = &Renaming::within(2, &[NodeSet::all(2)])[1];
        assert_eq!(swapped.fingerprint(&1_u16), fingerprint(&1_u16));
        assert_ne!(swapped.fingerprint(&NodeId(1)), fingerprint(&NodeId(1)));
        let apart = (ByNode(vec![1_u8]), ByNode(vec![2_u8]));
        let together = (ByNode(vec![1_u8, 2]), ByNode(Vec::<u8>::new()));
        assert_ne!(swapped.fingerprint(&apart), swapped.fingerprint(&together));
        assert_ne!(fingerprint(&apart), fingerprint(&together));
    }

    #[test]
    fn classes_change_names_among_themselves_only() {
        let classes = [NodeSet::from_bits(0b011), NodeSet::from_bits(0b1100)];
        let all = Renaming::within(5, &classes);
        assert_eq!(all.len(), 4);
        assert!(all[0].is_identity());
        for renaming in &all {
            assert_eq!(renaming.of(NodeId(4)), NodeId(4));
            assert!(renaming.of(NodeId(0)).index() < 2);
        }
    }
}
