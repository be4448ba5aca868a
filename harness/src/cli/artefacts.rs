//! What a sweep leaves in its directory.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use tribunal_checkers::{CheckRequest, Counterexample, Judgement, Verdict};
use tribunal_histories::format::{edn, jsonl};
use tribunal_histories::{History, Trace};

use super::exit::{Exit, Failure};
use super::profile::Resolved;
use crate::investigate::Investigation;
use crate::judge::Outcomes;
use crate::report::picture::{self, Subject};
use crate::report::{Conclusion, Directory, Finding, html, junit, markdown, write_whole};

/// `run.json`: what was run, and whether it came to its end. Written first, and again at the end.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    pub(crate) tool_version: &'static str,
    pub(crate) command: &'a [String],
    pub(crate) config: &'a Resolved,
    pub(crate) host: String,
    pub(crate) started: String,
    pub(crate) ended: Option<String>,
    pub(crate) complete: bool,
    pub(crate) runs: u64,
    pub(crate) exit_code: Option<u8>,
}

impl<'a> Record<'a> {
    /// A record of what begins now.
    pub(crate) fn begun(command: &'a [String], config: &'a Resolved) -> Self {
        Self {
            tool_version: env!("CARGO_PKG_VERSION"),
            command,
            config,
            host: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            started: jiff::Timestamp::now().to_string(),
            ended: None,
            complete: false,
            runs: 0,
            exit_code: None,
        }
    }

    /// The same when it has ended.
    pub(crate) fn ended(self, runs: u64, exit: Exit) -> Self {
        Self {
            ended: Some(jiff::Timestamp::now().to_string()),
            complete: exit != Exit::Interrupted,
            runs,
            exit_code: Some(exit.code()),
            ..self
        }
    }
}

/// Writes `failures/<fingerprint>/`.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn failure(directory: &Path, investigation: &Investigation) -> Result<(), Failure> {
    let Investigation {
        finding,
        outcomes,
        full,
        trace,
    } = investigation;
    let text = |name: &str, text: &str| {
        write_whole(&directory.join(name), |out| out.write_all(text.as_bytes()))
    };
    text("README.txt", &format!("{}\n", finding.text()))?;
    self::trace(&directory.join("trace.jsonl"), trace)?;
    self::trace(&directory.join("trace.full.jsonl"), full)?;
    history(directory, &outcomes.history)?;
    picture(directory, outcomes)?;
    write_whole(&directory.join("counterexample.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, &(&finding, &outcomes.verdict))?;
        out.write_all(b"\n")
    })?;
    let seeds: Vec<_> = finding.seeds.iter().map(u64::to_string).collect();
    text("seeds.txt", &format!("{}\n", seeds.join("\n")))?;
    let command = if finding.replay_command.is_some() {
        "exec \"${TRIBUNAL:-tribunal}\" replay \"$(dirname \"$0\")/trace.jsonl\" \"$@\"".to_owned()
    } else {
        finding
            .seed_command
            .replacen("tribunal", "exec \"${TRIBUNAL:-tribunal}\"", 1)
            + " \"$@\""
    };
    text(
        "replay.sh",
        &format!("#!/bin/sh\n# TRIBUNAL=path/to/tribunal sh replay.sh -v\n{command}\n"),
    )
}

/// The name of the picture of a history.
const PICTURE: &str = "history.html";

/// Writes the picture of a history that is not linearizable.
fn picture(directory: &Path, outcomes: &Outcomes) -> Result<(), Failure> {
    let refuted = |verdict: &&Verdict| {
        let core = matches!(
            verdict.judgement,
            Judgement::Invalid {
                counterexample: Counterexample::Core(_)
            }
        );
        core && verdict.parts.is_empty()
    };
    let Some(verdict) = outcomes.verdict.parts.iter().find(refuted) else {
        return Ok(());
    };
    let page = picture::page(&Subject {
        name: &format!("seed {}", outcomes.seed),
        history: &outcomes.history,
        lines: &[],
        request: &CheckRequest::new(verdict.checker.as_str()),
        verdict,
    });
    write_whole(&directory.join(PICTURE), |out| {
        out.write_all(page.as_bytes())
    })
}

/// Writes a trace.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn trace(path: &Path, trace: &Trace) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::io(format!(
                "cannot make the folder {}: {error}",
                folder.display()
            ))
        })?;
    }
    write_whole(path, |out| trace.write(out))
}

/// Writes `history.jsonl`, and `history.edn` for Knossos or Elle.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn history(directory: &Path, history: &History) -> Result<(), Failure> {
    write_whole(&directory.join("history.jsonl"), |out| {
        let mut writer = jsonl::Writer::new(out)?;
        for event in history.records() {
            writer.write(&event)?;
        }
        writer.finish().map(drop)
    })?;
    write_whole(&directory.join("history.edn"), |out| {
        let mut writer = edn::Writer::new(out);
        for event in history.records() {
            writer.write(&event)?;
        }
        writer.finish().map(drop)
    })
}

/// Writes what sums the sweep up: `verdict.json`, `junit.xml`, `index.html`, `summary.md`, and GitHub's step summary in a job.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn summaries(
    directory: &Directory,
    name: &str,
    conclusion: &Conclusion,
    findings: &[Finding],
) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Verdict<'a> {
        conclusion: &'a Conclusion,
        findings: &'a [Finding],
    }
    directory.write_json(
        "verdict.json",
        &Verdict {
            conclusion,
            findings,
        },
    )?;
    directory.write_text("junit.xml", &junit::xml(name, conclusion, findings)?)?;
    directory.write_text("index.html", &html::page(name, conclusion, findings))?;
    let summary = markdown::summary(name, conclusion, findings);
    directory.write_text("summary.md", &summary)?;
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        append(Path::new(&path), &summary)
            .map_err(|error| Failure::io(format!("cannot write GITHUB_STEP_SUMMARY: {error}")))?;
    }
    Ok(())
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}
