//! Broadcast: what one node is told, all nodes know in the end.

use serde_json::{Map, Value as Json, json};
use tribunal_histories::{NodeId, Outcome, Value};

use super::{Dialogue, LATE_READ, bare, body, is_read, list, no_refusal};
use crate::generator::{Call, Generator, calls};
use crate::workload::{Entry, Probe, probe};

/// The registry's line.
pub(super) const DIALOGUE: Dialogue = Dialogue {
    workload: Entry {
        name: "broadcast",
        model: "set-full",
        about: "Each node is told its neighbours (--topology). Clients give messages to nodes, and ask nodes which they \
                have seen; in the end every node has every message that was acknowledged, once. Finds messages that are \
                lost in a partition or by a restart.",
        probes: &[
            Probe::new("a broadcast was acknowledged", |history| {
                probe::ended(history, "broadcast", Outcome::Ok)
            }),
            Probe::new("a read was answered at the end", |history| {
                probe::ended(history, "final-read", Outcome::Ok)
            }),
        ],
        operations: |_| {
            let mut told = 0;
            calls(move |draw| {
                if draw.chance(500_000) {
                    return Call::new("read", Value::Nil, Value::Nil);
                }
                told += 1;
                Call::new("broadcast", Value::Nil, told)
            })
            .boxed()
        },
        keys: |_| vec![Value::Nil],
        last_read: LATE_READ,
    },
    bodies: &[
        "topology {topology} → topology_ok",
        "broadcast {message} → broadcast_ok",
        "read → read_ok {messages}",
    ],
    greeting: Some(|cluster| {
        let neighbours = cluster.topology.neighbours(cluster.nodes);
        let topology: Map<String, Json> = NodeId::all(cluster.nodes)
            .zip(neighbours)
            .map(|(node, others)| {
                let others: Vec<_> = others.iter().map(NodeId::to_string).collect();
                (node.to_string(), json!(others))
            })
            .collect();
        let mut fields = bare("topology");
        fields.insert("topology".to_owned(), Json::Object(topology));
        fields
    }),
    request: |call| match call.function {
        "broadcast" => body("broadcast", "message", &call.value),
        _ => bare("read"),
    },
    result: |reply| {
        if is_read(reply) {
            return list(reply, "messages").map(Some);
        }
        Ok(None)
    },
    refusal: no_refusal,
};
