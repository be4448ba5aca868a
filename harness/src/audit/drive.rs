//! Clients and a nemesis, let loose on a subject: from the first operation to the final reads.

use std::collections::BTreeMap;

use crate::generator::{Generator, Interpreter, Next};
use crate::nemesis::{Fault, Nemesis, NemesisContext, NextFault};

use super::subject::Completion;
use super::{CannotInject, Subject, inject};

/// What is let loose.
#[derive(Clone)]
pub struct Options {
    /// What clients do while there are faults.
    pub generator: Box<dyn Generator>,
    /// What they do when everything is healed.
    pub final_generator: Box<dyn Generator>,
    /// How many clients there are at a time.
    pub concurrency: usize,
    /// What operations are drawn from.
    pub seed: u64,
    /// What goes wrong.
    pub nemesis: Nemesis,
    /// How long a client waits for an answer, in microseconds.
    pub timeout_us: u64,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Generators and nemesis came to their ends.
    Complete,
    /// The subject cannot go on; it knows why.
    Broken,
    /// It was told to stop.
    Stopped,
    /// A fault was asked for that cannot be had.
    CannotInject(CannotInject),
    /// It could not begin, for this reason.
    Impossible(String),
}

/// What happened, besides what is in the subject's ledger.
#[derive(Debug)]
pub struct Driven {
    /// How it ended.
    pub end: End,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// How many events there had been when everything was healed and the final operations began, if they did.
    pub healed_after: Option<usize>,
}

impl Driven {
    /// Nothing happened yet.
    pub fn not_begun() -> Self {
        Self {
            end: End::Complete,
            faults: BTreeMap::new(),
            healed_after: None,
        }
    }
}

struct Driver<'a> {
    subject: &'a mut dyn Subject,
    interpreter: Interpreter,
    nemesis: Nemesis,
    timeout_us: u64,
    /// By thread, when its client gives up.
    deadlines_us: BTreeMap<usize, u64>,
    driven: Driven,
}

/// Drives a subject until its clients are done. It ends early when `stop` says so.
pub fn drive(subject: &mut dyn Subject, options: Options, stop: &dyn Fn() -> bool) -> Driven {
    let mut driver = Driver {
        subject,
        interpreter: Interpreter::new(options.generator, options.concurrency, options.seed),
        nemesis: options.nemesis,
        timeout_us: options.timeout_us,
        deadlines_us: BTreeMap::new(),
        driven: Driven::not_begun(),
    };
    if let Err(end) = driver.run(options.final_generator, stop) {
        driver.driven.end = end;
    }
    driver.driven
}

impl Driver<'_> {
    fn run(
        &mut self,
        final_generator: Box<dyn Generator>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), End> {
        self.operate(true, stop)?;
        let context = self.context();
        for fault in self.nemesis.heal(&context) {
            self.inject(fault)?;
        }
        self.subject.recover(stop);
        self.driven.healed_after = Some(self.subject.ledger().events().len());
        self.interpreter.switch_to(final_generator);
        self.operate(false, stop)
    }

    /// Does what the generator says until it is done and no operation is in flight.
    fn operate(&mut self, is_tormented: bool, stop: &dyn Fn() -> bool) -> Result<(), End> {
        loop {
            if stop() {
                return Err(End::Stopped);
            }
            if self.subject.is_broken() {
                return Err(End::Broken);
            }
            let mut wake_us = self.give_up();
            match self.interpreter.next(self.subject.now_us()) {
                Next::Operation(invocation) => {
                    let deadline_us = self.subject.now_us() + self.timeout_us;
                    self.deadlines_us.insert(invocation.thread, deadline_us);
                    self.subject.call(&invocation);
                    continue;
                }
                Next::Pending { until_us } => {
                    wake_us = wake_us.into_iter().chain(until_us).min();
                }
                Next::Done if self.interpreter.is_idle() => return Ok(()),
                Next::Done => {}
            }
            if is_tormented {
                let context = self.context();
                match self.nemesis.next(&context) {
                    NextFault::Inject(fault) => {
                        self.inject(fault)?;
                        continue;
                    }
                    NextFault::Wait { until_us } => {
                        wake_us = wake_us.into_iter().chain(until_us).min();
                    }
                }
            }
            for completion in self.subject.advance(wake_us) {
                self.complete(&completion);
            }
        }
    }

    /// Ends the operations whose clients have waited long enough; says when the next has.
    fn give_up(&mut self) -> Option<u64> {
        let now_us = self.subject.now_us();
        let over = self
            .deadlines_us
            .iter()
            .filter(|(_, at_us)| **at_us <= now_us);
        for thread in over.map(|(thread, _)| *thread).collect::<Vec<_>>() {
            let completion = self.subject.give_up(thread);
            self.complete(&completion);
        }
        self.deadlines_us.values().copied().min()
    }

    fn complete(&mut self, completion: &Completion) {
        let Completion {
            thread,
            kind,
            value,
        } = completion;
        self.deadlines_us.remove(thread);
        let now_us = self.subject.now_us();
        self.interpreter.complete(now_us, *thread, *kind, value);
    }

    fn inject(&mut self, fault: Fault) -> Result<(), End> {
        self.subject.ledger().fault(&fault);
        inject(self.subject, &fault).map_err(End::CannotInject)?;
        *self.driven.faults.entry(fault.kind()).or_default() += 1;
        Ok(())
    }

    fn context(&mut self) -> NemesisContext {
        NemesisContext {
            time_us: self.subject.now_us(),
            nodes: self.subject.nodes(),
            leaders: Vec::new(),
            up: self.subject.up(),
            paused: self
                .subject
                .as_pause()
                .map_or_else(Default::default, |power| power.paused()),
            amnesic: Default::default(),
        }
    }
}
