#!/usr/bin/env python3
"""Workload lin-kv: every request is passed on to the service lin-kv, and its answer back.

A node keeps nothing, so there is nothing that could be old. (A store of your own, on Raft say, goes in its place.)
"""

from maelstrom import Node

node = Node()


def passed_on(message, body):
    request = {name: value for name, value in body.items() if name != "msg_id"}

    def answered(answer):
        node.reply(message, {name: value for name, value in answer.items() if name != "in_reply_to"})

    node.call("lin-kv", request, answered)


for kind in ["read", "write", "cas"]:
    node.on(kind)(passed_on)

node.run()
