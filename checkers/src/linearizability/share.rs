//! Partitions shared out among processors. They have nothing to do with each other, so that it makes no difference to
//! what comes of each which thread judged it, and when.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use super::certificate::{Claim, Verified, Verifier};
use super::{Judge, Judged};
use crate::model::Model;

/// Fewer operations than this are judged sooner than a thread starts.
const OPERATIONS_MIN: usize = 2_000;

/// How many partitions a thread takes at once.
const BATCH: usize = 16;

/// How often a thread that waits for others looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl<M: Model> Judge<'_, M> {
    /// How many threads are worth it. To ask how many processors there are takes longer than to judge a short history.
    fn threads(&self) -> usize {
        let batches = self.split.partitions.len().div_ceil(BATCH);
        if batches < 2 || self.split.marks_len() < OPERATIONS_MIN {
            return 1;
        }
        let processors = thread::available_parallelism().map_or(1, usize::from);
        processors.min(batches)
    }

    /// What comes of each partition; orders are still to be verified.
    pub(super) fn judge_all(&self) -> Vec<Judged> {
        let partitions = &self.split.partitions;
        let threads = self.threads();
        if threads < 2 {
            let all = partitions.iter();
            return all.map(|partition| self.decide(partition)).collect();
        }
        let is_stopped = AtomicBool::new((self.stop)());
        let taken = AtomicUsize::new(0);
        let (sender, results) = mpsc::channel();
        let work = |sender: mpsc::Sender<(usize, Judged)>, judge: &Judge<'_, M>| {
            loop {
                let first = taken.fetch_add(BATCH, Ordering::Relaxed);
                if first >= partitions.len() {
                    return;
                }
                for (place, partition) in partitions.iter().enumerate().skip(first).take(BATCH) {
                    if sender.send((place, judge.decide(partition))).is_err() {
                        return;
                    }
                }
            }
        };
        let Self {
            model,
            discipline,
            history,
            split,
            request,
            ..
        } = self;
        let mut all: Vec<Option<Judged>> = Vec::new();
        all.resize_with(partitions.len(), || None);
        thread::scope(|scope| {
            for _ in 0..threads {
                let sender = sender.clone();
                let (work, is_stopped) = (&work, &is_stopped);
                scope.spawn(move || {
                    let judge = Judge {
                        model: model.clone(),
                        discipline: discipline.clone(),
                        history,
                        split,
                        request,
                        stop: &|| is_stopped.load(Ordering::Relaxed),
                    };
                    work(sender, &judge);
                });
            }
            drop(sender);
            loop {
                match results.recv_timeout(LOOK_EVERY) {
                    Ok((place, judged)) => all[place] = Some(judged),
                    Err(RecvTimeoutError::Timeout) => {
                        is_stopped.fetch_or((self.stop)(), Ordering::Relaxed);
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        all.into_iter()
            .map(|judged| judged.expect("every partition was judged, or the scope panicked"))
            .collect()
    }

    /// Whether the orders of partitions are linearizations of them.
    pub(super) fn verify_all(&self, claims: &[Claim<'_>]) -> Vec<Verified> {
        let Self { model, history, .. } = self;
        let share = claims.len().div_ceil(self.threads()).max(1);
        if claims.len() <= share {
            return Verifier::new(model, history).verify_all(claims);
        }
        thread::scope(|scope| {
            let shares = claims.chunks(share).map(|share| {
                let model = model.clone();
                scope.spawn(move || Verifier::new(&model, history).verify_all(share))
            });
            let shares: Vec<_> = shares.collect();
            let verified = shares.into_iter().map(ScopedJoinHandle::join);
            verified
                .flat_map(|share| share.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        })
    }
}
