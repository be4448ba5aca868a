//! Packets: messages are lost, arrive twice, late, or in another order.

use super::fault::{Capability, Fault, PacketRates};
use super::{Family, Plan, Round, Variant};

/// The registry's line.
pub(super) const FAMILY: Family = Family {
    name: "packet",
    needs: &[Capability::Packet],
    about: "Disturbs the network of all nodes for a while, at rates drawn each time. Requests are retried and \
            answered twice, old messages arrive in new terms: handlers must be idempotent and check what they are \
            told.",
    variants: &[
        Variant::new("loss", "1 to 30 % of messages are lost", |round| {
            let loss_ppm = rate(round, 300_000);
            disturbed(
                round,
                PacketRates {
                    loss_ppm,
                    ..PacketRates::default()
                },
            )
        }),
        Variant::new("duplicate", "1 to 50 % of messages arrive twice", |round| {
            let duplicate_ppm = rate(round, 500_000);
            disturbed(
                round,
                PacketRates {
                    duplicate_ppm,
                    ..PacketRates::default()
                },
            )
        }),
        Variant::new(
            "reorder",
            "1 to 50 % of messages change places with others",
            |round| {
                let reorder_ppm = rate(round, 500_000);
                disturbed(
                    round,
                    PacketRates {
                        reorder_ppm,
                        ..PacketRates::default()
                    },
                )
            },
        ),
        Variant::new(
            "delay",
            "messages take up to a tenth of a second longer",
            |round| {
                let delay_us_max = delay_us(round);
                disturbed(
                    round,
                    PacketRates {
                        delay_us_max,
                        ..PacketRates::default()
                    },
                )
            },
        ),
        Variant::new("everything", "all of these at once", |round| {
            let rates = PacketRates {
                loss_ppm: rate(round, 200_000),
                duplicate_ppm: rate(round, 300_000),
                reorder_ppm: rate(round, 300_000),
                delay_us_max: delay_us(round),
            };
            disturbed(round, rates)
        }),
    ],
};

/// From one percent to a rate, per million.
fn rate(round: &mut Round<'_>, highest_ppm: usize) -> u32 {
    10_000 + round.draw.index(highest_ppm - 10_000) as u32
}

fn delay_us(round: &mut Round<'_>) -> u64 {
    round.draw.between(1_000, 100_000)
}

fn disturbed(round: &mut Round<'_>, rates: PacketRates) -> Plan {
    round.lasting(Fault::Packet(rates), Fault::PacketCalm)
}
