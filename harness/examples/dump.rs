use tribunal::*;
use tribunal_protocols::raft::Raft;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let protocol = tribunal_protocols::registry::Protocol::named("raft").unwrap();
    let bugs = protocol
        .bugs_named(args[1].split(',').filter(|s| !s.is_empty()))
        .unwrap();
    let plan = plan::Plan {
        protocol,
        nodes: 5,
        bugs,
        workload: workload::Entry::find(&args[3]).unwrap(),
        options: Default::default(),
        nemesis: args[4].parse().unwrap(),
        schedule: Default::default(),
        driver: plan::Driver::Plain,
        events_max: 300_000,
        liveness_timeouts: 20,
        limits: Default::default(),
    };
    let o = run::run::<Raft>(&plan, args[2].parse().unwrap(), true, &|| false);
    for r in o.recorded.unwrap() {
        match r {
            runtime::sim::Recorded::Step(t, s) => println!("{:>9.3} {s}", t as f64 / 1e6),
            runtime::sim::Recorded::Event(e) => {
                println!("          {}", serde_json::to_string(&e).unwrap())
            }
        }
    }
    println!("{:?} {}", o.verdict.sentences, o.violated);
}
