use tribunal::*;
use tribunal_protocols::raft::Raft;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let protocol = tribunal_protocols::registry::Protocol::named("raft").unwrap();
    let bugs = protocol
        .bugs_named(args[1].split(',').filter(|s| !s.is_empty()))
        .unwrap();
    let n: u64 = args[2].parse().unwrap();
    let driver = if args[3] == "m" {
        plan::Driver::Madsim
    } else {
        plan::Driver::Plain
    };
    let plan = plan::Plan {
        protocol,
        nodes: args.get(6).map_or(5, |a| a.parse().unwrap()),
        bugs,
        workload: workload::Entry::find(&args[4]).unwrap(),
        options: Default::default(),
        nemesis: args[5].parse().unwrap(),
        schedule: Default::default(),
        driver,
        events_max: 300_000,
        liveness_timeouts: 20,
        limits: Default::default(),
    };
    let t = std::time::Instant::now();
    let mut packets = 0;
    let mut ops = run::Operations::default();
    let mut count = std::collections::BTreeMap::<String, u64>::new();
    let mut probes = std::collections::BTreeMap::<&str, u64>::new();
    let mut faults = std::collections::BTreeMap::<&str, u64>::new();
    let mut first = std::collections::BTreeMap::<String, u64>::new();
    let mut simt = 0;
    let mut ev = 0;
    let mut tcheck = 0f64;
    let mut xor = 0;
    for seed in 0..n {
        let t0 = std::time::Instant::now();
        let o = run::run::<Raft>(&plan, seed, false, &|| false);
        let el = t0.elapsed().as_secs_f64();
        if el > 0.2 {
            println!("slow seed {seed} {el} {:?} {:?}", o.operations, o.tally);
        }
        tcheck += 0.0;
        let _ = tcheck;
        xor ^= o.digest.0;
        packets += o.tally.packets;
        ev += o.tally.events;
        simt += o.simulated_us;
        ops.ok += o.operations.ok;
        ops.fail += o.operations.fail;
        ops.info += o.operations.info;
        let key = format!("{:?} {}", o.verdict.answer(), o.violated);
        if !first.contains_key(&key) {
            first.insert(key.clone(), seed);
            println!("seed {seed}: {key} {:?}", o.verdict.sentences);
        }
        *count.entry(key).or_default() += 1;
        for (k, v) in o.probes {
            *probes.entry(k).or_default() += u64::from(v > 0);
        }
        for (k, v) in o.faults {
            *faults.entry(k).or_default() += v;
        }
    }
    let el = t.elapsed().as_secs_f64();
    println!(
        "{count:?} first {first:?} xor {xor:x}\n{ops:?} packets {packets} events {ev} {:.2}s  {:.0} packets/s {:.0} seeds/s sim {}s",
        el,
        packets as f64 / el,
        n as f64 / el,
        simt / 1000000
    );
    println!("probes {probes:#?}\nfaults {faults:?}");
}
