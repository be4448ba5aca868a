//! The live runtime passes the suite: real processes on loopback, real files, real time.
//!
//! A process that is killed loses nothing that it handed to the operating system. So what becomes of a write that
//! is not on the disk yet is shown in the simulator only: see `an_answer_waits_for_the_disk` there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tribunal::runtime::live::{Answer, Client, ClusterOptions, LiveCluster, Patience};
use tribunal_histories::NodeId;
use tribunal_protocols::ClientId;
use tribunal_protocols::contract::Configuration;

use super::probe::{Probe, Probes, Text};
use super::{Act, Runtime, conforms};

/// The node that clients ask and faults strike.
const FIRST: NodeId = NodeId(0);
/// How long a client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Processes on this machine.
struct Live;

/// The program that is a probe: the example `probe_node`, which cargo puts beside the program under test.
fn program() -> PathBuf {
    let tribunal = Path::new(env!("CARGO_BIN_EXE_tribunal"));
    let program = tribunal.with_file_name("examples").join("probe_node");
    assert!(
        program.exists(),
        "{} is missing: a plain `cargo test` builds it, but `cargo test` of chosen tests does not; build it with \
         `cargo build -p tribunal --profile test --example probe_node`",
        program.display()
    );
    program
}

/// Asks the first node, from another connection each time. The client knows the address of its present process and
/// no other, so that nobody is asked instead of it, and nobody again.
fn ask(cluster: &LiveCluster, client: ClientId, question: &str) -> JoinHandle<Option<String>> {
    let address = cluster.addresses().borrow()[FIRST.index()];
    let question = Text(question.to_owned());
    tokio::spawn(async move {
        let patience = Patience {
            attempt: PATIENCE,
            operation: PATIENCE,
        };
        let mut client_alone = Client::new(
            watch::Sender::new(vec![address]).subscribe(),
            FIRST,
            patience,
        );
        match client_alone.invoke::<Probe>(client, 1, &question).await {
            Answer::Ok(answer) => answer.as_name().map(str::to_owned),
            Answer::Fail(_) | Answer::Info(_) => None,
        }
    })
}

async fn play(acts: &[(u64, Act)]) -> Vec<Option<String>> {
    let directory = TempDir::new().unwrap();
    let options = ClusterOptions {
        program: program(),
        ..ClusterOptions::of::<Probe>(&Probes::of(2), 1, directory.path().to_owned()).unwrap()
    };
    let mut cluster = LiveCluster::start(options).await.unwrap();
    let start = Instant::now();
    let mut asked = Vec::new();
    for (client, (at_ms, act)) in (0..).zip(acts) {
        sleep_until(start + Duration::from_millis(*at_ms)).await;
        match act {
            Act::Ask(question) => asked.push(ask(&cluster, client, question)),
            Act::Kill => cluster.kill(FIRST).await.unwrap(),
            Act::Restart => cluster.restart(FIRST).await.unwrap(),
        }
    }
    let mut answers = Vec::new();
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    cluster.bury().await.unwrap();
    assert_eq!(cluster.fallen(), [], "a probe ended by itself");
    cluster.stop().await.unwrap();
    answers
}

impl Runtime for Live {
    fn play(&self, acts: &[(u64, Act)]) -> Vec<Option<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(play(acts))
    }
}

#[test]
fn the_live_runtime_conforms() {
    conforms(&Live);
}
