//! A workload against a live cluster under a nemesis, from start to final reads; out comes a history.
//!
//! One task does it all: it asks the generator, hands operations to clients, asks the nemesis, and writes down
//! what happens in the order in which it learns of it. An invocation is written down before its request is sent
//! and a completion after its response has come, so an operation in the history is never shorter than it was.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tribunal_histories::{
    BuildOptions, EventRecord, History, HistoryBuilder, Kind, Process, Value,
};
use tribunal_protocols::contract::Recorded;
use tribunal_protocols::world::client_event;
use tribunal_protocols::{ClientId, Node};

use super::LiveError;
use super::client::{Answer, Client, Patience};
use super::cluster::{ClusterOptions, Fallen, LiveCluster, Notes};
use super::relay::Traffic;
use crate::generator::{Generator, Interpreter, Invocation, Next};
use crate::nemesis::{Fault, Nemesis, NemesisContext, NextFault};

/// How long clients go on when everything is healed.
const FINAL: Duration = Duration::from_secs(30);

/// How often it is looked whether the run is to stop, and whether a node has fallen.
const TICK: Duration = Duration::from_millis(50);

/// A live run.
#[derive(Clone)]
pub struct LiveOptions {
    /// The cluster.
    pub cluster: ClusterOptions,
    /// What clients do while there are faults.
    pub generator: Box<dyn Generator>,
    /// What they do when everything is healed.
    pub final_generator: Box<dyn Generator>,
    /// How many clients there are at a time.
    pub concurrency: usize,
    /// What operations are drawn from.
    pub seed: u64,
    /// What goes wrong, with faults of [`capabilities`](super::capabilities) only.
    pub nemesis: Nemesis,
    /// How long clients wait for answers.
    pub patience: Patience,
    /// How long clients go on while there are faults; what follows is bounded too.
    pub budget: Duration,
}

/// How a live run ended.
#[derive(Debug)]
pub enum LiveEnd {
    /// Generators and nemesis came to their ends.
    Complete,
    /// The budget was spent before.
    OutOfTime,
    /// It was told to stop.
    Stopped,
    /// The cluster could not be kept going.
    Broken(LiveError),
}

/// What a live run has shown: whole, or as far as it came.
#[derive(Debug)]
pub struct LiveRun {
    /// What clients saw, and between it, what the nemesis did.
    pub history: History,
    /// How many events the history had when all was healed and the final operations began, if they did.
    pub healed: Option<usize>,
    /// What the nemesis did, and when, in microseconds since the start.
    pub faults: Vec<(u64, Fault)>,
    /// How often the nodes hit each probe.
    pub notes: Notes,
    /// What passed between the nodes.
    pub traffic: Traffic,
    /// Nodes that ended though nobody killed them: a run with one of them is never valid.
    pub fallen: Vec<Fallen>,
    /// How it ended.
    pub end: LiveEnd,
}

impl LiveRun {
    /// A run that never began.
    pub fn not_begun(error: LiveError) -> Self {
        Self {
            history: History::default(),
            healed: None,
            faults: Vec::new(),
            notes: Notes::new(),
            traffic: Traffic::default(),
            fallen: Vec::new(),
            end: LiveEnd::Broken(error),
        }
    }

    /// Faults by kind.
    pub fn fault_counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (_, fault) in &self.faults {
            *counts.entry(fault.kind()).or_default() += 1;
        }
        counts
    }
}

/// Makes a live run. It ends early when `stop` says so, with what was found so far.
///
/// # Errors
/// If the cluster cannot be started. What goes wrong later is in [`LiveRun::end`].
///
/// # Panics
/// If the protocol does not serve the workload's operations.
pub fn run<N: Node>(options: LiveOptions, stop: &dyn Fn() -> bool) -> Result<LiveRun, LiveError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(LiveError::while_doing("cannot start an event loop"))?;
    runtime.block_on(drive::<N>(options, stop))
}

async fn drive<N: Node>(
    options: LiveOptions,
    stop: &dyn Fn() -> bool,
) -> Result<LiveRun, LiveError> {
    let mut cluster = LiveCluster::start(options.cluster.clone()).await?;
    let record = RefCell::new(Record::begin());
    let mut clients = Clients::<N>::start(&options, &cluster, &record, stop);
    let mut nemesis = options.nemesis.clone();
    let (operations_end, ended) = watch::channel(false);
    let operations = async {
        let end = clients.operate().await;
        operations_end.send_replace(true);
        end
    };
    let (end, tormented) = tokio::join!(
        operations,
        torment(&mut cluster, &mut nemesis, ended, &record)
    );
    let mut healed = None;
    let end = match (tormented, end) {
        (Err(error), _) => LiveEnd::Broken(error),
        (Ok(()), LiveEnd::Stopped) => LiveEnd::Stopped,
        (Ok(()), end) => match heal(&mut cluster, &mut nemesis, &record).await {
            Err(error) => LiveEnd::Broken(error),
            Ok(()) => {
                healed = Some(record.borrow().history.history().len());
                clients.go_on_with(options.final_generator);
                match clients.operate().await {
                    LiveEnd::Complete => end,
                    worse => worse,
                }
            }
        },
    };
    drop(clients);
    let (traffic, fallen) = (cluster.relay().traffic(), cluster.fallen().to_vec());
    let (notes, end) = match cluster.stop().await {
        Ok(notes) => (notes, end),
        Err(error) => (Notes::new(), LiveEnd::Broken(error)),
    };
    let record = record.into_inner();
    Ok(LiveRun {
        history: record.history.finish(),
        healed,
        faults: record.faults,
        notes,
        traffic,
        fallen,
        end,
    })
}

/// What is written down, and since when.
struct Record {
    start: Instant,
    history: HistoryBuilder,
    faults: Vec<(u64, Fault)>,
}

impl Record {
    fn begin() -> Self {
        Self {
            start: Instant::now(),
            history: HistoryBuilder::new(BuildOptions::default()),
            faults: Vec::new(),
        }
    }

    fn time_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn event(&mut self, mut event: EventRecord) {
        event.time_ns = u64::try_from(self.start.elapsed().as_nanos()).ok();
        let kept = self.history.push(event);
        kept.expect("the interpreter begins and ends operations in turn");
    }

    fn fault(&mut self, fault: Fault) {
        let what = Value::text(&fault.to_string());
        self.event(EventRecord::new(
            Process::Nemesis,
            Kind::Info,
            fault.kind(),
            Value::Nil,
            what,
        ));
        self.faults.push((self.time_us(), fault));
    }
}

/// An operation for a client to carry out.
struct Job<Q> {
    process: ClientId,
    request: Q,
}

/// All clients and the generator behind them.
struct Clients<'a, N: Node> {
    interpreter: Interpreter,
    /// By thread, what it is told to do.
    jobs: Vec<mpsc::UnboundedSender<Job<N::Request>>>,
    /// By thread, what it is doing.
    requests: Vec<Option<N::Request>>,
    answers: mpsc::UnboundedReceiver<(usize, Answer)>,
    record: &'a RefCell<Record>,
    stop: &'a dyn Fn() -> bool,
    deadline: Instant,
    /// Aborted when dropped.
    _threads: JoinSet<()>,
}

impl<'a, N: Node> Clients<'a, N> {
    fn start(
        options: &LiveOptions,
        cluster: &LiveCluster,
        record: &'a RefCell<Record>,
        stop: &'a dyn Fn() -> bool,
    ) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let mut threads = JoinSet::new();
        let nodes = options.cluster.nodes;
        let jobs = (0..options.concurrency).map(|thread| {
            let (sender, mut jobs) = mpsc::unbounded_channel::<Job<N::Request>>();
            let first = tribunal_histories::NodeId::from_index(thread % nodes);
            let mut client = Client::new(cluster.addresses(), first, options.patience);
            let answer = answer.clone();
            threads.spawn(async move {
                let mut sequence = 0;
                while let Some(job) = jobs.recv().await {
                    sequence += 1;
                    let result = client.invoke::<N>(job.process, sequence, &job.request);
                    if answer.send((thread, result.await)).is_err() {
                        return;
                    }
                }
            });
            sender
        });
        Self {
            jobs: jobs.collect(),
            interpreter: Interpreter::new(
                options.generator.clone(),
                options.concurrency,
                options.seed,
            ),
            requests: vec![None; options.concurrency],
            answers,
            record,
            stop,
            deadline: Instant::now() + options.budget,
            _threads: threads,
        }
    }

    fn go_on_with(&mut self, generator: Box<dyn Generator>) {
        self.interpreter.switch_to(generator);
        self.deadline = Instant::now() + FINAL;
    }

    /// Carries out what the generator says until it is done, or time is up, and no operation is in flight.
    async fn operate(&mut self) -> LiveEnd {
        let mut end = None;
        loop {
            let mut wake = Instant::now() + TICK;
            if end.is_none() {
                match self.begin_operations() {
                    Ok(Some(until)) => wake = wake.min(until),
                    Ok(None) => {}
                    Err(reason) => end = Some(reason),
                }
            }
            if self.interpreter.is_idle()
                && let Some(end) = end.take()
            {
                return end;
            }
            tokio::select! {
                biased;
                answered = self.answers.recv() => {
                    if let Some((thread, answer)) = answered {
                        self.complete(thread, answer);
                    }
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// Begins what is to begin now. Says when there may be more, if that is known.
    ///
    /// # Errors
    /// There will be no more, for this reason.
    fn begin_operations(&mut self) -> Result<Option<Instant>, LiveEnd> {
        loop {
            if (self.stop)() {
                return Err(LiveEnd::Stopped);
            }
            if Instant::now() >= self.deadline {
                return Err(LiveEnd::OutOfTime);
            }
            let (start, time_us) = {
                let record = self.record.borrow();
                (record.start, record.time_us())
            };
            match self.interpreter.next(time_us) {
                Next::Operation(invocation) => self.begin(&invocation),
                Next::Pending { until_us } => {
                    return Ok(until_us.map(|until_us| start + Duration::from_micros(until_us)));
                }
                Next::Done => return Err(LiveEnd::Complete),
            }
        }
    }

    fn begin(&mut self, invocation: &Invocation) {
        let call = &invocation.call;
        let request = N::Request::from_record(call.function, &call.key, &call.value);
        let request =
            request.expect("a workload is offered only for protocols that serve its operations");
        let event = client_event(invocation.process, &request, Kind::Invoke, None);
        self.record.borrow_mut().event(event);
        self.requests[invocation.thread] = Some(request.clone());
        let job = Job {
            process: invocation.process,
            request,
        };
        let told = self.jobs[invocation.thread].send(job);
        assert!(
            told.is_ok(),
            "a client waits for jobs as long as we do for answers"
        );
    }

    fn complete(&mut self, thread: usize, answer: Answer) {
        let request = self.requests[thread].take();
        let request = request.expect("who answers was asked");
        let (kind, value) = match answer {
            Answer::Ok(value) => (Kind::Ok, value),
            Answer::Fail(error) => (Kind::Fail, error),
            Answer::Info(why) => (Kind::Info, why),
        };
        let mut record = self.record.borrow_mut();
        let invocation = self
            .interpreter
            .complete(record.time_us(), thread, kind, &value);
        let mut event = client_event(invocation.process, &request, kind, Some(value.clone()));
        if kind == Kind::Info {
            event.error = value;
        }
        record.event(event);
    }
}

fn context(cluster: &LiveCluster, record: &RefCell<Record>) -> NemesisContext {
    NemesisContext {
        time_us: record.borrow().time_us(),
        nodes: cluster.nodes(),
        leaders: cluster.leaders(),
        up: cluster.up(),
        paused: cluster.paused(),
        amnesic: BTreeSet::new(),
    }
}

/// Does what the nemesis says, until the operations have ended.
async fn torment(
    cluster: &mut LiveCluster,
    nemesis: &mut Nemesis,
    mut ended: watch::Receiver<bool>,
    record: &RefCell<Record>,
) -> Result<(), LiveError> {
    while !*ended.borrow_and_update() {
        cluster.bury().await?;
        match nemesis.next(&context(cluster, record)) {
            NextFault::Inject(fault) => {
                cluster.inject(&fault).await?;
                record.borrow_mut().fault(fault);
            }
            NextFault::Wait { until_us } => {
                let tick = Instant::now() + TICK;
                let start = record.borrow().start;
                let until = until_us.map(|until_us| start + Duration::from_micros(until_us));
                tokio::select! {
                    biased;
                    _ = ended.changed() => {}
                    () = tokio::time::sleep_until(until.map_or(tick, |until| until.min(tick))) => {}
                }
            }
        }
    }
    Ok(())
}

/// Ends all faults, and brings back whatever is down.
async fn heal(
    cluster: &mut LiveCluster,
    nemesis: &mut Nemesis,
    record: &RefCell<Record>,
) -> Result<(), LiveError> {
    cluster.bury().await?;
    for fault in nemesis.heal(&context(cluster, record)) {
        cluster.inject(&fault).await?;
        record.borrow_mut().fault(fault);
    }
    Ok(())
}
