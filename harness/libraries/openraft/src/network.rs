//! openraft's network over simulated links.

use std::time::Duration;

use openraft::BasicNode;
use openraft::error::{InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use tribunal_histories::NodeId;

use crate::types::{Raft, Types, node_of, number_of};
use crate::world::Shared;

/// The links of one node.
pub(crate) struct Links {
    pub(crate) world: Shared,
    pub(crate) from: NodeId,
}

/// The link from one node to another.
pub(crate) struct Link {
    world: Shared,
    from: NodeId,
    to: NodeId,
}

impl RaftNetworkFactory<Types> for Links {
    type Network = Link;

    async fn new_client(&mut self, target: u64, _node: &BasicNode) -> Link {
        Link {
            world: self.world.clone(),
            from: self.from,
            to: node_of(target),
        }
    }
}

#[derive(Clone)]
enum Question {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<u64>),
    Snapshot(InstallSnapshotRequest<Types>),
}

enum Reply {
    Append(AppendEntriesResponse<u64>),
    Vote(VoteResponse<u64>),
    Snapshot(Result<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>>),
}

impl Question {
    fn told(&self) -> String {
        match self {
            Self::Append(ask) => {
                let before = ask.prev_log_id.map(|id| id.to_string()).unwrap_or_default();
                let commit = ask
                    .leader_commit
                    .map(|id| id.to_string())
                    .unwrap_or_default();
                let (vote, count) = (ask.vote, ask.entries.len());
                format!("AppendEntries {vote} after {before} +{count} commit {commit}")
            }
            Self::Vote(ask) => {
                let last = ask.last_log_id.map(|id| id.to_string()).unwrap_or_default();
                format!("Vote {} log {last}", ask.vote)
            }
            Self::Snapshot(ask) => format!("InstallSnapshot {} {}", ask.vote, ask.meta),
        }
    }

    async fn asked(self, raft: &Raft) -> Option<Reply> {
        match self {
            Self::Append(ask) => raft.append_entries(ask).await.ok().map(Reply::Append),
            Self::Vote(ask) => raft.vote(ask).await.ok().map(Reply::Vote),
            Self::Snapshot(ask) => Some(Reply::Snapshot(raft.install_snapshot(ask).await)),
        }
    }
}

fn unreachable_now() -> NetworkError {
    NetworkError::new(&std::io::Error::from(std::io::ErrorKind::TimedOut))
}

impl Link {
    /// Sends a question and waits for the answer.
    async fn exchange(
        &self,
        question: Question,
        patience: Duration,
    ) -> Result<Reply, NetworkError> {
        let (from, to) = (self.from, self.to);
        let told = question.told();
        let fate = self.world.lock().send(from, to);
        if let Some(again_after) = fate.again_after {
            let (world, question, told) = (self.world.clone(), question.clone(), told.clone());
            madsim::task::spawn(async move {
                madsim::time::sleep(again_after).await;
                let raft = world.lock().arrive(from, to, &told);
                if let Some(raft) = raft {
                    // Nobody waits for what is answered the second time.
                    let _ = question.asked(&raft).await;
                }
            });
        }
        let reply = match fate.after {
            None => None,
            Some(after) => {
                madsim::time::sleep(after).await;
                let raft = self.world.lock().arrive(from, to, &told);
                match raft {
                    Some(raft) => question.asked(&raft).await,
                    None => None,
                }
            }
        };
        if let Some(reply) = reply {
            let fate = self.world.lock().send(to, from);
            if let Some(after) = fate.after {
                madsim::time::sleep(after).await;
                let told = format!("answer to {told}");
                if self.world.lock().arrive(to, from, &told).is_some() {
                    return Ok(reply);
                }
            }
        }
        madsim::time::sleep(patience).await;
        Err(unreachable_now())
    }
}

type Failed<E = openraft::error::Infallible> = RPCError<u64, BasicNode, RaftError<u64, E>>;

impl RaftNetwork<Types> for Link {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, Failed> {
        match self
            .exchange(Question::Append(rpc), option.hard_ttl())
            .await?
        {
            Reply::Append(reply) => Ok(reply),
            Reply::Vote(_) | Reply::Snapshot(_) => Err(unreachable_now().into()),
        }
    }

    async fn install_snapshot(
        &mut self,
        rpc: InstallSnapshotRequest<Types>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, Failed<InstallSnapshotError>> {
        let target = number_of(self.to);
        match self
            .exchange(Question::Snapshot(rpc), option.hard_ttl())
            .await?
        {
            Reply::Snapshot(Ok(reply)) => Ok(reply),
            Reply::Snapshot(Err(error)) => {
                Err(RPCError::RemoteError(RemoteError::new(target, error)))
            }
            Reply::Vote(_) | Reply::Append(_) => Err(unreachable_now().into()),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, Failed> {
        match self
            .exchange(Question::Vote(rpc), option.hard_ttl())
            .await?
        {
            Reply::Vote(reply) => Ok(reply),
            Reply::Append(_) | Reply::Snapshot(_) => Err(unreachable_now().into()),
        }
    }
}
