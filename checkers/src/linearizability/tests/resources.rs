//! Pools, bags, bounded resources, versions and logs against brute force; and what is nondeterministic against every
//! choice.

use super::*;

fn bools() -> Vec<Value> {
    vec![Value::Bool(true), Value::Bool(false)]
}

fn pair(first: impl Into<Value>, second: impl Into<Value>) -> Value {
    Value::list([first.into(), second.into()])
}

#[test]
fn multisets() {
    let bags = [&[][..], &[1], &[2], &[1, 1], &[1, 2], &[1, 1, 2]];
    let bags = bags.map(|bag| Value::list(bag.iter().copied().map(Value::Int)));
    let functions = [
        ("add", numbers(1..3), nothing()),
        ("add", numbers(1..5), nothing()),
        ("remove", numbers(1..3), nil_or(bools())),
        ("count", numbers(1..3), numbers(0..3)),
        ("read", nothing(), bags.into()),
    ];
    fuzz::<Multiset>(&Value::Nil, DEFAULT, &functions);
    fuzz::<Multiset>(&Value::list([1.into()]), DEFAULT, &functions[..4]);
}

#[test]
fn semaphores() {
    let functions = [
        ("acquire", nil_or(numbers(1..3)), nothing()),
        ("try-acquire", nil_or(numbers(2..3)), bools()),
        ("release", nil_or(numbers(1..3)), nothing()),
        ("available", nothing(), numbers(0..3)),
    ];
    fuzz::<Semaphore>(&Value::Int(2), DEFAULT, &functions);
}

fn fenced_lock() -> [Function; 3] {
    [
        ("acquire", nothing(), nil_or(numbers(1..6))),
        ("release", nil_or(numbers(1..4)), nothing()),
        ("release", nothing(), nothing()),
    ]
}

#[test]
fn fenced_locks() {
    fuzz::<FencedLock>(&Value::Nil, DEFAULT, &fenced_lock());
}

#[test]
fn versioned_registers() {
    let values = || (1..4).map(|value| pair(Value::Nil, value)).collect();
    let versions = || nil_or(numbers(1..5));
    let seen: Vec<_> = (0..4)
        .flat_map(|version| (1..4).map(move |value| pair(version, value)))
        .chain([
            pair(0, Value::Nil),
            pair(Value::Nil, 1),
            pair(2, Value::Nil),
        ])
        .collect();
    let swaps = [(1, 2), (2, 1), (2, 3)];
    let swaps = swaps.map(|(from, to)| pair(Value::Nil, pair(from, to)));
    let by_version = vec![pair(0, 1), pair(1, 2), pair(1, 4), pair(2, 1)];
    let functions = [
        ("write", values(), versions()),
        ("read", nothing(), nil_or(seen.clone())),
        ("read", nothing(), seen),
        ("cas", swaps.into(), versions()),
        ("cas-version", by_version, versions()),
        ("delete", nothing(), nothing()),
    ];
    for failed_cas in [FailedCas::DidNotHappen, FailedCas::ObservedOther] {
        let semantics = Semantics {
            failed_cas,
            ..DEFAULT
        };
        fuzz::<VersionedRegister>(&Value::Nil, semantics, &functions);
    }
    let unconstrained = Semantics {
        nil_read: NilRead::Unconstrained,
        ..DEFAULT
    };
    fuzz::<VersionedRegister>(&pair(1, 1), unconstrained, &functions);
}

#[test]
fn logs() {
    let ranges = vec![
        Value::Nil,
        0.into(),
        1.into(),
        pair(0, 1),
        pair(1, 1),
        pair(1, 2),
    ];
    let offsets = || nil_or(numbers(0..4));
    let functions = [
        ("append", numbers(1..4), offsets()),
        ("append", numbers(3..6), offsets()),
        ("read", ranges.clone(), nil_or(lists(&[1, 2, 3, 4]))),
        ("length", nothing(), numbers(0..4)),
    ];
    fuzz::<Log>(&Value::Nil, DEFAULT, &functions);
    let twice = [pair(1, 1), pair(2, 2), pair(2, 1)];
    let functions = [
        ("append", numbers(1..3), offsets()),
        ("append", numbers(1..3), nothing()),
        ("read", ranges, [lists(&[1, 2]), twice.into()].concat()),
    ];
    fuzz::<Log>(&Value::list([1.into()]), DEFAULT, &functions);
}

fn unordered_queue() -> [Function; 2] {
    [
        ("enqueue", numbers(1..5), nothing()),
        ("dequeue", nothing(), nil_or(numbers(1..4))),
    ]
}

#[test]
fn unordered_queues() {
    fuzz::<PowerSet<UnorderedQueue>>(&Value::Nil, DEFAULT, &unordered_queue());
}

/// Whether some order of the calls is legal with some choice of the states after them, tried one by one.
fn some_choice<N: NondeterministicModel>(
    model: &N,
    state: &N::State,
    calls: &Calls<N::Op>,
    placed: &mut Vec<usize>,
) -> bool {
    let waiting = calls.iter();
    let waiting: Vec<_> = waiting
        .filter(|(_, call)| !placed.contains(&call.invoked()))
        .collect();
    let required = waiting.iter().filter(|(_, call)| call.required);
    let Some(deadline) = required.filter_map(|(_, call)| call.returned()).min() else {
        return true;
    };
    waiting.into_iter().any(|(op, call)| {
        let returned = call.returned().unwrap_or(usize::MAX);
        if call.invoked() > deadline || placed.iter().any(|other| returned < *other) {
            return false;
        }
        placed.push(call.invoked());
        let mut states = model.steps(state, op).into_iter();
        let legal = states.any(|after| some_choice(model, &after, calls, placed));
        placed.pop();
        legal
    })
}

/// Judges random histories by a model, and by a nondeterministic one with the same operations.
fn alike<M: Model, N: NondeterministicModel<Op = M::Op>>(initial: &Value, functions: &[Function]) {
    let model = M::new(initial, DEFAULT).unwrap();
    let choosing = N::new(initial, DEFAULT).unwrap();
    let mut counts = [0, 0];
    for seed in 0..20_000 {
        let (history, _) = simulate(&model, functions, 6, &tape(seed));
        let positions: Vec<_> = history.invocations().collect();
        let all = calls(&model, &history, positions.into_iter());
        let mut begins = choosing.initial().into_iter();
        let valid = begins.any(|state| some_choice(&choosing, &state, &all, &mut Vec::new()));
        let answer = check_model(&model, &history).answer();
        assert_eq!(answer == Answer::Valid, valid, "{}", told(&history));
        counts[usize::from(valid)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 1000), "{counts:?}");
}

#[test]
fn sets_of_states_allow_what_some_choice_of_states_allows() {
    alike::<PowerSet<UnorderedQueue>, UnorderedQueue>(&Value::Nil, &unordered_queue());
}

/// A fenced lock whose acquisition chooses a token where nobody knows it.
#[derive(Clone)]
struct ChoosingLock(FencedLock);

impl NondeterministicModel for ChoosingLock {
    const NAME: &'static str = "choosing-lock";
    const ABOUT: &'static str = "";
    const OPERATIONS: &'static [Shape] = &[];

    type State = (i64, Option<i64>);
    type Op = FencedLockOp;

    fn new(initial: &Value, semantics: Semantics) -> Result<Self, &'static str> {
        FencedLock::new(initial, semantics).map(Self)
    }

    fn operation(&self, recorded: &Recorded<'_>) -> Result<Option<FencedLockOp>, Misfit> {
        self.0.operation(recorded)
    }

    fn initial(&self) -> Vec<Self::State> {
        vec![(0, None)]
    }

    fn steps(
        &self,
        (last, held): &Self::State,
        op: &FencedLockOp,
    ) -> impl IntoIterator<Item = Self::State> {
        // More than all tokens that a history of these has.
        const TOKENS: i64 = 12;
        match (*op, *held) {
            (FencedLockOp::Acquire(token), None) if token > *last => vec![(token, Some(token))],
            (FencedLockOp::AcquireSome, None) => {
                let tokens = last + 1..=TOKENS;
                tokens.map(|token| (token, Some(token))).collect()
            }
            (FencedLockOp::Release(token), Some(held)) if token == held => vec![(*last, None)],
            (FencedLockOp::ReleaseSome, Some(_)) => vec![(*last, None)],
            _ => Vec::new(),
        }
    }

    fn observes_only(&self, _op: &FencedLockOp) -> bool {
        false
    }
}

#[test]
fn one_state_for_all_unknown_tokens_is_enough() {
    alike::<FencedLock, ChoosingLock>(&Value::Int(0), &fenced_lock());
}
