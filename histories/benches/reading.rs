//! Operations read per CPU-second: our readers of histories beside serde_json's, on the same text in the same run.
//!
//! `cargo bench -p tribunal-histories --bench reading` takes a synthetic history of a million operations on registers
//! with unique values, and another of compare-and-set. serde_json's rows parse the lines and drop them; ours end with
//! a validated history, its values interned and its completions paired. Times are CPU time of all threads, so that
//! what parallel reading wins does not count, and other load on the machine matters little; the last column is how
//! long it took.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark is a program that prints times"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tribunal_histories::format::{edn, jsonl, read_history};
use tribunal_histories::{BuildOptions, History, HistoryBuilder, Synthesis, SyntheticModel};

const OPERATIONS: u64 = 1_000_000;
/// Each reader is measured until it has taken this much CPU time.
const MEASURED_AT_LEAST: Duration = Duration::from_secs(2);

/// What a program would declare that reads such histories with serde.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is read, and not used")]
struct Typed<'a> {
    time: Option<u64>,
    process: u32,
    r#type: &'a str,
    f: &'a str,
    key: Option<i64>,
    value: Option<TypedValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is read, and not used")]
enum TypedValue {
    One(i64),
    Two([i64; 2]),
}

/// The CPU time of all threads of this process. The kernel counts hundredths of a second.
fn cpu_time() -> Duration {
    const TICK_MS: u64 = 10;
    let text = std::fs::read_to_string("/proc/self/stat").expect("the kernel tells CPU times");
    let fields = text.rsplit(')').next().expect("the name is in brackets");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * TICK_MS)
}

/// The resident size of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells sizes");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.expect("a number of kilobytes") * 1024
}

/// A row of the table.
struct Row {
    name: &'static str,
    cpu: Duration,
    wall: Duration,
}

fn measure(name: &'static str, mut read: impl FnMut() -> u64) -> Row {
    let (cpu, wall) = (cpu_time(), Instant::now());
    let mut times = 0;
    while times == 0 || cpu_time() - cpu < MEASURED_AT_LEAST {
        assert_eq!(
            black_box(read()),
            2 * OPERATIONS,
            "{name} reads every event"
        );
        times += 1;
    }
    Row {
        name,
        cpu: (cpu_time() - cpu) / times,
        wall: wall.elapsed() / times,
    }
}

fn show(title: &str, bytes: usize, rows: &[Row]) {
    println!("\n{title}, {:.0} MB", bytes as f64 / 1e6);
    println!(
        "{:<44} {:>9} {:>9} {:>7} {:>9}",
        "", "M ops/s", "MB/s", "ratio", "wall s"
    );
    for row in rows {
        let seconds = row.cpu.as_secs_f64();
        println!(
            "{:<44} {:>9.2} {:>9.0} {:>7.2} {:>9.3}",
            row.name,
            OPERATIONS as f64 / 1e6 / seconds,
            bytes as f64 / 1e6 / seconds,
            rows[0].cpu.as_secs_f64() / seconds,
            row.wall.as_secs_f64(),
        );
    }
}

fn read_all(text: &[u8]) -> u64 {
    let loaded = read_history(text, None, BuildOptions::default());
    loaded.expect("a synthetic history is right").history.len() as u64
}

fn json_lines(history: &History) -> Vec<u8> {
    let mut writer = jsonl::Writer::new(Vec::new()).expect("memory can be written");
    for record in history.records() {
        writer.write(&record).expect("memory can be written");
    }
    writer.finish().expect("memory can be written")
}

fn edn_maps(history: &History) -> Vec<u8> {
    let mut writer = edn::Writer::new(Vec::new());
    for record in history.records() {
        writer.write(&record).expect("memory can be written");
    }
    writer.finish().expect("memory can be written")
}

fn json_rows(text: &[u8]) -> Vec<Row> {
    let lines = || {
        text.split(|byte| *byte == b'\n')
            .skip(1)
            .filter(|line| !line.is_empty())
    };
    let value = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).is_ok();
    let typed = |line: &[u8]| serde_json::from_slice::<Typed<'_>>(line).is_ok();
    vec![
        measure("serde_json::Value, dropped", || {
            lines().filter(|line| value(line)).count() as u64
        }),
        measure("serde_json, typed, dropped", || {
            lines().filter(|line| typed(line)).count() as u64
        }),
        measure("our reader, event by event, a history", || {
            let mut builder = HistoryBuilder::new(BuildOptions::default());
            for event in jsonl::read(text) {
                let event = event.expect("it is right");
                builder.push(event).expect("it is right");
            }
            builder.finish().len() as u64
        }),
        measure("our scanner, a history", || read_all(text)),
    ]
}

fn main() {
    for name in ["register", "cas-register"] {
        let model = SyntheticModel::named(name).expect("it is registered");
        let synthesis = Synthesis {
            unique: name == "register",
            ..Synthesis::new(model, OPERATIONS)
        };
        let before = resident();
        let history = synthesis.history();
        let bytes = resident() - before;
        println!(
            "\n{name}: {} bytes of memory an operation",
            bytes / OPERATIONS
        );
        let text = json_lines(&history);
        show(
            &format!("{name}, JSON Lines"),
            text.len(),
            &json_rows(&text),
        );
        let text = edn_maps(&history);
        let rows = [
            measure("our reader, event by event, dropped", || {
                edn::read(&text[..]).filter(Result::is_ok).count() as u64
            }),
            measure("our scanner, a history", || read_all(&text)),
        ];
        show(&format!("{name}, EDN"), text.len(), &rows);
    }
}
