//! `tribunal replay` and `tribunal shrink`: traces that are right, edited, torn, or none.

use std::fs;

use crate::invocation::Place;

/// A place with a failing trace, `trace.jsonl`, as found.
fn with_trace() -> Place {
    let place = Place::new();
    place
        .run("simulate --runtime plain --bugs RF1 --seed 1 --shrink off --quiet")
        .with(1);
    fs::copy(
        place.latest().join("trace.jsonl"),
        place.path().join("trace.jsonl"),
    )
    .unwrap();
    place
}

#[test]
fn steps_are_told_one_by_one() {
    let place = with_trace();
    let all = place.run("replay trace.jsonl -v").with(1).out;
    assert!(all.starts_with("  step  n1  n2 "), "{all}");
    assert!(all.contains("becomes leader in term"), "{all}");
    assert!(all.contains("\n✗"), "{all}");
    let some = place.run("replay trace.jsonl -v --until 3").with(1).out;
    assert!(
        some.lines().count() < 12 && some.contains("\n     3  "),
        "{some}"
    );
    let seed = place
        .run("replay --runtime plain --bugs RF1 --seed 1 -v")
        .with(1)
        .out;
    assert_eq!(seed, all);
}

#[test]
fn a_trace_that_is_not_what_it_says_is_noticed() {
    let place = with_trace();
    let text = fs::read_to_string(place.path().join("trace.jsonl")).unwrap();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    let (body, end) = text.trim_end().rsplit_once('\n').unwrap();
    write("torn.jsonl", body);
    assert!(
        place
            .run("replay torn.jsonl")
            .with(64)
            .err
            .contains("cut off")
    );
    let key = "\"digest\":\"";
    let at = end.find(key).unwrap() + key.len();
    let other = format!(
        "{body}\n{}0000000000000000{}\n",
        &end[..at],
        &end[at + 16..]
    );
    write("other.jsonl", &other);
    assert!(
        place
            .run("replay other.jsonl")
            .with(3)
            .out
            .contains("another run")
    );
    write("none.jsonl", "{}\n");
    assert!(
        place
            .run("replay none.jsonl")
            .with(64)
            .err
            .contains("not a trace")
    );
    place.run("replay absent.jsonl").with(74);
}

#[test]
fn a_trace_is_made_smaller_and_still_fails() {
    let place = with_trace();
    let ended = place
        .run("shrink trace.jsonl -o small.jsonl --budget 20s")
        .with(0);
    assert!(ended.out.starts_with("shrunk "), "{}", ended.out);
    let size = |name: &str| {
        fs::read_to_string(place.path().join(name))
            .unwrap()
            .lines()
            .count()
    };
    assert!(size("small.jsonl") < 100.min(size("trace.jsonl")));
    assert!(place.run("replay small.jsonl").with(1).out.contains("RI5"));
    let valid = Place::new();
    valid
        .run("simulate --runtime plain --seed 1 --quiet")
        .with(0);
    let ended = valid
        .run("shrink target/tribunal/latest/trace.jsonl")
        .with(64);
    assert!(ended.err.contains("nothing to shrink"), "{}", ended.err);
}
