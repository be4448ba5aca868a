//! A node's disk and the queue in front of it: what is written, what has reached the disk, and what waits.
//!
//! The queue is what makes the write barrier true in every runtime: [`Disk::accept`] lets a send or reply pass
//! only if no write stands before it, [`Disk::sync`] lets pass what stood behind the writes that reached the
//! disk, and [`Disk::crash`] throws the queue away with whatever was not yet on the disk.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use crate::contract::{Durable, Effect, Node};

/// What a crash does to writes that had not reached the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// They are all lost.
    #[default]
    All,
    /// The last so many are lost; those before them happened to reach the disk.
    Last(u16),
    /// The last so many are lost, and of the one before them only a part reached the disk.
    Torn(u16),
    /// The disk wrote in an order of its own: of the unsynced writes, counted from the oldest as bit 0, those
    /// whose bit is set are lost.
    Some(u64),
    /// The whole disk is lost, and another takes its place ([`Durable::replacing`]).
    Disk,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("losing all unsynced writes"),
            Self::Last(count) => write!(f, "losing {count} writes"),
            Self::Torn(count) => write!(f, "losing {count} writes and tearing one"),
            Self::Some(mask) => write!(f, "losing writes {mask:b}"),
            Self::Disk => f.write_str("losing the whole disk"),
        }
    }
}

/// The text does not say what a crash loses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not say what is lost; e.g. `losing 2 writes`, `losing all unsynced writes`")]
pub struct NotALoss(pub String);

impl FromStr for Loss {
    type Err = NotALoss;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotALoss(text.to_owned());
        let words: Vec<_> = text.split_whitespace().collect();
        match words[..] {
            [] | ["losing", "all", "unsynced", "writes"] => Ok(Self::All),
            ["losing", "the", "whole", "disk"] => Ok(Self::Disk),
            ["losing", count, "writes"] => Ok(Self::Last(count.parse().map_err(|_| wrong())?)),
            ["losing", count, "writes", "and", "tearing", "one"] => {
                Ok(Self::Torn(count.parse().map_err(|_| wrong())?))
            }
            ["losing", "writes", mask] => Ok(Self::Some(
                u64::from_str_radix(mask, 2).map_err(|_| wrong())?,
            )),
            _ => Err(wrong()),
        }
    }
}

/// The disk of one node. It outlives the node's crashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk<N: Node> {
    /// With every write so far: what the node works with.
    written: N::Durable,
    /// What has reached the disk.
    synced: N::Durable,
    /// Unsynced writes and what waits behind them, in order. The front, if there is one, is a write.
    queue: VecDeque<Effect<N>>,
}

impl<N: Node> Default for Disk<N> {
    fn default() -> Self {
        Self::holding(N::Durable::default())
    }
}

impl<N: Node> Disk<N> {
    /// A disk that already holds something.
    pub fn holding(durable: N::Durable) -> Self {
        Self {
            written: durable.clone(),
            synced: durable,
            queue: VecDeque::new(),
        }
    }

    /// The durable state with every write so far.
    pub fn written(&self) -> &N::Durable {
        &self.written
    }

    /// The durable state that survives any crash now.
    pub fn synced(&self) -> &N::Durable {
        &self.synced
    }

    pub(crate) fn write_to_cache(&mut self, write: &<N::Durable as Durable>::Write) {
        self.written.apply(write);
    }

    /// The writes that have not reached the disk, oldest first.
    pub fn unsynced(&self) -> impl Iterator<Item = &<N::Durable as Durable>::Write> {
        self.queue.iter().filter_map(|effect| match effect {
            Effect::Write(write) => Some(write),
            _ => None,
        })
    }

    /// How many writes have not reached the disk.
    pub fn unsynced_count(&self) -> usize {
        self.unsynced().count()
    }

    /// How many effects wait, writes among them.
    pub(crate) fn waiting_count(&self) -> usize {
        self.queue.len()
    }

    /// Whether a write has yet to reach the disk.
    pub fn is_dirty(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes the effects of a step in order. What may happen now stays in `effects`; writes, and the sends and
    /// replies behind them, go into the queue.
    pub fn accept(&mut self, effects: &mut Vec<Effect<N>>) {
        let mut behind_a_write = !self.queue.is_empty();
        let waiting = effects.extract_if(.., |effect| match effect {
            Effect::Write(_) => {
                behind_a_write = true;
                true
            }
            Effect::Send { .. } | Effect::Reply { .. } => behind_a_write,
            Effect::SetTimer { .. } | Effect::CancelTimer(_) | Effect::Note(_) => false,
        });
        self.queue.extend(waiting);
    }

    /// The oldest `writes` unsynced writes reach the disk; what waited for them alone is appended to `released`.
    pub fn sync(&mut self, writes: usize, released: &mut Vec<Effect<N>>) {
        let mut reached = 0;
        while let Some(effect) = self.queue.front() {
            if let Effect::Write(write) = effect {
                if reached == writes {
                    break;
                }
                reached += 1;
                self.synced.apply(write);
                self.queue.pop_front();
            } else {
                released.extend(self.queue.pop_front());
            }
        }
    }

    /// The node crashes: what waited is gone, and of the unsynced writes those are lost that `loss` says.
    pub fn crash(&mut self, loss: Loss) {
        let writes: Vec<_> = std::mem::take(&mut self.queue)
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Write(write) => Some(write),
                _ => None,
            })
            .collect();
        let kept = match loss {
            Loss::All | Loss::Disk => 0,
            Loss::Last(count) => writes.len().saturating_sub(usize::from(count)),
            Loss::Torn(count) => writes.len().saturating_sub(usize::from(count) + 1),
            Loss::Some(_) => writes.len(),
        };
        for (place, write) in writes[..kept].iter().enumerate() {
            let lost = matches!(loss, Loss::Some(mask) if place < 64 && mask >> place & 1 == 1);
            if !lost {
                self.synced.apply(write);
            }
        }
        if let (Loss::Torn(_), Some(part)) = (loss, writes.get(kept).and_then(N::Durable::torn)) {
            self.synced.apply(&part);
        }
        if loss == Loss::Disk {
            self.synced = N::Durable::replacing(&self.synced).unwrap_or_default();
        }
        self.written = self.synced.clone();
    }
}
