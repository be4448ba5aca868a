//! Generators against a fake clock, after jepsen-io/generator's `simulate`, `perfect` and `imperfect`.

use std::fmt::Write as _;

use tribunal_histories::{EventRecord, Kind, Process, Value};

use super::{Call, Generator, Interpreter, Invocation, Next, Once, once};

/// What a fake system answers: after how long, how, and with what.
pub(crate) struct Answer {
    pub(crate) latency_us: u64,
    pub(crate) kind: Kind,
    pub(crate) value: Value,
}

/// The longest schedule that a test looks at.
const EVENTS_MAX: usize = 2_000;

/// Runs a generator to its end against a fake system.
pub(crate) fn simulate(
    interpreter: &mut Interpreter,
    mut time_us: u64,
    mut respond: impl FnMut(&Invocation) -> Answer,
) -> Vec<EventRecord> {
    let mut events = Vec::new();
    // When each answer arrives; of those at one time, in the order of their invocations.
    let mut answers: Vec<(u64, usize, Answer)> = Vec::new();
    while events.len() < EVENTS_MAX {
        let until_us = match interpreter.next(time_us) {
            Next::Operation(invocation) => {
                let answer = respond(&invocation);
                answers.push((time_us + answer.latency_us, invocation.thread, answer));
                events.push(record(
                    time_us,
                    &invocation,
                    Kind::Invoke,
                    invocation.call.value.clone(),
                ));
                continue;
            }
            Next::Pending { until_us } => until_us,
            Next::Done if answers.is_empty() => break,
            Next::Done => None,
        };
        let first = answers.iter().map(|(at_us, ..)| *at_us).min();
        match (first, until_us) {
            (Some(at_us), until_us) if until_us.is_none_or(|until_us| at_us <= until_us) => {
                time_us = at_us;
                let place = answers.iter().position(|(other, ..)| *other == at_us);
                let (_, thread, answer) =
                    answers.remove(place.expect("the minimum is one of them"));
                let invocation = interpreter.complete(time_us, thread, answer.kind, &answer.value);
                events.push(record(time_us, &invocation, answer.kind, answer.value));
            }
            (_, Some(until_us)) => {
                assert!(until_us > time_us, "pending until a time that has come");
                time_us = until_us;
            }
            (_, None) => panic!("pending for ever: nothing is in flight and no time was named"),
        }
    }
    events
}

fn record(time_us: u64, invocation: &Invocation, kind: Kind, value: Value) -> EventRecord {
    let process = Process::Client(invocation.process);
    let Call { function, key, .. } = &invocation.call;
    EventRecord {
        time_ns: Some(time_us * 1_000),
        ..EventRecord::new(process, kind, function, key.clone(), value)
    }
}

/// One write of a number.
pub(crate) fn write(value: i64) -> Once {
    once(Call::new("write", Value::Nil, value))
}

/// The schedule of a generator when every operation succeeds after 10 microseconds.
pub(crate) fn perfect(concurrency: usize, generator: impl Generator + 'static) -> String {
    schedule(concurrency, generator, |_| Kind::Ok)
}

/// As [`perfect`], but nobody ever knows.
pub(crate) fn perfect_info(concurrency: usize, generator: impl Generator + 'static) -> String {
    schedule(concurrency, generator, |_| Kind::Info)
}

/// As [`perfect`], but operations end in `fail`, `info` and `ok` in turn.
pub(crate) fn imperfect(concurrency: usize, generator: impl Generator + 'static) -> String {
    schedule(concurrency, generator, |number| match number % 3 {
        0 => Kind::Fail,
        1 => Kind::Info,
        _ => Kind::Ok,
    })
}

fn schedule(
    concurrency: usize,
    generator: impl Generator + 'static,
    kind: impl Fn(usize) -> Kind,
) -> String {
    let mut interpreter = Interpreter::new(generator.boxed(), concurrency, 1);
    let mut twin = interpreter.clone();
    let run = |interpreter: &mut Interpreter| {
        let mut number = 0..;
        simulate(interpreter, 0, |invocation| Answer {
            latency_us: 10,
            kind: kind(number.next().unwrap_or_default()),
            value: invocation.call.value.clone(),
        })
    };
    let events = run(&mut interpreter);
    assert_eq!(events, run(&mut twin), "a clone goes on identically");
    render(&events)
}

/// One event a line: time in microseconds, process, kind, function, key if any, value.
pub(crate) fn render(events: &[EventRecord]) -> String {
    let mut text = String::new();
    for event in events {
        let time_us = event.time_ns.unwrap_or_default() / 1_000;
        let (process, kind) = (event.process, event.kind.name());
        write!(text, "{time_us:<4} {process} {kind:<6} {}", event.function).expect("a string");
        if !event.key.is_nil() {
            write!(text, " {}", event.key).expect("a string");
        }
        writeln!(text, " {}", event.value).expect("a string");
    }
    text
}
