#![allow(clippy::disallowed_methods, clippy::print_stdout, missing_docs)]
use std::time::Instant;
use tribunal_checkers::{CheckRequest, check_history};
use tribunal_histories::{Invalid, Synthesis, SyntheticModel};
fn rss() -> u64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let l = s.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    l.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let num = |i: usize, d: u64| a.get(i).map_or(d, |s| s.parse().unwrap());
    let s = Synthesis {
        operations: num(2, 1_000_000),
        concurrency: num(3, 5) as u32,
        keys: num(4, 1) as u32,
        unique: num(5, 1) == 1,
        crashed: num(6, 0),
        invalid: [None, Some(Invalid::Early), Some(Invalid::Late)][num(7, 0) as usize],
        seed: num(8, 1),
        ..Synthesis::new(SyntheticModel::named(&a[1]).unwrap(), 0)
    };
    let t = Instant::now();
    let h = s.history();
    println!("generated {:?} rss {} MB", t.elapsed(), rss());
    let c = cpu();
    let t = Instant::now();
    let v = check_history(&h, &CheckRequest::new(s.model.name), &|| false).unwrap();
    println!(
        "{:?} {:?} states {} {:?} rss {} MB\n{}",
        t.elapsed(),
        v.answer(),
        v.statistics.states,
        v.methods,
        rss(),
        v.sentences.join("\n")
    );
}
