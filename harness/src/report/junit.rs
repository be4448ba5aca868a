//! JUnit: a test case for each thing that was judged, for systems that show such.

use std::collections::BTreeSet;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use tribunal_checkers::Answer;

use super::{Conclusion, Finding};
use crate::judge::{LINEARIZABILITY, LIVENESS};

/// The XML of a sweep's results.
///
/// # Errors
/// When the report cannot be written as XML.
pub fn xml(
    name: &str,
    conclusion: &Conclusion,
    findings: &[Finding],
) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(name);
    let judged = conclusion.totals.exercised.keys().copied();
    let judged: Vec<_> = judged.chain([LINEARIZABILITY, LIVENESS]).collect();
    // A plain checker's name stands in no list before it is violated.
    let others = findings.iter().map(|finding| finding.violated.as_str());
    let others: BTreeSet<_> = others.filter(|what| !judged.contains(what)).collect();
    for what in judged.iter().copied().chain(others) {
        let status = match findings.iter().find(|finding| finding.violated == what) {
            // What was not decided is no success.
            None if conclusion.answer == Answer::Unknown => TestCaseStatus::skipped(),
            None => TestCaseStatus::success(),
            Some(finding) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(finding.headline.as_str());
                status.set_description(finding.text());
                status
            }
        };
        suite.add_test_case(TestCase::new(what, status));
    }
    let mut decided = TestCaseStatus::success();
    if conclusion.answer == Answer::Unknown {
        decided = TestCaseStatus::non_success(NonSuccessKind::Error);
        decided.set_message(
            conclusion
                .reasons
                .first()
                .map_or("nothing ran", String::as_str),
        );
        decided.set_description(conclusion.text());
    }
    suite.add_test_case(TestCase::new("decided", decided));
    suite.set_system_out(conclusion.text());
    let mut report = Report::new("tribunal");
    report.add_test_suite(suite);
    report.to_string()
}
