//! What nodes of a library send each other: the library's own bytes, and what people and properties see in them.

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_histories::{Claim, Digest, MessageView, NodeId};

/// What a message binds its sender to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) enum Says {
    /// Nothing that a property asks about.
    #[default]
    Nothing,
    /// It votes for the receiver.
    Vote,
    /// It would vote for the receiver, which binds it to nothing.
    WouldVote,
    /// It speaks of a term that it may not be in: a pre-vote is about the next.
    Asks,
}

/// A message of a library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Wire {
    /// What it says in words; the first names its kind.
    pub(crate) text: String,
    /// The sender's term or ballot in it.
    pub(crate) term: u64,
    /// What it binds its sender to.
    pub(crate) says: Says,
    /// The sender's life and the message's place among those that it sent to the receiver in it, where the application
    /// numbers them; otherwise zeros.
    pub(crate) place: (u64, u64),
    /// The message as the library encodes it.
    pub(crate) bytes: Vec<u8>,
}

/// With a digest of the bytes at the end: messages that print alike are equal.
impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Digest::default().then(&self.place).then(&self.bytes).0 >> 40;
        write!(f, "{} {digest:06x}", self.text)
    }
}

impl Wire {
    /// What it shows to properties.
    pub(crate) fn view(&self, to: NodeId) -> MessageView {
        let claims = match self.says {
            Says::WouldVote => vec![Claim::WouldVote { term: self.term }],
            Says::Nothing | Says::Vote | Says::Asks => Vec::new(),
        };
        let is_of_this_term = matches!(self.says, Says::Nothing | Says::Vote);
        MessageView {
            to,
            term: if is_of_this_term { self.term } else { 0 },
            grants_vote: self.says == Says::Vote,
            claims,
        }
    }
}
