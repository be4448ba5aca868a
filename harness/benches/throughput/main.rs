//! Messages per CPU-second on one core: our drivers beside a bare event loop and madsim's own endpoint.
//!
//! All designs pass messages between five nodes, twenty always in flight, each under way for 1 to 10 ms of
//! simulated time; the last two are whole Raft runs under `swarm`, with every property watched and every history
//! checked. Times are CPU time of the one thread that works, so other load on the machine matters little. After
//! criterion's statistics comes a table with the ratios.
//!
//! `cargo bench -p tribunal --bench throughput`

#![expect(
    clippy::print_stdout,
    unreachable_pub,
    reason = "a benchmark is a program that prints, not a library"
)]

mod echo;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use echo::{Echo, IN_FLIGHT, Nodes};
use tribunal::draw::{Domain, Draw};
use tribunal::generator::{Call, Context, Generator, Next, Update, once};
use tribunal::nemesis::Nemesis;
use tribunal::plan::{Driver, Plan};
use tribunal::run;
use tribunal::runtime::sim::{Choice, Clients, Cluster, End, Faults, Settings, plain};
use tribunal::workload::Entry;
use tribunal_histories::Value;
use tribunal_protocols::contract::Configuration;
use tribunal_protocols::raft::Raft;
use tribunal_protocols::registry::Protocol;

const NODES: usize = 5;
/// Messages of one iteration of the echo designs.
const MESSAGES: u64 = 100_000;
/// Seeds of one iteration of the Raft designs.
const SEEDS: u64 = 40;

/// The CPU time that this thread has used.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")
        .expect("the kernel tells the CPU time of threads");
    let running_ns = text
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok());
    Duration::from_nanos(running_ns.expect("the first number is the time on a CPU"))
}

/// A bare event loop: no async, no nodes, no records; what any simulator in this style is measured against.
fn bare_heap_loop() -> u64 {
    let mut heap = BinaryHeap::new();
    let mut draw = Draw::keyed(1, Domain::Link, 0, 0);
    let mut now_ns = 0;
    for message in 0..IN_FLIGHT as u64 {
        heap.push(Reverse((
            draw.between(1_000_000, 9_999_999),
            message,
            message % NODES as u64,
        )));
    }
    for sent in 0..MESSAGES {
        let Some(Reverse((at_ns, message, node))) = heap.pop() else {
            break;
        };
        now_ns = at_ns;
        let latency_ns = draw.between(1_000_000, 9_999_999);
        heap.push(Reverse((
            at_ns + latency_ns,
            message + sent,
            (node + 1) % NODES as u64,
        )));
    }
    black_box(now_ns);
    MESSAGES
}

/// A generator that has an operation only when another completes: never.
#[derive(Clone)]
struct Silence;

impl Generator for Silence {
    fn op(&mut self, _context: &mut Context) -> Next {
        Next::Pending { until_us: None }
    }

    fn update(&mut self, _context: &mut Context, _event: &Update<'_>) {}
}

fn echo_cluster() -> Cluster<Echo> {
    let settings = Settings {
        seed: 1,
        choice: Choice::Latency,
        latency_us: (1_000, 9_999),
        sync_us: (100, 1_000),
        retry_us: 300_000,
        redirect_us: 30_000,
        operation_timeout_us: 1_500_000,
        liveness_us: 6_000_000,
        events_max: MESSAGES,
    };
    let never = once(Call::new("nothing", Value::Nil, Value::Nil)).limit(0);
    let clients = Clients::new(Silence.boxed(), never.boxed(), 1, 1);
    Cluster::new(
        Nodes::of(NODES),
        settings,
        clients,
        Faults::of(Nemesis::default()),
        false,
    )
}

fn echo_on_the_plain_loop() -> u64 {
    let mut cluster = echo_cluster();
    assert_eq!(plain::run(&mut cluster, &|| false), End::EventsMax);
    cluster.into_remains().tally.packets
}

#[cfg(madsim)]
fn echo_on_madsim() -> u64 {
    let (cluster, end) = tribunal::runtime::sim::madsim::run(echo_cluster(), 1, &|| false);
    assert_eq!(end, End::EventsMax);
    cluster.into_remains().tally.packets
}

/// madsim's own network: every node an endpoint, every send awaited in the node's task.
#[cfg(madsim)]
fn madsim_endpoint() -> u64 {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use madsim::net::{Endpoint, Payload};

    let mut config = madsim::Config::default();
    config.net.send_latency = Duration::from_millis(1)..Duration::from_millis(10);
    let runtime = madsim::runtime::Runtime::with_seed_and_config(1, config);
    let address = |node: usize| SocketAddr::from(([10, 0, 0, 1 + node as u8], 1));
    let received = Arc::new(AtomicU64::new(0));
    let nodes: Vec<_> = (0..NODES)
        .map(|me| {
            let node = runtime.create_node().ip(address(me).ip()).build();
            let received = received.clone();
            node.spawn(async move {
                let endpoint = Endpoint::bind(address(me))
                    .await
                    .expect("the address is free");
                madsim::time::sleep(Duration::from_millis(1)).await;
                for ball in 0..IN_FLIGHT / NODES {
                    let to = address((me + 1 + ball % (NODES - 1)) % NODES);
                    let sent = endpoint
                        .send_to_raw(to, 0, Box::new(0_u64) as Payload)
                        .await;
                    sent.expect("nothing is cut");
                }
                while let Ok((payload, _)) = endpoint.recv_from_raw(0).await {
                    received.fetch_add(1, Ordering::Relaxed);
                    let count = *payload.downcast::<u64>().expect("a number was sent");
                    let to = address((me + 1 + usize::from(count % 2 == 1)) % NODES);
                    let sent = endpoint.send_to_raw(to, 0, Box::new(count + 1)).await;
                    sent.expect("nothing is cut");
                }
            });
            node.id()
        })
        .collect();
    let counted = received.clone();
    runtime.block_on(async move {
        while counted.load(Ordering::Relaxed) < MESSAGES {
            madsim::time::sleep(Duration::from_millis(100)).await;
        }
        let handle = madsim::runtime::Handle::current();
        nodes.into_iter().for_each(|node| handle.kill(node));
        madsim::time::sleep(Duration::from_millis(1)).await;
    });
    received.load(Ordering::Relaxed)
}

fn raft_under_swarm(driver: Driver) -> u64 {
    let plan = Plan {
        nodes: NODES,
        driver,
        ..Plan::usual(
            Protocol::named("raft").expect("Raft is registered"),
            Entry::find("register").expect("the workload is registered"),
        )
    };
    let packets = |seed| {
        run::run::<Raft>(&plan, seed, false, &|| false)
            .tally
            .packets
    };
    (0..SEEDS).map(packets).sum()
}

/// A design: its name, and a run that says how many messages arrived.
type Design = (&'static str, fn() -> u64);

/// The one that the others are compared with.
const REFERENCE: &str = "madsim's endpoint";

const DESIGNS: &[Design] = &[
    ("bare heap loop", bare_heap_loop),
    ("echo, plain loop", echo_on_the_plain_loop),
    #[cfg(madsim)]
    ("echo, madsim", echo_on_madsim),
    #[cfg(madsim)]
    (REFERENCE, madsim_endpoint),
    ("raft under swarm, plain loop", || {
        raft_under_swarm(Driver::Plain)
    }),
    #[cfg(madsim)]
    ("raft under swarm, madsim", || {
        raft_under_swarm(Driver::Madsim)
    }),
];

fn main() {
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    let rates = RefCell::new(Vec::new());
    let mut group = criterion.benchmark_group("messages");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    for (name, design) in DESIGNS {
        group.throughput(Throughput::Elements(design()));
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|iterations| {
                let start = cpu_time();
                let messages: u64 = (0..iterations).map(|_| design()).sum();
                let spent = cpu_time() - start;
                rates
                    .borrow_mut()
                    .push((*name, messages as f64 / spent.as_secs_f64()));
                spent
            });
        });
    }
    group.finish();
    criterion.final_summary();
    print_table(&rates.into_inner());
}

/// The median rate of each design, and how it compares with the reference.
fn print_table(rates: &[(&str, f64)]) {
    let median = |name: &str| {
        let of_name = rates.iter().filter(|(other, _)| *other == name);
        let mut sorted: Vec<f64> = of_name.map(|(_, rate)| *rate).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    };
    let reference = median(REFERENCE);
    println!("{:<30} {:>16} {:>8}", "design", "messages/CPU-s", "ratio");
    for (name, _) in DESIGNS {
        let Some(rate) = median(name) else { continue };
        let ratio =
            reference.map_or_else(String::new, |reference| format!("{:.2}", rate / reference));
        println!("{name:<30} {rate:>16.0} {ratio:>8}");
    }
}
