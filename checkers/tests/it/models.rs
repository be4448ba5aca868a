//! What each specification allows and forbids, by small histories of one process and of two.

use tribunal_checkers::Answer::{Invalid, Unknown, Valid};
use tribunal_checkers::{
    Answer, CheckError, CheckRequest, FailedCas, NilRead, check_history, registry,
};

use crate::script::{expect, history, json};

/// One process that does one thing after another: `function input -> output`, separated by commas.
fn one_after_another(steps: &str) -> String {
    let mut script = String::new();
    for step in steps.split(", ") {
        let (call, output) = step.split_once(" -> ").unwrap_or((step, ""));
        let function = call.split(' ').next().unwrap();
        script += &format!("0 invoke {call}\n0 ok {function} {output}\n");
    }
    script
}

/// An answer, a model, its initial value, and the steps of one process.
type Row = (Answer, &'static str, &'static str, &'static str);

const SEQUENCES: &[Row] = &[
    (Valid, "register", "", "read -> null, write 1, read -> 1"),
    (Invalid, "register", "", "write 1, write 2, read -> 1"),
    (
        Valid,
        "cas-register",
        "0",
        "read -> 0, cas [0,1], read -> 1",
    ),
    (Invalid, "cas-register", "0", "write 2, cas [0,1]"),
    (
        Valid,
        "multi-register",
        "0",
        r#"txn [["w","x",1]], txn [["r","x",null],["r","y",null]] -> [["r","x",1],["r","y",0]]"#,
    ),
    (
        Invalid,
        "multi-register",
        "0",
        r#"txn [["w","x",1],["w","y",1]], txn [["r","x",null],["r","y",null]] -> [["r","x",1],["r","y",0]]"#,
    ),
    (
        Valid,
        "multi-register",
        "0",
        r#"txn [["write","x",1],["read","x",null]] -> [["write","x",1],["read","x",1]]"#,
    ),
    (
        Valid,
        "kv",
        "",
        r#"get -> null, put "a", append "b", get -> "ab", cas ["ab","c"], delete, get -> null"#,
    ),
    (Invalid, "kv", "", r#"put "a", append "b", get -> "ba""#),
    (Invalid, "kv", "", r#"put "a", delete, get -> "a""#),
    (Valid, "kv", r#""""#, r#"get -> "", append "x", get -> "x""#),
    (Valid, "mutex", "", "acquire, release, acquire"),
    (Invalid, "mutex", "", "acquire, acquire"),
    (Invalid, "mutex", "", "release"),
    (Valid, "mutex", "true", "release"),
    (
        Valid,
        "fifo-queue",
        "",
        "dequeue -> null, enqueue 1, enqueue 2, dequeue -> 1, dequeue -> 2",
    ),
    (
        Invalid,
        "fifo-queue",
        "",
        "enqueue 1, enqueue 2, dequeue -> 2",
    ),
    (Invalid, "fifo-queue", "", "enqueue 1, dequeue -> null"),
    (Valid, "fifo-queue", "[7]", "dequeue -> 7"),
    (
        Valid,
        "stack",
        "",
        "pop -> null, push 1, push 2, pop -> 2, pop -> 1, pop -> null",
    ),
    (Invalid, "stack", "", "push 1, push 2, pop -> 1"),
    (Invalid, "stack", "", "push 1, pop -> null"),
    (Valid, "stack", "[7,8]", "pop -> 8"),
    (
        Valid,
        "priority-queue",
        "",
        "delete-min -> null, insert 3, insert 1, delete-min -> 1, delete-min -> 3",
    ),
    (
        Invalid,
        "priority-queue",
        "",
        "insert 3, insert 1, delete-min -> 3",
    ),
    (Valid, "priority-queue", "[8,7]", "delete-min -> 7"),
    (
        Valid,
        "linearizable-set",
        "",
        "read -> [], add 1, add 2, read -> [2,1], remove 1, read -> [2]",
    ),
    (Invalid, "linearizable-set", "", "add 1, read -> [], add 2"),
    (
        Valid,
        "linearizable-counter",
        "",
        "add 2, inc, dec, read -> 2",
    ),
    (Invalid, "linearizable-counter", "5", "inc, read -> 1"),
    (
        Valid,
        "consensus",
        "",
        "read -> null, propose 1 -> 1, propose 2 -> 1, read -> 1",
    ),
    (Invalid, "consensus", "", "propose 1 -> 1, propose 2 -> 2"),
    (Invalid, "consensus", "", "propose 1 -> 1, read -> null"),
    (Invalid, "consensus", "", "propose 1 -> 2"),
    (Invalid, "consensus", "", "read -> 1"),
    (Valid, "consensus", "7", "read -> 7, propose 1 -> 7"),
    (
        Valid,
        "list-append",
        "",
        "read -> null, append 1, append 2, read -> [1,2]",
    ),
    (
        Invalid,
        "list-append",
        "",
        "append 1, append 2, read -> [2,1]",
    ),
    (
        Invalid,
        "list-append",
        "",
        "append 1, append 2, read -> [1]",
    ),
    (
        Valid,
        "multiset",
        "",
        "count 1 -> 0, add 1, add 1, remove 1 -> true, read -> [1], remove 2 -> false, remove 1, read -> []",
    ),
    (
        Invalid,
        "multiset",
        "",
        "add 1, remove 1 -> true, remove 1 -> true",
    ),
    (Invalid, "multiset", "[1,1]", "remove 1 -> true, read -> []"),
    (
        Valid,
        "semaphore",
        "",
        "acquire, release, acquire, available -> 0",
    ),
    (Invalid, "semaphore", "", "acquire, acquire"),
    (Invalid, "semaphore", "", "release"),
    (
        Valid,
        "semaphore",
        "5",
        "acquire 3, try-acquire 3 -> false, try-acquire 2 -> true, release 4, available -> 4",
    ),
    (
        Invalid,
        "semaphore",
        "5",
        "acquire 3, try-acquire 2 -> false",
    ),
    (
        Valid,
        "fenced-lock",
        "",
        "acquire -> 3, release 3, acquire, release, acquire -> 5, release",
    ),
    (Invalid, "fenced-lock", "", "acquire -> 3, acquire -> 4"),
    (Invalid, "fenced-lock", "", "acquire -> 3, release 2"),
    (
        Invalid,
        "fenced-lock",
        "",
        "acquire -> 3, release 3, acquire, release, acquire -> 4",
    ),
    (Invalid, "fenced-lock", "8", "acquire -> 8"),
    (
        Valid,
        "versioned-register",
        "",
        "read -> [0,null], write [null,7] -> [1,7], cas [null,[7,8]] -> 2, cas-version [2,9], read -> [3,9], delete, \
         read -> [0,null]",
    ),
    (Invalid, "versioned-register", "", "write [null,7] -> [2,7]"),
    (
        Invalid,
        "versioned-register",
        "[4,1]",
        "write [null,7] -> [5,7], cas-version [4,8]",
    ),
    (
        Valid,
        "log",
        "",
        r#"read -> [], append "a" -> 0, append "b", length -> 2, read 1 -> ["b"], read [0,1] -> ["a"], read 9 -> []"#,
    ),
    (Invalid, "log", "", r#"append "a" -> 0, append "b" -> 0"#),
    (
        Invalid,
        "log",
        "",
        r#"append "a", append "b", read 1 -> []"#,
    ),
    (Valid, "log", "[1,2]", "append 3 -> 2, read [1,2] -> [2,3]"),
    (
        Valid,
        "unordered-queue",
        "",
        "dequeue -> null, enqueue 1, enqueue 2, dequeue -> 2, dequeue -> 1, dequeue -> null",
    ),
    (
        Invalid,
        "unordered-queue",
        "",
        "add 1, take -> 1, take -> 1",
    ),
    (Invalid, "unordered-queue", "", "add 1, take -> null"),
];

#[test]
fn operations_in_sequence() {
    for (answer, model, initial, steps) in SEQUENCES {
        expect(*answer, model, initial, &one_after_another(steps));
    }
}

#[test]
fn what_crashed_may_have_happened_at_any_time_and_what_failed_has_not() {
    let crashed =
        "0 invoke write 1\n0 info write 1\n1 invoke read\n1 ok read 0\n2 invoke read\n2 ok read 1";
    expect(Valid, "cas-register", "0", crashed);
    expect(
        Invalid,
        "cas-register",
        "0",
        &(crashed.to_owned() + "\n3 invoke read\n3 ok read 0"),
    );
    let failed = "0 invoke write 1\n0 fail write 1\n1 invoke read\n1 ok read 1";
    expect(Invalid, "cas-register", "0", failed);
    let open = "0 invoke write 1\n1 invoke read\n1 ok read 1";
    expect(Valid, "cas-register", "0", open);
    let dequeued = "0 invoke enqueue 1\n0 ok enqueue\n0 invoke enqueue 2\n0 ok enqueue\n\
                    1 invoke dequeue\n1 info dequeue\n2 invoke dequeue\n2 ok dequeue 2";
    expect(Valid, "fifo-queue", "", dequeued);
}

#[test]
fn a_proposal_that_timed_out_may_decide_and_one_that_failed_must_not() {
    let timed_out = "0 invoke propose 1\n0 info propose 1\n1 invoke read\n1 ok read null\n2 invoke read\n2 ok read 1";
    expect(Valid, "consensus", "", timed_out);
    let undone = timed_out.to_owned() + "\n3 invoke propose 2\n3 ok propose 2";
    expect(Invalid, "consensus", "", &undone);
    let failed = "0 invoke propose 1\n0 fail propose 1\n1 invoke read\n1 ok read 1";
    expect(Invalid, "consensus", "", failed);
}

#[test]
fn each_key_is_an_object_of_its_own() {
    let script = "0 invoke write key=1 5\n0 ok write key=1 5\n1 invoke read key=2\n1 ok read key=2 0\n\
                  1 invoke read key=1\n1 ok read key=1 5";
    expect(Valid, "register", "0", script);
    let crossed = script.replace("read key=2 0", "read key=2 5");
    expect(Invalid, "register", "0", &crossed);
}

#[test]
fn the_meanings_that_tools_disagree_about_can_be_chosen() {
    let read = history("0 invoke write 1\n0 ok write 1\n1 invoke read\n1 ok read null");
    let answer = |history, request: &CheckRequest| {
        check_history(history, request, &|| false).unwrap().answer()
    };
    let absent = CheckRequest::new("cas-register");
    assert_eq!(answer(&read, &absent), Invalid);
    assert_eq!(
        answer(&read, &absent.clone().with_initial(json("0"))),
        Valid
    );
    let unconstrained = CheckRequest {
        nil_read: Some(NilRead::Unconstrained),
        ..absent.clone()
    };
    assert_eq!(answer(&read, &unconstrained), Valid);

    let cas = history("0 invoke write 1\n0 ok write 1\n1 invoke cas [1,2]\n1 fail cas [1,2]");
    assert_eq!(answer(&cas, &absent), Valid);
    let observed = CheckRequest {
        failed_cas: FailedCas::ObservedOther,
        ..absent
    };
    assert_eq!(answer(&cas, &observed), Invalid);
}

#[test]
fn nothing_to_check_is_unknown() {
    expect(Unknown, "register", "", "");
    expect(Valid, "register", "", "0 invoke read\n0 fail read");
}

#[test]
fn a_wrong_question_is_an_error_that_names_the_place() {
    let ask = |checker: &str, initial: &str, script: &str| {
        let request = CheckRequest::new(checker).with_initial(json(initial));
        check_history(&history(script), &request, &|| false)
            .unwrap_err()
            .to_string()
    };
    let script =
        "0 invoke write 1\n0 ok write 1\n3 invoke txn [[\"r\",\"x\",null]]\n4 invoke cas 7";
    insta::assert_snapshot!(ask("cas-register", "", script), @"event 3: process 3's `txn` does not fit cas-register, which has read → value, write value, cas [from to]");
    let script = script.replace("txn", "read");
    insta::assert_snapshot!(ask("cas-register", "", &script), @"event 4: process 4's `cas` of 7 does not fit cas-register, which has read → value, write value, cas [from to]");
    insta::assert_snapshot!(ask("list-append", "", "0 invoke read\n0 ok read 3"), @"event 2: process 0's `read` returning 3 does not fit list-append, which has append element, read → [element …]");
    insta::assert_snapshot!(ask("mutex", "3", "0 invoke acquire"), @"mutex cannot begin with 3: its initial value is true (held) or false (free)");
    insta::assert_snapshot!(ask("abacus", "", "0 invoke read"), @"there is no checker `abacus`; there are register, cas-register, multi-register, kv, versioned-register, list-append, log, mutex, fenced-lock, semaphore, fifo-queue, stack, priority-queue, unordered-queue, linearizable-set, multiset, linearizable-counter, consensus, linearizable-bank, bank, set, counter, convergence, membership, total-order, set-full, pn-counter, unique-ids, echo");
}

#[test]
fn every_name_of_the_registry_is_of_one_checker() {
    let mut names: Vec<_> = registry()
        .iter()
        .flat_map(|entry| entry.aliases.iter().chain([&entry.name]))
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    for entry in registry() {
        let request = CheckRequest::new(entry.name);
        let answer = check_history(&history("0 invoke nonsense"), &request, &|| false);
        assert!(
            matches!(answer, Err(CheckError::Misfit { .. })),
            "{}",
            entry.name
        );
    }
}
