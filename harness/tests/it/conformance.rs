//! One conformance suite for every runtime that hosts nodes: what the contract says is what a node gets.
//!
//! A probe is a node that does what its client tells it, effect by effect, and shows what became of it. A case says
//! what clients ask and which faults strike at which time, and what clients must have been answered. The simulator
//! passes it here; a runtime passes it by implementing [`Runtime`].

mod probe;
mod simulated;

/// What happens in a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A client asks the first node to do this: see [`Probe`](probe::Probe).
    Ask(&'static str),
    /// The first node dies, and loses all that is not on its disk.
    Kill,
    /// The first node starts again.
    Restart,
}

/// Something that can host probes.
pub(crate) trait Runtime {
    /// Starts two probes, lets the acts happen at their times, in milliseconds, and says what each that asked was
    /// answered, in the order of the acts; `None` if it was not.
    fn play(&self, acts: &[(u64, Act)]) -> Vec<Option<String>>;
}

fn expect(runtime: &dyn Runtime, acts: &[(u64, Act)], answers: &[Option<&str>]) {
    let played = runtime.play(acts);
    let played: Vec<_> = played.iter().map(Option::as_deref).collect();
    assert_eq!(played, answers, "{acts:?}");
}

/// All cases.
pub(crate) fn conforms(runtime: &dyn Runtime) {
    use Act::{Ask, Kill, Restart};
    const DONE: Option<&str> = Some("done");
    // Effects are executed in order: a timer that is cancelled after it was armed does not fire, one armed after it
    // was cancelled does.
    expect(
        runtime,
        &[
            (0, Ask("arm:1:40 cancel:1 cancel:2 arm:2:40 reply")),
            (300, Ask("show")),
        ],
        &[DONE, Some("disk [] heard [] fired [2]")],
    );
    // Arming an armed timer replaces it, later or sooner.
    expect(
        runtime,
        &[
            (0, Ask("arm:1:40 arm:1:500 arm:2:2000 arm:2:40 reply")),
            (250, Ask("show")),
            (900, Ask("show")),
        ],
        &[
            DONE,
            Some("disk [] heard [] fired [2]"),
            Some("disk [] heard [] fired [2, 1]"),
        ],
    );
    // What is sent after a write waits until it is on the disk; what is sent before it does not have to. The node
    // is told when it is.
    expect(
        runtime,
        &[(0, Ask("write:a send:a reply")), (400, Ask("show"))],
        &[DONE, Some("disk [a] heard [synced, a on disk] fired []")],
    );
    // The queue behind a write keeps its order.
    expect(
        runtime,
        &[
            (0, Ask("write:a write:b reply")),
            (300, Ask("write:c reply")),
            (600, Ask("disk")),
        ],
        &[DONE, DONE, Some("disk [a, b, c]")],
    );
    // A crash keeps what is on the disk, hence all that was answered after it was written, and nothing else: neither
    // memory nor timers.
    expect(
        runtime,
        &[
            (0, Ask("write:a arm:1:900 send:a reply")),
            (400, Kill),
            (500, Restart),
            (1_500, Ask("show")),
        ],
        &[DONE, Some("disk [a] heard [] fired []")],
    );
    // A node that came back goes on with its disk.
    expect(
        runtime,
        &[
            (0, Ask("write:a reply")),
            (300, Kill),
            (400, Restart),
            (800, Ask("write:b reply")),
            (1_200, Ask("disk")),
        ],
        &[DONE, DONE, Some("disk [a, b]")],
    );
}
