//! The monitor: it shows every observation of a run to a set of properties, and keeps the first violation.

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, OnceLock};

use foldhash::quality::FixedState;
use tribunal_histories::{Fingerprints, Observation, Renamings};

use super::ghost::{Ghost, Moment};
use super::{Property, PropertyInfo, Violation, properties_for};

/// How often a property was put to the test in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exercise {
    /// The id of the property.
    pub property: &'static str,
    /// How many observations tested it; 0 means that the run says nothing about it.
    pub count: u64,
}

/// A property that clones of a monitor share for as long as it remembers the same.
#[derive(Clone, Debug)]
struct Watched {
    info: &'static PropertyInfo,
    /// With the fingerprints of what it remembers, as far as they were asked for.
    property: Arc<Remembered>,
    exercised: u64,
}

/// A property, and the fingerprints of what it remembers, under the renamings that an explorer goes by.
#[derive(Debug)]
struct Remembered {
    property: Box<dyn Property>,
    fingerprints: OnceLock<Fingerprints>,
}

impl Remembered {
    fn new(property: Box<dyn Property>) -> Self {
        Self {
            property,
            fingerprints: OnceLock::new(),
        }
    }

    fn fingerprint(&self, id: &'static str, renamings: &Renamings, which: usize) -> u64 {
        let fingerprints = self.fingerprints.get_or_init(|| {
            let plain = self.property.fingerprint(&renamings[0]);
            renamings.looked_up(id, plain, |renaming| self.property.fingerprint(renaming))
        });
        fingerprints.under(which)
    }
}

impl Watched {
    fn observe(&mut self, moment: &Moment<'_>) -> Result<bool, Violation> {
        if !self.property.property.concerns(moment) {
            return Ok(false);
        }
        if let Some(alone) = Arc::get_mut(&mut self.property) {
            alone.fingerprints.take();
            return alone.property.observe(moment);
        }
        let mut changed = self.property.property.clone_boxed();
        let result = changed.observe(moment);
        if !changed.equals(&*self.property.property) {
            self.property = Arc::new(Remembered::new(changed));
        }
        result
    }
}

/// Watches one run of a cluster.
///
/// The monitor stops to judge at the first observation that breaks a property: what follows a violation is not
/// evidence of anything. Until then an observation in which nothing happened costs a few comparisons.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    ghost: Ghost,
    watched: Vec<Watched>,
    observations: u64,
    violations: Vec<Violation>,
}

impl Monitor {
    /// Begins to watch a run for the given properties.
    pub fn new<'p>(properties: impl IntoIterator<Item = &'p &'static PropertyInfo>) -> Self {
        let watch = |info: &&'static PropertyInfo| Watched {
            info,
            property: Arc::new(Remembered::new((info.watch)())),
            exercised: 0,
        };
        Self {
            watched: properties.into_iter().map(watch).collect(),
            ..Self::default()
        }
    }

    /// Begins to watch a run for all the properties of a protocol; `None` when no properties are known for it.
    pub fn of(protocol: &str) -> Option<Self> {
        properties_for(protocol).map(Self::new)
    }

    /// Judges one observation. All observations of the run are to be shown, in order.
    pub fn observe(&mut self, observation: &Observation<'_>) {
        if !self.violations.is_empty() {
            return;
        }
        self.observations += 1;
        let moment = self.ghost.moment(observation);
        for watched in &mut self.watched {
            match watched.observe(&moment) {
                Ok(tested) => watched.exercised += u64::from(tested),
                Err(violation) => {
                    watched.exercised += 1;
                    self.violations.push(violation);
                }
            }
        }
        let kept = moment.kept;
        self.ghost.remember(observation, kept);
    }

    /// A number that monitors share which judge whatever follows in the same way: the fingerprint that this one would
    /// have under one of these renamings, by its place among them. They must be the same at every call.
    pub fn fingerprint(&self, renamings: &Renamings, which: usize) -> u64 {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        hasher.write_u64(self.ghost.fingerprint(renamings, which));
        for watched in &self.watched {
            hasher.write_u64(
                watched
                    .property
                    .fingerprint(watched.info.id, renamings, which),
            );
        }
        hasher.finish()
    }

    /// The first violation, if there was one.
    pub fn violation(&self) -> Option<&Violation> {
        self.violations.first()
    }

    /// All properties that the first bad observation broke, in the order in which they are watched.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many observations were judged, the first bad one included.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// How often each property was put to the test.
    pub fn exercised(&self) -> impl Iterator<Item = Exercise> + '_ {
        self.watched.iter().map(|watched| Exercise {
            property: watched.info.id,
            count: watched.exercised,
        })
    }
}
