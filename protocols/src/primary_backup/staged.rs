//! Replicas in scenarios: disks are described by a view and the views of the log's operations.

use super::PrimaryBackup;
use super::log::{Entry, Store, ViewNumber, Write};
use crate::contract::Durable;
use crate::scenario::Staged;

impl Staged for PrimaryBackup {
    const MODEL: &'static str = "kv";

    /// `view 3 log 1 1 3`: in step with that view; each operation is `write x` with its index.
    fn disk(words: &str) -> Option<Store> {
        let (view, views) = words.strip_prefix("view ")?.split_once(" log")?;
        let view: ViewNumber = view.parse().ok()?;
        let views: Vec<ViewNumber> = views
            .split_whitespace()
            .map(|view| view.parse().ok())
            .collect::<Option<_>>()?;
        if !views.is_sorted() || views.last().is_some_and(|last| *last > view) {
            return None;
        }
        let mut entries = Vec::new();
        for (index, view) in (1_u32..).zip(views) {
            entries.push(Entry {
                view,
                client: 90,
                sequence: index,
                command: format!("write x {index}").parse().ok()?,
            });
        }
        let mut store = Store::default();
        let follows = store.log.last();
        store.apply(&Write::Synchronise {
            view,
            after: 0,
            follows,
            entries,
        });
        Some(store)
    }

    fn value(&self, object: &str) -> Option<String> {
        Some(self.machine().read(object.parse().ok()?).to_string())
    }
}
