//! The operations on one object, ready for a search: each distinct one is held once, and a call of it takes 16 bytes.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use tribunal_histories::Value;

/// In place of a position that never comes.
const NEVER: u32 = u32::MAX;

/// When an operation was in flight, and whether it took effect for sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The place of the operation among those of its [`Calls`].
    pub(crate) op: u32,
    invoked: u32,
    returned: u32,
    /// Whether it took effect for sure. Only a call that returned can be required.
    pub required: bool,
}

impl Call {
    /// A call of an operation that is still to be named, between these positions of its history.
    pub(crate) fn new(invoked: usize, returned: Option<usize>, required: bool) -> Self {
        let position = |at| u32::try_from(at).expect("histories are bounded so");
        Self {
            op: 0,
            invoked: position(invoked),
            returned: returned.map_or(NEVER, position),
            required,
        }
    }

    /// The position of its invocation in the history, which names it.
    #[inline]
    pub fn invoked(&self) -> usize {
        self.invoked as usize
    }

    /// The same in half the bytes.
    #[inline]
    pub(crate) fn name(&self) -> u32 {
        self.invoked
    }

    /// The position of its completion, before which it takes effect if it ever does; `None` when it is crashed.
    #[inline]
    pub fn returned(&self) -> Option<usize> {
        (self.returned != NEVER).then_some(self.returned as usize)
    }

    /// The same, as a number that is greater than every position if it is crashed.
    #[inline]
    pub(crate) fn returned_or_never(&self) -> u32 {
        self.returned
    }

    /// The same call, required only if a condition holds.
    #[must_use]
    pub(crate) fn required_if(self, condition: bool) -> Self {
        Self {
            required: self.required && condition,
            ..self
        }
    }
}

/// Calls in the order of their invocations.
#[derive(Clone, Debug)]
pub struct Calls<Op> {
    calls: Vec<Call>,
    /// Shared by all that have some of the same calls.
    ops: Arc<Vec<Op>>,
}

impl<Op> Default for Calls<Op> {
    fn default() -> Self {
        Self {
            calls: Vec::new(),
            ops: Arc::default(),
        }
    }
}

impl<Op: Clone> Calls<Op> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The calls without what they do.
    pub fn as_slice(&self) -> &[Call] {
        &self.calls
    }

    /// What a call of these does.
    #[inline]
    pub fn op(&self, call: &Call) -> &Op {
        &self.ops[call.op as usize]
    }

    /// Each call with what it does.
    pub fn iter(&self) -> impl Iterator<Item = (&Op, &Call)> + Clone {
        self.calls.iter().map(|call| (self.op(call), call))
    }

    /// Each call, to be changed, with what it does.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Op, &mut Call)> {
        let Self { calls, ops } = self;
        calls.iter_mut().map(|call| (&ops[call.op as usize], call))
    }

    /// What any of the calls does, and perhaps what calls did that were dropped, to be changed for all calls that do it.
    pub fn ops_mut(&mut self) -> impl Iterator<Item = &mut Op> {
        Arc::make_mut(&mut self.ops).iter_mut()
    }

    /// Drops the calls of which this does not hold.
    pub fn retain(&mut self, mut keep: impl FnMut(&Op, &Call) -> bool) {
        let Self { calls, ops } = self;
        calls.retain(|call| keep(&ops[call.op as usize], call));
    }

    /// Adds an operation that calls may do; its place.
    pub(crate) fn add_op(&mut self, op: Op) -> u32 {
        let place = u32::try_from(self.ops.len()).expect("no more than calls");
        Arc::make_mut(&mut self.ops).push(op);
        place
    }

    /// Adds a call that does what stands at a place.
    pub(crate) fn push(&mut self, op: u32, call: Call) {
        self.calls.push(Call { op, ..call });
    }

    /// Some calls of these.
    pub(crate) fn with(&self, calls: Vec<Call>) -> Self {
        let ops = Arc::clone(&self.ops);
        Self { calls, ops }
    }

    /// Every call as it is after this.
    pub(crate) fn map(&self, change: impl FnMut(&Call) -> Call) -> Self {
        self.with(self.calls.iter().map(change).collect())
    }

    /// The calls, and what stands at each place.
    pub(crate) fn into_parts(self) -> (Vec<Call>, Arc<Vec<Op>>) {
        (self.calls, self.ops)
    }

    /// Makes calls required that cannot but have taken effect: those which alone can have put an element where a
    /// required call saw it, and in time for that.
    ///
    /// `seen` has the elements that were not there from the beginning, each with the return of a call that saw it.
    pub(super) fn require_sole_sources(
        &mut self,
        seen: &FxHashMap<Value, usize>,
        element: impl Fn(&Op) -> Option<&Value>,
    ) {
        let mut sources: FxHashMap<Value, usize> = FxHashMap::default();
        for source in self.iter().filter_map(|(op, _)| element(op)) {
            *sources.entry(source.clone()).or_default() += 1;
        }
        for (op, call) in self.iter_mut() {
            // A crashed call stays one: it is never in the way, as a call in flight for long would be.
            if call.returned == NEVER {
                continue;
            }
            let element = element(op).filter(|element| sources.get(element) == Some(&1));
            let seen = element.and_then(|element| seen.get(element));
            let seen = seen.and_then(|seen| u32::try_from(*seen).ok());
            if let Some(seen) = seen.filter(|seen| *seen > call.invoked) {
                call.required = true;
                call.returned = call.returned.min(seen);
            }
        }
    }
}
