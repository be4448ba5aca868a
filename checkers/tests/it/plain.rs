//! Jepsen's plain checks of a set and of a counter.

use tribunal_checkers::Answer::{Invalid, Unknown, Valid};
use tribunal_checkers::{Counterexample, Judgement};

use crate::script::{expect, json, judge};

const ADDS: &str =
    "0 invoke add 1\n0 ok add 1\n0 invoke add 2\n0 info add 2\n1 invoke add 3\n1 fail add 3\n";

fn set_read(elements: &str) -> String {
    format!("{ADDS}2 invoke read\n2 ok read {elements}\n")
}

#[test]
fn the_last_read_of_a_set_has_what_was_acknowledged_and_nothing_else() {
    expect(Valid, "set", "", &set_read("[1]"));
    expect(Valid, "set", "", &set_read("[2,1]"));
    expect(Invalid, "set", "", &set_read("[2]"));
    expect(Invalid, "set", "", &set_read("[1,3]"));
    expect(Invalid, "set", "", &set_read("[1,9]"));
    expect(Invalid, "set", "[7]", &set_read("[1]"));
    expect(Unknown, "set", "", ADDS);
    // Only the last read counts, and what is added later need not be in it.
    expect(
        Valid,
        "set",
        "",
        &(set_read("[]") + "3 invoke read\n3 ok read [1]\n"),
    );
    expect(
        Valid,
        "set",
        "",
        &(set_read("[1]") + "3 invoke add 4\n3 ok add 4\n"),
    );

    let verdict = judge("set", "", &set_read("[2,9]"));
    let Judgement::Invalid {
        counterexample:
            Counterexample::Elements {
                lost,
                unexpected,
                read,
                ..
            },
    } = verdict.judgement
    else {
        panic!("{verdict:?}");
    };
    assert_eq!(
        (lost, unexpected, read),
        (vec![json("1")], vec![json("9")], 6)
    );
    insta::assert_snapshot!(verdict.sentences.join("\n"), @"
    the last read (process 2) lost 1 and has 1 unexpected elements
    Because 1 had been acknowledged before the read began, and the read does not have that.
    Because the read has 9, and nobody had added that.
    ");
}

#[test]
fn sets_of_many_keys_are_judged_apart() {
    let script = "0 invoke add key=1 5\n0 ok add key=1 5\n0 invoke read key=1\n0 ok read key=1 [5]\n\
                  0 invoke read key=2\n0 ok read key=2 []";
    expect(Valid, "set", "", script);
    expect(Invalid, "set", "", &script.replace("key=2 []", "key=2 [5]"));
    expect(
        Unknown,
        "set",
        "",
        &(script.to_owned() + "\n0 invoke add key=3 1"),
    );
}

/// An increment by 3 is acknowledged, a decrement by 2 and an increment by 4 are under way.
fn counter_read(value: i64) -> String {
    format!(
        "0 invoke add 3\n0 ok add 3\n1 invoke dec 2\n2 invoke add 4\n5 invoke add 90\n5 fail add 90\n\
         3 invoke read\n3 ok read {value}\n"
    )
}

#[test]
fn a_read_of_a_counter_is_within_what_may_have_been_added() {
    for (answer, value) in [
        (Invalid, 0),
        (Valid, 1),
        (Valid, 3),
        (Valid, 7),
        (Invalid, 8),
    ] {
        expect(answer, "counter", "", &counter_read(value));
        expect(answer, "counter", "10", &counter_read(value + 10));
    }
    // As in Jepsen: without a read there is nothing wrong.
    expect(Valid, "counter", "", "0 invoke add 1\n0 ok add 1");
    // An increment that began while the read was under way may be in it; one acknowledged meanwhile need not be.
    let during = "0 invoke add 1\n1 invoke read\n2 invoke add 5\n0 ok add 1\n1 ok read ";
    for (answer, value) in [(Valid, 0), (Valid, 6), (Invalid, 7), (Invalid, -1)] {
        expect(answer, "counter", "", &format!("{during}{value}"));
    }
    insta::assert_snapshot!(judge("counter", "", &counter_read(8)).sentences.join("\n"), @"
    a read (process 3) returned 8, which is not within 1 and 7
    Because what had been acknowledged before the read began, and all increments that may have happened, amount to 7, it cannot return more.
    ");
}

/// 5 moved from a to b for sure, 7 perhaps, 9 surely not.
const TRANSFERS: &str = r#"
    0 invoke transfer {"from":"a","to":"b","amount":5}
    0 ok transfer {"from":"a","to":"b","amount":5}
    0 invoke transfer {"from":"a","to":"b","amount":7}
    0 info transfer {"from":"a","to":"b","amount":7}
    1 invoke transfer {"from":"a","to":"b","amount":9}
    1 fail transfer {"from":"a","to":"b","amount":9}
    2 invoke read
    2 ok read "#;

#[test]
fn a_read_of_a_bank_has_the_total_and_what_the_transfers_allow() {
    for checker in ["bank", "linearizable-bank"] {
        for (answer, initial, balances) in [
            (Valid, "", r#"{"a":95,"b":105}"#),
            (Valid, "", r#"{"a":88,"b":112}"#),
            (Invalid, "", r#"{"a":100,"b":100}"#),
            (Invalid, "", r#"{"a":86,"b":114}"#),
            (Invalid, "", r#"{"a":95,"b":100}"#),
            (Valid, r#"{"a":5,"b":0}"#, r#"{"a":0,"b":5}"#),
            (Invalid, r#"{"a":5,"b":0,"c":0}"#, r#"{"a":0,"b":5}"#),
            (Invalid, "5", r#"{"a":-7,"b":17}"#),
        ] {
            expect(answer, checker, initial, &format!("{TRANSFERS}{balances}"));
        }
    }
    // Without an order of the reads: the second read is older than the first.
    let script = format!(
        "{TRANSFERS}{}\n3 invoke read\n3 ok read {}",
        r#"{"a":88,"b":112}"#, r#"{"a":95,"b":105}"#
    );
    expect(Valid, "bank", "", &script);
    expect(Invalid, "linearizable-bank", "", &script);
    // Always the same accounts.
    let script = format!(
        "{TRANSFERS}{}\n3 invoke read\n3 ok read {}",
        r#"{"a":95,"b":105}"#, r#"{"a":95,"b":105,"c":100}"#
    );
    expect(Invalid, "bank", "", &script);

    let told = |balances: &str| {
        judge("bank", "", &format!("{TRANSFERS}{balances}"))
            .sentences
            .join("\n")
    };
    insta::assert_snapshot!(told(r#"{"a":88,"b":105}"#), @"
    a read (process 2) has a total of 193, not 200
    Because transfers move money and make none, all accounts together have 200 at any time; a read with another total saw some transfer by half, or saw money that was lost or made.
    ");
    insta::assert_snapshot!(told(r#"{"a":79,"b":121}"#), @r#"
    a read (process 2) shows 79 in account "a"
    Because of the transfers that had succeeded before the read began, and those that may have happened by its end, the account has at least 88 and at most 95; a transfer that failed does not count.
    "#);
}

/// Transfers that are all over when the read begins: each surely happened, surely did not, or may have.
fn judged_one_by_one(transfers: &[(u8, i64)], a: i64) -> bool {
    let sum = |kept: &dyn Fn(u8, i64) -> bool| -> i64 {
        let kept = transfers
            .iter()
            .filter(|(outcome, amount)| kept(*outcome, *amount));
        kept.map(|(_, amount)| amount).sum()
    };
    let least = 100 + sum(&|outcome, amount| outcome == 0 || outcome == 1 && amount < 0);
    let most = 100 + sum(&|outcome, amount| outcome == 0 || outcome == 1 && amount > 0);
    (least..=most).contains(&a) && (0..=200).contains(&a)
}

proptest::proptest! {
    /// The pass over the history comes to what each account's sums say.
    #[test]
    fn a_bank_is_judged_as_if_its_transfers_were_summed_up(
        transfers in proptest::collection::vec((0..3_u8, -40..41_i64), 0..8),
        a in -20..221_i64,
    ) {
        let mut script = String::new();
        for (process, (outcome, amount)) in transfers.iter().enumerate() {
            let (from, to) = if *amount < 0 { ("a", "b") } else { ("b", "a") };
            let value = format!(r#"{{"from":"{from}","to":"{to}","amount":{}}}"#, amount.abs());
            let kind = ["ok", "info", "fail"][usize::from(*outcome)];
            script += &format!("{process} invoke transfer {value}\n{process} {kind} transfer {value}\n");
        }
        script += &format!("90 invoke read\n90 ok read {{\"a\":{a},\"b\":{}}}\n", 200 - a);
        let valid = judge("bank", "", &script).answer() == Valid;
        proptest::prop_assert_eq!(valid, judged_one_by_one(&transfers, a), "{}", script);
    }
}
