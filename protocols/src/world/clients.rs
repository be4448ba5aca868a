//! What clients do to a world, and what they see.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_histories::{EventRecord, Kind, NodeId, Process, Value};

use super::{Address, Body, NotEnabled, Observer, Packet, SharedPacket, World};
use crate::contract::{ClientId, Node, Recorded, Reply};

/// A client's latest operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call<Q> {
    sequence: u32,
    request: Q,
    open: bool,
    /// It was given up: as in Jepsen, the process never does anything again.
    retired: bool,
}

/// By client.
pub(super) type Calls<N> = BTreeMap<ClientId, Call<<N as Node>::Request>>;

/// What clients do.
impl<N: Node> World<N> {
    /// A client's latest operation, by its number, and whether it is still in flight; `None` before its first.
    pub fn call(&self, client: ClientId) -> Option<(u32, bool)> {
        self.calls
            .get(&client)
            .map(|call| (call.sequence, call.open))
    }

    fn change_calls(&mut self) -> &mut Calls<N> {
        Arc::make_mut(&mut self.calls).change()
    }

    pub(super) fn invoke(
        &mut self,
        client: ClientId,
        sequence: u32,
        to: NodeId,
        request: &N::Request,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let busy = self
            .calls
            .get(&client)
            .is_some_and(|call| call.open || call.retired || call.sequence >= sequence);
        if busy || to.index() >= self.places.len() {
            return Err(NotEnabled);
        }
        let call = Call {
            sequence,
            request: request.clone(),
            open: true,
            retired: false,
        };
        self.change_calls().insert(client, call);
        observer.client_event(client_event(client, request, Kind::Invoke, None));
        self.resend(client, to)
    }

    pub(super) fn resend(&mut self, client: ClientId, to: NodeId) -> Result<(), NotEnabled> {
        let call = self
            .calls
            .get(&client)
            .filter(|call| call.open)
            .ok_or(NotEnabled)?;
        let body = Body::Request {
            sequence: call.sequence,
            request: call.request.clone(),
        };
        self.network.put(SharedPacket::from(Packet {
            from: Address::Client(client),
            to: Address::Node(to),
            body,
        }));
        Ok(())
    }

    pub(super) fn give_up(
        &mut self,
        client: ClientId,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let call = self
            .change_calls()
            .get_mut(&client)
            .filter(|call| call.open)
            .ok_or(NotEnabled)?;
        (call.open, call.retired) = (false, true);
        observer.client_event(client_event(client, &call.request, Kind::Info, None));
        Ok(())
    }

    /// A response arrives at its client. One that the client no longer waits for is thrown away.
    pub(super) fn respond(
        &mut self,
        client: ClientId,
        packet: &SharedPacket<N>,
        observer: &mut dyn Observer,
    ) -> Result<(), NotEnabled> {
        let Body::Response { sequence, response } = &packet.body else {
            return Err(NotEnabled);
        };
        if !self.network.take(packet) {
            return Err(NotEnabled);
        }
        let call = self
            .change_calls()
            .get_mut(&client)
            .filter(|call| call.open && call.sequence == *sequence);
        let Some(call) = call else {
            return Ok(());
        };
        let (kind, result) = match N::reply(&call.request, response) {
            Reply::Ok(value) => (Kind::Ok, value),
            Reply::Fail(error) => (Kind::Fail, error),
            Reply::Elsewhere(_) => return Ok(()),
        };
        call.open = false;
        observer.client_event(client_event(client, &call.request, kind, Some(result)));
        Ok(())
    }
}

/// An event of a client's history. Operations without a result of their own complete with their argument, as in
/// Jepsen; and as there, what is done to the cluster and not to its objects is the nemesis's.
pub fn client_event<Q: Recorded>(
    client: ClientId,
    request: &Q,
    kind: Kind,
    result: Option<Value>,
) -> EventRecord {
    let (function, key, value) = request.record();
    let process = if request.is_administrative() {
        Process::Nemesis
    } else {
        Process::Client(client)
    };
    let mut event = EventRecord::new(process, kind, function, key, value);
    match (kind, result) {
        (Kind::Ok, Some(result)) if !result.is_nil() => event.value = result,
        (Kind::Fail, Some(error)) => event.error = error,
        _ => {}
    }
    event
}
