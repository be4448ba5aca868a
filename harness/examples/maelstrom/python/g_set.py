#!/usr/bin/env python3
"""Workload g-set, without timers: a set of which every node tells the others everything that they may lack.

As broadcast.py; a merge of sets never counts anything twice.
"""

import json
import os

from maelstrom import Node

node = Node()
elements = set()
path = os.path.join(os.environ.get("TRIBUNAL_NODE_DIR", "."), "elements")


@node.on("init")
def init(message, body):
    if os.path.exists(path):
        with open(path) as file:
            elements.update(json.load(file))


def save():
    # Written whole under another name: a kill in the middle leaves the old file.
    with open(path + ".new", "w") as file:
        json.dump(sorted(elements), file)
    os.replace(path + ".new", path)


def tell_the_others():
    for other in node.node_ids:
        if other != node.node_id:
            node.send(other, {"type": "merge", "elements": sorted(elements)})


@node.on("add")
def add(message, body):
    elements.add(body["element"])
    save()
    node.reply(message, {"type": "add_ok"})
    tell_the_others()


@node.on("merge")
def merge(message, body):
    if not elements.issuperset(body["elements"]):
        elements.update(body["elements"])
        save()


@node.on("read")
def read(message, body):
    node.reply(message, {"type": "read_ok", "value": sorted(elements)})
    tell_the_others()


node.run()
