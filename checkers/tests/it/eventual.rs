//! What an object that may be behind for a while comes to in the end (`set-full`, `pn-counter`), and the plain checks
//! of identifiers and echoes; each against its definition, spelled out without a thought for speed.

use proptest::prelude::*;
use tribunal_checkers::Answer::{Invalid, Unknown, Valid};
use tribunal_checkers::{Answer, Counterexample, Judgement};

use crate::script::{expect, json, judge};

/// 1 and 2 are acknowledged, of 3 nobody knows, 4 failed.
const ADDS: &str = "0 invoke add 1\n0 ok add 1\n0 invoke add 2\n0 ok add 2\n0 invoke add 3\n0 info add 3\n\
                    1 invoke add 4\n1 fail add 4\n";

fn reads(function: &str, told: &[&str]) -> String {
    let lines = (5..).zip(told).map(|(process, told)| {
        format!("{process} invoke {function}\n{process} ok {function} {told}\n")
    });
    lines.fold(ADDS.to_owned(), |script, read| script + &read)
}

fn sentences(checker: &str, script: &str) -> String {
    judge(checker, "", script).sentences.join("\n")
}

#[test]
fn a_full_set_may_be_behind_until_the_end() {
    expect(Valid, "set-full", "", &reads("read", &["[1,2]", "[2,1,3]"]));
    expect(Invalid, "set-full", "", &reads("read", &["[1,2]", "[1]"]));
    // One node that lacks an element is enough, even if the last read has it.
    expect(Invalid, "set-full", "", &reads("read", &["[1]", "[1,2]"]));
    // Reads at the end say so, and then the others may lack what they will.
    let named = reads("read", &["[1]", "[]"]) + "8 invoke final-read\n8 ok final-read [1,2]\n";
    expect(Valid, "set-full", "", &named);
    insta::assert_snapshot!(sentences("set-full", &named), @"
    each of the 1 reads at the end has all 2 elements, none twice
    2 elements were stale: a read lacked them up to 0.0 ms (half of them), 0.0 ms (the longest) after they were known
    ");
    // What was seen must stay, acknowledged or not.
    expect(
        Invalid,
        "set-full",
        "",
        &reads("read", &["[1,2,3]", "[1,2]"]),
    );
}

#[test]
fn a_full_set_sees_what_is_there_twice_or_was_never_added() {
    let script = reads("read", &["[1,2,2]"]);
    insta::assert_snapshot!(sentences("set-full", &script), @"
    a read (process 5) duplicated 1 element
    Because 2 is in the read more than once: an element of a set is in it once.
    ");
    let Judgement::Invalid {
        counterexample: Counterexample::Elements { duplicated, .. },
    } = judge("set-full", "", &script).judgement
    else {
        panic!("it is invalid");
    };
    assert_eq!(duplicated, [json("2")]);
    expect(Invalid, "set-full", "", &reads("read", &["[1,2,4]"]));
    expect(Invalid, "set-full", "", &reads("read", &["[1,2,9]"]));
    expect(
        Invalid,
        "set-full",
        "",
        "1 invoke read\n1 ok read [1]\n0 invoke add 1\n0 ok add 1",
    );
}

#[test]
fn without_a_read_at_the_end_a_full_set_is_not_decided() {
    expect(Unknown, "set-full", "", ADDS);
    expect(Unknown, "set-full", "", "5 invoke read\n5 ok read []\n");
    let open = reads("read", &["[1,2]"]) + "6 invoke final-read\n6 info final-read\n";
    expect(Unknown, "set-full", "", &open);
}

#[test]
fn a_counter_at_the_end_is_a_sum_of_what_may_have_happened() {
    // 5 for sure, and perhaps 3, and perhaps -1.
    let adds = "0 invoke add 5\n0 ok add 5\n0 invoke add 3\n0 info add 3\n1 invoke add -1\n1 info add -1\n\
                2 invoke add 50\n2 fail add 50\n";
    let read = |value: i64| format!("{adds}7 invoke final-read\n7 ok final-read {value}\n");
    for value in -3..60 {
        let is_sum = [4, 5, 7, 8].contains(&value);
        expect(
            if is_sum { Valid } else { Invalid },
            "pn-counter",
            "",
            &read(value),
        );
    }
    insta::assert_snapshot!(sentences("pn-counter", &read(6)), @"
    a read (process 7) returned 6, which no choice of additions comes to
    Because no choice among the additions of unknown outcome, added to what was acknowledged, comes to 6.
    ");
    // Before the end anything goes that additions begun by then allow.
    let early = |value: i64| {
        format!(
            "3 invoke read\n0 invoke add 5\n3 ok read {value}\n0 ok add 5\n7 invoke final-read\n7 ok final-read 5"
        )
    };
    expect(Valid, "pn-counter", "", &early(0));
    expect(Valid, "pn-counter", "", &early(5));
    expect(Invalid, "pn-counter", "", &early(6));
    expect(Invalid, "pn-counter", "", &early(-1));
    expect(Unknown, "pn-counter", "", adds);
}

#[test]
fn identifiers_are_given_once() {
    let two = |second: &str| {
        format!("0 invoke generate\n1 invoke generate\n1 ok generate 7\n0 ok generate {second}\n")
    };
    expect(Valid, "unique-ids", "", &two("8"));
    expect(Valid, "unique-ids", "", &two("\"7\""));
    expect(Invalid, "unique-ids", "", &two("7"));
    expect(
        Unknown,
        "unique-ids",
        "",
        "0 invoke generate\n0 info generate\n",
    );
    insta::assert_snapshot!(sentences("unique-ids", &two("7")), @"
    the identifier 7 was given twice
    Because process 0 and later process 1 were both given 7: an identifier is given once.
    ");
}

#[test]
fn an_echo_is_what_was_sent() {
    let echo = |back: &str| format!("0 invoke echo \"hm\"\n0 ok echo {back}\n");
    expect(Valid, "echo", "", &echo("\"hm\""));
    expect(Invalid, "echo", "", &echo("\"hn\""));
    expect(Unknown, "echo", "", "0 invoke echo \"hm\"\n0 info echo\n");
    insta::assert_snapshot!(sentences("echo", &echo("null")), @r#"
    process 0 sent "hm" and got nil back
    Because an echo of "hm" is "hm".
    "#);
}

/// An operation of a small history: what, how it ends, and from when to when.
#[derive(Clone, Debug)]
struct Act<T> {
    what: T,
    end: &'static str,
    begins: usize,
    returns: usize,
}

fn acts<T: Clone + std::fmt::Debug + 'static>(
    what: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<Act<T>>> {
    let end = proptest::sample::select(vec!["ok", "ok", "ok", "info", "fail"]);
    let act = (what, end, 0_usize..12, 1_usize..6).prop_map(|(what, end, begins, length)| Act {
        what,
        end,
        begins,
        returns: begins + length,
    });
    proptest::collection::vec(act, 1..8)
}

/// The acts with their times as positions, and the script; every act has a process of its own.
fn placed<T: Clone>(
    acts: &[Act<T>],
    invoke: impl Fn(usize, &T) -> String,
    complete: impl Fn(usize, &Act<T>) -> String,
) -> (Vec<Act<T>>, String) {
    let mut events: Vec<(usize, bool, usize)> = Vec::new();
    for (number, act) in acts.iter().enumerate() {
        events.extend([(act.begins, false, number), (act.returns, true, number)]);
    }
    events.sort_unstable();
    let mut placed = acts.to_vec();
    let mut script = String::new();
    for (position, (_, returns, number)) in events.into_iter().enumerate() {
        let act = &acts[number];
        if returns {
            placed[number].returns = position;
            script += &format!("{number} {} {}\n", act.end, complete(number, act));
        } else {
            placed[number].begins = position;
            script += &format!("{number} invoke {}\n", invoke(number, &act.what));
        }
    }
    (placed, script)
}

/// An add of the act's own number, or a read of some numbers; whether it says that it is at the end.
#[derive(Clone, Debug)]
enum OfSet {
    Add,
    Read(Vec<usize>, bool),
}

fn set_by_definition(acts: &[Act<OfSet>]) -> Answer {
    let reads: Vec<_> = acts
        .iter()
        .filter_map(|act| match &act.what {
            OfSet::Read(told, is_final) => Some((act, told, *is_final)),
            OfSet::Add => None,
        })
        .collect();
    let answered: Vec<_> = reads.iter().filter(|(act, ..)| act.end == "ok").collect();
    let adds: Vec<_> = (0..)
        .zip(acts)
        .filter(|(_, act)| matches!(act.what, OfSet::Add))
        .collect();
    let are_named = reads.iter().any(|(.., is_final)| *is_final);
    let all_added = |read: &Act<OfSet>| {
        adds.iter().all(|(_, add)| {
            add.begins < read.begins && (add.end != "ok" || add.returns < read.begins)
        })
    };
    let is_last =
        |read: &Act<OfSet>, is_final: bool| if are_named { is_final } else { all_added(read) };
    let known_before = |element: usize, position: usize| {
        let added = |(number, add): &(usize, &Act<OfSet>)| {
            *number == element && add.end == "ok" && add.returns < position
        };
        let seen = answered
            .iter()
            .any(|(read, told, _)| told.contains(&element) && read.returns < position);
        adds.iter().any(added) || seen
    };
    for (read, told, is_final) in &answered {
        for element in 0..12 {
            let count = told.iter().filter(|other| **other == element).count();
            let possible = adds.iter().any(|(number, add)| {
                *number == element && add.end != "fail" && add.begins < read.returns
            });
            let wanted = is_last(read, *is_final) && known_before(element, read.begins);
            if count > 1 || count > 0 && !possible || count == 0 && wanted {
                return Invalid;
            }
        }
    }
    let is_read_at_the_end = answered.iter().any(|(read, _, last)| is_last(read, *last));
    let is_anything_known = (0..12).any(|element| known_before(element, usize::MAX));
    if is_read_at_the_end && is_anything_known {
        Valid
    } else {
        Unknown
    }
}

fn set_acts() -> impl Strategy<Value = Vec<Act<OfSet>>> {
    let read = (proptest::collection::vec(0_usize..4, 0..4), any::<bool>());
    acts(prop_oneof![
        Just(OfSet::Add),
        read.prop_map(|(told, is_final)| OfSet::Read(told, is_final)),
    ])
}

/// An addition, or a read of a number; whether it says that it is at the end.
#[derive(Clone, Debug)]
enum OfCounter {
    Add(i64),
    Read(i64, bool),
}

fn counter_by_definition(acts: &[Act<OfCounter>]) -> Answer {
    let adds: Vec<_> = acts
        .iter()
        .filter_map(|act| match act.what {
            OfCounter::Add(amount) => Some((act, amount)),
            OfCounter::Read(..) => None,
        })
        .collect();
    let reads: Vec<_> = acts
        .iter()
        .filter_map(|act| match act.what {
            OfCounter::Read(value, is_final) => Some((act, value, is_final)),
            OfCounter::Add(_) => None,
        })
        .collect();
    let are_named = reads.iter().any(|(.., is_final)| *is_final);
    let is_last = |read: &Act<OfCounter>, is_final: bool| {
        let all_added = adds.iter().all(|(add, _)| {
            add.begins < read.begins && (add.end != "ok" || add.returns < read.begins)
        });
        if are_named { is_final } else { all_added }
    };
    // A set of additions explains a read at the end if it has all that was acknowledged, none that failed, and the sum.
    let explained = |value: i64, is_in: &dyn Fn(&Act<OfCounter>) -> Option<bool>| {
        (0..1_usize << adds.len()).any(|chosen| {
            let mut sum = 0;
            for (place, (add, amount)) in adds.iter().enumerate() {
                let is_chosen = chosen >> place & 1 == 1;
                if is_in(add).is_some_and(|wanted| wanted != is_chosen) {
                    return false;
                }
                sum += if is_chosen { *amount } else { 0 };
            }
            sum == value
        })
    };
    let at_the_end = |add: &Act<OfCounter>| match add.end {
        "ok" => Some(true),
        "fail" => Some(false),
        _ => None,
    };
    let answered = || reads.iter().filter(|(read, ..)| read.end == "ok");
    for (read, value, is_final) in answered() {
        if is_last(read, *is_final) && !explained(*value, &at_the_end) {
            return Invalid;
        }
        // Before the end only the bounds are asked for.
        let begun =
            |(add, _): &&(&Act<OfCounter>, i64)| add.end != "fail" && add.begins < read.returns;
        let negative: i64 = adds
            .iter()
            .filter(begun)
            .map(|(_, amount)| (*amount).min(0))
            .sum();
        let positive: i64 = adds
            .iter()
            .filter(begun)
            .map(|(_, amount)| (*amount).max(0))
            .sum();
        if *value < negative || *value > positive {
            return Invalid;
        }
    }
    let is_read = answered().any(|(read, _, last)| is_last(read, *last));
    let is_added = adds.iter().any(|(add, _)| add.end == "ok");
    if is_read && is_added { Valid } else { Unknown }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn the_full_set_agrees_with_the_definition(acts in set_acts()) {
        let name = |is_final: bool| if is_final { "final-read" } else { "read" };
        let (placed, script) = placed(
            &acts,
            |number, what| match what {
                OfSet::Add => format!("add {number}"),
                OfSet::Read(_, is_final) => name(*is_final).to_owned(),
            },
            |number, act| match &act.what {
                OfSet::Add => format!("add {number}"),
                OfSet::Read(told, is_final) if act.end == "ok" => format!("{} {told:?}", name(*is_final)),
                OfSet::Read(_, is_final) => name(*is_final).to_owned(),
            },
        );
        prop_assert_eq!(judge("set-full", "", &script).answer(), set_by_definition(&placed), "{}", script);
    }

    #[test]
    fn the_counter_agrees_with_the_definition(
        acts in acts(prop_oneof![
            (-3_i64..4).prop_map(OfCounter::Add),
            (-6_i64..9, any::<bool>()).prop_map(|(value, is_final)| OfCounter::Read(value, is_final)),
        ]),
    ) {
        let name = |is_final: bool| if is_final { "final-read" } else { "read" };
        let (placed, script) = placed(
            &acts,
            |_, what| match what {
                OfCounter::Add(amount) => format!("add {amount}"),
                OfCounter::Read(_, is_final) => name(*is_final).to_owned(),
            },
            |_, act| match act.what {
                OfCounter::Add(amount) => format!("add {amount}"),
                OfCounter::Read(value, is_final) if act.end == "ok" => format!("{} {value}", name(is_final)),
                OfCounter::Read(_, is_final) => name(is_final).to_owned(),
            },
        );
        prop_assert_eq!(judge("pn-counter", "", &script).answer(), counter_by_definition(&placed), "{}", script);
    }

    #[test]
    fn identifiers_agree_with_the_definition(acts in acts(0_u8..6)) {
        let (placed, script) = placed(
            &acts,
            |_, _| "generate".to_owned(),
            |_, act| if act.end == "ok" { format!("generate {}", act.what) } else { "generate".to_owned() },
        );
        let given: Vec<_> = placed.iter().filter(|act| act.end == "ok").map(|act| act.what).collect();
        let is_twice = given.iter().enumerate().any(|(place, id)| given[..place].contains(id));
        let expected = if is_twice { Invalid } else if given.is_empty() { Unknown } else { Valid };
        prop_assert_eq!(judge("unique-ids", "", &script).answer(), expected, "{}", script);
    }

    #[test]
    fn echoes_agree_with_the_definition(acts in acts((0_u8..3, 0_u8..3))) {
        let (placed, script) = placed(
            &acts,
            |_, (sent, _)| format!("echo {sent}"),
            |_, act| if act.end == "ok" { format!("echo {}", act.what.1) } else { "echo".to_owned() },
        );
        let answered: Vec<_> = placed.iter().filter(|act| act.end == "ok").map(|act| act.what).collect();
        let is_wrong = answered.iter().any(|(sent, came)| sent != came);
        let expected = if is_wrong { Invalid } else if answered.is_empty() { Unknown } else { Valid };
        prop_assert_eq!(judge("echo", "", &script).answer(), expected, "{}", script);
    }
}
