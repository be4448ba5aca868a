//! What a node does that the protocol does not allow, and how that is told: with the line, and what it was given before.

use std::fmt::Write as _;

use tribunal_checkers::Verdict;
use tribunal_checkers::verdict::{Counterexample, Judgement};
use tribunal_histories::NodeId;

/// The name under which it is reported that a node breaks the protocol.
pub const PROTOCOL: &str = "maelstrom-protocol";

/// A line is shown up to here.
const SHOWN_MAX: usize = 400;

/// Something that a node must not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misbehaviour {
    pub(super) node: NodeId,
    pub(super) what: Wrong,
    /// The last message that the node was given.
    pub(super) after: Option<String>,
    /// The end of what it wrote to its standard error.
    pub(super) stderr: String,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A line is no message.
    Malformed { line: String, why: String },
    /// A message says that somebody else sent it.
    Impostor { line: String, src: String },
    /// A reply is not one to its request.
    NotAReply {
        request: String,
        reply: String,
        why: String,
    },
    /// `init` was refused, or not answered.
    NoInit { why: String },
    /// The process ended by itself.
    Ended { status: String },
    /// It writes without end.
    Floods { lines: usize, line: String },
    /// It does not read.
    DoesNotRead { bytes: u64 },
    /// It runs on one message without an end.
    Runs { cpu_ms: u128 },
}

impl Misbehaviour {
    /// What happened, and then why it is wrong.
    pub(super) fn sentences(&self) -> Vec<String> {
        let node = self.node;
        let (headline, because) = match &self.what {
            Wrong::Malformed { line, why } => (
                format!("{node} wrote a line that is no message: {}", shown(line)),
                format!(
                    "Because every line on standard output is one JSON object with src, dest and body, and this one is \
                     not: {why}. What is not a message belongs on standard error."
                ),
            ),
            Wrong::Impostor { line, src } => (
                format!("{node} sent a message as {src:?}: {}", shown(line)),
                format!("Because a message's src is the node that sends it, this one's must be {node}."),
            ),
            Wrong::NotAReply {
                request,
                reply,
                why,
            } => (
                format!("{node} answered {} with {}", shown(request), shown(reply)),
                format!("Because {why}."),
            ),
            Wrong::NoInit { why } => (
                format!("{node} did not answer init with init_ok: {why}"),
                "Because every node must answer its init before anything else happens. Does the program flush its \
                 standard output after each line?"
                    .to_owned(),
            ),
            Wrong::Ended { status } => (
                format!("{node} ended by itself ({status})"),
                "Because nobody had killed it, it had to go on until its standard input is closed.".to_owned(),
            ),
            Wrong::Floods { lines, line } => (
                format!("{node} floods: {lines} lines and no end, the last of them {}", shown(line)),
                "Because a node that has handled its input waits for more, and this one goes on writing."
                    .to_owned(),
            ),
            Wrong::DoesNotRead { bytes } => (
                match bytes {
                    0 => format!("{node} stopped reading: it waits, and not for input"),
                    _ => format!("{node} stopped reading: {bytes} bytes wait on its standard input"),
                },
                "Because a node must read its standard input at all times, and this one waits for something else."
                    .to_owned(),
            ),
            Wrong::Runs { cpu_ms } => (
                format!("{node} does not come to rest: it has run for {cpu_ms} ms on what it was given"),
                "Because a node that has handled its input waits for more, and this one runs on; if it needs longer, \
                 raise --node-patience."
                    .to_owned(),
            ),
        };
        let mut sentences = vec![headline, because];
        if let Some(after) = &self.after {
            sentences.push(format!(
                "The last thing that {node} was given: {}",
                shown(after)
            ));
        }
        if !self.stderr.is_empty() {
            sentences.push(format!("The end of its standard error:\n{}", self.stderr));
        }
        sentences
    }

    /// The same as a verdict.
    pub(super) fn verdict(&self, step: usize) -> Verdict {
        let counterexample = Counterexample::Cluster {
            step: step as u64,
            nodes: vec![self.node],
        };
        let judgement = Judgement::Invalid { counterexample };
        Verdict::new(PROTOCOL, judgement, self.sentences())
    }
}

/// A line as it is shown: without control characters, and not too much of it.
fn shown(line: &str) -> String {
    let line = line.trim_end();
    let mut text = String::new();
    for letter in line.chars().take(SHOWN_MAX) {
        if letter.is_control() {
            let _ = write!(text, "{}", letter.escape_default());
        } else {
            text.push(letter);
        }
    }
    if line.chars().nth(SHOWN_MAX).is_some() {
        let _ = write!(text, "… ({} bytes)", line.len());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_and_made_safe() {
        let what = Wrong::Malformed {
            line: format!("\u{1b}[31m{}", "x".repeat(1_000)),
            why: "expected value at column 1".to_owned(),
        };
        let misbehaviour = Misbehaviour {
            node: NodeId(0),
            what,
            after: Some("c1→n1 #1 {}".to_owned()),
            stderr: String::new(),
        };
        let sentences = misbehaviour.sentences();
        assert!(sentences[0].starts_with(r"n1 wrote a line that is no message: \u{1b}[31mxxx"));
        assert!(sentences[0].ends_with("… (1005 bytes)"), "{}", sentences[0]);
        assert_eq!(
            sentences[2],
            "The last thing that n1 was given: c1→n1 #1 {}"
        );
    }
}
