//! `TwoPhase.tla` (L. Lamport and J. Gray, *Consensus on Transaction Commit*, ACM TODS 31(1), 2006; tlaplus/Examples,
//! `specifications/transaction_commit`), action by action.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Specification;

/// The state: the four variables of the specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TwoPhase {
    /// `rmState`, by resource manager.
    resource_managers: Vec<ResourceManager>,
    /// `tmState`.
    transaction_manager: TransactionManager,
    /// `tmPrepared`.
    prepared: BTreeSet<u8>,
    /// `msgs`: no message is ever removed.
    messages: BTreeSet<Message>,
}

/// What a resource manager is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ResourceManager {
    Working,
    Prepared,
    Committed,
    Aborted,
}

/// What the transaction manager is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum TransactionManager {
    Init,
    Committed,
    Aborted,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Prepared(u8),
    Commit,
    Abort,
}

/// The disjuncts of `TPNext`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Action {
    /// `TMRcvPrepared(r)`
    ReceivePrepared(u8),
    /// `TMCommit`
    Commit,
    /// `TMAbort`
    Abort,
    /// `RMPrepare(r)`
    Prepare(u8),
    /// `RMChooseToAbort(r)`
    ChooseToAbort(u8),
    /// `RMRcvCommitMsg(r)`
    ReceiveCommit(u8),
    /// `RMRcvAbortMsg(r)`
    ReceiveAbort(u8),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl TwoPhase {
    fn managers(&self) -> impl Iterator<Item = u8> + use<> {
        (0..).take(self.resource_managers.len())
    }

    fn is(&self, manager: u8, state: ResourceManager) -> bool {
        self.resource_managers[usize::from(manager)] == state
    }

    fn set(&mut self, manager: u8, state: ResourceManager) {
        self.resource_managers[usize::from(manager)] = state;
    }
}

impl Specification for TwoPhase {
    const NAME: &'static str = "TwoPhase.tla";

    type Action = Action;

    /// `TPInit`
    fn initial(size: u8) -> Self {
        Self {
            resource_managers: vec![ResourceManager::Working; usize::from(size)],
            transaction_manager: TransactionManager::Init,
            prepared: BTreeSet::new(),
            messages: BTreeSet::new(),
        }
    }

    fn internal(&self, actions: &mut Vec<Action>) {
        let own = self
            .managers()
            .flat_map(|manager| [Action::Prepare(manager), Action::ChooseToAbort(manager)]);
        let all = [Action::Commit, Action::Abort].into_iter().chain(own);
        actions.extend(all.filter(|action| self.is_enabled(*action)));
    }

    fn receipts(&self, actions: &mut Vec<Action>) {
        for message in &self.messages {
            match message {
                Message::Prepared(manager) => actions.push(Action::ReceivePrepared(*manager)),
                Message::Commit => actions.extend(self.managers().map(Action::ReceiveCommit)),
                Message::Abort => actions.extend(self.managers().map(Action::ReceiveAbort)),
            }
        }
    }

    fn is_enabled(&self, action: Action) -> bool {
        let undecided = self.transaction_manager == TransactionManager::Init;
        match action {
            Action::ReceivePrepared(manager) => {
                let sent = self.messages.contains(&Message::Prepared(manager));
                undecided && sent && !self.prepared.contains(&manager)
            }
            Action::Commit => undecided && self.prepared.len() == self.resource_managers.len(),
            Action::Abort => undecided,
            Action::Prepare(manager) | Action::ChooseToAbort(manager) => {
                self.is(manager, ResourceManager::Working)
            }
            Action::ReceiveCommit(manager) => {
                let sent = self.messages.contains(&Message::Commit);
                sent && !self.is(manager, ResourceManager::Committed)
            }
            Action::ReceiveAbort(manager) => {
                let sent = self.messages.contains(&Message::Abort);
                sent && !self.is(manager, ResourceManager::Aborted)
            }
        }
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::ReceivePrepared(manager) => {
                self.prepared.insert(manager);
            }
            Action::Commit => {
                self.transaction_manager = TransactionManager::Committed;
                self.messages.insert(Message::Commit);
            }
            Action::Abort => {
                self.transaction_manager = TransactionManager::Aborted;
                self.messages.insert(Message::Abort);
            }
            Action::Prepare(manager) => {
                self.set(manager, ResourceManager::Prepared);
                self.messages.insert(Message::Prepared(manager));
            }
            Action::ReceiveCommit(manager) => self.set(manager, ResourceManager::Committed),
            Action::ChooseToAbort(manager) | Action::ReceiveAbort(manager) => {
                self.set(manager, ResourceManager::Aborted);
            }
        }
    }
}
