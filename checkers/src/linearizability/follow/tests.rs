//! The follower against the check of whole histories.

use tribunal_histories::synthetic::{Invalid, registry};
use tribunal_histories::{
    BuildOptions, EventRecord, History, Kind, Process, ProcessReuse, Synthesis, Value,
};

use super::{Follow, FollowError, Violation};
use crate::check::{CheckRequest, CheckerEntry, Limits, check_history, follower};
use crate::verdict::{Answer, Counterexample, Judgement};

fn follow(name: &str) -> Box<dyn Follow> {
    follower(&CheckRequest::new(name), ProcessReuse::Reject).unwrap()
}

/// What came of following a history.
#[derive(Debug)]
enum Came {
    Valid,
    /// The contents of a queue or a stack have too many orders that nothing has told apart yet.
    Unknown,
    /// What is wrong, and how many events had come by then.
    Invalid(Violation, u64),
}

fn followed(name: &str, events: &[EventRecord]) -> Came {
    let request = CheckRequest {
        limits: Limits {
            states_max: 5_000,
            ..Limits::default()
        },
        ..CheckRequest::new(name)
    };
    let mut follower = follower(&request, ProcessReuse::Reject).unwrap();
    for event in events {
        if let Some(violation) = follower.event(event).unwrap() {
            return Came::Invalid(violation, follower.events());
        }
    }
    match follower.finish() {
        Ok(verdict) if verdict.answer() == Answer::Valid => Came::Valid,
        Ok(verdict) => {
            assert_eq!(verdict.answer(), Answer::Unknown);
            assert!(["fifo-queue", "stack"].contains(&name), "{verdict:?}");
            Came::Unknown
        }
        Err(violation) => Came::Invalid(violation, follower.events()),
    }
}

/// How long the earliest prefix is that is not linearizable, if there is one; nothing if that took too long to find out.
fn earliest(name: &str, events: &[EventRecord]) -> Option<Option<u64>> {
    let history = History::from_records(events.iter().cloned(), BuildOptions::default()).unwrap();
    let limits = Limits {
        states_max: 100_000,
        ..Limits::default()
    };
    let request = CheckRequest {
        limits,
        ..CheckRequest::new(name)
    };
    let verdict = check_history(&history, &request, &|| false).unwrap();
    match verdict.judgement {
        Judgement::Valid { .. } => Some(None),
        Judgement::Invalid {
            counterexample: Counterexample::Core(core),
        } => Some(Some(core.prefix as u64)),
        Judgement::Unknown { .. } => {
            assert!(["fifo-queue", "stack", "priority-queue"].contains(&name));
            None
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn whole_and_growing_histories_are_judged_alike() {
    let models = registry()
        .iter()
        .filter(|model| CheckerEntry::named(model.name).is_some());
    let (mut wrong, mut unknown) = (0, 0);
    for model in models {
        for seed in 0..24 {
            let synthesis = Synthesis {
                concurrency: 1 + u32::try_from(seed).unwrap() % 5,
                keys: 1 + u32::try_from(seed).unwrap() % 3,
                unique: seed % 2 == 0,
                crashed: seed % 4,
                invalid: [None, Some(Invalid::Early), Some(Invalid::Late)][seed as usize % 3],
                seed,
                ..Synthesis::new(*model, 120)
            };
            let events: Vec<_> = synthesis.events().collect();
            let Some(expected) = earliest(model.name, &events) else {
                unknown += 1;
                continue;
            };
            match (followed(model.name, &events), expected) {
                (Came::Unknown, _) => unknown += 1,
                (Came::Valid, None) => {}
                (Came::Invalid(violation, came), Some(earliest)) => {
                    wrong += 1;
                    // The follower knows what calls returned later that were in flight: no order may be left at a
                    // return although the prefix up to it has one, but by then the history is wrong.
                    assert!(
                        came >= violation.events.max(earliest),
                        "{synthesis:?}: {violation:?}"
                    );
                    let until = |event: u64| &events[..usize::try_from(event).unwrap()];
                    let wrong = |events| matches!(followed(model.name, events), Came::Invalid(..));
                    assert!(wrong(until(came)), "{synthesis:?}");
                    assert!(!wrong(until(earliest - 1)), "{synthesis:?}");
                }
                (came, expected) => panic!("{synthesis:?}: {came:?}, expected {expected:?}"),
            }
        }
    }
    assert!(
        wrong >= 60 && unknown <= 48,
        "{wrong} wrong, {unknown} unknown"
    );
}

fn event(process: u32, kind: Kind, function: &str, value: Value) -> EventRecord {
    EventRecord::new(Process::Client(process), kind, function, Value::Nil, value)
}

#[test]
fn what_is_in_flight_delays_the_answer_until_it_is_asked_for() {
    let mut follower = follow("register");
    let events = [
        event(0, Kind::Invoke, "write", Value::Int(9)),
        event(1, Kind::Invoke, "write", Value::Int(1)),
        event(1, Kind::Ok, "write", Value::Int(1)),
        event(1, Kind::Invoke, "read", Value::Nil),
        event(1, Kind::Ok, "read", Value::Int(2)),
    ];
    for event in &events {
        assert_eq!(follower.event(event).unwrap(), None);
    }
    // Process 0 could still return anything, and that would not explain the read of 2.
    assert_eq!(follower.look().unwrap().events, 5);
    assert_eq!(follower.finish().unwrap_err().output, Value::Int(2));
}

#[test]
fn what_is_in_flight_may_explain_what_was_read() {
    let mut follower = follow("register");
    for event in [
        event(0, Kind::Invoke, "write", Value::Int(9)),
        event(1, Kind::Invoke, "read", Value::Nil),
        event(1, Kind::Ok, "read", Value::Int(9)),
    ] {
        assert_eq!(follower.event(&event).unwrap(), None);
    }
    assert_eq!(follower.look(), None);
    // That it failed cannot be.
    let failed = follower.event(&event(0, Kind::Fail, "write", Value::Int(9)));
    assert_eq!(failed.unwrap().unwrap().events, 3);
}

#[test]
fn rules_and_misfits_are_errors() {
    let error = |events: &[EventRecord]| {
        let mut follower = follow("register");
        let mut results = events.iter().map(|event| follower.event(event));
        results.find_map(Result::err).unwrap()
    };
    let invoke = event(0, Kind::Invoke, "read", Value::Nil);
    let info = event(0, Kind::Info, "read", Value::Nil);
    assert!(matches!(
        error(&[invoke.clone(), invoke.clone()]),
        FollowError::Rule(_)
    ));
    assert!(matches!(
        error(std::slice::from_ref(&info)),
        FollowError::Rule(_)
    ));
    assert!(matches!(
        error(&[invoke.clone(), info, invoke]),
        FollowError::Rule(_)
    ));
    let push = [
        event(0, Kind::Invoke, "push", Value::Nil),
        event(0, Kind::Ok, "push", Value::Nil),
    ];
    assert!(matches!(error(&push), FollowError::Check(_)));
}

/// Long after its beginning, a history takes no more memory than it did then.
#[test]
fn what_is_behind_is_forgotten() {
    let model = *registry()
        .iter()
        .find(|model| model.name == "register")
        .unwrap();
    let synthesis = Synthesis {
        crashed: 3,
        ..Synthesis::new(model, 20_000)
    };
    let request = CheckRequest::new("register");
    let mut follower =
        super::Follower::<crate::model::Register>::new(&request, ProcessReuse::Reject).unwrap();
    let mut waited = 0;
    for event in synthesis.events() {
        assert_eq!(follower.event(&event).unwrap(), None);
        let object = follower.objects.values().next().unwrap();
        waited = waited.max(object.waiting.len());
        assert!(object.calls.len() <= object.waiting.len());
    }
    assert!(waited < 100, "{waited} events waited");
    assert!(follower.activities.len() <= 5 + 3);
}
