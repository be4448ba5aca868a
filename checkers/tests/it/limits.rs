//! Beyond a limit the answer is Unknown, says which limit, and what was decided.

use tribunal_checkers::{Answer, CheckRequest, Judgement, Limits, check_history};

use crate::script::{history, json};

/// Writes that overlap, then a read of none of them: to refute it, all orders must be looked at.
fn hard() -> String {
    let mut script = "9 invoke write key=1 0\n9 ok write key=1 0\n".to_owned();
    for process in 0..8 {
        script += &format!("{process} invoke write key=2 {process}\n");
    }
    script += "8 invoke read key=2\n8 ok read key=2 77\n";
    for process in 0..8 {
        script += &format!("{process} ok write key=2 {process}\n{process} invoke read key=2\n");
        script += &format!("{process} ok read key=2 {process}\n");
    }
    script
}

#[test]
fn a_search_that_meets_its_limit_says_what_it_did_not_decide() {
    let limits = Limits {
        states_max: 20,
        ..Limits::default()
    };
    let request = CheckRequest {
        limits,
        ..CheckRequest::new("register").with_initial(json("5"))
    };
    let verdict = check_history(&history(&hard()), &request, &|| false).unwrap();
    let Judgement::Unknown { why, not_searched } = verdict.judgement else {
        panic!("{verdict:?}");
    };
    insta::assert_snapshot!(why, @"the search reached its limit of 20 states");
    assert_eq!(
        not_searched,
        ["key 2: from event 12 on; before, it is linearizable"]
    );
    let unlimited = CheckRequest {
        limits: Limits::default(),
        ..request
    };
    let verdict = check_history(&history(&hard()), &unlimited, &|| false).unwrap();
    assert_eq!(verdict.answer(), Answer::Invalid);
}

#[test]
fn a_search_that_is_stopped_or_out_of_memory_is_unknown() {
    let request = CheckRequest::new("register").with_initial(json("5"));
    let verdict = check_history(&history(&hard()), &request, &|| true).unwrap();
    assert_eq!(verdict.answer(), Answer::Unknown);
    assert!(verdict.sentences[0].contains("stopped"));
    let limits = Limits {
        memory_bytes_max: 100,
        ..Limits::default()
    };
    let request = CheckRequest { limits, ..request };
    let verdict = check_history(&history(&hard()), &request, &|| false).unwrap();
    assert_eq!(verdict.answer(), Answer::Unknown);
    assert!(verdict.sentences[0].contains("memory"));
}

#[test]
fn too_many_operations_at_once_are_not_guessed_at() {
    let script: String = (0..129)
        .map(|process| (process, process / 2))
        .map(|(process, value)| format!("{process} invoke write {value}\n"))
        .chain((0..129).map(|process| format!("{process} ok write {}\n", process / 2)))
        .collect();
    let request = CheckRequest::new("register");
    let verdict = check_history(&history(&script), &request, &|| false).unwrap();
    assert_eq!(verdict.answer(), Answer::Unknown);
    assert!(verdict.sentences[0].contains("more than 128 operations are in flight"));
}
