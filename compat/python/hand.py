"""The loop that every Python hand shares: it reads commands as hand.ts describes them, calls the verb, writes the answer."""

import base64
import json
import platform
import sys


class Cannot(Exception):
    """The client has no such thing."""


class Refused(Exception):
    """An error by Kafka's own name or number; "CLIENT" where it is the client's own."""

    def __init__(self, error, message):
        super().__init__(message)
        self.error = error


def serve(client, version, cannot, verbs, naming, client_id=None):
    """`verbs` maps names to functions of the command; `naming` makes a Refused of any other exception. `client_id`: what the
    client calls itself, where it takes COMPAT_CLIENT_ID from its environment."""
    out = sys.stdout
    sys.stdout = sys.stderr  # a library that prints must not answer

    def say(answer):
        out.write(json.dumps(answer) + "\n")
        out.flush()

    hello = {"client": client, "version": version, "runtime": "Python " + platform.python_version(), "cannot": cannot}
    if client_id is not None:
        hello["clientId"] = client_id
    say({"hello": hello})
    for line in sys.stdin:
        say(answer(json.loads(line), verbs, naming))


def answer(ask, verbs, naming):
    verb = verbs.get(ask["verb"])
    if verb is None:
        return {"cannot": "this hand has no verb " + ask["verb"]}
    try:
        return {"ok": verb(ask) or {}}
    except Cannot as why:
        return {"cannot": str(why)}
    except Refused as refused:
        return {"error": refused.error, "message": str(refused)}
    except Exception as problem:  # whatever the client throws is its answer
        refused = naming(problem)
        return {"error": refused.error, "message": f"{type(problem).__name__}: {problem}"}


def packed(held):
    return None if held is None else base64.b64encode(held).decode("ascii")


def unpacked(text):
    return None if text is None else base64.b64decode(text)


def headers_of(record):
    return [(name, unpacked(held)) for name, held in record["headers"]]


def read(topic, partition, offset, timestamp, key, value, headers, **more):
    """A record as `poll` gives it."""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp,
        "key": packed(key),
        "value": packed(value),
        "headers": [[name, packed(held)] for name, held in headers or ()],
        **more,
    }


def partitions(pairs):
    """Topic-partitions as an answer tells them, in order."""
    return [{"topic": topic, "partition": partition} for topic, partition in sorted(pairs)]


def table(*sources):
    """The verbs of several parts of a hand: every public method is one."""
    return {
        name: getattr(source, name)
        for source in sources
        for name in dir(source)
        if not name.startswith("_") and callable(getattr(source, name))
    }
