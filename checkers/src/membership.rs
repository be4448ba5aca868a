//! The plain check of a membership: when all faults have ended, the members know each other, and nobody else.
//!
//! Membership by gossip is eventually consistent: what a table says in between is nobody's right. So only the end
//! counts, the last table that each node told after the last change. A removal is about one life of a member, whose
//! number is its result, and a join begins one: of operations at different nodes this alone says which came last.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_histories::{History, Operation, Outcome, Value};

use crate::check::{CheckError, CheckRequest, Stop};
use crate::model::{Misfit, Shape};
use crate::verdict::{Counterexample, Evidence, Judgement, Statistics, Verdict};

pub(crate) const NAME: &str = "membership";
pub(crate) const ABOUT: &str = "Who is a member, when all faults have ended: of the tables that nodes told last, after \
                                the last change, all agree; every member is alive in all of them; whoever joined is \
                                there, in that life or a later one; whoever was removed is gone, and nobody else is; \
                                no slot fell back behind an epoch that was had. A node that knows that it is no member \
                                is not asked.";
pub(crate) const OPERATIONS: &[Shape] = &[
    Shape {
        names: &["join", "remove"],
        input: "",
        output: "life",
    },
    Shape {
        names: &["take"],
        input: "",
        output: "epoch",
    },
    Shape {
        names: &["read"],
        input: "",
        output: "[node [[member life status] …] [[owner epoch] …]]",
    },
];

/// A member as a table has it: which life, and its status.
type Entry = (i64, Value);

/// A table that a node told.
#[derive(Clone, Debug)]
struct Told {
    node: Value,
    members: BTreeMap<Value, Entry>,
    slots: Vec<(Value, i64)>,
    read: Operation,
}

impl Told {
    /// `["n1" [["n1" 1 "alive"] …] [["n1" 1] …]]`
    fn of(value: &Value, read: Operation) -> Option<Self> {
        let [node, members, slots] = value.as_items()? else {
            return None;
        };
        let member = |entry: &Value| match entry.as_items()? {
            [name, life, status] => Some((name.clone(), (life.as_int()?, status.clone()))),
            _ => None,
        };
        let slot = |entry: &Value| match entry.as_items()? {
            [owner, epoch] => Some((owner.clone(), epoch.as_int()?)),
            _ => None,
        };
        Some(Self {
            node: node.clone(),
            members: members
                .as_items()?
                .iter()
                .map(member)
                .collect::<Option<_>>()?,
            slots: slots.as_items()?.iter().map(slot).collect::<Option<_>>()?,
            read,
        })
    }

    fn shows(&self, member: &Value) -> String {
        self.members.get(member).map_or_else(
            || "not at all".to_owned(),
            |(life, status)| format!("as {} in life {life}", name(status)),
        )
    }

    /// Whether it shows that the node which told it is a member.
    fn is_a_members(&self) -> bool {
        let own = self.members.get(&self.node);
        own.is_some_and(|(_, status)| !is(status, "removed"))
    }
}

fn is(status: &Value, expected: &str) -> bool {
    status.as_name() == Some(expected)
}

/// A name without its quotation marks.
fn name(value: &Value) -> String {
    value
        .as_name()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What was asked for, as far as clients know what came of it.
#[derive(Debug, Default)]
struct Changes {
    /// By member, the latest life that a client was told of that it began.
    joined: BTreeMap<Value, i64>,
    /// The lives that clients were told of that they ended.
    removed: BTreeSet<(Value, i64)>,
    /// Members that someone may have removed. A request that was sent twice may have ended two lives, of which its
    /// client was told of one: which lives they were is not known.
    perhaps_removed: BTreeSet<Value>,
    /// By slot, the highest epoch that a client was told of.
    taken: BTreeMap<Value, i64>,
    /// The place in the history after which nothing was changed any more.
    last: Option<usize>,
    /// What nodes told, in order.
    tables: Vec<Told>,
    operations: u64,
}

impl Changes {
    fn record(&mut self, history: &History, operation: Operation) -> Result<(), Misfit> {
        self.operations += 1;
        let key = history.value(operation.key);
        let output = history.value(operation.output);
        let happened = operation.outcome == Outcome::Ok;
        let number = || output.as_int().ok_or(Misfit::Output);
        let raise = |known: &mut BTreeMap<Value, i64>, number: i64| {
            let known = known.entry(key.clone()).or_insert(number);
            *known = number.max(*known);
        };
        match history.function(operation.function) {
            "join" if happened => raise(&mut self.joined, number()?),
            "take" if happened => raise(&mut self.taken, number()?),
            "remove" if operation.outcome != Outcome::Fail => {
                self.perhaps_removed.insert(key.clone());
                if happened {
                    self.removed.insert((key.clone(), number()?));
                }
            }
            "join" | "remove" | "take" => {}
            "read" if happened => {
                let told = Told::of(&output, operation).ok_or(Misfit::Output)?;
                self.tables.push(told);
                return Ok(());
            }
            "read" => return Ok(()),
            _ => return Err(Misfit::Function),
        }
        let end = operation.returned.unwrap_or(operation.invoked);
        self.last = self.last.max(Some(end));
        Ok(())
    }

    /// The last table of every node that is a member, if it was told after the last change.
    fn last_tables(&self) -> Vec<Told> {
        let mut last: BTreeMap<&Value, &Told> = BTreeMap::new();
        let after = self
            .tables
            .iter()
            .filter(|told| Some(told.read.invoked) > self.last);
        for told in after {
            let known = last.entry(&told.node).or_insert(told);
            if told.read.returned > known.read.returned {
                *known = told;
            }
        }
        last.into_values()
            .filter(|told| told.is_a_members())
            .cloned()
            .collect()
    }
}

/// Judges the last tables.
pub(crate) fn check(
    history: &History,
    _request: &CheckRequest,
    _stop: Stop<'_>,
) -> Result<Verdict, CheckError> {
    let mut changes = Changes::default();
    for operation in history.operations() {
        changes.record(history, operation).map_err(|misfit| {
            CheckError::misfit((NAME, OPERATIONS), history, &operation, misfit)
        })?;
    }
    let tables = changes.last_tables();
    let statistics = Statistics {
        operations: changes.operations,
        partitions: 1,
        states: tables.len() as u64,
    };
    if tables.is_empty() {
        let why = "no member told its table after the last change, so nobody knows what came of the changes";
        let verdict = Verdict::unknown(NAME, why, vec!["the end of the history".to_owned()]);
        return Ok(verdict.with_statistics(statistics));
    }
    let wrong = disagreement(&tables).or_else(|| wrong_about(&tables[0], &changes));
    let Some(Wrong {
        headline,
        because,
        member,
        reads,
    }) = wrong
    else {
        let sentence = format!(
            "the last tables of {} members agree, and fit what was asked for",
            tables.len()
        );
        let evidence = Evidence::Observations {
            count: tables.len(),
        };
        return Ok(
            Verdict::new(NAME, Judgement::Valid { evidence }, vec![sentence])
                .with_statistics(statistics),
        );
    };
    let counterexample = Counterexample::Tables { member, reads };
    let judgement = Judgement::Invalid { counterexample };
    Ok(Verdict::new(NAME, judgement, vec![headline, because]).with_statistics(statistics))
}

struct Wrong {
    headline: String,
    because: String,
    /// About whom, or nil.
    member: Value,
    /// The reads that show it.
    reads: Vec<usize>,
}

/// What two of the last tables say differently.
fn disagreement(tables: &[Told]) -> Option<Wrong> {
    let first = &tables[0];
    for other in &tables[1..] {
        let reads = vec![first.read.invoked, other.read.invoked];
        let (one, two) = (name(&first.node), name(&other.node));
        let mut members = first.members.keys().chain(other.members.keys());
        if let Some(member) =
            members.find(|member| first.members.get(member) != other.members.get(member))
        {
            return Some(Wrong {
                headline: format!(
                    "{one} and {two} do not agree about {} at the end",
                    name(member)
                ),
                because: format!(
                    "Because {one} has {who} {}, and {two} has {who} {}, when all faults and changes had ended: the \
                     members must come to agree.",
                    first.shows(member),
                    other.shows(member),
                    who = name(member),
                ),
                member: member.clone(),
                reads,
            });
        }
        if first.slots != other.slots {
            return Some(Wrong {
                headline: format!("{one} and {two} do not agree about the slots at the end"),
                because: format!(
                    "Because {one} has {:?} as their owners and {two} has {:?}: the highest epoch must win everywhere.",
                    owners(&first.slots),
                    owners(&other.slots)
                ),
                member: Value::Nil,
                reads,
            });
        }
    }
    None
}

fn owners(slots: &[(Value, i64)]) -> Vec<String> {
    let owner = |(owner, epoch): &(Value, i64)| format!("{}@{epoch}", name(owner));
    slots.iter().map(owner).collect()
}

/// What does not fit what was asked for, in the table on which all agree.
fn wrong_about(told: &Told, changes: &Changes) -> Option<Wrong> {
    let asked = changes.joined.keys();
    let removed = changes.removed.iter().map(|(member, _)| member);
    let members: BTreeSet<_> = told.members.keys().chain(asked).chain(removed).collect();
    let wrong = |member: &Value, headline: &str, because: String| Wrong {
        headline: format!("{} {headline}", name(member)),
        because,
        member: member.clone(),
        reads: vec![told.read.invoked],
    };
    for member in members {
        let who = name(member);
        let shown = told.shows(member);
        let (life, status) = told.members.get(member).cloned().unwrap_or_default();
        let gone = is(&status, "removed");
        let joined = changes.joined.get(member).copied().unwrap_or(0);
        let ends = changes
            .removed
            .iter()
            .filter(|(removed, _)| removed == member);
        let ended = ends.map(|(_, life)| *life).max().unwrap_or(0);
        if joined > life {
            let because = format!(
                "Because {who} had joined in life {joined}, and the members have it {shown} at the end: who has joined \
                 must be known to all."
            );
            return Some(wrong(member, "joined and is not known", because));
        }
        if ended > life || (ended == life && ended > 0 && !gone) {
            let because = format!(
                "Because life {ended} of {who} was ended, and the members have it {shown} at the end: who was removed \
                 must be gone."
            );
            return Some(wrong(member, "was removed and is there", because));
        }
        if gone && life > 0 && !changes.perhaps_removed.contains(member) {
            let because = format!(
                "Because the members have {who} {shown} at the end, and nobody removed it."
            );
            return Some(wrong(member, "is gone and nobody removed it", because));
        }
        if !gone && !is(&status, "alive") {
            let because = format!(
                "Because the members have {who} {shown} at the end, when all nodes were up and connected: a member \
                 that answers must be known to be alive."
            );
            return Some(wrong(member, "is not known to be alive", because));
        }
    }
    let mut taken = changes.taken.iter();
    let (slot, epoch) = taken.find(|(slot, epoch)| {
        let number = name(slot).strip_prefix('s').and_then(|n| n.parse().ok());
        let owner = number.and_then(|number: usize| told.slots.get(number));
        owner.is_none_or(|(_, shown)| shown < epoch)
    })?;
    let because = format!(
        "Because a node had taken {} in epoch {epoch}, and the members have {:?} at the end: the highest epoch must win.",
        name(slot),
        owners(&told.slots)
    );
    Some(wrong(slot, "fell back behind an epoch", because))
}

#[cfg(test)]
mod tests {
    use tribunal_histories::{BuildOptions, EventRecord, Kind, Process};

    use super::*;
    use crate::verdict::Answer;

    /// `n1 1 alive, n2 1 dead` as the table of a node.
    fn table(node: &str, members: &str, slots: &str) -> Value {
        let entry = |words: &str| {
            let value = |word: &str| {
                word.parse::<i64>()
                    .map_or_else(|_| Value::text(word), Value::Int)
            };
            Value::list(words.split_whitespace().map(value))
        };
        let entries = |text: &str| {
            let entries = text.split(',').filter(|entry| !entry.trim().is_empty());
            Value::list(entries.map(entry).collect::<Vec<_>>())
        };
        Value::list([Value::text(node), entries(members), entries(slots)])
    }

    /// Operations one after another, each by a process of its own: function, key, how it ended, what it returned.
    fn judge(operations: &[(&str, &str, Kind, Value)]) -> (Answer, String) {
        let mut records = Vec::new();
        for (process, (function, key, kind, value)) in (0..).zip(operations) {
            let key = if key.is_empty() {
                Value::Nil
            } else {
                Value::text(key)
            };
            let process = Process::Client(process);
            let invoke = Kind::Invoke;
            records.push(EventRecord::new(
                process,
                invoke,
                function,
                key.clone(),
                Value::Nil,
            ));
            records.push(EventRecord::new(
                process,
                *kind,
                function,
                key,
                value.clone(),
            ));
        }
        let history = History::from_records(records, BuildOptions::default()).unwrap();
        let request = CheckRequest::new(NAME);
        let verdict = check(&history, &request, &|| false).unwrap();
        (verdict.answer(), verdict.sentences.last().cloned().unwrap())
    }

    fn read(node: &str, members: &str) -> (&'static str, &'static str, Kind, Value) {
        ("read", "", Kind::Ok, table(node, members, "n1 1"))
    }

    const OK: Kind = Kind::Ok;

    #[test]
    fn members_that_agree_and_are_alive_are_right() {
        let answer = judge(&[
            ("join", "n3", OK, Value::Int(1)),
            ("remove", "n2", OK, Value::Int(1)),
            ("join", "n2", OK, Value::Int(2)),
            ("remove", "n3", OK, Value::Int(1)),
            ("take", "s0", OK, Value::Int(1)),
            read("n1", "n1 1 alive, n2 2 alive, n3 1 removed"),
            read("n2", "n1 1 alive, n2 2 alive, n3 1 removed"),
            // A node that knows that it is no member may know nothing else.
            read("n3", "n1 1 dead, n3 1 removed"),
        ]);
        assert_eq!(answer.0, Answer::Valid, "{}", answer.1);
    }

    #[test]
    fn what_was_told_before_the_last_change_does_not_count() {
        let (answer, why) = judge(&[
            read("n1", "n1 1 alive, n2 1 alive"),
            ("remove", "n2", OK, Value::Int(1)),
        ]);
        assert_eq!(answer, Answer::Unknown, "{why}");
        let (answer, why) = judge(&[
            read("n1", "n1 1 alive, n2 1 dead"),
            ("join", "n2", OK, Value::Int(1)),
            read("n1", "n1 1 alive, n2 1 alive"),
        ]);
        assert_eq!(answer, Answer::Valid, "{why}");
    }

    #[test]
    fn members_that_do_not_agree_are_wrong() {
        let (answer, why) = judge(&[
            read("n1", "n1 1 alive, n2 1 alive, n3 1 alive"),
            read("n2", "n1 1 alive, n2 1 alive"),
        ]);
        assert_eq!(answer, Answer::Invalid);
        assert_eq!(
            why,
            "Because n1 has n3 as alive in life 1, and n2 has n3 not at all, when all faults and changes had ended: the \
             members must come to agree."
        );
        let slots = |node, slots| ("read", "", OK, table(node, "n1 1 alive, n2 1 alive", slots));
        let (answer, why) = judge(&[slots("n1", "n1 1"), slots("n2", "n2 2")]);
        assert_eq!(answer, Answer::Invalid, "{why}");
    }

    #[test]
    fn a_member_that_answers_must_be_alive() {
        let all = "n1 1 alive, n2 1 dead";
        let (answer, why) = judge(&[read("n1", all)]);
        assert_eq!(answer, Answer::Invalid);
        assert_eq!(
            why,
            "Because the members have n2 as dead in life 1 at the end, when all nodes were up and connected: a member \
             that answers must be known to be alive."
        );
    }

    #[test]
    fn who_joined_must_be_there_and_who_was_removed_gone() {
        let wrong = |operations: &[_], sentence: &str| {
            let (answer, why) = judge(operations);
            assert_eq!(answer, Answer::Invalid, "{why}");
            assert!(why.contains(sentence), "{why}");
        };
        let join = |life| ("join", "n2", OK, Value::Int(life));
        let remove = |life| ("remove", "n2", OK, Value::Int(life));
        wrong(
            &[join(2), read("n1", "n1 1 alive, n2 1 removed")],
            "who has joined",
        );
        wrong(&[join(1), read("n1", "n1 1 alive")], "who has joined");
        wrong(
            &[remove(1), read("n1", "n1 1 alive, n2 1 alive")],
            "who was removed",
        );
        wrong(
            &[read("n1", "n1 1 alive, n2 1 removed")],
            "nobody removed it",
        );
        wrong(
            &[("take", "s0", OK, Value::Int(4)), read("n1", "n1 1 alive")],
            "the highest epoch",
        );
        // A request that was sent twice may have ended two lives.
        let (answer, why) = judge(&[remove(1), read("n1", "n1 1 alive, n2 2 removed")]);
        assert_eq!(answer, Answer::Valid, "{why}");
        // Nobody knows what came of a removal in doubt.
        let perhaps = ("remove", "n2", Kind::Info, Value::Nil);
        for at_the_end in ["n1 1 alive, n2 1 removed", "n1 1 alive, n2 1 alive"] {
            let (answer, why) = judge(&[perhaps.clone(), read("n1", at_the_end)]);
            assert_eq!(answer, Answer::Valid, "{why}");
        }
    }

    #[test]
    fn a_table_that_is_none_does_not_fit() {
        let record =
            |kind, value| EventRecord::new(Process::Client(0), kind, "read", Value::Nil, value);
        let events = [
            record(Kind::Invoke, Value::Nil),
            record(Kind::Ok, Value::Int(3)),
        ];
        let history = History::from_records(events, BuildOptions::default()).unwrap();
        let request = CheckRequest::new(NAME);
        assert!(check(&history, &request, &|| false).is_err());
    }
}
