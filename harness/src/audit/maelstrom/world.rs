//! The nodes of an audit, what is on its way between them, and who waits for what: moved by named steps.
//!
//! A step is taken when somebody says so: the clock of a run, or the list of a trace. In virtual time a step is over
//! when the node that it was about is at rest, so the same steps bring a deterministic program to the same state. In
//! real time a step only hands over what it hands over, and what nodes write is taken when it comes.

mod clients;
mod lines;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use tribunal_histories::NodeId;

use super::message::{Endpoint, HARNESS, Head, Letter, gist};
use super::misbehaviour::{Misbehaviour, Wrong};
use super::process::{NodeProcess, Output, Patience, Start, Unrest};
use super::service::Services;
use super::step::{Named, Step};
use super::workload::{Cluster, Dialogue};
use crate::audit::Ledger;
use crate::audit::subject::Completion;
use crate::draw::{Domain, Draw};
use crate::generator::Call;

/// What a world is made from.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) command: Vec<String>,
    pub(super) dialogue: &'static Dialogue,
    pub(super) cluster: Cluster,
    pub(super) concurrency: usize,
    pub(super) seed: u64,
    pub(super) patience: Patience,
    /// Where nodes have their folders, and their standard error is kept.
    pub(super) folder: PathBuf,
    /// Whether a step is over only when its node is at rest.
    pub(super) is_virtual: bool,
}

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It was given `init`.
    Starting,
    /// It has answered that, and was given the workload's greeting.
    Greeted,
    /// It takes part.
    Ready,
}

/// A node's place: its process comes and goes.
#[derive(Debug)]
struct Place {
    process: Option<NodeProcess>,
    stage: Stage,
    /// The last message that it was given.
    last_given: Option<String>,
    /// What follows from what it wrote, to be given to it next.
    to_give: VecDeque<String>,
    /// Why virtual time is not for it, if that was seen.
    timer: Option<String>,
}

/// An operation in flight.
#[derive(Clone, Debug)]
struct Open {
    process: u32,
    msg_id: i64,
    call: Call,
    body: String,
}

/// A message on its way, and how often it is to arrive.
#[derive(Clone, Debug)]
struct Flight {
    letter: Letter,
    copies: u32,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct World {
    pub(super) setup: Arc<Setup>,
    pub(super) ledger: Ledger,
    places: Vec<Place>,
    flights: BTreeMap<u64, Flight>,
    /// By link and place on it, the number of a message on its way.
    places_on_links: BTreeMap<(Endpoint, Endpoint, u32), u64>,
    /// The number of the last message of all, and of each link.
    letters: u64,
    links: BTreeMap<(Endpoint, Endpoint), u32>,
    services: Services,
    /// By thread, its operation, and the number of its last request.
    open: Vec<Option<Open>>,
    asked: Vec<i64>,
    misbehaviour: Option<Misbehaviour>,
    failure: Option<String>,
    /// Messages put on their way since somebody last asked.
    sent: Vec<u64>,
    pub(super) counts: Counts,
}

/// What passed, by how it fared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) between_nodes: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
}

impl World {
    pub(super) fn new(setup: Setup, record: bool) -> Self {
        let place = |_| Place {
            process: None,
            stage: Stage::Starting,
            last_given: None,
            to_give: VecDeque::new(),
            timer: None,
        };
        Self {
            ledger: Ledger::new(record),
            places: (0..setup.cluster.nodes).map(place).collect(),
            flights: BTreeMap::new(),
            places_on_links: BTreeMap::new(),
            letters: 0,
            links: BTreeMap::new(),
            services: Services::new(setup.seed),
            open: vec![None; setup.concurrency],
            asked: vec![0; setup.concurrency],
            misbehaviour: None,
            failure: None,
            sent: Vec::new(),
            counts: Counts::default(),
            setup: Arc::new(setup),
        }
    }

    /// The folder of nodes is made anew: a run begins without what another left.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.setup.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&self.setup.folder),
        }
    }

    /// Why the run cannot go on: a node breaks the protocol.
    pub(super) fn misbehaviour(&self) -> Option<&Misbehaviour> {
        self.misbehaviour.as_ref()
    }

    /// Why the run cannot go on: a program could not be started.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(super) fn is_over(&self) -> bool {
        self.misbehaviour.is_some() || self.failure.is_some()
    }

    pub(super) fn is_up(&self, node: NodeId) -> bool {
        self.places[node.index()].process.is_some()
    }

    /// Whether a node takes messages of others.
    pub(super) fn is_ready(&self, node: NodeId) -> bool {
        let place = &self.places[node.index()];
        place.process.is_some() && place.stage == Stage::Ready
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        NodeId::all(self.places.len())
    }

    pub(super) fn process(&mut self, node: NodeId) -> Option<&mut NodeProcess> {
        self.places[node.index()].process.as_mut()
    }

    pub(super) fn running(&self, node: NodeId) -> Option<&NodeProcess> {
        self.places[node.index()].process.as_ref()
    }

    /// The process of the history whose operation is in flight on a thread.
    pub(super) fn process_at(&self, thread: usize) -> Option<u32> {
        self.open[thread].as_ref().map(|open| open.process)
    }

    /// Why virtual time is not for these programs: one was seen to use a timer.
    pub(super) fn timer(&self) -> Option<String> {
        self.nodes().find_map(|node| {
            let place = &self.places[node.index()];
            let waiting = place.process.as_ref().and_then(NodeProcess::timer);
            let reason = place.timer.as_deref().or(waiting)?;
            Some(format!("{node} uses a timer ({reason})"))
        })
    }

    /// A message that is on its way.
    pub(super) fn letter(&self, number: u64) -> Option<&Letter> {
        self.flights.get(&number).map(|flight| &flight.letter)
    }

    /// All messages that are on their way, in the order in which they were sent.
    pub(super) fn letters(&self) -> impl Iterator<Item = &Letter> {
        self.flights.values().map(|flight| &flight.letter)
    }

    /// The message of that name, if it is on its way.
    fn number_of(&self, named: &Named) -> Option<u64> {
        let place = (named.from, named.to, named.ordinal);
        self.places_on_links.get(&place).copied()
    }

    /// The message on its way that is most like this one: it says the same, but for numbers, or has its place.
    pub(super) fn like(&self, named: &Named) -> Option<Named> {
        let wanted = gist(&named.body);
        let on_link = |letter: &&Letter| (letter.from, letter.to) == (named.from, named.to);
        let letters = || self.letters().filter(on_link);
        let same = letters().filter(|letter| letter.gist() == wanted);
        let nearest = same.min_by_key(|letter| letter.ordinal.abs_diff(named.ordinal));
        let letter =
            nearest.or_else(|| letters().find(|letter| letter.ordinal == named.ordinal))?;
        Some(Named {
            ordinal: letter.ordinal,
            body: letter.body.clone(),
            ..named.clone()
        })
    }

    /// The messages that were put on their way since this was last asked.
    pub(super) fn take_sent(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.sent)
    }

    /// The name of a message on its way.
    pub(super) fn named(&self, number: u64) -> Option<Named> {
        self.letter(number).map(|letter| Named {
            from: letter.from,
            to: letter.to,
            ordinal: letter.ordinal,
            body: letter.body.clone(),
        })
    }

    /// Whether a step can be taken.
    pub(super) fn is_enabled(&self, step: &Step) -> bool {
        match step {
            Step::Start(node) => !self.is_up(*node),
            Step::Kill(node) => self.is_up(*node),
            Step::Invoke { process, .. } => self.open[self.thread_of(*process)].is_none(),
            Step::GiveUp { process } => {
                let open = &self.open[self.thread_of(*process)];
                open.as_ref().is_some_and(|open| open.process == *process)
            }
            Step::Deliver(named) | Step::Duplicate(named) => {
                let can_arrive = match named.to {
                    Endpoint::Node(node) => self.is_ready(node),
                    _ => true,
                };
                can_arrive && self.number_of(named).is_some()
            }
            Step::Lose(named) => self.number_of(named).is_some(),
            Step::Note(_) => true,
        }
    }

    /// Takes a step that can be taken, writes it down, and says which operations it ended.
    pub(super) fn take(&mut self, step: &Step) -> Vec<Completion> {
        self.ledger.step(&step.to_string());
        match step {
            Step::Start(node) => self.start(*node),
            Step::Kill(node) => self.places[node.index()].process = None,
            Step::Invoke { process, call } => self.invoke(*process, call),
            Step::GiveUp { process } => return self.give_up(*process),
            Step::Deliver(named) => {
                let letter = self.land(named, false);
                return letter
                    .map_or_else(Vec::new, |(number, letter)| self.deliver(number, letter));
            }
            Step::Duplicate(named) => {
                self.counts.doubled += 1;
                let letter = self.land(named, true);
                return letter
                    .map_or_else(Vec::new, |(number, letter)| self.deliver(number, letter));
            }
            Step::Lose(named) => {
                self.land(named, false);
                self.counts.lost += 1;
            }
            Step::Note(_) => {}
        }
        Vec::new()
    }

    /// The thread that a process of the history is at.
    fn thread_of(&self, process: u32) -> usize {
        process as usize % self.open.len()
    }

    /// The node that a thread asks: always the same one, as in Maelstrom.
    fn node_of(&self, thread: usize) -> NodeId {
        NodeId::from_index(thread % self.places.len())
    }

    // -- nodes --

    fn start(&mut self, node: NodeId) {
        let names: Vec<_> = self.nodes().map(|node| node.to_string()).collect();
        let started = NodeProcess::start(&Start {
            command: &self.setup.command,
            seed: Draw::keyed(self.setup.seed, Domain::Choice, node.index() as u64, 0).next_u64()
                >> 33,
            folder: &self.setup.folder.join(node.to_string()),
            stderr: &self.stderr_path(node),
        });
        let place = &mut self.places[node.index()];
        place.stage = Stage::Starting;
        match started {
            Ok(process) => place.process = Some(process),
            Err(error) => {
                let program = self.setup.command.first().map_or("", String::as_str);
                self.failure = Some(format!("{node} could not be started: `{program}`: {error}"));
                return;
            }
        }
        let init = serde_json::json!({"type": "init", "msg_id": 1, "node_id": node.to_string(), "node_ids": names});
        self.tell(node, init);
        self.give(node);
    }

    /// Something that the harness itself says to a node, next.
    fn tell(&mut self, node: NodeId, body: Json) {
        self.letters += 1;
        let letter = Letter {
            from: HARNESS,
            to: Endpoint::Node(node),
            ordinal: 0,
            head: serde_json::from_value(body.clone()).expect("our own messages are messages"),
            body: body.to_string(),
        };
        let line = letter.line(self.letters);
        self.places[node.index()].to_give.push_back(line);
    }

    /// Gives a node what is to be given to it; in virtual time, until it is at rest and nothing follows.
    fn give(&mut self, node: NodeId) {
        while !self.is_over() {
            let place = &mut self.places[node.index()];
            let (Some(process), Some(line)) = (&mut place.process, place.to_give.pop_front())
            else {
                return;
            };
            if !self.setup.is_virtual {
                process.write(&line);
                place.last_given = Some(line);
                continue;
            }
            let mut unasked = Output::default();
            if process.read(&mut unasked) {
                let why = "it wrote when nobody had said anything to it";
                place.timer.get_or_insert_with(|| why.to_owned());
            }
            process.write(&line);
            place.last_given = Some(line);
            self.accept_all(node, &unasked);
            self.settle(node);
        }
    }

    fn settle(&mut self, node: NodeId) {
        let place = &mut self.places[node.index()];
        let patience = match place.stage {
            Stage::Starting => self.setup.patience.start.max(self.setup.patience.node),
            _ => self.setup.patience.node,
        };
        let Some(process) = &mut place.process else {
            return;
        };
        let mut output = Output::default();
        let settled = process.settle(&mut output, patience);
        self.accept_all(node, &output);
        if let Err(unrest) = settled {
            self.is_restless(node, unrest, &output);
        }
    }

    /// A node is not coming to rest, after it wrote this.
    pub(super) fn is_restless(&mut self, node: NodeId, unrest: Unrest, output: &Output) {
        let what = match unrest {
            Unrest::Ended(status) => Wrong::Ended {
                status: status.to_string(),
            },
            Unrest::Floods => Wrong::Floods {
                lines: output.lines.len(),
                line: output.lines.last().map_or_else(String::new, |line| {
                    String::from_utf8_lossy(line).into_owned()
                }),
            },
            Unrest::DoesNotRead { bytes } => Wrong::DoesNotRead { bytes },
            Unrest::Runs(cpu) => Wrong::Runs {
                cpu_ms: cpu.as_millis(),
            },
            Unrest::Unfinished(line) => Wrong::Malformed {
                line,
                why: "it has no end, and the program waits for input".to_owned(),
            },
        };
        self.blame(node, what);
    }

    /// A node breaks the protocol; the first that does ends the run.
    pub(super) fn blame(&mut self, node: NodeId, what: Wrong) {
        if self.is_over() {
            return;
        }
        let place = &self.places[node.index()];
        if let Wrong::Ended { status } = &what
            && place.stage == Stage::Starting
        {
            let stderr = self.end_of_stderr(node);
            let program = self.setup.command.join(" ");
            self.failure = Some(format!(
                "`{program}` ended before it answered init ({status}); the end of its standard error:\n{stderr}"
            ));
            return;
        }
        self.misbehaviour = Some(Misbehaviour {
            node,
            after: place.last_given.clone(),
            stderr: self.end_of_stderr(node),
            what,
        });
    }

    fn stderr_path(&self, node: NodeId) -> PathBuf {
        self.setup.folder.join(format!("{node}.stderr"))
    }

    /// The last few lines that a node wrote to its standard error.
    fn end_of_stderr(&self, node: NodeId) -> String {
        const LINES: usize = 8;
        let bytes = fs::read(self.stderr_path(node)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4_000)..]);
        let lines: Vec<_> = text.trim_end().lines().collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        last.iter()
            .map(|line| format!("    {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The nodes that have not yet answered what they were given first.
    pub(super) fn not_ready(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes()
            .filter(|node| self.is_up(*node) && !self.is_ready(*node))
    }

    // -- what nodes write --

    fn send(&mut self, from: Endpoint, to: Endpoint, head: Head, body: String) {
        self.letters += 1;
        let ordinal = self.links.entry((from, to)).or_default();
        *ordinal += 1;
        let letter = Letter {
            from,
            to,
            ordinal: *ordinal,
            head,
            body,
        };
        let is_node = |end| matches!(end, Endpoint::Node(_));
        self.counts.between_nodes += u64::from(is_node(from) && is_node(to));
        self.places_on_links
            .insert((from, to, letter.ordinal), self.letters);
        self.flights
            .insert(self.letters, Flight { letter, copies: 1 });
        self.sent.push(self.letters);
    }

    // -- messages --

    /// Takes a message off its way, unless a copy of it stays there.
    fn land(&mut self, named: &Named, is_doubled: bool) -> Option<(u64, Letter)> {
        let number = self.number_of(named)?;
        let flight = self.flights.get_mut(&number)?;
        flight.copies = flight.copies + u32::from(is_doubled) - 1;
        let letter = flight.letter.clone();
        if flight.copies == 0 {
            self.flights.remove(&number);
            self.places_on_links
                .remove(&(named.from, named.to, named.ordinal));
        }
        Some((number, letter))
    }

    fn deliver(&mut self, number: u64, letter: Letter) -> Vec<Completion> {
        self.counts.delivered += 1;
        match letter.to {
            Endpoint::Node(node) => {
                let line = letter.line(number);
                self.places[node.index()].to_give.push_back(line);
                self.give(node);
            }
            Endpoint::Service(service) => {
                if let Some(body) = self.services.answer(service, &letter) {
                    let head = serde_json::from_str(&body).expect("our own replies are messages");
                    self.send(letter.to, letter.from, head, body);
                }
            }
            Endpoint::Client(_) => return self.respond(&letter),
        }
        Vec::new()
    }
}
