#!/usr/bin/env python3
"""Workload broadcast, without timers: every message goes to every node until that node has said that it has it.

There is no clock, so what was lost is sent again when something else happens: with everything that a node tells another
it tells all that the other has not acknowledged, and a read is occasion enough. A message is on disk before it is
acknowledged, for a node that was killed must not forget it.
"""

import json
import os

from maelstrom import Node

node = Node()
messages = []
seen = set()
# By other node, what it is known to have.
has = {}
path = os.path.join(os.environ.get("TRIBUNAL_NODE_DIR", "."), "messages")


@node.on("init")
def init(message, body):
    has.update({other: set() for other in node.node_ids if other != node.node_id})
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                learn(json.loads(line), keep=False)


def learn(value, keep=True):
    if value in seen:
        return
    if keep:
        with open(path, "a") as file:
            file.write(json.dumps(value) + "\n")
    seen.add(value)
    messages.append(value)


def tell_the_others():
    for other, known in has.items():
        news = [value for value in messages if value not in known]
        if news:
            node.send(other, {"type": "gossip", "messages": news})


@node.on("topology")
def topology(message, body):
    # With as few nodes as this the shortest way is the direct one.
    node.reply(message, {"type": "topology_ok"})


@node.on("broadcast")
def broadcast(message, body):
    learn(body["message"])
    node.reply(message, {"type": "broadcast_ok"})
    tell_the_others()


@node.on("gossip")
def gossip(message, body):
    for value in body["messages"]:
        learn(value)
    has[message["src"]].update(body["messages"])
    node.send(message["src"], {"type": "gossip_ok", "messages": body["messages"]})


@node.on("gossip_ok")
def gossip_ok(message, body):
    has[message["src"]].update(body["messages"])


@node.on("read")
def read(message, body):
    node.reply(message, {"type": "read_ok", "messages": messages})
    tell_the_others()


node.run()
