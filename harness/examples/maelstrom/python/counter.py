#!/usr/bin/env python3
"""Workloads g-counter and pn-counter, without timers: a state-based counter (a PN-counter of Shapiro and others, 2011).

Every node keeps what each node has added and taken away in all; of two counts for a node the greater is the newer. So a
merge can be repeated, reordered and lost, and nothing is counted twice.
"""

import json
import os

from maelstrom import Node

node = Node()
# By node, what was added there and what was taken away, in all.
counts = {}
path = os.path.join(os.environ.get("TRIBUNAL_NODE_DIR", "."), "counts")


@node.on("init")
def init(message, body):
    counts.update({name: [0, 0] for name in node.node_ids})
    if os.path.exists(path):
        with open(path) as file:
            counts.update(json.load(file))


def save():
    with open(path + ".new", "w") as file:
        json.dump(counts, file)
    os.replace(path + ".new", path)


def tell_the_others():
    for other in node.node_ids:
        if other != node.node_id:
            node.send(other, {"type": "merge", "counts": counts})


@node.on("add")
def add(message, body):
    delta = body["delta"]
    own = counts[node.node_id]
    counts[node.node_id] = [own[0] + max(delta, 0), own[1] + max(-delta, 0)]
    save()
    node.reply(message, {"type": "add_ok"})
    tell_the_others()


@node.on("merge")
def merge(message, body):
    for name, theirs in body["counts"].items():
        counts[name] = [max(ours, other) for ours, other in zip(counts[name], theirs)]
    save()


@node.on("read")
def read(message, body):
    value = sum(added - taken for added, taken in counts.values())
    node.reply(message, {"type": "read_ok", "value": value})
    tell_the_others()


node.run()
