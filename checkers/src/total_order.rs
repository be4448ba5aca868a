//! The plain check of a broadcast: all nodes deliver the same messages in the same order.
//!
//! Total order broadcast as Défago, Schiper and Urbán define it (ACM Computing Surveys 36(4), 2004, §2.3): what is
//! delivered was broadcast, once (uniform integrity); nodes deliver in one order, without gaps (uniform total order,
//! and agreement on every prefix); what was acknowledged is delivered by all in the end (validity). Clients see that
//! by local reads, each of which tells what one node had delivered. A process asks the same node every time.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{History, Operation, Outcome, Process, Value, ValueId};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "total-order";
pub(crate) const ABOUT: &str = "Total order broadcast: messages are appended, each its own, and a local read tells what \
                                one node has delivered. Of any two reads one is the beginning of the other; nothing is \
                                delivered twice, or without having been broadcast, or although its broadcast failed; \
                                what a process reads only grows; and the last read of every process, if it began when \
                                all broadcasts had ended, has all that were acknowledged.";
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["append", "broadcast"],
        input: "message",
        output: "",
    },
    Shape {
        names: &["local-read", "read"],
        input: "",
        output: "[message …]",
    },
];

/// A read that returned, and what it told.
#[derive(Debug)]
struct Delivered {
    read: Operation,
    messages: Vec<Value>,
}

/// The broadcasts and reads of one key, in the order in which they began.
#[derive(Debug, Default)]
struct Channel {
    broadcasts: BTreeMap<Value, Operation>,
    delivered: Vec<Delivered>,
    /// By process, where its last read began.
    last_reads: BTreeMap<Process, usize>,
}

/// What is wrong with the reads of a channel: the headline, the reason, and what shows it.
type Wrong = (String, String, Counterexample);

/// Judges all reads of every key.
pub(crate) fn check(
    history: &History,
    request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    if !request.initial().is_nil() {
        return Err(CheckError::Initial {
            checker: NAME,
            initial: request.initial(),
            expected: "none: nothing is delivered before it was broadcast",
        });
    }
    let mut channels: BTreeMap<ValueId, Channel> = BTreeMap::new();
    for operation in history.operations() {
        let channel = channels.entry(operation.key).or_default();
        channel.record(history, operation).map_err(|misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
    }
    let mut named: Vec<_> = channels
        .iter()
        .map(|(key, channel)| (history.value(*key), channel))
        .collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let mut verdicts: Vec<_> = named
        .into_iter()
        .map(|(key, channel)| judge(&key, channel))
        .collect();
    Ok(if verdicts.len() == 1 {
        verdicts.remove(0)
    } else {
        Verdict::merge(NAME, verdicts)
    })
}

impl Channel {
    fn record(&mut self, history: &History, operation: Operation) -> Result<(), Misfit> {
        match history.function(operation.function) {
            "append" | "broadcast" => {
                let message = history.value(operation.input);
                let again = self.broadcasts.insert(message, operation);
                // Of a message that is broadcast twice nobody can tell which one was delivered.
                again.map_or(Ok(()), |_| Err(Misfit::Input))
            }
            "local-read" | "read" => {
                self.last_reads.insert(operation.process, operation.invoked);
                if operation.outcome == Outcome::Ok {
                    let told = history.value(operation.output);
                    let messages = match &told {
                        Value::Nil => Vec::new(),
                        told => told.as_items().ok_or(Misfit::Output)?.to_vec(),
                    };
                    let read = operation;
                    self.delivered.push(Delivered { read, messages });
                }
                Ok(())
            }
            _ => Err(Misfit::Function),
        }
    }

    /// The last reads of the processes that read when all broadcasts had ended.
    fn final_reads(&self) -> impl Iterator<Item = &Delivered> {
        let acknowledged = self.broadcasts.values();
        let last_event = acknowledged
            .map(|broadcast| match (broadcast.outcome, broadcast.returned) {
                (Outcome::Ok, Some(returned)) => returned,
                _ => broadcast.invoked,
            })
            .max();
        self.delivered.iter().filter(move |Delivered { read, .. }| {
            self.last_reads.get(&read.process) == Some(&read.invoked)
                && last_event.is_none_or(|event| event < read.invoked)
        })
    }

    /// A message that is delivered twice, or that nobody can have broadcast.
    fn integrity(&self, key: &Value) -> Option<Wrong> {
        self.delivered.iter().find_map(|Delivered { read, messages }| {
            let mut seen = BTreeSet::new();
            for message in messages {
                let because = match self.broadcasts.get(message) {
                    _ if !seen.insert(message) => format!(
                        "Because {message} is in it twice: a message is delivered at most once."
                    ),
                    None => format!(
                        "Because nobody broadcast {message}: only what was broadcast is delivered."
                    ),
                    Some(broadcast) if broadcast.outcome == Outcome::Fail => format!(
                        "Because the broadcast of {message} (process {}) failed: it must not be delivered.",
                        broadcast.process
                    ),
                    Some(broadcast) if Some(broadcast.invoked) > read.returned => format!(
                        "Because {message} was broadcast only later (by process {}): only what was broadcast is \
                         delivered.",
                        broadcast.process
                    ),
                    Some(_) => continue,
                };
                let headline = format!("{} delivered {message}, which it must not", reader(key, read));
                let counterexample = Counterexample::Elements {
                    key: key.clone(),
                    read: read.invoked,
                    lost: Vec::new(),
                    unexpected: vec![message.clone()],
                    duplicated: Vec::new(),
                };
                return Some((headline, because, counterexample));
            }
            None
        })
    }

    /// Two reads of which neither is the beginning of the other. All are beginnings of the longest, or some read and
    /// the longest are such two.
    fn order(&self, key: &Value) -> Option<Wrong> {
        let longest = self
            .delivered
            .iter()
            .max_by_key(|read| read.messages.len())?;
        let parted = |other: &&Delivered| !longest.messages.starts_with(&other.messages);
        let other = self.delivered.iter().find(parted)?;
        let agreed = longest
            .messages
            .iter()
            .zip(&other.messages)
            .take_while(|(a, b)| a == b)
            .count();
        let (first, second) = if other.read.invoked < longest.read.invoked {
            (other, longest)
        } else {
            (longest, other)
        };
        let (one, two) = (reader(key, &first.read), reader(key, &second.read));
        let headline = format!("{one} and {two} delivered in different orders");
        let because = format!(
            "Because after the same {agreed} messages the first has {} and the second has {}: of any two sequences one \
             must be the beginning of the other.",
            first.messages[agreed], second.messages[agreed]
        );
        let reads = [first.read.invoked, second.read.invoked];
        Some((headline, because, parted_at(key, reads, agreed)))
    }

    /// A process that reads less than it had read.
    fn growth(&self, key: &Value) -> Option<Wrong> {
        let mut latest: BTreeMap<Process, &Delivered> = BTreeMap::new();
        for now in &self.delivered {
            let before = latest.insert(now.read.process, now);
            if let Some(before) = before
                && now.messages.len() < before.messages.len()
            {
                let (had, has) = (before.messages.len(), now.messages.len());
                let headline = format!("{} delivered less than before", reader(key, &now.read));
                let because = format!(
                    "Because it had told of {had} messages, {} the last of them, and now tells of {has}: what a node \
                     has delivered only grows.",
                    before.messages[had - 1]
                );
                let reads = [before.read.invoked, now.read.invoked];
                return Some((headline, because, parted_at(key, reads, has)));
            }
        }
        None
    }

    /// An acknowledged message that a node has not delivered when all is over.
    fn validity(&self, key: &Value) -> Option<Wrong> {
        self.final_reads().find_map(|Delivered { read, messages }| {
            let has: BTreeSet<_> = messages.iter().collect();
            let acknowledged = self
                .broadcasts
                .iter()
                .filter(|(_, broadcast)| broadcast.outcome == Outcome::Ok);
            let lost: Vec<_> = acknowledged
                .filter(|(message, _)| !has.contains(message))
                .map(|(message, _)| message.clone())
                .collect();
            let first = lost.first()?;
            let headline = format!("{} lost {} messages", reader(key, read), lost.len());
            let because = format!(
                "Because the broadcast of {first} (process {}) had been acknowledged before this last read began, and \
                 the read does not have it.",
                self.broadcasts[first].process
            );
            let counterexample = Counterexample::Elements {
                key: key.clone(),
                read: read.invoked,
                lost,
                unexpected: Vec::new(),
                duplicated: Vec::new(),
            };
            Some((headline, because, counterexample))
        })
    }
}

fn parted_at(key: &Value, reads: [usize; 2], agreed: usize) -> Counterexample {
    Counterexample::Orders {
        key: key.clone(),
        reads,
        agreed,
    }
}

fn reader(key: &Value, read: &Operation) -> String {
    let place = if key.is_nil() {
        String::new()
    } else {
        format!(" of key {key}")
    };
    format!("a read{place} (process {})", read.process)
}

/// Judges one channel.
fn judge(key: &Value, channel: &Channel) -> Verdict {
    let statistics = Statistics {
        operations: (channel.broadcasts.len() + channel.delivered.len()) as u64,
        partitions: 1,
        states: 0,
    };
    let wrong = channel
        .integrity(key)
        .or_else(|| channel.order(key))
        .or_else(|| channel.growth(key))
        .or_else(|| channel.validity(key));
    if let Some((headline, because, counterexample)) = wrong {
        let judgement = Judgement::Invalid { counterexample };
        return Verdict::new(NAME, judgement, vec![headline, because]).with_statistics(statistics);
    }
    let finals = channel.final_reads().count();
    if finals == 0 {
        let why = "no read began when all broadcasts had ended, so nobody knows whether they were delivered";
        return Verdict::unknown(NAME, why, vec!["what is delivered in the end".to_owned()])
            .with_statistics(statistics);
    }
    let count = channel.delivered.len();
    let evidence = Evidence::Observations { count };
    let sentence = format!(
        "all {count} reads agree on one order, and the {finals} last ones have every acknowledged message"
    );
    Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence]).with_statistics(statistics)
}
