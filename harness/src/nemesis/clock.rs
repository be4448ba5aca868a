//! Clocks: timers that run fast or slow, jump, or jump back and forth. After `jepsen.nemesis.time`.

use super::fault::{Capability, Fault};
use super::{Family, Plan, Round, Variant, target};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "clock",
    needs: &[Capability::Clock],
    about: "Skews clocks. Nodes time out too early or too late, so elections collide and leases overlap: safety must \
            not depend on any of it.",
    variants: &[
        Variant::new(
            "fast",
            "some clocks run up to four times as fast",
            |round| skew(round, 1_050_000, 4_000_000),
        ),
        Variant::new(
            "slow",
            "some clocks run down to a quarter as fast",
            |round| skew(round, 250_000, 950_000),
        ),
        Variant::new(
            "bump",
            "some clocks jump ahead or back, by a millisecond to half a second",
            bump,
        ),
        Variant::new(
            "strobe",
            "some clocks jump ahead and back again and again",
            strobe,
        ),
    ],
};

fn skew(round: &mut Round<'_>, lowest_ppm: u32, highest_ppm: u32) -> Plan {
    let nodes = target::any(round);
    let rate_ppm = lowest_ppm + round.draw.index((highest_ppm - lowest_ppm) as usize) as u32;
    round.lasting(Fault::ClockRate { nodes, rate_ppm }, Fault::ClockReset)
}

/// A jump's size: each power of two milliseconds is as likely, so small ones are tried as often as large ones.
fn jump_us(round: &mut Round<'_>) -> i64 {
    1_000 << round.draw.index(10)
}

fn bump(round: &mut Round<'_>) -> Plan {
    let nodes = target::any(round);
    let jump_us = jump_us(round);
    let ahead_us = if round.draw.chance(500_000) {
        jump_us
    } else {
        -jump_us
    };
    vec![(0, Fault::ClockBump { nodes, ahead_us })]
}

/// The most jumps there and back of one strobe.
const STROBES_MAX: u64 = 32;

fn strobe(round: &mut Round<'_>) -> Plan {
    let nodes = target::any(round);
    let jump_us = jump_us(round);
    let period_us = round.draw.between(1_000, 50_000);
    let count = (round.duration_us / (2 * period_us)).clamp(1, STROBES_MAX);
    let jump = |number: u64| {
        let ahead_us = if number.is_multiple_of(2) {
            jump_us
        } else {
            -jump_us
        };
        (
            number * period_us,
            Fault::ClockBump {
                nodes: nodes.clone(),
                ahead_us,
            },
        )
    };
    (0..2 * count).map(jump).collect()
}
