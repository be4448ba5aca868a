//! Random small histories of an object that is mostly correct, made of random bytes.

use tribunal_histories::{BuildOptions, EventRecord, History, Kind, Process, Value};

use crate::model::*;

/// A function of a model with the arguments and the results to draw from.
pub(super) type Function = (&'static str, Vec<Value>, Vec<Value>);

/// Random decisions; zero when they run out.
struct Tape<'a>(std::slice::Iter<'a, u8>);

impl Tape<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % bound
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    fn pick<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// An operation in flight.
struct InFlight {
    process: u32,
    function: &'static str,
    input: Value,
    outputs: Vec<Value>,
    /// The result, if it has taken effect.
    output: Option<Value>,
}

/// A history of an object that is mostly correct: operations take effect when they begin or when they end, some
/// fail, some crash before or after, and now and then a result is wrong. Returns whether none was.
pub(super) fn simulate<M: Model>(
    model: &M,
    functions: &[Function],
    operations: usize,
    tape: &[u8],
) -> (History, bool) {
    let mut tape = Tape(tape.iter());
    let mut state = model.initial();
    let mut in_flight: Vec<InFlight> = Vec::new();
    let mut records = Vec::new();
    let mut begun = 0;
    let mut honest = true;
    let record = |of: &InFlight, kind, value| {
        let process = Process::Client(of.process);
        EventRecord::new(process, kind, of.function, Value::Nil, value)
    };
    while begun < operations || !in_flight.is_empty() {
        if in_flight.is_empty() || begun < operations && in_flight.len() < 4 && !tape.one_in(2) {
            let (function, inputs, outputs) = tape.pick(functions);
            let mut operation = InFlight {
                process: u32::try_from(begun).unwrap(),
                function,
                input: tape.pick(inputs).clone(),
                outputs: outputs.clone(),
                output: None,
            };
            begun += 1;
            records.push(record(&operation, Kind::Invoke, operation.input.clone()));
            if tape.one_in(2) {
                take_effect(model, &mut state, &mut operation, &mut tape);
            }
            in_flight.push(operation);
        } else {
            let mut operation = in_flight.swap_remove(tape.below(in_flight.len()));
            if operation.output.is_none() && tape.one_in(8) {
                records.push(record(&operation, Kind::Fail, operation.input.clone()));
                continue;
            }
            let crashes = tape.one_in(4);
            if operation.output.is_none() && !(crashes && tape.one_in(2)) {
                take_effect(model, &mut state, &mut operation, &mut tape);
            }
            let wrong = tape
                .one_in(10)
                .then(|| tape.pick(&operation.outputs).clone());
            honest &= wrong.is_none();
            records.push(match wrong.or(operation.output.clone()) {
                _ if crashes => record(&operation, Kind::Info, Value::Nil),
                Some(output) => record(&operation, Kind::Ok, output),
                None => record(&operation, Kind::Fail, operation.input.clone()),
            });
        }
    }
    let history = History::from_records(records, BuildOptions::default()).unwrap();
    (history, honest)
}

/// Applies an operation with one of the results that are right now, if any is.
fn take_effect<M: Model>(
    model: &M,
    state: &mut M::State,
    operation: &mut InFlight,
    tape: &mut Tape<'_>,
) {
    let possible: Vec<_> = operation
        .outputs
        .iter()
        .filter_map(|output| {
            let recorded = Recorded {
                function: operation.function,
                input: operation.input.clone(),
                output: Some(output.clone()),
            };
            let after = match model.operation(&recorded).unwrap() {
                Some(op) => model.step(state, &op)?,
                None => state.clone(),
            };
            Some((output.clone(), after))
        })
        .collect();
    if !possible.is_empty() {
        let (output, after) = tape.pick(&possible).clone();
        operation.output = Some(output);
        *state = after;
    }
}

/// The random decisions of a seed.
pub(super) fn tape(seed: u64) -> Vec<u8> {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |number: u64| {
        let mut bits = seed
            .wrapping_mul(0xd134_2543_de82_ef95)
            .wrapping_add(GAMMA.wrapping_mul(number + 1));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)).to_le_bytes()
    };
    (0..8).flat_map(word).collect()
}
