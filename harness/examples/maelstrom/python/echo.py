#!/usr/bin/env python3
"""Workload echo: what comes back is what was sent."""

from maelstrom import Node

node = Node()


@node.on("echo")
def echo(message, body):
    node.reply(message, {"type": "echo_ok", "echo": body["echo"]})


node.run()
