//! Markdown: the summary that a pull request or a CI job shows.

use super::{Conclusion, Finding};

/// GitHub shows at most a mebibyte for a step; the rest is in the run's directory.
const BYTES_MAX: usize = 900 << 10;

/// The summary of a sweep.
pub fn summary(name: &str, conclusion: &Conclusion, findings: &[Finding]) -> String {
    let mut text = format!(
        "## tribunal {name}\n\n```text\n{}\n```\n",
        conclusion.text()
    );
    for (place, finding) in findings.iter().enumerate() {
        let section = format!(
            "\n### {}\n\n```text\n{}\n```\n",
            finding.violated,
            finding.text()
        );
        if text.len() + section.len() > BYTES_MAX {
            let left = findings.len() - place;
            text.push_str(&format!(
                "\n{left} more failures are in the run's directory.\n"
            ));
            break;
        }
        text.push_str(&section);
    }
    text
}
