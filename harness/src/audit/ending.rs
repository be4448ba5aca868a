//! How a run ended, and whether enough of its operations succeeded: the same for all kinds of subjects.

use std::fmt;
use std::str::FromStr;

use tribunal_checkers::Verdict;
use tribunal_checkers::verdict::{Counterexample, Judgement};
use tribunal_histories::{History, Outcome};

use super::drive::{Driven, End};
use crate::judge::holds;

/// The name under which it is reported that too few operations succeed.
pub(super) const AVAILABILITY: &str = "availability";

/// The name under which it is reported that a run did not come to its end.
const RUN: &str = "run";

/// Which part of all operations must succeed. After Maelstrom's `--availability`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// All of them.
    Total,
    /// So many of a million.
    AtLeastPpm(u32),
}

impl FromStr for Availability {
    type Err = String;

    /// `total`, or a fraction between 0 and 1.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "total" {
            return Ok(Self::Total);
        }
        match text.parse::<f64>() {
            Ok(part) if (0.0..=1.0).contains(&part) => {
                Ok(Self::AtLeastPpm((part * 1e6).round() as u32))
            }
            _ => Err("an availability is `total`, or a number from 0 to 1".to_owned()),
        }
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total => f.write_str("total"),
            Self::AtLeastPpm(ppm) => write!(f, "{}", f64::from(*ppm) / 1e6),
        }
    }
}

/// The run did not come to its end, for this reason.
pub(super) fn cut_short(why: String) -> Verdict {
    Verdict::unknown(RUN, why, vec!["what comes after it".to_owned()])
}

/// Whether the run came to its end.
pub(super) fn ending(driven: &Driven) -> Verdict {
    match &driven.end {
        End::Complete | End::Broken => holds(RUN, "the run came to its end", 1),
        End::Stopped => cut_short("the run was stopped before its end".to_owned()),
        End::CannotInject(error) => cut_short(error.to_string()),
        End::Impossible(why) => cut_short(why.clone()),
    }
}

/// Whether so many operations succeeded.
pub(super) fn available(availability: Availability, history: &History) -> Verdict {
    let all = history.operations().count() as u64;
    let ok = history
        .operations()
        .filter(|operation| operation.outcome == Outcome::Ok)
        .count() as u64;
    let wanted_ppm = match availability {
        Availability::Total => 1_000_000,
        Availability::AtLeastPpm(ppm) => u64::from(ppm),
    };
    let told = format!("{ok} of {all} operations succeeded");
    if ok * 1_000_000 >= all * wanted_ppm {
        return holds(AVAILABILITY, &told, all);
    }
    let because =
        format!("Because --availability {availability} was asked for, more of them had to.");
    let counterexample = Counterexample::Cluster {
        step: 0,
        nodes: Vec::new(),
    };
    let judgement = Judgement::Invalid { counterexample };
    Verdict::new(AVAILABILITY, judgement, vec![told, because])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn availability_is_total_or_a_fraction() {
        assert_eq!("total".parse(), Ok(Availability::Total));
        assert_eq!("0.9".parse(), Ok(Availability::AtLeastPpm(900_000)));
        assert!("1.1".parse::<Availability>().is_err());
        assert!("most".parse::<Availability>().is_err());
        assert_eq!(Availability::AtLeastPpm(950_000).to_string(), "0.95");
    }
}
