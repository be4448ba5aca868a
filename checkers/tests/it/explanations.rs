//! What a person reads of an invalid history: golden texts, one for each kind of story.

use tribunal_checkers::{Counterexample, Judgement};

use crate::script::judge;

fn explain(checker: &str, initial: &str, script: &str) -> String {
    judge(checker, initial, script).sentences.join("\n")
}

#[test]
fn stale_read() {
    let script = "0 invoke write 1\n0 ok write 1\n4 invoke read\n4 ok read 1\n0 invoke write 2\n0 ok write 2\n\
                  1 invoke read\n1 ok read 1\n2 invoke write 9\n2 ok write 9";
    insta::assert_snapshot!(explain("register", "", script), @"
    not linearizable: read → 1 (process 1) saw 1, which write 2 (process 0) had overwritten
    Because write 2 (process 0) had returned before read → 1 (process 1) began, no order of the two explains both.
    No other operation helps, whether it took effect or not; take away what is known of any one of these 2, and an order exists.
    ");
    let Judgement::Invalid {
        counterexample: Counterexample::Core(core),
    } = judge("register", "", script).judgement
    else {
        panic!("a stale read is invalid");
    };
    assert_eq!(core.operations, [4, 6]);
    assert_eq!((core.impossible, core.prefix), (6, 8));
    assert!(core.minimal && core.confirmed);
}

#[test]
fn values_from_nowhere_and_from_the_future() {
    let nowhere = "0 invoke write 1\n0 ok write 1\n1 invoke read\n1 ok read 5";
    insta::assert_snapshot!(explain("register", "", nowhere), @"
    not linearizable: read → 5 (process 1) saw 5, which nothing before it can have produced
    Because no order of the operations before it leads to read → 5 (process 1).
    No other operation helps, whether it took effect or not.
    ");
    let future = nowhere.to_owned() + "\n0 invoke write 5\n0 ok write 5";
    insta::assert_snapshot!(explain("register", "", &future), @"
    not linearizable: read → 5 (process 1) saw 5 from the future: write 5 (process 0) began only later
    Because no order of the operations before it leads to read → 5 (process 1).
    No other operation helps, whether it took effect or not.
    ");
}

#[test]
fn missed_write() {
    let script = "0 invoke write key=\"x\" 1\n0 ok write key=\"x\" 1\n1 invoke read key=\"x\"\n1 ok read key=\"x\" 0";
    insta::assert_snapshot!(explain("register", "0", script), @r#"
    not linearizable (key "x"): read → 0 (process 1) saw 0 although write 1 (process 0) had returned
    Because write 1 (process 0) had returned before read → 0 (process 1) began, no order of the two explains both.
    No other operation helps, whether it took effect or not; take away what is known of any one of these 2, and an order exists.
    "#);
}

#[test]
fn reads_that_go_back() {
    let script =
        "0 invoke write 1\n1 invoke read\n1 ok read 1\n2 invoke read\n2 ok read 0\n0 ok write 1";
    insta::assert_snapshot!(explain("register", "0", script), @"
    not linearizable: read → 0 (process 2) saw 0 after read → 1 (process 1)
    Because read → 1 (process 1) had returned before read → 0 (process 2) began, no order of the two explains both.
    No other operation helps, whether it took effect or not; take away what is known of any one of these 2, and an order exists.
    ");
}

#[test]
fn two_cas_from_one_value() {
    let script = "0 invoke cas [0,1]\n1 invoke cas [0,2]\n0 ok cas [0,1]\n1 ok cas [0,2]";
    insta::assert_snapshot!(explain("cas-register", "0", script), @"
    not linearizable: cas [0 1] (process 0) and cas [0 2] (process 1) both found 0
    Because cas [0 1] (process 0) and cas [0 2] (process 1) exclude each other in every order, and as they overlap in time each could be first, no order of the two explains both.
    No other operation helps, whether it took effect or not; take away what is known of any one of these 2, and an order exists.
    ");
}

#[test]
fn lock_held_by_two() {
    let script = "0 invoke acquire\n1 invoke acquire\n0 ok acquire\n1 ok acquire";
    insta::assert_snapshot!(explain("mutex", "", script), @"
    not linearizable: acquire (process 0) and acquire (process 1) cannot both have succeeded
    Because acquire (process 0) and acquire (process 1) exclude each other in every order, and as they overlap in time each could be first, no order of the two explains both.
    No other operation helps, whether it took effect or not; take away what is known of any one of these 2, and an order exists.
    ");
}

#[test]
fn forked_list() {
    let script = "0 invoke append 1\n1 invoke append 2\n0 ok append 1\n1 ok append 2\n\
                  2 invoke read\n2 ok read [1,2]\n3 invoke read\n3 ok read [2,1]";
    insta::assert_snapshot!(explain("list-append", "", script), @"
    not linearizable: read → [2 1] (process 3) saw [2 1] after read → [1 2] (process 2)
    Because read → [1 2] (process 2) had returned before read → [2 1] (process 3) began, no order of the two explains both.
    No other operation helps, whether it took effect or not; take away what is known of any one of these 2, and an order exists.
    ");
}
