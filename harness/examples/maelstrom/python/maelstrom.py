"""A node of Maelstrom's protocol: messages in on standard input, messages out on standard output.

Small on purpose: copy it and change it. What is printed to standard error is kept by the harness.
"""

import json
import sys


class Node:
    """Reads messages and hands each to the handler of its type."""

    def __init__(self):
        self.node_id = None
        self.node_ids = []
        self.handlers = {}
        self.callbacks = {}
        self.last_msg_id = 0

    def on(self, kind):
        """Registers a handler: it is given the message, and its body."""

        def register(handler):
            self.handlers[kind] = handler
            return handler

        return register

    def send(self, dest, body):
        line = json.dumps({"src": self.node_id, "dest": dest, "body": body})
        # One write for the whole line, and at once: a line that stays in a buffer was not sent.
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def reply(self, request, body):
        self.send(request["src"], dict(body, in_reply_to=request["body"]["msg_id"]))

    def call(self, dest, body, callback):
        """Sends a request; `callback` is given the body of the answer, whenever it comes."""
        self.last_msg_id += 1
        self.callbacks[self.last_msg_id] = callback
        self.send(dest, dict(body, msg_id=self.last_msg_id))

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            body = message["body"]
            if body.get("in_reply_to") in self.callbacks:
                self.callbacks.pop(body["in_reply_to"])(body)
            elif body["type"] == "init":
                self.node_id = body["node_id"]
                self.node_ids = body["node_ids"]
                if "init" in self.handlers:
                    self.handlers["init"](message, body)
                self.reply(message, {"type": "init_ok"})
            elif body["type"] in self.handlers:
                self.handlers[body["type"]](message, body)
