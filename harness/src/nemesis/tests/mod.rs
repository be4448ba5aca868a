//! Nemeses against a cluster that only remembers what was done to it.

use std::fmt::Write as _;

use super::*;

mod shapes;

/// Nodes by their indexes.
pub(in crate::nemesis) fn nodes(indexes: &[u16]) -> BTreeSet<NodeId> {
    indexes.iter().copied().map(NodeId).collect()
}

/// A healthy cluster that `n1` leads.
pub(in crate::nemesis) fn context(count: usize) -> NemesisContext {
    NemesisContext {
        time_us: 0,
        nodes: count,
        leaders: vec![NodeId(0)],
        up: NodeId::all(count).collect(),
        paused: BTreeSet::new(),
        amnesic: BTreeSet::new(),
    }
}

/// Everything that can be wrong with the cluster.
#[derive(Clone, Debug, PartialEq)]
struct Cluster {
    context: NemesisContext,
    grudge: Grudge,
    clocks_are_true: bool,
    packets: PacketRates,
    disks_are_fast: bool,
}

impl Cluster {
    fn new(count: usize) -> Self {
        Self {
            context: context(count),
            grudge: Grudge::default(),
            clocks_are_true: true,
            packets: PacketRates::default(),
            disks_are_fast: true,
        }
    }

    /// Injects a fault, which must be possible, all of it.
    fn inject(&mut self, fault: &Fault) {
        assert_eq!(
            fault.clone().possible(&self.context).as_ref(),
            Some(fault),
            "impossible"
        );
        let NemesisContext { up, paused, .. } = &mut self.context;
        match fault {
            Fault::Partition(grudge) => self.grudge = grudge.clone(),
            Fault::Heal => self.grudge = Grudge::default(),
            Fault::Kill { nodes, .. } => {
                up.retain(|node| !nodes.contains(node));
                paused.retain(|node| !nodes.contains(node));
            }
            Fault::Restart { nodes } => up.extend(nodes),
            Fault::Pause { nodes } => paused.extend(nodes),
            Fault::Resume { nodes } => paused.retain(|node| !nodes.contains(node)),
            Fault::ClockRate { .. } | Fault::ClockBump { .. } => self.clocks_are_true = false,
            Fault::ClockReset => self.clocks_are_true = true,
            Fault::Packet(rates) => self.packets = *rates,
            Fault::PacketCalm => self.packets = PacketRates::default(),
            Fault::DiskSlow { .. } => self.disks_are_fast = false,
            Fault::DiskFast => self.disks_are_fast = true,
        }
    }

    fn is_well(&self) -> bool {
        let healthy = Self::new(self.context.nodes);
        let context = &self.context;
        Self {
            context: NemesisContext {
                time_us: 0,
                ..context.clone()
            },
            ..self.clone()
        } == healthy
    }
}

fn everything() -> BTreeSet<Capability> {
    FAMILIES
        .iter()
        .flat_map(|family| family.needs)
        .copied()
        .collect()
}

fn nemesis(selection: &str, seed: u64) -> Nemesis {
    let selection: Selection = selection.parse().expect("it is a selection");
    let nemesis = selection.nemesis(&everything(), Pace::default(), seed);
    nemesis.expect("nothing is missing")
}

/// Runs a nemesis until a time and then heals; the faults with their times.
fn run(nemesis: &mut Nemesis, cluster: &mut Cluster, end_us: u64) -> Vec<(u64, Fault)> {
    let mut faults = Vec::new();
    while cluster.context.time_us < end_us {
        match nemesis.next(&cluster.context) {
            NextFault::Inject(fault) => {
                cluster.inject(&fault);
                faults.push((cluster.context.time_us, fault));
            }
            NextFault::Wait { until_us } => {
                let until_us = until_us.unwrap_or(end_us);
                assert!(
                    until_us > cluster.context.time_us,
                    "waits for a time that has come"
                );
                cluster.context.time_us = until_us.min(end_us);
            }
        }
    }
    for fault in nemesis.heal(&cluster.context) {
        cluster.inject(&fault);
        faults.push((end_us, fault));
    }
    faults
}

fn render(faults: &[(u64, Fault)]) -> String {
    let mut text = String::new();
    for (at_us, fault) in faults {
        writeln!(text, "{:>5} ms {fault}", at_us / 1_000).expect("a string");
    }
    text
}

#[test]
fn every_fault_is_possible_and_everything_is_well_at_the_end() {
    let families = FAMILIES.iter().map(|family| family.name);
    for selection in families.chain(["all", "swarm", "none", "partition,kill"]) {
        for count in 1..=7 {
            for seed in 0..30 {
                let mut cluster = Cluster::new(count);
                let mut nemesis = nemesis(selection, seed);
                let mut clone = nemesis.clone();
                let faults = run(&mut nemesis, &mut cluster, 5_000_000);
                assert!(cluster.is_well(), "{selection}, seed {seed}: {cluster:?}");
                assert_eq!(faults, run(&mut clone, &mut Cluster::new(count), 5_000_000));
                assert_eq!(
                    nemesis.next(&cluster.context),
                    NextFault::Wait { until_us: None }
                );
                assert_eq!(
                    faults.is_empty(),
                    selection == "none" || faults.is_empty() && count < 3
                );
            }
        }
    }
}

#[test]
fn a_script_repeats_a_run_and_any_part_of_one() {
    for seed in 0..30 {
        let faults = run(&mut nemesis("all", seed), &mut Cluster::new(5), 2_000_000);
        let injected = faults
            .iter()
            .filter(|(at_us, _)| *at_us < 2_000_000)
            .cloned();
        let again = run(
            &mut Nemesis::scripted(injected),
            &mut Cluster::new(5),
            2_000_000,
        );
        assert_eq!(again, faults);
        for left_out in 0..faults.len() {
            let mut fewer = faults.clone();
            fewer.remove(left_out);
            let mut cluster = Cluster::new(5);
            run(&mut Nemesis::scripted(fewer), &mut cluster, 3_000_000);
            assert!(cluster.is_well());
        }
    }
}

#[test]
fn what_one_family_does_does_not_depend_on_the_others() {
    let partitions = |faults: Vec<(u64, Fault)>| {
        let is_partition = |fault: &Fault| matches!(fault, Fault::Partition(_) | Fault::Heal);
        faults
            .into_iter()
            .filter(|(_, fault)| is_partition(fault))
            .collect::<Vec<_>>()
    };
    for seed in 0..20 {
        let [alone, among] = ["partition", "partition,packet,kill"].map(|selection| {
            partitions(run(
                &mut nemesis(selection, seed),
                &mut Cluster::new(5),
                3_000_000,
            ))
        });
        assert_eq!(alone, among);
    }
}

#[test]
fn swarms_differ_and_lack_faults() {
    let mut subsets = BTreeSet::new();
    for seed in 0..200 {
        let faults = run(
            &mut nemesis("swarm", seed),
            &mut Cluster::new(5),
            10_000_000,
        );
        let verb = |fault: &Fault| fault.to_string().split(' ').next().map(str::to_owned);
        let kinds: BTreeSet<_> = faults.iter().map(|(_, fault)| verb(fault)).collect();
        assert!(!kinds.is_empty());
        subsets.insert(kinds);
    }
    assert!(subsets.len() > 40, "{} subsets", subsets.len());
}

#[test]
fn selections_are_read_and_written() {
    for (text, name) in [
        ("kill,partition", "kill,partition"),
        (" partition , kill,kill", "kill,partition"),
        ("swarm", "swarm"),
    ] {
        assert_eq!(text.parse::<Selection>().expect(text).to_string(), name);
    }
    let wrong = ["prtition", "kill,none", ""]
        .map(|text| text.parse::<Selection>().unwrap_err().to_string());
    insta::assert_snapshot!(wrong.join("\n"), @"
    there is no nemesis `prtition`; there are: clock, disk, kill, packet, partition, pause, wipe, or alone: all, none, swarm
    nemesis `none` stands alone: it cannot be in a list with others
    there is no nemesis ``; there are: clock, disk, kill, packet, partition, pause, wipe, or alone: all, none, swarm
    ");
    let no_disk: BTreeSet<_> = everything()
        .into_iter()
        .filter(|has| *has != Capability::Disk)
        .collect();
    let with = |text: &str| {
        text.parse::<Selection>()
            .expect(text)
            .nemesis(&no_disk, Pace::default(), 1)
    };
    insta::assert_snapshot!(with("disk").unwrap_err(), @"nemesis `disk` must be able to lose unsynced writes, which this runtime cannot");
    let mut all = with("all").expect("what is missing is left out");
    for (_, fault) in run(&mut all, &mut Cluster::new(5), 10_000_000) {
        assert!(!matches!(fault, Fault::DiskSlow { .. }), "{fault}");
    }
}

#[test]
fn a_schedule_of_each_family() {
    let mut text = String::new();
    for family in FAMILIES {
        writeln!(text, "{}", family.name).expect("a string");
        text += &render(&run(
            &mut nemesis(family.name, 3),
            &mut Cluster::new(5),
            1_500_000,
        ));
    }
    insta::assert_snapshot!(text, @"
    clock
      174 ms run the clocks of n1 n2 n3 n4 at 3.461
      533 ms reset the clocks
      816 ms run the clocks of n1 n2 n3 n4 n5 at 0.283
     1286 ms reset the clocks
    disk
      396 ms kill n1 n2 n4 n5, losing the last unsynced writes and tearing one
      427 ms restart n2
      438 ms restart n5
      442 ms restart n1
      480 ms restart n4
      834 ms kill n1 n2 n3 n4 n5, losing all unsynced writes
      886 ms restart n3
     1030 ms restart n5
     1090 ms restart n4
     1211 ms restart n2
     1262 ms restart n1
     1475 ms kill n1 n2 n3 n4 n5, losing the last unsynced writes and tearing one
     1500 ms restart n1 n2 n3 n4 n5
    kill
      350 ms kill n1 n3, losing nothing
      604 ms restart n3
      904 ms restart n1
      960 ms kill n1, losing nothing
     1020 ms restart n1
     1274 ms kill n2 n5, losing nothing
     1435 ms restart n5
     1438 ms restart n2
    packet
      223 ms disturb packets: delay up to 15634 us
      788 ms calm the packets
      968 ms disturb packets: delay up to 18935 us
     1214 ms calm the packets
    partition
      229 ms partition n1 drops n2 n3 n4, n5 drops n2 n3 n4
      753 ms heal the network
      910 ms partition n1 n5 | n2 n3 n4
     1244 ms heal the network
    pause
      324 ms pause n1
      423 ms resume n1
      720 ms pause n2
     1074 ms resume n2
     1229 ms pause n1
     1389 ms resume n1
     1448 ms pause n1 n2 n3 n4 n5
     1500 ms resume n1 n2 n3 n4 n5
    wipe
      386 ms kill n3, losing the whole disk
      606 ms restart n3
      910 ms kill n1, losing the whole disk
     1290 ms restart n1
     1461 ms kill n1, losing the whole disk
     1499 ms restart n1
    ");
}
