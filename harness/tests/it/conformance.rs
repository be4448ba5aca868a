//! One conformance suite for every runtime that hosts nodes: what the contract says is what a node gets.
//!
//! A probe is a node that does what its client tells it, effect by effect, and shows what became of it. A case says
//! what clients ask and which faults strike at which time, and what clients must have been answered. The simulator
//! and real processes pass it here; a runtime passes it by implementing [`Runtime`].

mod live;
mod probe;
mod simulated;

/// What happens in a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A client asks the first node to do this: see [`Probe`](probe::Probe).
    Ask(&'static str),
    /// The first node dies. What is on its disk remains; what it wrote and is not there yet may be lost.
    Kill,
    /// The first node starts again.
    Restart,
}

/// Something that can host probes.
pub(crate) trait Runtime {
    /// Starts two probes, lets the acts happen at their times, in milliseconds, and says what each that asked was
    /// answered, in the order of the acts; `None` if it was not. The cases leave half a second for what is to
    /// have happened before an act: time may be real, and machines busy.
    fn play(&self, acts: &[(u64, Act)]) -> Vec<Option<String>>;
}

fn expect(runtime: &dyn Runtime, acts: &[(u64, Act)], answers: &[Option<&str>]) {
    let played = runtime.play(acts);
    let played: Vec<_> = played.iter().map(Option::as_deref).collect();
    assert_eq!(played, answers, "{acts:?}");
}

/// All cases that hold wherever nodes run. What only the simulator can show is a case of its own there.
pub(crate) fn conforms(runtime: &dyn Runtime) {
    use Act::{Ask, Kill, Restart};
    const DONE: Option<&str> = Some("done");
    // Effects are executed in order: a timer that is cancelled after it was armed does not fire, one armed after it
    // was cancelled does.
    expect(
        runtime,
        &[
            (0, Ask("arm:1:40 cancel:1 cancel:2 arm:2:40 reply")),
            (600, Ask("show")),
        ],
        &[DONE, Some("disk [] heard [] fired [2]")],
    );
    // Arming an armed timer replaces it, later or sooner.
    expect(
        runtime,
        &[
            (0, Ask("arm:1:40 arm:1:1100 arm:2:4000 arm:2:40 reply")),
            (600, Ask("show")),
            (1_600, Ask("show")),
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
        &[(0, Ask("write:a send:a reply")), (600, Ask("show"))],
        &[DONE, Some("disk [a] heard [synced, a on disk] fired []")],
    );
    // The queue behind a write keeps its order.
    expect(
        runtime,
        &[
            (0, Ask("write:a write:b reply")),
            (500, Ask("write:c reply")),
            (1_000, Ask("disk")),
        ],
        &[DONE, DONE, Some("disk [a, b, c]")],
    );
    // A crash keeps what is on the disk, hence all that was answered after it was written, and nothing else: neither
    // memory nor timers.
    expect(
        runtime,
        &[
            (0, Ask("write:a arm:1:900 send:a reply")),
            (500, Kill),
            (600, Restart),
            (1_600, Ask("show")),
        ],
        &[DONE, Some("disk [a] heard [] fired []")],
    );
    // A node that came back goes on with its disk.
    expect(
        runtime,
        &[
            (0, Ask("write:a reply")),
            (500, Kill),
            (600, Restart),
            (1_100, Ask("write:b reply")),
            (1_600, Ask("disk")),
        ],
        &[DONE, DONE, Some("disk [a, b]")],
    );
}
