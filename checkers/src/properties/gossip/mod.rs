//! The properties of gossip, one file each: what every step must keep for the nodes to agree in the end.
//!
//! That they do agree (GI3) takes the end of a run to see: it is the checker `convergence` of the clients' final reads.
//! How fast, and how many a rumour misses (GI6), is a statement about many runs: `tribunal spread` measures it.

pub mod monotone;
pub mod no_resurrection;
pub mod one_value_a_stamp;
#[cfg(test)]
mod script;
mod tables;
pub mod validity;

use super::PropertyInfo;

/// The properties of gossip.
pub const PROPERTIES: &[&PropertyInfo] = &[
    &validity::INFO,
    &monotone::INFO,
    &one_value_a_stamp::INFO,
    &no_resurrection::INFO,
];

#[cfg(test)]
mod tests {
    use super::script::{N1, N2, Script, deleted, wrote};

    #[test]
    fn a_delete_that_spreads_tests_every_property_and_breaks_none() {
        let mut script = Script::of(2);
        for (time, value) in [(1, 'a'), (5, 'b')] {
            script.holds(N1, &[wrote(0, time, N1, value)]);
            script.holds(N2, &[wrote(0, time, N1, value)]);
            script.holds(N2, &[deleted(0, time + 1, N2)]);
            script.holds(N1, &[deleted(0, time + 1, N2)]);
            script.holds(N1, &[]);
            script.holds(N2, &[]);
        }
        script.assert_holds();
        for property in super::PROPERTIES {
            assert!(script.exercised(property.id) > 0, "{}", property.id);
        }
    }
}
