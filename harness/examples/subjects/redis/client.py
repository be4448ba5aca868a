#!/usr/bin/env python3
"""A client of Redis for `tribunal audit file`: an operation a line on standard input, its result a line on standard output.

usage: client.py WORKLOAD PORT                the primary listens at PORT
       client.py WORKLOAD --sentinel PORT     the Sentinel at PORT knows which is the primary
"""

import json
import socket
import sys

CAS = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 else return 0 end"


class Refused(Exception):
    """An error that Redis answers instead of carrying a command out."""


class NotSent(Exception):
    """There is nobody to send a command to, so it was not carried out."""


class Connection:
    """A connection to a Redis, which speaks RESP."""

    def __init__(self, host, port):
        try:
            self.socket = socket.create_connection((host, port), timeout=5)
        except OSError as error:
            raise NotSent(str(error)) from error
        self.lines = self.socket.makefile("rb")

    def ask(self, *words):
        """Sends a command and returns its answer. Every other exception than Refused leaves the outcome open."""
        parts = [str(word).encode() for word in words]
        command = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.socket.sendall(b"*%d\r\n%s" % (len(parts), command))
        return self.answer()

    def answer(self):
        line = self.lines.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Refused(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self.lines.read(int(rest) + 2)[:-2].decode() if int(rest) >= 0 else None
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        return rest.decode()


def primary(arguments):
    """A connection to the primary."""
    if arguments[0] != "--sentinel":
        return Connection("127.0.0.1", int(arguments[0]))
    try:
        sentinel = Connection("127.0.0.1", int(arguments[1]))
        host, port = sentinel.ask("SENTINEL", "get-master-addr-by-name", "main")
    except (OSError, Refused, TypeError) as error:
        raise NotSent(str(error)) from error
    return Connection(host, int(port))


def number(text):
    return None if text is None else int(text)


def carry_out(redis, workload, f, key, value):
    """Carries an operation out, and returns what there is to say of its result."""
    if f == "read" and workload == "set":
        return {"value": [int(element) for element in redis.ask("SMEMBERS", key)]}
    if f == "read":
        return {"value": number(redis.ask("GET", key))}
    if f == "add":
        redis.ask("SADD", key, value)
    elif f == "write":
        redis.ask("SET", key, value)
    elif f == "delete":
        redis.ask("DEL", key)
    elif f == "cas" and redis.ask("EVAL", CAS, 1, key, *value) == 0:
        return {"type": "fail", "error": "another value"}
    return {}


def main():
    redis, workload, where = None, sys.argv[1], sys.argv[2:]
    for line in sys.stdin:
        operation = json.loads(line)
        f, key, value = operation["f"], operation.get("key", workload), operation.get("value")
        try:
            redis = redis or primary(where)
            result = {"type": "ok"} | carry_out(redis, workload, f, key, value)
        except (NotSent, Refused) as error:
            redis, result = None, {"type": "fail", "error": str(error)}
        except OSError as error:
            redis, result = None, {"type": "info", "error": str(error)}
        print(json.dumps(result), flush=True)


main()
