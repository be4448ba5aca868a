//! ZAB in exploration: votes compare names.

use super::{Message, Zab};
use crate::explored::{Expedition, Explored, Names};

impl Explored for Zab {
    const NAMES_MATTER: Names = Names::OfAll;

    const GRID: &'static [Expedition] = &[
        Expedition {
            name: "3-epochs",
            about: "3 epochs, a crash, a leader that gives up",
            flags: "--epochs 3 --timeouts retry=any,decide=any,leader=1,ping=any,0 --grain exchanges --silent-start --asks own --op 'write x 1' --crashes 1 --strategy dfs",
        },
        Expedition {
            name: "2-writes",
            about: "2 writes through different servers, leaders that give up twice",
            flags: "--epochs 3 --timeouts retry=any,decide=any,leader=2,ping=any,0 --grain exchanges --silent-start --asks own --op 'write x 1' --op 'write x 2' --strategy dfs",
        },
        Expedition {
            name: "5-servers",
            about: "5 servers, 3 of which act, 2 epochs",
            flags: "--nodes 5 --epochs 2 --timeouts retry=4,decide=any,leader=1,ping=1,0 --actors 3 --grain exchanges --contacts 2 --silent-start --asks own --op '' --op '' --op 'write x 1' --strategy dfs",
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
