//! Convergence of replicas that agree on nothing but in the end.

use tribunal_checkers::Answer::{Invalid, Unknown, Valid};
use tribunal_checkers::{Answer, Counterexample, Judgement};

use crate::script::{expect, judge};

/// One register: writes as they are given, then final reads by three processes.
fn ends(answer: Answer, script: &str, finals: [&str; 3]) {
    let mut script = script.to_owned();
    for (process, value) in (20..).zip(finals) {
        script += &format!("\n{process} invoke final-read\n{process} ok final-read {value}");
    }
    expect(answer, "convergence", "", &script);
}

const CONCURRENT: &str = "0 invoke write 1\n1 invoke write 2\n0 ok write 1\n1 ok write 2";
const SEEN: &str =
    "0 invoke write 1\n0 ok write 1\n1 invoke read\n1 ok read 1\n1 invoke write 2\n1 ok write 2";

#[test]
fn of_concurrent_writes_either_wins_at_all_nodes() {
    ends(Valid, CONCURRENT, ["1", "1", "1"]);
    ends(Valid, CONCURRENT, ["2", "2", "2"]);
    ends(Invalid, CONCURRENT, ["2", "1", "2"]);
    ends(Invalid, CONCURRENT, ["", "", ""]);
    ends(Invalid, CONCURRENT, ["3", "3", "3"]);
    // Real time decides nothing: neither knew of the other.
    let one_after_the_other = "0 invoke write 1\n0 ok write 1\n1 invoke write 2\n1 ok write 2";
    ends(Valid, one_after_the_other, ["1", "1", "1"]);
}

#[test]
fn a_write_wins_over_what_its_process_knew() {
    ends(Valid, SEEN, ["2", "2", "2"]);
    ends(Invalid, SEEN, ["1", "1", "1"]);
    let by_itself = "0 invoke write 1\n0 ok write 1\n0 invoke write 2\n0 ok write 2";
    ends(Valid, by_itself, ["2", "2", "2"]);
    ends(Invalid, by_itself, ["1", "1", "1"]);
    let cas = "0 invoke write 1\n0 ok write 1\n1 invoke cas [1,2]\n1 ok cas [1,2]";
    ends(Invalid, cas, ["1", "1", "1"]);
    // An overwriting change of which nobody knows whether it was made need not win.
    ends(
        Valid,
        &SEEN.replace("1 ok write 2", "1 info write 2"),
        ["1", "1", "1"],
    );
    ends(
        Valid,
        &SEEN.replace("1 ok write 2", "1 info write 2"),
        ["2", "2", "2"],
    );
    ends(
        Invalid,
        &SEEN.replace("1 ok write 2", "1 fail write 2"),
        ["2", "2", "2"],
    );
    // Knowledge travels by other keys too: the clock does.
    let by_y = "0 invoke write key=1 1\n0 ok write key=1 1\n0 invoke write key=2 7\n0 ok write key=2 7\n\
                1 invoke read key=2\n1 ok read key=2 7\n1 invoke write key=1 2\n1 ok write key=1 2\n\
                2 invoke final-read key=1\n2 ok final-read key=1 1\n3 invoke final-read key=2\n3 ok final-read key=2 7";
    expect(Invalid, "convergence", "", by_y);
}

#[test]
fn a_delete_is_a_change_like_any_other() {
    let delete = "\n1 invoke delete\n1 ok delete";
    ends(Valid, &(SEEN.to_owned() + delete), ["", "", ""]);
    ends(Invalid, &(SEEN.to_owned() + delete), ["2", "2", "2"]);
    let unseen = CONCURRENT.to_owned() + "\n2 invoke delete\n2 ok delete";
    ends(Valid, &unseen, ["1", "1", "1"]);
    ends(Valid, &unseen, ["", "", ""]);
}

#[test]
fn a_process_does_not_read_what_it_knows_to_be_overwritten() {
    let read = |value: &str| format!("{SEEN}\n1 invoke read\n1 ok read {value}");
    ends(Valid, &read("2"), ["2", "2", "2"]);
    ends(Invalid, &read("1"), ["2", "2", "2"]);
    ends(Invalid, &read(""), ["2", "2", "2"]);
    // Another process may not have heard yet.
    let other = |value: &str| format!("{SEEN}\n2 invoke read\n2 ok read {value}");
    for value in ["", "1", "2"] {
        ends(Valid, &other(value), ["2", "2", "2"]);
    }
    // With one key's news another's need not come: not here, in a process of its own.
    let news_of_y = "0 invoke write key=1 1\n0 ok write key=1 1\n0 invoke write key=2 7\n0 ok write key=2 7\n\
                     1 invoke read key=2\n1 ok read key=2 7\n1 invoke read key=1\n1 ok read key=1\n\
                     2 invoke final-read key=1\n2 ok final-read key=1 1\n3 invoke final-read key=2\n3 ok final-read key=2 7";
    expect(Valid, "convergence", "", news_of_y);
}

fn counted(sum: i64) -> String {
    format!(
        "0 invoke add 3\n0 ok add 3\n1 invoke add 4\n2 invoke add -2\n2 info add -2\n3 invoke add 9\n3 fail add 9\n\
         4 invoke final-read\n4 ok final-read {sum}"
    )
}

#[test]
fn a_counter_loses_and_repeats_nothing() {
    for (answer, sum) in [
        (Invalid, 0),
        (Valid, 1),
        (Valid, 3),
        (Valid, 7),
        (Invalid, 8),
    ] {
        expect(answer, "convergence", "", &counted(sum));
    }
    expect(
        Invalid,
        "convergence",
        "",
        &(counted(3) + "\n5 invoke final-read\n5 ok final-read 5"),
    );
}

#[test]
fn without_a_final_read_nobody_knows() {
    expect(Unknown, "convergence", "", SEEN);
    expect(Unknown, "convergence", "", "0 invoke read\n0 fail read");
}

#[test]
fn the_verdict_says_why() {
    let script = format!("{SEEN}\n2 invoke final-read\n2 ok final-read 1");
    let verdict = judge("convergence", "", &script);
    insta::assert_snapshot!(verdict.sentences.join("\n"), @"
    process 2 read 1 of the register, which it may not return
    Because process 1 knew of 1 when it made the register 2, 2 is the newer of the two wherever both are known, and process 2 had to be shown 2 or what came after it.
    ");
    let Judgement::Invalid {
        counterexample: Counterexample::Contradiction { operations, .. },
    } = verdict.judgement
    else {
        panic!("{verdict:?}");
    };
    assert_eq!(operations, [4, 6]);
    let lost = format!("{CONCURRENT}\n2 invoke final-read\n2 ok final-read 1");
    insta::assert_snapshot!(judge("convergence", "", &lost).sentences.join("\n"), @"all final reads of the register agree, 1 in number; lost to concurrent writes, as last-writer-wins has it: 1");
    let apart = format!("{lost}\n3 invoke final-read\n3 ok final-read 2");
    insta::assert_snapshot!(judge("convergence", "", &apart).sentences.join("\n"), @"
    the nodes do not agree on the register
    Because writes had stopped and the nodes had had time to gossip, process 2 and process 3 had to read the same of the register at the end; they read 1 and 2.
    ");
}
