//! What a node does for its clients: it answers at once, by what it knows.

use super::disk::{Change, Write};
use super::request::{Ask, Object, Request};
use super::table::{Cell, Record, Stamp};
use super::{Cx, Gossip, GossipBug, probes};
use crate::contract::ClientId;
use crate::state_machine::{self, Output};

impl Gossip {
    pub(super) fn serve(
        &mut self,
        client: ClientId,
        sequence: u32,
        request: Request,
        cx: &mut Cx<'_>,
    ) {
        if let Ask::Read | Ask::FinalRead = request.ask {
            let table = &cx.durable().table;
            let value = match request.object {
                Object::Register(key) => table.register(key),
                Object::Counter(key) => table.count(key),
            };
            let value = value.map_or(
                state_machine::Object::Absent,
                state_machine::Object::Integer,
            );
            return cx.reply(client, sequence, Output::Value(value));
        }
        match cx.durable().sessions.get(&client) {
            Some((last, _)) if *last > sequence => return,
            Some((last, output)) if *last == sequence && !cx.has(GossipBug::RetriesMadeAgain) => {
                let output = output.clone();
                cx.note(probes::ANSWERED_FROM_SESSION);
                return cx.reply(client, sequence, output);
            }
            _ => {}
        }
        let (output, record) = self.change(request, cx);
        let change = record.map(|record| {
            if record.is_tombstone() && cx.has(GossipBug::NoTombstone) {
                Change::Drop(record.cell, record.stamp)
            } else {
                Change::Put(record)
            }
        });
        let write = Write::Serve {
            number: cx.durable().served + 1,
            client,
            sequence,
            output: output.clone(),
            change,
        };
        if cx.has(GossipBug::OwnWritesNotDurable) {
            cx.write_but_forget_to_persist(&write);
        } else {
            cx.write(write);
        }
        if let Some(Change::Put(record)) = change {
            self.becomes_hot(&record, None, cx);
        }
        cx.reply(client, sequence, output);
    }

    /// What a client's change comes to: its answer, and the record that it makes.
    fn change(&mut self, request: Request, cx: &mut Cx<'_>) -> (Output, Option<Record>) {
        let cell = match request.object {
            Object::Register(key) => Cell::register(key),
            Object::Counter(key) => Cell::share(key, cx.me()),
        };
        let before = cx.durable().table.at(cell).and_then(|record| record.value);
        let value = match request.ask {
            Ask::Cas(old, _) if before != Some(old) => {
                cx.note(probes::CAS_MISMATCH);
                return (Output::Mismatch, None);
            }
            Ask::Write(value) | Ask::Cas(_, value) => Some(value),
            Ask::Add(amount) => Some(before.unwrap_or_default() + amount),
            Ask::Delete | Ask::Read | Ask::FinalRead => None,
        };
        self.clock += 1;
        let stamp = Stamp {
            time: self.clock,
            author: cx.me(),
        };
        let record = Record { cell, stamp, value };
        // With a right clock a new record is the newest here.
        let newest = cx
            .durable()
            .table
            .stamp_at(cell)
            .is_none_or(|mine| mine < stamp);
        (Output::Done, newest.then_some(record))
    }

    /// The clock never falls behind a stamp that was heard, so what is written later is newer (Lamport, CACM 1978).
    pub(super) fn hear_time(&mut self, stamp: Stamp, cx: &Cx<'_>) {
        if !cx.has(GossipBug::ClockHearsNothing) {
            self.clock = self.clock.max(stamp.time);
        }
    }
}
