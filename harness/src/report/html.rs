//! HTML: a sweep's results as one page that needs no network and no other file.

use std::fmt::Write;

use super::{Conclusion, Finding, RunRecord};
use crate::judge::LINEARIZABILITY;

const STYLE: &str = include_str!("page.css");

/// The page of a sweep. Each failure has an anchor: `#` and its fingerprint.
pub fn page(name: &str, conclusion: &Conclusion, findings: &[Finding]) -> String {
    let answer = conclusion.answer.name();
    let name = escaped(name);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>tribunal {name}: {answer}</title>\n\
         <style>\n{STYLE}h1 {{ --answer: var(--{answer}); }}\n</style>\n</head>\n<body>\n\
         <h1><span class=\"answer\">{answer}</span> {name}</h1>\n<pre>{}</pre>\n",
        escaped(&conclusion.text())
    );
    for finding in findings {
        page.push_str(&section(finding));
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(finding: &Finding) -> String {
    let Finding {
        fingerprint,
        violated,
        ..
    } = finding;
    let mut text = format!("<h2 id=\"{fingerprint}\">{}</h2>\n<nav>", escaped(violated));
    let folder = format!("failures/{fingerprint}");
    let files: &[&str] = match &finding.record {
        RunRecord::Trace(_) => &[
            "trace.jsonl",
            "trace.full.jsonl",
            "history.jsonl",
            "history.edn",
            "seeds.txt",
            "replay.sh",
        ],
        RunRecord::History(_) => &[],
    };
    // Only the clients' history can be drawn.
    let picture = (violated == LINEARIZABILITY && !files.is_empty()).then_some("history.html");
    for file in picture.iter().chain(files) {
        let _ = write!(text, "<a href=\"{folder}/{file}\">{file}</a>");
    }
    let _ = write!(text, "</nav>\n<pre>{}</pre>\n", escaped(&finding.text()));
    text
}

/// Text as it stands between tags or in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_history_holds_cannot_become_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
