//! Which texts can still grow into one that somebody observed.

use std::collections::BTreeSet;
use std::sync::Arc;

use tribunal_histories::Value;

/// The values that a partition's operations observe; texts among them also stand for their prefixes.
///
/// A text that grows until it is overwritten has a state for every order of its appends. One that is no prefix of an
/// observed value cannot become one by growing, and so all of those are one state.
#[derive(Clone, Debug)]
pub(super) struct Prefixes {
    observed: Arc<BTreeSet<Value>>,
}

impl Prefixes {
    pub(super) fn new(observed: impl IntoIterator<Item = Value>) -> Self {
        let observed = Arc::new(observed.into_iter().collect());
        Self { observed }
    }

    /// Whether some operation observes this value, or one that begins with it.
    pub(super) fn covers(&self, value: &Value) -> bool {
        // In lexicographic order, what begins with a text directly follows it.
        let next = self.observed.range(value..).next();
        next.is_some_and(|next| begins_with(next, value))
    }

    /// The observed values that are not themselves the beginning of another.
    pub(super) fn longest(&self) -> impl Iterator<Item = &Value> {
        let nexts = self.observed.iter().skip(1).map(Some).chain([None]);
        self.observed
            .iter()
            .zip(nexts)
            .filter(|(value, next)| !next.is_some_and(|next| begins_with(next, value)))
            .map(|(value, _)| value)
    }
}

fn begins_with(whole: &Value, start: &Value) -> bool {
    match (whole, start) {
        (Value::Text(whole), Value::Text(start)) => whole.starts_with(&**start),
        _ => whole == start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_observed_values_are_covered_and_nothing_else() {
        let prefixes = Prefixes::new(["abc", "ab", "b"].map(Value::from));
        for (text, covered) in [
            ("", true),
            ("a", true),
            ("abc", true),
            ("abd", false),
            ("abcd", false),
            ("aa", false),
            ("c", false),
        ] {
            assert_eq!(prefixes.covers(&text.into()), covered, "{text}");
        }
        let longest: Vec<_> = prefixes.longest().collect();
        assert_eq!(longest, [&Value::text("abc"), &Value::text("b")]);
    }
}
