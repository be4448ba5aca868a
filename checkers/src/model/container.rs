//! Containers that elements are put into and taken out of: what queues, stacks and priority queues have in common.

use rustc_hash::FxHashSet;
use tribunal_histories::Value;

use super::{Calls, Deed, Misfit, Recorded, Verb};

/// An operation on a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContainerOp {
    /// It put this element in.
    Put(Value),
    /// It took this element out.
    Take(Value),
    /// It took out whatever was next: what that was, nobody knows.
    TakeSome,
    /// It found nothing.
    TakeNone,
}

impl ContainerOp {
    /// A recorded operation; the names are those of putting in and of taking out.
    pub(super) fn of(recorded: &Recorded<'_>, [put, take]: [&str; 2]) -> Result<Self, Misfit> {
        match recorded.function {
            name if name == put && recorded.input.is_nil() => Err(Misfit::Input),
            name if name == put => Ok(Self::Put(recorded.input.clone())),
            name if name == take => Ok(match &recorded.output {
                None => Self::TakeSome,
                Some(Value::Nil) => Self::TakeNone,
                Some(element) => Self::Take(element.clone()),
            }),
            _ => Err(Misfit::Function),
        }
    }

    /// What operations of this name are; the names are those of putting in and of taking out.
    pub(super) fn verb(function: &str, [put, take]: [&str; 2]) -> Option<Verb> {
        match function {
            name if name == put => Some(Verb::Put),
            name if name == take => Some(Verb::Take),
            _ => None,
        }
    }

    /// The same for a monitor.
    pub(super) fn deed(&self) -> Deed<'_> {
        match self {
            Self::Put(element) => Deed::Put(element),
            Self::Take(element) => Deed::Take(element),
            Self::TakeSome => Deed::TakeSome,
            Self::TakeNone => Deed::TakeNone,
        }
    }
}

/// Drops every call that puts in an element which nobody is known to have taken out, and that is not required. Where
/// an order has it, either a call that is not required takes the element out, and the order without both is as good;
/// or the element stays, it only ever hides others, and the order without it is as good.
pub(super) fn drop_unseen(calls: &mut Calls<ContainerOp>) {
    let taken: FxHashSet<Value> = calls
        .iter()
        .filter_map(|(op, _)| match op {
            ContainerOp::Take(element) => Some(element.clone()),
            _ => None,
        })
        .collect();
    calls.retain(|op, call| match op {
        ContainerOp::Put(element) => call.required || taken.contains(element),
        _ => true,
    });
}
