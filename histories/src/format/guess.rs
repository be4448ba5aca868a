//! Which format a file has, told from how it begins. Its name is not asked: `.txt` may be anything.

use super::{Format, jepsen_log};

/// How many bytes of a file are looked at: a log may begin with pages of other messages.
pub(super) const SAMPLE_BYTES: usize = 64 << 10;

/// Why the content does not tell its format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGuessed {
    /// Nothing, or white space.
    #[error("the file is empty; a history has at least one event")]
    Empty,
    /// Not text.
    #[error(
        "the file is binary, from its byte {offset} on; histories are text (unpack it first if it is packed)"
    )]
    Binary {
        /// The first byte that is not text, from 0.
        offset: usize,
    },
    /// Text, but nothing known.
    #[error(
        "the file is no history in a known format: it begins with `{beginning}`; the formats are {} (name one with \
         --from)",
        Format::names()
    )]
    Unknown {
        /// Its first characters.
        beginning: String,
    },
}

impl Format {
    /// The format of a file that begins with these bytes: all of it, or some ten kilobytes.
    ///
    /// # Errors
    /// When it is empty, binary, or in no known format.
    pub fn guess(beginning: &[u8]) -> Result<Self, NotGuessed> {
        let sample = &beginning[..beginning.len().min(SAMPLE_BYTES)];
        if sample.starts_with(b"PAR1") {
            return Ok(Self::Parquet);
        }
        let text = text_of(sample)?;
        let mut characters = text.trim_start().chars();
        match characters.next() {
            None => Err(NotGuessed::Empty),
            Some('{') => Ok(match first_of(characters.as_str()) {
                Some('"') if first_line_is_whole(text) => Self::Jsonl,
                Some('"') => Self::JepsenJson,
                _ => Self::Edn,
            }),
            Some('[') => Ok(match first_of(characters.as_str()) {
                Some('{') => match first_of(after_brace(characters.as_str())) {
                    Some('"') => Self::JepsenJson,
                    _ => Self::Edn,
                },
                _ if has_log_line(text) => Self::JepsenLog,
                _ => Self::Edn,
            }),
            Some('(' | ';') => Ok(Self::Edn),
            Some('#')
                if characters
                    .as_str()
                    .starts_with(|next: char| "_{j".contains(next)) =>
            {
                Ok(Self::Edn)
            }
            Some(_) if has_log_line(text) => Ok(Self::JepsenLog),
            Some(_) => Err(NotGuessed::Unknown {
                beginning: text
                    .trim_start()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(40)
                    .collect(),
            }),
        }
    }
}

/// The sample as text; its last character may be cut.
fn text_of(sample: &[u8]) -> Result<&str, NotGuessed> {
    let control = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace() && *byte != 0x0b;
    if let Some(offset) = sample.iter().position(control) {
        return Err(NotGuessed::Binary { offset });
    }
    match str::from_utf8(sample) {
        Ok(text) => Ok(text),
        Err(error) => {
            let offset = error.valid_up_to();
            let (text, rest) = sample.split_at(offset);
            if error.error_len().is_none() && rest.len() < 4 {
                Ok(str::from_utf8(text).unwrap_or_default())
            } else {
                Err(NotGuessed::Binary { offset })
            }
        }
    }
}

fn first_of(text: &str) -> Option<char> {
    text.trim_start().chars().next()
}

fn after_brace(text: &str) -> &str {
    text.trim_start().strip_prefix('{').unwrap_or_default()
}

/// Whether the first line is an object of its own, or begins one and is all there is.
fn first_line_is_whole(text: &str) -> bool {
    let text = text.trim_start();
    match text.split_once('\n') {
        Some((line, _)) => serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok(),
        None => true,
    }
}

fn has_log_line(text: &str) -> bool {
    text.lines().any(jepsen_log::is_log_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_known_by_its_beginning() {
        for (text, format) in [
            ("{\"tribunal\":\"history\",\"version\":1}\n", Format::Jsonl),
            ("\n{\"process\":0,\"type\":\"ok\"}\n{", Format::Jsonl),
            ("{\"process\":0,\"ty", Format::Jsonl),
            ("{\n \"process\": 0,", Format::JepsenJson),
            ("[{\"process\": 0", Format::JepsenJson),
            (" [ {\n\"process\": 0", Format::JepsenJson),
            ("{:process 0", Format::Edn),
            ("[{:process 0", Format::Edn),
            ("({:process 0", Format::Edn),
            ("; a comment\n[{:process 0", Format::Edn),
            ("#jepsen.history.Op{:process", Format::Edn),
            (
                "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n",
                Format::JepsenLog,
            ),
            ("0\t:invoke\t:read\tnil\n", Format::JepsenLog),
            ("PAR1\u{15}\u{4}", Format::Parquet),
            (
                "WARNING: a JVM's\nINFO [2024] main - jepsen.core Running\n",
                Format::JepsenLog,
            ),
        ] {
            assert_eq!(Format::guess(text.as_bytes()), Ok(format), "{text}");
        }
    }

    #[test]
    fn what_is_no_history_is_said() {
        assert_eq!(Format::guess(b" \n"), Err(NotGuessed::Empty));
        assert_eq!(
            Format::guess(b"\x7fELF\x02"),
            Err(NotGuessed::Binary { offset: 4 })
        );
        assert_eq!(
            Format::guess(b"{\"a\": \xff}"),
            Err(NotGuessed::Binary { offset: 6 })
        );
        let unknown = Format::guess(b"once upon a time\nthere was");
        let beginning = "once upon a time".to_owned();
        assert_eq!(unknown, Err(NotGuessed::Unknown { beginning }));
    }

    #[test]
    fn a_character_cut_by_the_sample_is_no_binary() {
        let text = "{:value \"é".as_bytes();
        assert_eq!(Format::guess(&text[..text.len() - 1]), Ok(Format::Edn));
    }
}
