//! Membership in scenarios: a disk is described by the lives that it knows of.

use super::table::{Life, Write};
use super::{Membership, Roster};
use crate::contract::Durable;
use crate::scenario::Staged;

impl Staged for Membership {
    const MODEL: &'static str = "membership";

    /// `n3 g2, n4 g1 removed`: members and their lives; those that are not named are as at the beginning.
    fn disk(words: &str) -> Option<Roster> {
        let mut roster = Roster::default();
        for life in words.split(',') {
            let words: Vec<_> = life.split_whitespace().collect();
            let (member, generation, removed) = match words[..] {
                [member, generation] => (member, generation, false),
                [member, generation, "removed"] => (member, generation, true),
                _ => return None,
            };
            let generation = generation.strip_prefix('g')?.parse().ok()?;
            let life = Life {
                generation,
                removed,
            };
            roster.apply(&Write::Life(member.parse().ok()?, life));
        }
        Some(roster)
    }

    /// `n3`: how the node believes that member to be, `unknown` if it does not know it; `s0`: who owns that slot.
    fn value(&self, object: &str) -> Option<String> {
        if let Some(slot) = object.strip_prefix('s') {
            let slot = self.slots().get(slot.parse::<usize>().ok()?)?;
            return Some(slot.owner.to_string());
        }
        let member = self.table().find(object.parse().ok()?);
        let status = member.map_or("unknown", |member| member.status.name());
        Some(status.to_owned())
    }
}
