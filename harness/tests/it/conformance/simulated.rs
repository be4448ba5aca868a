//! The simulator passes the suite, on both of its drivers, however time and disks behave.

use std::collections::{BTreeSet, VecDeque};

use tribunal::generator::{Call, Context, Generator, Next, Update, once};
use tribunal::nemesis::{DiskLoss, Fault, Nemesis};
use tribunal::runtime::sim::{Choice, Clients, Cluster, End, Faults, Settings, plain};
use tribunal_histories::{EventRecord, Kind, NodeId, Process, Value};
use tribunal_protocols::contract::Configuration;

use super::probe::{Probe, Probes};
use super::{Act, Runtime, conforms, expect};

/// The simulator under a seed.
#[derive(Clone, Copy, Debug)]
struct Simulator {
    on_madsim: bool,
    seed: u64,
    choice: Choice,
    /// How long a write takes to the disk, in milliseconds.
    sync_ms: u64,
}

/// Asks at given times, a thread each.
#[derive(Clone)]
struct Asking {
    questions: VecDeque<(u64, &'static str)>,
}

impl Generator for Asking {
    fn op(&mut self, context: &mut Context) -> Next {
        let Some((at_ms, question)) = self.questions.front().copied() else {
            return Next::Done;
        };
        if context.time_us < at_ms * 1_000 {
            return Next::Pending {
                until_us: Some(at_ms * 1_000),
            };
        }
        let next = context.invoke(|_| Call::new("do", Value::Nil, Value::text(question)));
        if matches!(next, Next::Operation(_)) {
            self.questions.pop_front();
        }
        next
    }

    fn update(&mut self, _context: &mut Context, _event: &Update<'_>) {}
}

impl Simulator {
    fn cluster(self, acts: &[(u64, Act)]) -> Cluster<Probe> {
        let settings = Settings {
            seed: self.seed,
            choice: self.choice,
            latency_us: (500, 5_000),
            sync_us: (self.sync_ms * 500, self.sync_ms * 1_000),
            retry_us: 60_000_000,
            redirect_us: 60_000_000,
            operation_timeout_us: 5_000_000,
            liveness_us: 5_000_000,
            events_max: 10_000,
        };
        let first = || BTreeSet::from([NodeId::from_index(0)]);
        let mut questions = VecDeque::new();
        let mut faults = Vec::new();
        for (at_ms, act) in acts {
            match act {
                Act::Ask(question) => questions.push_back((*at_ms, *question)),
                Act::Kill => {
                    let (nodes, loss) = (first(), DiskLoss::All);
                    faults.push((at_ms * 1_000, Fault::Kill { nodes, loss }));
                }
                Act::Restart => faults.push((at_ms * 1_000, Fault::Restart { nodes: first() })),
            }
        }
        let nothing = once(Call::new("do", Value::Nil, Value::Nil)).limit(0);
        let threads = questions.len();
        let clients = Clients::new(
            Asking { questions }.boxed(),
            nothing.boxed(),
            threads,
            self.seed,
        );
        let faults = Faults::of(Nemesis::scripted(faults));
        Cluster::new(Probes::of(2), settings, clients, faults, false)
    }
}

impl Runtime for Simulator {
    fn play(&self, acts: &[(u64, Act)]) -> Vec<Option<String>> {
        let mut cluster = self.cluster(acts);
        let end = if self.on_madsim {
            let end;
            (cluster, end) = on_madsim(cluster, self.seed);
            end
        } else {
            plain::run(&mut cluster, &|| false)
        };
        assert_eq!(end, End::Complete);
        let remains = cluster.into_remains();
        assert_eq!(
            remains.tally.steps_cut, 0,
            "in this suite nodes die between two steps"
        );
        answers(&remains.witness.events)
    }
}

#[cfg(madsim)]
fn on_madsim(cluster: Cluster<Probe>, seed: u64) -> (Cluster<Probe>, End) {
    tribunal::runtime::sim::madsim::run(cluster, seed, &|| false)
}

#[cfg(not(madsim))]
fn on_madsim(mut cluster: Cluster<Probe>, _seed: u64) -> (Cluster<Probe>, End) {
    let end = plain::run(&mut cluster, &|| false);
    (cluster, end)
}

/// What each question was answered, in the order in which they were asked.
fn answers(events: &[EventRecord]) -> Vec<Option<String>> {
    let mut asked: Vec<(Process, Option<String>)> = Vec::new();
    for event in events {
        match event.kind {
            Kind::Invoke => asked.push((event.process, None)),
            Kind::Ok => {
                let question = asked
                    .iter_mut()
                    .rfind(|question| question.0 == event.process);
                question.expect("an answer has a question").1 =
                    event.value.as_name().map(str::to_owned);
            }
            Kind::Fail | Kind::Info => {}
        }
    }
    asked.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn the_simulator_conforms() {
    for on_madsim in [false, true] {
        for choice in [Choice::Latency, Choice::Random, Choice::Pct { changes: 3 }] {
            for sync_ms in [0, 1, 100] {
                conforms(&Simulator {
                    on_madsim,
                    seed: 1,
                    choice,
                    sync_ms,
                });
            }
        }
    }
}

/// Only where the time to a disk is ours can a node be killed before a write is there: the answer then never comes,
/// and the write is gone.
#[test]
fn an_answer_waits_for_the_disk() {
    use Act::{Ask, Kill, Restart};
    for on_madsim in [false, true] {
        let simulator = Simulator {
            on_madsim,
            seed: 1,
            choice: Choice::Latency,
            sync_ms: 1_000,
        };
        let killed_after = |question| {
            [
                (0, Ask(question)),
                (200, Kill),
                (300, Restart),
                (600, Ask("disk")),
            ]
        };
        expect(
            &simulator,
            &killed_after("write:a reply"),
            &[None, Some("disk []")],
        );
        expect(
            &simulator,
            &killed_after("reply write:a"),
            &[Some("done"), Some("disk []")],
        );
    }
}
