//! Standard output: the only place that writes the answer there, and the colours of its words.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use tribunal_checkers::Answer;

/// Writes lines to standard output, coloured where that is wanted.
///
/// # Errors
/// When standard output cannot be written; a closed pipe among them.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The words that say how it ended, as they begin a text.
const WORDS: [(&str, AnsiColor); 4] = [
    ("INVALID", AnsiColor::Red),
    ("NONDETERMINISTIC", AnsiColor::Magenta),
    ("UNKNOWN", AnsiColor::Yellow),
    ("VALID", AnsiColor::Green),
];

/// The word for an answer, in capitals.
pub fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Valid => "VALID",
        Answer::Unknown => "UNKNOWN",
        Answer::Invalid => "INVALID",
    }
}

/// A text with the word that it begins with in colour.
pub fn coloured(text: &str) -> String {
    let start = text.trim_start();
    let indent = &text[..text.len() - start.len()];
    match WORDS.iter().find(|(word, _)| start.starts_with(word)) {
        Some((word, colour)) => {
            let style = Style::new().bold().fg_color(Some((*colour).into()));
            format!("{indent}{style}{word}{style:#}{}", &start[word.len()..])
        }
        None => text.to_owned(),
    }
}
