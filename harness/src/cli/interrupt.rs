//! Ctrl-C, and SIGTERM, which means the same: asks for the end of the work at hand, so that what was found so far is
//! kept.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;

/// Listens to Ctrl-C and SIGTERM from now on. The first sets the flag; the second ends the process at once.
///
/// # Errors
/// The operating system's.
pub(crate) fn listen() -> io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    // Taken here, not by the thread: from the return of this on, no Ctrl-C ends the process unheard.
    let signals = {
        let _here = runtime.enter();
        Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        }
    };
    thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || runtime.block_on(wait(signals, &flag)))?;
    Ok(interrupted)
}

/// What asks for the end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Waits for one of them.
    async fn recv(&mut self) -> Option<()> {
        tokio::select! {
            biased;
            asked = self.interrupt.recv() => asked,
            asked = self.terminate.recv() => asked,
        }
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the user has asked twice, and whoever is at work does not hear the flag"
)]
async fn wait(mut signals: Signals, flag: &AtomicBool) {
    if signals.recv().await.is_some() {
        flag.store(true, Ordering::Relaxed);
        if signals.recv().await.is_some() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    }
}
