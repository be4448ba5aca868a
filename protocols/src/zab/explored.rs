//! ZAB in exploration: votes compare names.

use super::{Message, Zab};
use crate::explored::{Expedition, Explored};

impl Explored for Zab {
    const NAMES_MATTER: bool = true;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "1-epoch",
            about: "an election and a broadcast",
            flags: "--epochs 1 --timeouts decide=2,leader=1,ping=1,0 --grain exchanges --op 'write x 1' --strategy dfs",
        },
        Expedition {
            name: "3-epochs",
            about: "3 epochs, a crash, a timeout",
            flags: "--epochs 3 --timeouts decide=3,leader=1,ping=0,0 --grain exchanges --actors 2 --asks own --op 'write x 1' --crashes 1 --strategy dfs",
        },
        Expedition {
            name: "5-servers",
            about: "5 servers, 2 epochs",
            flags: "--nodes 5 --epochs 2 --timeouts decide=2,leader=1,0 --grain exchanges --actors 2 --asks own --op 'write x 1' --strategy dfs",
        },
    ];

    fn is_of_election(message: &Message) -> bool {
        matches!(
            message,
            Message::Notification { .. }
                | Message::FollowerInfo { .. }
                | Message::NewEpoch { .. }
                | Message::AckEpoch { .. }
        )
    }
}
