//! Total order broadcast: what the checker allows and forbids, and that it agrees with the definition.

use proptest::prelude::*;
use tribunal_checkers::Answer::{Invalid, Unknown, Valid};
use tribunal_checkers::{Answer, CheckRequest, Counterexample, Judgement, check_history};

use crate::script::{expect, history, json, judge};

/// 1 and 2 are acknowledged, of 3 nobody knows, 4 failed.
const BROADCASTS: &str = "0 invoke append 1\n0 ok append 1\n0 invoke append 2\n0 ok append 2\n\
                          0 invoke append 3\n0 info append 3\n1 invoke append 4\n1 fail append 4\n";

/// After the broadcasts, each process in turn reads this.
fn reads(reads: &[(u32, &str)]) -> String {
    let lines = reads.iter().map(|(process, told)| {
        format!("{process} invoke local-read\n{process} ok local-read {told}\n")
    });
    lines.fold(BROADCASTS.to_owned(), |script, read| script + &read)
}

fn sentences(script: &str) -> String {
    judge("total-order", "", script).sentences.join("\n")
}

#[test]
fn nodes_that_agree_may_be_behind_until_the_end() {
    for told in [
        &[(5, "[1,2]"), (6, "[1,2]")][..],
        &[(5, "[1,2,3]"), (6, "[1,2]")],
        &[(5, "[2,1]"), (6, "[2,1,3]")],
        &[(5, ""), (5, "[1]"), (5, "[1,2]")],
    ] {
        expect(Valid, "total-order", "", &reads(told));
    }
    // A last read that began before the end need not have everything.
    let early = "2 invoke local-read\n2 ok local-read []\n".to_owned() + &reads(&[(5, "[1,2]")]);
    expect(Valid, "broadcast", "", &early);
}

#[test]
fn without_a_read_at_the_end_it_is_not_known_what_was_delivered() {
    expect(Unknown, "total-order", "", BROADCASTS);
    let during = "0 invoke append 1\n1 invoke local-read\n1 ok local-read [1]\n0 ok append 1";
    expect(Unknown, "total-order", "", during);
    // The last read of the process is open: the one before it was not to be its last.
    let open = reads(&[(5, "[1]")]) + "5 invoke local-read\n";
    expect(Unknown, "total-order", "", &open);
}

#[test]
fn delivering_in_another_order_is_found() {
    let script = reads(&[(5, "[1,2,3]"), (6, "[1,3,2]")]);
    insta::assert_snapshot!(sentences(&script), @r"
    a read (process 5) and a read (process 6) delivered in different orders
    Because after the same 1 messages the first has 2 and the second has 3: of any two sequences one must be the beginning of the other.
    ");
    let Judgement::Invalid {
        counterexample: Counterexample::Orders { reads, agreed, .. },
    } = judge("total-order", "", &script).judgement
    else {
        panic!("different orders are invalid");
    };
    assert_eq!((reads, agreed), ([8, 10], 1));
    // A gap: 2 without 1.
    let gap = reads_of_two("[1,2]", "[2]");
    expect(Invalid, "total-order", "", &gap);
}

fn reads_of_two(one: &str, other: &str) -> String {
    reads(&[(5, one), (6, other)])
}

#[test]
fn delivering_twice_or_what_was_not_broadcast_is_found() {
    insta::assert_snapshot!(sentences(&reads(&[(5, "[1,2,1]")])), @r"
    a read (process 5) delivered 1, which it must not
    Because 1 is in it twice: a message is delivered at most once.
    ");
    insta::assert_snapshot!(sentences(&reads(&[(5, "[1,2,9]")])), @r"
    a read (process 5) delivered 9, which it must not
    Because nobody broadcast 9: only what was broadcast is delivered.
    ");
    insta::assert_snapshot!(sentences(&reads(&[(5, "[1,2,4]")])), @r"
    a read (process 5) delivered 4, which it must not
    Because the broadcast of 4 (process 1) failed: it must not be delivered.
    ");
    let later = reads(&[(5, "[1,2,7]")]) + "7 invoke append 7\n";
    insta::assert_snapshot!(sentences(&later), @r"
    a read (process 5) delivered 7, which it must not
    Because 7 was broadcast only later (by process 7): only what was broadcast is delivered.
    ");
}

#[test]
fn a_sequence_that_shrinks_is_found() {
    insta::assert_snapshot!(sentences(&reads(&[(5, "[1,2]"), (5, "[1]")])), @r"
    a read (process 5) delivered less than before
    Because it had told of 2 messages, 2 the last of them, and now tells of 1: what a node has delivered only grows.
    ");
    expect(
        Valid,
        "total-order",
        "",
        &reads(&[(5, "[1,2,3]"), (6, "[1,2]")]),
    );
}

#[test]
fn an_acknowledged_message_that_is_never_delivered_is_found() {
    insta::assert_snapshot!(sentences(&reads_of_two("[1,2]", "[1]")), @r"
    a read (process 6) lost 1 messages
    Because the broadcast of 2 (process 0) had been acknowledged before this last read began, and the read does not have it.
    ");
    expect(Invalid, "total-order", "", &reads(&[(5, "")]));
}

#[test]
fn messages_are_told_apart_and_keys_judged_apart() {
    let twice = history("0 invoke append 1\n0 ok append 1\n0 invoke append 1\n0 ok append 1");
    let request = CheckRequest::new("total-order");
    let refused = check_history(&twice, &request, &|| false).unwrap_err();
    insta::assert_snapshot!(refused, @"event 3: process 0's `append` of 1 does not fit total-order, which has append message, local-read → [message …]");
    let begins = CheckRequest::new("total-order").with_initial(json("[1]"));
    assert!(check_history(&twice, &begins, &|| false).is_err());
    let keys = "0 invoke append key=1 5\n0 ok append key=1 5\n0 invoke read key=1\n0 ok read key=1 [5]\n\
                0 invoke append key=2 5\n0 ok append key=2 5\n0 invoke read key=2\n0 ok read key=2 [5]";
    expect(Valid, "total-order", "", keys);
    expect(
        Invalid,
        "total-order",
        "",
        &keys.replace("key=2 [5]", "key=2 [6]"),
    );
}

const MESSAGES: u32 = 3;

/// What a small history does: message m+1 is broadcast (and how that ends) or process p reads a sequence.
#[derive(Clone, Debug)]
enum Act {
    Broadcast(&'static str),
    Read(u32, Vec<u32>),
}

fn act() -> impl Strategy<Value = Act> {
    let told = proptest::collection::vec(1..=MESSAGES, 0..=3);
    prop_oneof![
        proptest::sample::select(vec!["ok", "info", "fail"]).prop_map(Act::Broadcast),
        (5_u32..7, told).prop_map(|(process, told)| Act::Read(process, told)),
    ]
}

/// Every sequence of some of these messages, none twice.
fn arrangements(messages: &[u32]) -> Vec<Vec<u32>> {
    let mut all = vec![Vec::new()];
    for &message in messages {
        let rest: Vec<_> = messages.iter().copied().filter(|m| *m != message).collect();
        all.extend(arrangements(&rest).into_iter().map(|mut tail| {
            tail.insert(0, message);
            tail
        }));
    }
    all
}

/// By the definition: there is one sequence of messages that did not fail, and every read tells a beginning of it that
/// was broadcast by then, no shorter than the process told before, and in the end all that was acknowledged.
fn by_definition(acts: &[Act]) -> Answer {
    let ends: Vec<_> = acts
        .iter()
        .filter_map(|act| match act {
            Act::Broadcast(end) => Some(*end),
            Act::Read(..) => None,
        })
        .collect();
    let numbered = |wanted: fn(&str) -> bool| -> Vec<u32> {
        let all = (1..).zip(&ends).filter(|(_, end)| wanted(end));
        all.map(|(message, _)| message).collect()
    };
    let (possible, acknowledged) = (numbered(|end| end != "fail"), numbered(|end| end == "ok"));
    let last_of = |process: u32| {
        acts.iter()
            .rposition(|act| matches!(act, Act::Read(by, _) if *by == process))
    };
    let last_broadcast = acts
        .iter()
        .rposition(|act| matches!(act, Act::Broadcast(_)));
    let is_final = |place: usize, process: u32| {
        last_of(process) == Some(place) && last_broadcast.is_none_or(|last| last < place)
    };
    let explains = |sequence: &Vec<u32>| {
        let mut broadcast = 0;
        let mut told_before = [0; 2];
        acts.iter().enumerate().all(|(place, act)| match act {
            Act::Broadcast(_) => {
                broadcast += 1;
                true
            }
            Act::Read(process, told) => {
                let before = &mut told_before[*process as usize - 5];
                let grows = told.len() >= *before;
                *before = told.len();
                grows
                    && sequence.starts_with(told)
                    && told.iter().all(|message| *message <= broadcast)
                    && (!is_final(place, *process)
                        || acknowledged.iter().all(|message| told.contains(message)))
            }
        })
    };
    if !arrangements(&possible).iter().any(explains) {
        return Invalid;
    }
    let any_final =
        (5..7).any(|process| last_of(process).is_some_and(|place| is_final(place, process)));
    if any_final { Valid } else { Unknown }
}

fn script(acts: &[Act]) -> String {
    let mut messages = 0;
    let lines = acts.iter().map(|act| match act {
        Act::Broadcast(end) => {
            messages += 1;
            // A process is retired by info, so each broadcast has its own.
            format!(
                "{0} invoke append {messages}\n{0} {end} append {messages}\n",
                10 + messages
            )
        }
        Act::Read(process, told) => {
            format!("{process} invoke local-read\n{process} ok local-read {told:?}\n")
        }
    });
    lines.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_checker_agrees_with_the_definition(acts in proptest::collection::vec(act(), 1..7)) {
        prop_assert_eq!(judge("total-order", "", &script(&acts)).answer(), by_definition(&acts));
    }
}
