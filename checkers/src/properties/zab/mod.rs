//! The properties of ZAB, one file each, over whole histories.
//!
//! The paper is F. Junqueira, B. Reed and M. Serafini, "Zab: High-performance broadcast for primary-backup systems",
//! DSN 2011; numbers I-1 to I-14 are those of Remix (L. Ouyang et al., EuroSys 2025, table 2), which checks ZooKeeper
//! against them. Three published forms are not taken over as they stand: `LocalPrimaryOrder` holds always
//! ([`local_primary_order`]), `TotalOrder` overlooks nodes that delivered one transaction ([`total_order`]), and
//! `PrimaryIntegrity` looks at one moment ([`primary_integrity`]).

pub mod agreement;
pub mod commit_consistency;
mod delivery;
pub mod epoch_order;
pub mod global_primary_order;
pub mod history_consistency;
pub mod initial_history;
pub mod integrity;
pub mod local_primary_order;
pub mod message_sanity;
pub mod primary_integrity;
pub mod primary_uniqueness;
#[cfg(test)]
mod script;
pub mod total_order;

use super::PropertyInfo;

/// The properties of ZAB, ZI1 to ZI12.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &primary_uniqueness::INFO,
    &integrity::INFO,
    &agreement::INFO,
    &total_order::INFO,
    &local_primary_order::INFO,
    &global_primary_order::INFO,
    &primary_integrity::INFO,
    &initial_history::INFO,
    &commit_consistency::INFO,
    &history_consistency::INFO,
    &message_sanity::INFO,
    &epoch_order::INFO,
];

#[cfg(test)]
mod tests {
    #[test]
    fn ids_count_up_and_names_differ() {
        let mut names = std::collections::BTreeSet::new();
        for (number, info) in (1..).zip(super::PROPERTIES) {
            assert_eq!(info.id, format!("ZI{number}"));
            assert!(names.insert(info.name), "{}", info.name);
        }
    }
}
