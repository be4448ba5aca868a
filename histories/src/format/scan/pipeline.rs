//! From an input to a history: chunks are scanned on all processors, and their blocks put in order.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use super::super::edn::{self, Place};
use super::super::error::{LoadError, ReadError};
use super::super::{Format, Truncation, jsonl};
use super::Read;
use super::block::Block;
use super::chunks::{Chunks, LastEnd, Piece, form_end, line_end};
use crate::builder::HistoryBuilder;
use crate::event::EventRecord;

/// A format that has a scanner.
#[derive(Clone, Copy, Debug)]
enum Scanner {
    Jsonl,
    Edn,
}

impl Scanner {
    fn of(format: Format) -> Option<Self> {
        match format {
            Format::Jsonl => Some(Self::Jsonl),
            Format::Edn => Some(Self::Edn),
            Format::JepsenJson | Format::JepsenLog | Format::Parquet => None,
        }
    }

    fn last_end(self) -> LastEnd {
        match self {
            Self::Jsonl => line_end,
            Self::Edn => form_end,
        }
    }

    fn scan(self, chunk: &[u8], is_first: bool) -> Block {
        match self {
            Self::Jsonl => super::jsonl::scan(chunk, is_first),
            Self::Edn => super::edn::scan(chunk),
        }
    }
}

/// A chunk for a worker.
struct Job {
    chunk: Arc<Vec<u8>>,
    answer: Sender<Block>,
}

/// A chunk that a worker has.
struct Scanning {
    chunk: Arc<Vec<u8>>,
    block: Receiver<Block>,
}

/// Where the reader would be.
pub(super) struct Pipeline<'a> {
    chunk_bytes: usize,
    builder: &'a mut HistoryBuilder,
    read: Read,
    /// The line of the next byte.
    line: u64,
    events: u64,
    /// Where a reader of EDN would be.
    place: Place,
}

impl<'a> Pipeline<'a> {
    /// At the beginning of an input, which is to be cut into chunks of about so many bytes.
    pub(super) fn new(builder: &'a mut HistoryBuilder, chunk_bytes: usize) -> Self {
        Self {
            chunk_bytes,
            builder,
            read: Read::default(),
            line: 1,
            events: 0,
            place: Place::Start,
        }
    }

    /// Reads all of an input.
    ///
    /// # Errors
    /// What comes first in the file: something that is no event, or an event that breaks a rule.
    pub(super) fn run(mut self, format: Format, input: impl BufRead) -> Result<Read, LoadError> {
        let Some(scanner) = Scanner::of(format) else {
            self.read_rest(format.read(input))?;
            return Ok(self.read);
        };
        let mut chunks = Chunks::new(input, scanner.last_end(), self.chunk_bytes);
        let rest = self.scan(scanner, &mut chunks)?;
        let rest = chunks.into_rest(rest);
        let (line, events) = (self.line, self.events);
        match scanner {
            Scanner::Jsonl => self.read_rest(jsonl::read_from(rest, line, events))?,
            Scanner::Edn => {
                let place = self.place;
                self.read_rest(edn::read_from(rest, line, place))?;
            }
        }
        Ok(self.read)
    }

    /// Scans chunks until one is not scanned to its end, and hands back what remains of them.
    fn scan(
        &mut self,
        scanner: Scanner,
        chunks: &mut Chunks<impl BufRead>,
    ) -> Result<VecDeque<Piece>, LoadError> {
        let Some(first) = chunks.next() else {
            return Ok(VecDeque::new());
        };
        let begin = self.open(scanner, &first);
        let block = scanner.scan(&first[begin..], true);
        let piece = Piece {
            taken: begin + block.stopped_at,
            bytes: Arc::new(first),
        };
        self.append(block)?;
        if piece.taken < piece.bytes.len() {
            return Ok(VecDeque::from([piece]));
        }
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let (sender, jobs) = mpsc::channel();
        let jobs = Mutex::new(jobs);
        // The first chunk is in the history: what a small file takes for is not worth a thread.
        let Some(second) = chunks.next() else {
            return Ok(VecDeque::new());
        };
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work(scanner, &jobs));
            }
            self.conduct(second, chunks, sender, threads)
        })
    }

    /// Hands chunks to the workers and takes their blocks, in order, until one is not scanned to its end.
    fn conduct(
        &mut self,
        second: Vec<u8>,
        chunks: &mut Chunks<impl BufRead>,
        jobs: Sender<Job>,
        threads: usize,
    ) -> Result<VecDeque<Piece>, LoadError> {
        let mut scanning: VecDeque<Scanning> = VecDeque::new();
        let mut next = Some(second);
        loop {
            while scanning.len() < 2 * threads
                && let Some(chunk) = next.take().or_else(|| chunks.next())
            {
                let chunk = Arc::new(chunk);
                let (answer, block) = mpsc::channel();
                let job = Job {
                    chunk: Arc::clone(&chunk),
                    answer,
                };
                jobs.send(job).expect("workers wait for jobs");
                scanning.push_back(Scanning { chunk, block });
            }
            let Some(Scanning { chunk, block }) = scanning.pop_front() else {
                return Ok(VecDeque::new());
            };
            let block = block.recv().expect("workers answer every job");
            let taken = block.stopped_at;
            self.append(block)?;
            if taken < chunk.len() {
                let bytes = chunk;
                let others = scanning.into_iter().map(|other| Piece {
                    bytes: other.chunk,
                    taken: 0,
                });
                return Ok([Piece { bytes, taken }].into_iter().chain(others).collect());
            }
        }
    }

    /// Opens the collection that a file of EDN may be, and says where the events begin.
    fn open(&mut self, scanner: Scanner, chunk: &[u8]) -> usize {
        let Scanner::Edn = scanner else { return 0 };
        let (place, line, length) = edn::opening(chunk);
        (self.place, self.line) = (place, line);
        length
    }

    /// Adds the events of a block.
    fn append(&mut self, block: Block) -> Result<(), LoadError> {
        let (line, lines) = (self.line, u64::from(block.lines_scanned));
        let events = block.len() as u64;
        if events > 0 {
            self.place = self.place.after_event();
        }
        block.append_to(self.builder, &mut self.read.lines, line)?;
        self.line += lines;
        self.events += events;
        Ok(())
    }

    /// Reads events as the reader does.
    fn read_rest(
        &mut self,
        events: impl Iterator<Item = Result<EventRecord, ReadError>>,
    ) -> Result<(), LoadError> {
        for event in events {
            match event {
                Ok(event) => {
                    let line = u32::try_from(event.line).unwrap_or(u32::MAX);
                    self.builder.push(event)?;
                    self.read.lines.push(line);
                }
                Err(ReadError::TornLine { line, events }) => {
                    self.read.truncated = Some(Truncation { line, events });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Scans chunks until there are no more.
fn work(scanner: Scanner, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().map(|jobs| jobs.recv());
        let Ok(Ok(Job { chunk, answer })) = job else {
            return;
        };
        // Nobody waits for it when a chunk before it was not what it seemed.
        let _ = answer.send(scanner.scan(&chunk, false));
    }
}
