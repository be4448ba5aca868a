//! `tribunal list`: what there is, from the registries.

use std::io::{self, Write};

use anstyle::Style;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;

use super::catalogue::{Entry, SECTIONS, Section};
use super::exit::Exit;
use super::paragraph::wrapped;

/// List what there is: protocols, workloads, nemeses, models, planted bugs, …
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tribunal list
  tribunal list bugs
  tribunal list models --message-format json")]
pub struct Args {
    /// Of which kind; without it, how many there are of each
    #[arg(value_parser = PossibleValuesParser::new(kinds()))]
    pub kind: Option<String>,

    /// Text for people, or one line of JSON for each thing
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,
}

/// How the list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// The longest line of text.
const COLUMNS: usize = 100;

fn kinds() -> impl Iterator<Item = PossibleValue> {
    SECTIONS.iter().map(|section| {
        let kind = PossibleValue::new(section.name);
        match section.name {
            "models" => kind.alias("checkers"),
            _ => kind,
        }
    })
}

/// Lists the things of a kind, or the kinds.
///
/// # Errors
/// When standard output could not be written.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut output = io::BufWriter::new(anstream::stdout());
    let section = args.kind.as_deref().and_then(Section::named);
    match (section, args.message_format) {
        (Some(section), MessageFormat::Human) => things(&mut output, section)?,
        (Some(section), MessageFormat::Json) => {
            for entry in section.entries() {
                writeln!(output, "{}", line(section, &entry))?;
            }
        }
        (None, MessageFormat::Human) => overview(&mut output)?,
        (None, MessageFormat::Json) => {
            for section in SECTIONS {
                for entry in section.entries() {
                    writeln!(output, "{}", line(section, &entry))?;
                }
            }
        }
    }
    output.flush()?;
    Ok(Exit::Valid)
}

fn overview(output: &mut impl Write) -> io::Result<()> {
    let bold = Style::new().bold();
    for section in SECTIONS {
        let (name, about) = (section.name, section.about);
        let count = section.entries().len();
        let lines = wrapped(about, COLUMNS - 18);
        writeln!(output, "{bold}{name:<12}{bold:#}{count:>4}  {}", lines[0])?;
        for line in &lines[1..] {
            writeln!(output, "{:18}{line}", "")?;
        }
    }
    writeln!(
        output,
        "\nSee `tribunal list KIND` for the things of a kind."
    )
}

fn things(output: &mut impl Write, section: &Section) -> io::Result<()> {
    for line in wrapped(section.about, COLUMNS) {
        writeln!(output, "{line}")?;
    }
    let (bold, dimmed) = (Style::new().bold(), Style::new().dimmed());
    for entry in section.entries() {
        writeln!(output, "\n{bold}{}{bold:#}", entry.title())?;
        for line in wrapped(&entry.about, COLUMNS - 4) {
            writeln!(output, "    {line}")?;
        }
        for fact in &entry.facts {
            // Phrases stand on lines of their own; names follow each other.
            let phrases = fact.texts.iter().any(|text| text.contains(' '));
            let text = fact.texts.join(if phrases { "\n" } else { ", " });
            let mut label = fact.label;
            for line in text.lines().flat_map(|text| wrapped(text, COLUMNS - 18)) {
                writeln!(output, "    {dimmed}{label:<14}{dimmed:#}{line}")?;
                label = "";
            }
        }
    }
    Ok(())
}

/// A thing as JSON: its facts are fields.
fn line(section: &Section, entry: &Entry) -> serde_json::Value {
    let mut line = json!({ "kind": section.name, "name": entry.name, "about": entry.about });
    if let Some(id) = entry.id {
        line["id"] = json!(id);
    }
    for fact in &entry.facts {
        line[fact.label.replace(' ', "_")] = json!(fact.texts);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_things_and_things_have_different_names() {
        for section in SECTIONS {
            let mut names: Vec<_> = section.entries().iter().map(Entry::title).collect();
            let all = names.len();
            assert!(all > 0, "{} is empty", section.name);
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "two {} have one name", section.name);
        }
    }
}
