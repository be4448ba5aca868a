#!/usr/bin/env python3
"""Workload unique-ids: the node's name, how often it was started, and a count.

The number of starts is in a file, which outlives the process: a count in memory alone begins again after a restart.
"""

import os

from maelstrom import Node

node = Node()
starts = 0
count = 0


@node.on("init")
def init(message, body):
    global starts
    path = os.path.join(os.environ.get("TRIBUNAL_NODE_DIR", "."), "starts")
    if os.path.exists(path):
        with open(path) as file:
            starts = int(file.read())
    starts += 1
    with open(path, "w") as file:
        file.write(str(starts))


@node.on("generate")
def generate(message, body):
    global count
    count += 1
    node.reply(message, {"type": "generate_ok", "id": f"{node.node_id}-{starts}-{count}"})


node.run()
