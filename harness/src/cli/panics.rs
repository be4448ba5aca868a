//! Panics: a bug of this tool ends it with a text that makes a useful bug report.

use std::panic;
use std::thread;

use crate::report::note;
use crate::sweep::WORKER;

/// From now on a panic is reported; one inside a run is a result of the sweep and only noted there.
pub(crate) fn report() {
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        let message = info.payload_as_str().unwrap_or("no message");
        if thread::current().name() == Some(WORKER) {
            note(&format!("a run panicked{place}: {message}"));
        } else {
            ask_for_report(&format!("panicked{place}: {message}"));
        }
    }));
}

/// The text that asks for a bug report.
pub(crate) fn ask_for_report(what: &str) {
    let command: Vec<_> = std::env::args().collect();
    note(&format!(
        "---- a bug of tribunal: please report this ----\n\
         what      {what}\n\
         version   {} on {} {}\n\
         command   {}\n\
         ------------------------------------------------",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        command.join(" ")
    ));
}
