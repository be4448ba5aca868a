//! Traces: everything that happened in a run, as a list of named steps that can be taken again.
//!
//! A trace is JSON Lines: a header, then steps and client events in the order they happened, then the end with
//! the verdict. Steps are names (`deliver n1→n2 …`, `fire n2 election`, `crash n3 losing 2 writes`), so that a
//! trace still means something after a step has been taken out of it.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::event::EventRecord;

/// The only version of the format that this build writes and replays.
pub const TRACE_VERSION: u32 = 1;

/// The first line of a trace: what is needed to take its steps again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceHeader {
    /// Always `trace`: what this file is.
    pub tribunal: String,
    /// [`TRACE_VERSION`].
    pub version: u32,
    /// The version of the tool that wrote it.
    pub tool_version: String,
    /// The protocol, by its name in the registry.
    pub protocol: String,
    /// The protocol's configuration, in the protocol's own terms.
    pub config: serde_json::Value,
    /// A digest of the configuration: a trace is refused if the configuration was edited by hand.
    pub config_digest: Digest,
    /// The run's seed, if a seed made it.
    pub seed: Option<u64>,
    /// The command that makes the same run from its seed, if one does.
    pub command: Option<String>,
    /// The model that the client history is judged by, and the initial value, if any.
    pub model: Option<String>,
    /// Whether the cluster properties are judged too, and not the client history alone.
    #[serde(default = "judged")]
    pub properties: bool,
    /// The operation that the cluster must answer if nothing goes wrong after the last step, if that is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finally: Option<String>,
}

/// Cluster properties are judged unless a trace says otherwise.
fn judged() -> bool {
    true
}

/// The last line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceEnd {
    /// A digest of all steps and client events.
    pub digest: Digest,
    /// `valid`, `unknown` or `invalid`.
    pub verdict: String,
    /// What was violated: the name of a checker or property; empty if nothing was.
    pub violated: String,
    /// The number of steps, so that a truncated file is noticed.
    pub steps: usize,
}

/// A line of a trace after its header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceLine {
    /// A step of the cluster, by name.
    Step(String),
    /// What a client saw.
    Event(EventRecord),
    /// The end.
    End(TraceEnd),
}

/// A whole trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What is needed to take the steps.
    pub header: TraceHeader,
    /// Steps and client events, in order.
    pub lines: Vec<TraceLine>,
    /// How it ended.
    pub end: TraceEnd,
}

/// Why a trace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file could not be read.
    #[error("cannot read the trace: {0}")]
    Io(#[from] std::io::Error),
    /// A line is not what a trace has.
    #[error("line {line}: not a line of a trace: {source}")]
    Line {
        /// Where.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The first line is not a header.
    #[error("this is not a trace: a trace's first line is {{\"tribunal\":\"trace\", …}}")]
    NotATrace,
    /// Another version of the format.
    #[error(
        "the trace has format version {found}, this build replays version {TRACE_VERSION}; use tribunal {tool} to replay it"
    )]
    Version {
        /// The file's version.
        found: u64,
        /// The tool that wrote it.
        tool: String,
    },
    /// The last line is missing or its count is wrong.
    #[error(
        "the trace is cut off after {lines} lines: its last line (`end`) is missing; run its seed again to get it whole"
    )]
    Truncated {
        /// How many lines there are.
        lines: usize,
    },
    /// The configuration does not have the digest that the header gives.
    #[error(
        "the configuration in the header has been changed since the trace was written; its steps mean nothing with another"
    )]
    ConfigChanged,
    /// The number of steps is not the one that the end gives.
    #[error(
        "the trace has {found} steps but its end says {said}: it has been edited; run `tribunal shrink` instead of editing"
    )]
    StepCount {
        /// Steps in the file.
        found: usize,
        /// Steps that the end counts.
        said: usize,
    },
}

impl Trace {
    /// The names of the steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            TraceLine::Step(name) => Some(name.as_str()),
            TraceLine::Event(_) | TraceLine::End(_) => None,
        })
    }

    /// What clients saw, in order.
    pub fn events(&self) -> impl Iterator<Item = &EventRecord> {
        self.lines.iter().filter_map(|line| match line {
            TraceLine::Event(event) => Some(event),
            TraceLine::Step(_) | TraceLine::End(_) => None,
        })
    }

    /// The digest of a configuration as it stands in a header.
    pub fn config_digest(config: &serde_json::Value) -> Digest {
        Digest::default().then(&config.to_string())
    }

    /// Writes the trace.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut out, &self.header)?;
        out.write_all(b"\n")?;
        let end = TraceLine::End(self.end.clone());
        for line in self.lines.iter().chain([&end]) {
            serde_json::to_writer(&mut out, line)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Reads a trace.
    ///
    /// # Errors
    /// When it is not a trace, not whole, or not one that this build can replay.
    pub fn read(input: impl BufRead) -> Result<Self, TraceError> {
        let mut texts = input.lines();
        let first = texts.next().transpose()?.unwrap_or_default();
        let header: serde_json::Value =
            serde_json::from_str(&first).map_err(|_| TraceError::NotATrace)?;
        if header["tribunal"] != "trace" {
            return Err(TraceError::NotATrace);
        }
        let found = header["version"].as_u64().unwrap_or(0);
        if found != u64::from(TRACE_VERSION) {
            let tool = header["tool_version"]
                .as_str()
                .unwrap_or("of another version")
                .to_owned();
            return Err(TraceError::Version { found, tool });
        }
        let header: TraceHeader = serde_json::from_value(header)
            .map_err(|source| TraceError::Line { line: 1, source })?;
        if Self::config_digest(&header.config) != header.config_digest {
            return Err(TraceError::ConfigChanged);
        }
        let mut lines = Vec::new();
        for (number, text) in texts.enumerate() {
            let line = number + 2;
            match serde_json::from_str(&text?)
                .map_err(|source| TraceError::Line { line, source })?
            {
                TraceLine::End(end) => {
                    let trace = Self { header, lines, end };
                    let found = trace.steps().count();
                    if found != trace.end.steps {
                        return Err(TraceError::StepCount {
                            found,
                            said: trace.end.steps,
                        });
                    }
                    return Ok(trace);
                }
                other => lines.push(other),
            }
        }
        Err(TraceError::Truncated {
            lines: lines.len() + 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Kind, Process};
    use crate::value::Value;

    fn sample() -> Trace {
        let config = serde_json::json!({"nodes": 3});
        let event = EventRecord::new(
            Process::Client(0),
            Kind::Invoke,
            "read",
            Value::Nil,
            Value::Nil,
        );
        Trace {
            header: TraceHeader {
                tribunal: "trace".into(),
                version: TRACE_VERSION,
                tool_version: "0.1.0".into(),
                protocol: "raft".into(),
                config_digest: Trace::config_digest(&config),
                config,
                seed: Some(7),
                command: None,
                model: None,
                properties: true,
                finally: None,
            },
            lines: vec![
                TraceLine::Step("fire n1 election".into()),
                TraceLine::Event(event),
            ],
            end: TraceEnd {
                digest: Digest(5),
                verdict: "valid".into(),
                violated: String::new(),
                steps: 1,
            },
        }
    }

    #[test]
    fn a_trace_comes_back_as_it_was_written() {
        let mut bytes = Vec::new();
        sample().write(&mut bytes).unwrap();
        assert_eq!(Trace::read(&bytes[..]).unwrap(), sample());
    }

    #[test]
    fn what_cannot_be_replayed_is_refused() {
        let mut bytes = Vec::new();
        sample().write(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let cut = &text[..text.rfind("{\"end\"").unwrap()];
        assert!(matches!(
            Trace::read(cut.as_bytes()),
            Err(TraceError::Truncated { lines: 3 })
        ));
        let newer = text.replacen("\"version\":1", "\"version\":9", 1);
        assert!(matches!(
            Trace::read(newer.as_bytes()),
            Err(TraceError::Version { found: 9, .. })
        ));
        let edited = text.replacen("\"nodes\":3", "\"nodes\":5", 1);
        assert!(matches!(
            Trace::read(edited.as_bytes()),
            Err(TraceError::ConfigChanged)
        ));
        assert!(matches!(
            Trace::read(&b"hello"[..]),
            Err(TraceError::NotATrace)
        ));
    }
}
