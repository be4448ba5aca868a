//! The orders of all live configurations, which share their beginnings.

use super::configuration::Configuration;

/// A step of an order: a call that took effect, and when the search had to decide that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The step before.
    before: u32,
    /// The call.
    pub(super) call: u32,
    /// The position of the return at which it took effect.
    pub(super) round: u32,
}

/// The orders of all live configurations.
#[derive(Debug, Default)]
pub(super) struct Paths {
    steps: Vec<Step>,
    /// When to forget the steps that no live configuration needs.
    sweep_at: usize,
}

impl Paths {
    /// The path before the first step.
    pub(super) const ROOT: u32 = u32::MAX;
    const SWEEP_MIN: usize = 1 << 16;

    /// The path that goes on with a call.
    pub(super) fn push(&mut self, before: u32, call: usize, round: usize) -> u32 {
        let number = |n: usize| u32::try_from(n).expect("fewer than 2^32 fit in memory");
        let path = number(self.steps.len());
        self.steps.push(Step {
            before,
            call: number(call),
            round: number(round),
        });
        path
    }

    /// The steps of a path in order.
    pub(super) fn order(&self, mut path: u32) -> Vec<Step> {
        let mut order = Vec::new();
        while path != Self::ROOT {
            let step = self.steps[path as usize];
            order.push(step);
            path = step.before;
        }
        order.reverse();
        order
    }

    /// Forgets the steps that none of these needs, now and then.
    pub(super) fn sweep(&mut self, live: &mut [Configuration]) {
        if self.steps.len() < self.sweep_at.max(Self::SWEEP_MIN) {
            return;
        }
        let mut moved = vec![Self::ROOT; self.steps.len()];
        for configuration in &*live {
            let mut path = configuration.path;
            while path != Self::ROOT && moved[path as usize] == Self::ROOT {
                moved[path as usize] = 0;
                path = self.steps[path as usize].before;
            }
        }
        // A step comes after the one before it, so that in this order the latter has moved already.
        let mut kept = 0;
        for path in 0..self.steps.len() {
            if moved[path] != Self::ROOT {
                let step = self.steps[path];
                let before = moved.get(step.before as usize).copied();
                let before = before.unwrap_or(Self::ROOT);
                moved[path] = u32::try_from(kept).expect("fewer than before");
                self.steps[kept] = Step { before, ..step };
                kept += 1;
            }
        }
        for configuration in live {
            let path = configuration.path as usize;
            configuration.path = moved.get(path).copied().unwrap_or(Self::ROOT);
        }
        self.steps.truncate(kept);
        self.sweep_at = 2 * kept;
    }

    /// About how much memory this holds.
    pub(super) fn bytes(&self) -> usize {
        self.steps.len() * size_of::<Step>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_keeps_the_orders_of_the_living() {
        let mut paths = Paths::default();
        let mut live = [Configuration {
            placed: 0,
            state: 0,
            used: 0,
            path: Paths::ROOT,
            entry: 0,
        }];
        let mut expected = Vec::new();
        for call in 0..Paths::SWEEP_MIN {
            paths.push(live[0].path, call + 1, 0);
            live[0].path = paths.push(live[0].path, call, call);
            expected.push(u32::try_from(call).unwrap());
        }
        let before = paths.bytes();
        paths.sweep(&mut live);
        assert_eq!(paths.bytes(), before / 2);
        let order = paths.order(live[0].path);
        assert!(order.iter().all(|step| step.call == step.round));
        let calls: Vec<_> = order.into_iter().map(|step| step.call).collect();
        assert_eq!(calls, expected);
    }
}
