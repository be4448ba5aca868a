//! What keeps a run from going on, and how that is told: with what the program wrote.

use tribunal_checkers::Verdict;
use tribunal_checkers::verdict::{Counterexample, Judgement};
use tribunal_histories::NodeId;

/// The name under which it is reported that a node or a program beside it does not do its part.
pub const PROCESSES: &str = "processes";

/// A line is shown up to here.
const SHOWN_MAX: usize = 400;

/// Something that keeps a run from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) what: What,
    /// The end of what the program wrote to its log.
    pub(super) log: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A program cannot be started, or a file cannot be made.
    Impossible { why: String },
    /// A node ended before it served.
    DiedAtStart { node: NodeId, status: String },
    /// A node does not serve in time.
    NotHealthy {
        node: NodeId,
        timeout_ms: u128,
        why: String,
    },
    /// What is run when all nodes serve fails.
    Setup { why: String },
    /// A client wrote what is no result.
    Rubbish {
        line: String,
        why: String,
        request: Option<String>,
    },
    /// Clients end as soon as they are started.
    ClientEnds { status: String },
    /// A node ended while it served, and nobody had killed it.
    Ended { node: NodeId, status: String },
}

impl Trouble {
    /// Whether it is the system's doing, and not that of the programs and settings around it.
    pub(super) fn is_a_finding(&self) -> bool {
        matches!(self.what, What::Ended { .. })
    }

    /// What happened, and then why it is wrong or what to do.
    pub(super) fn sentences(&self) -> Vec<String> {
        let (headline, more) = match &self.what {
            What::Impossible { why } => (why.clone(), None),
            What::DiedAtStart { node, status } => {
                (format!("{node} ended before it served ({status})"), None)
            }
            What::NotHealthy {
                node,
                timeout_ms,
                why,
            } => (
                format!("{node} does not serve: after {timeout_ms} ms {why}"),
                Some("If it needs longer, raise timeout_ms in [health].".to_owned()),
            ),
            What::Setup { why } => (format!("the setup failed: {why}"), None),
            What::Rubbish { line, why, request } => (
                format!("the client wrote a line that is no result: {}", shown(line)),
                Some(format!(
                    "{}A result is a line such as {{\"type\":\"ok\",\"value\":3}}, and this one is not: {why}.",
                    match request {
                        Some(request) => format!("It had been told {}. ", shown(request)),
                        None => "It had been told nothing. ".to_owned(),
                    }
                )),
            ),
            What::ClientEnds { status } => (
                format!("clients end before they have answered anything ({status})"),
                None,
            ),
            What::Ended { node, status } => (
                format!("{node} ended by itself ({status})"),
                Some("Because nobody had killed it, it had to go on serving.".to_owned()),
            ),
        };
        let mut sentences = vec![headline];
        sentences.extend(more);
        if !self.log.is_empty() {
            sentences.push(format!("The end of what it wrote:\n{}", self.log));
        }
        sentences
    }

    /// All of it as one text.
    pub(super) fn text(&self) -> String {
        self.sentences().join("\n")
    }

    /// The same as a verdict: what the system did is Invalid; what others did leaves us not knowing.
    pub(super) fn verdict(&self) -> Verdict {
        if !self.is_a_finding() {
            return Verdict::unknown(
                PROCESSES,
                self.text(),
                vec!["what comes after it".to_owned()],
            );
        }
        let nodes = match &self.what {
            What::Ended { node, .. } => vec![*node],
            _ => Vec::new(),
        };
        let counterexample = Counterexample::Cluster { step: 0, nodes };
        Verdict::new(
            PROCESSES,
            Judgement::Invalid { counterexample },
            self.sentences(),
        )
    }
}

/// A line as it is shown: without control characters, and not too much of it.
fn shown(line: &str) -> String {
    let line = line.trim_end();
    let visible = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    let text: String = line.chars().take(SHOWN_MAX).map(visible).collect();
    match line.chars().nth(SHOWN_MAX) {
        Some(_) => format!("{text}… ({} bytes)", line.len()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_is_shown_and_made_safe() {
        let what = What::Rubbish {
            line: format!("\u{1b}[31m{}", "x".repeat(1_000)),
            why: "expected value at line 1 column 1".to_owned(),
            request: Some("{\"f\":\"read\"}\n".to_owned()),
        };
        let trouble = Trouble {
            what,
            log: "    Traceback".to_owned(),
        };
        let sentences = trouble.sentences();
        assert!(
            sentences[0].starts_with(r"the client wrote a line that is no result: \u{1b}[31mxxx")
        );
        assert!(sentences[0].ends_with("… (1005 bytes)"), "{}", sentences[0]);
        assert!(
            sentences[1]
                .starts_with("It had been told {\"f\":\"read\"}. A result is a line such as")
        );
        assert_eq!(sentences[2], "The end of what it wrote:\n    Traceback");
        assert!(!trouble.is_a_finding());
    }
}
