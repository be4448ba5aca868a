//! ZAB in scenarios: disks are described by their two epochs and the names of their transactions, which append numbers
//! to `x`.

use std::fmt::Write as _;

use tribunal_histories::{Phase, Zxid};

use super::history::{HardState, Transaction, Write};
use super::{Stage, Zab};
use crate::contract::Durable;
use crate::scenario::Staged;
use crate::state_machine::{Action, Command, Key};

/// Who asked for what is on disks from the beginning: none of the clients that scenarios have.
const FORMER_CLIENT: u32 = 99;

impl Staged for Zab {
    const MODEL: &'static str = "kv";

    /// `accepted 3 current 2 history 1:1 1:2 2:1`: the transactions write 11, 12 and 21 to `x`.
    fn disk(words: &str) -> Option<HardState> {
        let (head, zxids) = words.split_once(" history")?;
        let head: Vec<_> = head.split_whitespace().collect();
        let ["accepted", accepted, "current", current] = head[..] else {
            return None;
        };
        let (accepted, epoch): (u64, u64) = (accepted.parse().ok()?, current.parse().ok()?);
        let zxids: Vec<Zxid> = zxids
            .split_whitespace()
            .map(|zxid| {
                let (epoch, counter) = zxid.split_once(':')?;
                let (epoch, counter) = (epoch.parse().ok()?, counter.parse().ok()?);
                Some(Zxid { epoch, counter })
            })
            .collect::<Option<_>>()?;
        let too_new = zxids.last().is_some_and(|last| last.epoch > accepted);
        if epoch > accepted || !zxids.is_sorted() || too_new {
            return None;
        }
        let mut state = HardState::default();
        state.apply(&Write::Accepted(accepted));
        let transaction = |zxid: Zxid| {
            let number = i64::try_from(10 * zxid.epoch + zxid.counter).ok()?;
            Some(Transaction {
                zxid,
                client: FORMER_CLIENT,
                sequence: u32::try_from(number).ok()?,
                command: Command {
                    key: Key(0),
                    action: Action::Write(number),
                },
            })
        };
        let transactions = zxids.into_iter().map(transaction).collect::<Option<_>>()?;
        state.apply(&state.history.append(transactions));
        let follows = Some(state.history.end());
        state.apply(&Write::Current { epoch, follows });
        Some(state)
    }

    /// `n1 leader e2 current 1 history 1:1 1:2 delivered 1`.
    fn told(node: Option<&Self>, disk: &HardState) -> Option<String> {
        let standing = match node.map(|node| (&node.stage, node.phase())) {
            None => "down",
            Some((Stage::Looking(_), _)) => "looking",
            Some((Stage::Following(_), Phase::Broadcast)) => "follower",
            Some((Stage::Leading(_), Phase::Broadcast)) => "leader",
            Some((Stage::Following(_), _)) => "follower-to-be",
            Some((Stage::Leading(_), _)) => "leader-to-be",
        };
        let (accepted, current) = (disk.accepted_epoch, disk.current_epoch);
        let mut line = format!("{standing} accepted {accepted} current {current} history");
        let history = &disk.history;
        if history.start() > 0 {
            let snapshot = history.snapshot();
            let _ = write!(
                line,
                " (snapshot of {} up to {})",
                snapshot.index, snapshot.zxid
            );
        } else if history.zxids().is_empty() {
            line.push_str(" empty");
        }
        for zxid in history.zxids() {
            let _ = write!(line, " {zxid}");
        }
        if let Some(node) = node.filter(|node| node.applied > 0) {
            let _ = write!(line, " delivered {}", node.applied);
        }
        Some(line)
    }

    fn value(&self, object: &str) -> Option<String> {
        Some(self.machine().read(object.parse().ok()?).to_string())
    }
}
