//! Ctrl-C: asks for the end of the work at hand, so that what was found so far is kept.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;

/// Listens to Ctrl-C from now on. The first sets the flag; the second ends the process at once.
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
    let interrupts = {
        let _here = runtime.enter();
        signal(SignalKind::interrupt())?
    };
    thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || runtime.block_on(wait(interrupts, &flag)))?;
    Ok(interrupted)
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the user has asked twice, and whoever is at work does not hear the flag"
)]
async fn wait(mut interrupts: Signal, flag: &AtomicBool) {
    if interrupts.recv().await.is_some() {
        flag.store(true, Ordering::Relaxed);
        if interrupts.recv().await.is_some() {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    }
}
