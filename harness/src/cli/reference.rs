//! `docs/reference.md`: the catalogue as a page. A test compares the file with what is written here.

use std::fmt::Write;

use super::catalogue::{Entry, SECTIONS, Section};
use super::exit::EXIT_CODES;

/// The page, in Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Reference\n\n\
         Everything that has a name, as `tribunal list` shows it. This page is generated from the registries: \
         `UPDATE_DOCS=1 cargo test -p tribunal reference` writes it anew.\n\n",
    );
    for section in SECTIONS {
        let _ = writeln!(page, "- [{0}](#{0})", section.name);
    }
    page.push_str("- [exit codes](#exit-codes)\n");
    for section in SECTIONS {
        things(&mut page, section);
    }
    exit_codes(&mut page);
    page
}

fn things(page: &mut String, section: &Section) {
    let _ = writeln!(page, "\n## {}\n\n{}", section.name, section.about);
    for entry in section.entries() {
        thing(page, &entry);
    }
}

fn thing(page: &mut String, entry: &Entry) {
    let _ = writeln!(page, "\n### {}\n\n{}", entry.title(), entry.about);
    if !entry.facts.is_empty() {
        page.push('\n');
    }
    for fact in &entry.facts {
        match &fact.texts[..] {
            [text] => {
                let _ = writeln!(page, "- {}: {text}", fact.label);
            }
            texts if texts.iter().any(|text| text.contains(' ')) => {
                let _ = writeln!(page, "- {}:", fact.label);
                for text in texts {
                    let _ = writeln!(page, "  - {text}");
                }
            }
            texts => {
                let _ = writeln!(page, "- {}: {}", fact.label, texts.join(", "));
            }
        }
    }
}

/// The table of the help text, as a table of the page.
fn exit_codes(page: &mut String) {
    page.push_str("\n## exit codes\n\n| code | meaning |\n|---|---|\n");
    for line in EXIT_CODES.lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once(' ') {
            let _ = writeln!(page, "| {code} | {} |", meaning.trim());
        }
    }
}
