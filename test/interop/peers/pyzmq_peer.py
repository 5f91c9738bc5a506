"""libzmq through Debian's python3-zmq, behind the lines of JSON that serve.ts speaks.

One thread and one loop: every socket is asked for its state at least every 5 ms, since libzmq attaches peers and sends
subscriptions again only while its application is in a call.
"""

import collections
import hashlib
import json
import os
import struct
import sys

import zmq

PATTERN = bytes(range(251))
PROBE = b"\0probe\0"
KINDS = {
    "Publisher": zmq.PUB,
    "Subscriber": zmq.SUB,
    "XPublisher": zmq.XPUB,
    "XSubscriber": zmq.XSUB,
    "Push": zmq.PUSH,
    "Pull": zmq.PULL,
}
RECEIVES = ("Subscriber", "XPublisher", "XSubscriber", "Pull")
OPTIONS = {
    "linger": zmq.LINGER,
    "sendHighWaterMark": zmq.SNDHWM,
    "receiveHighWaterMark": zmq.RCVHWM,
    "reconnectInterval": zmq.RECONNECT_IVL,
    "heartbeatInterval": zmq.HEARTBEAT_IVL,
    "heartbeatTimeout": zmq.HEARTBEAT_TIMEOUT,
    "heartbeatTimeToLive": zmq.HEARTBEAT_TTL,
    "handshakeInterval": zmq.HANDSHAKE_IVL,
    "maxMessageSize": zmq.MAXMSGSIZE,
    "manual": zmq.XPUB_MANUAL,
    "noDrop": zmq.XPUB_NODROP,
    "welcomeMessage": zmq.XPUB_WELCOME_MSG,
    "invertMatching": zmq.INVERT_MATCHING,
    "conflate": zmq.CONFLATE,
    "immediate": zmq.IMMEDIATE,
}
VERBOSITY = {"allSubs": zmq.XPUB_VERBOSE, "allSubsUnsubs": zmq.XPUB_VERBOSER}
EVENTS = {
    zmq.EVENT_ACCEPTED: "accept",
    zmq.EVENT_CONNECTED: "connect",
    zmq.EVENT_HANDSHAKE_SUCCEEDED: "handshake",
    zmq.EVENT_DISCONNECTED: "disconnect",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "handshake:error:protocol",
}


def say(line):
    os.write(1, json.dumps(line).encode() + b"\n")


def body(start, size):
    at = start % len(PATTERN)
    pattern = PATTERN[at:] + PATTERN[:at]
    return (pattern * (size // len(pattern) + 1))[:size]


def message(sequence, shape):
    return [body(sequence * 31 + part * 7, size) for part, size in enumerate(shape)]


def digest(parts):
    return "+".join(str(len(part)) for part in parts) + ":" + hashlib.sha1(b"".join(parts)).hexdigest()[:12]


def text(parts):
    return "|".join(part.decode("latin1") for part in parts)


class Post:
    """One named socket: what it has received, what it has to send, and which command waits for what."""

    def __init__(self, context, name, kind, options):
        self.name = name
        self.kind = kind
        self.socket = context.socket(KINDS[kind])
        for option, value in options.items():
            if option == "verbosity":
                self.socket.setsockopt(VERBOSITY[value], 1)
            else:
                self.socket.setsockopt(OPTIONS[option], value.encode() if isinstance(value, str) else value)
        self.monitor = self.socket.get_monitor_socket()
        self.paused = False
        self.received = []
        self.probes = 0
        self.waiting = []  # [condition, answer, id], in the order of arrival
        self.outgoing = []  # [messages still to be sent, id]
        self.probing = None
        self.probed_count = 0

    def work(self):
        """One round: events, what came in, what goes out, who can be answered."""
        while self.monitor.poll(0):
            event, _ = struct.unpack("=hi", self.monitor.recv_multipart()[0])
            if event in EVENTS:
                say({"socket": self.name, "event": EVENTS[event]})
        if self.kind in RECEIVES and not self.paused:
            self.read()
        else:
            self.socket.getsockopt(zmq.EVENTS)
        if self.probing is not None:
            self.socket.send_multipart([self.probing, PROBE])
            self.probed_count += 1
        self.write()
        self.answer()

    def read(self):
        try:
            while True:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
                if len(parts) == 2 and parts[1] == PROBE:
                    self.probes += 1
                else:
                    self.received.append(parts)
        except zmq.Again:
            pass

    def write(self):
        while self.outgoing:
            messages, command = self.outgoing[0]
            try:
                while messages:
                    self.socket.send_multipart(messages[0], zmq.NOBLOCK)
                    messages.popleft()
            except zmq.Again:
                # A full queue has room again within microseconds, or not for long.
                if self.socket.poll(1, zmq.POLLOUT):
                    continue
                return
            self.outgoing.pop(0)
            say({"id": command, "result": None})

    def answer(self):
        while self.waiting and self.waiting[0][0]():
            _, answer, command = self.waiting.pop(0)
            say({"id": command, "result": answer()})

    def take(self, count, describe):
        taken, self.received = self.received[:count], self.received[count:]
        return [describe(parts) for parts in taken]

    def forget_probes(self):
        self.probes = 0

    def close(self):
        self.socket.disable_monitor()
        self.socket.close()


class Station:
    def __init__(self):
        self.context = zmq.Context()
        self.posts = {}

    def run(self, command):
        """Does the command. Returns True when the answer comes later, from the post's own rounds."""
        action, name, number = command["do"], command["socket"], command["id"]
        if action == "open":
            self.posts[name] = Post(self.context, name, command["kind"], command["options"])
            return say({"id": number, "result": None})
        post = self.posts[name]
        result = None
        if action == "bind":
            post.socket.bind(command["address"])
            result = post.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        elif action in ("connect", "unbind", "disconnect"):
            getattr(post.socket, action)(command["address"])
        elif action in ("subscribe", "unsubscribe"):
            option = zmq.SUBSCRIBE if action == "subscribe" else zmq.UNSUBSCRIBE
            for topic in command["topics"]:
                post.socket.setsockopt(option, topic.encode("latin1"))
        elif action == "send":
            messages = (message(command["from"] + i, shape) for i, shape in enumerate(command["shapes"]))
            return post.outgoing.append([collections.deque(messages), number])
        elif action == "sendText":
            messages = ([part.encode("latin1") for part in parts] for parts in command["messages"])
            return post.outgoing.append([collections.deque(messages), number])
        elif action == "receive":
            count, describe = command["count"], text if command["as"] == "text" else digest
            enough = lambda: len(post.received) >= count
            return post.waiting.append([enough, lambda: post.take(count, describe), number])
        elif action == "probe":
            post.probing = command["topic"].encode("latin1")
            post.probed_count = 0
        elif action == "probed":
            return post.waiting.append([lambda: post.probes > 0, post.forget_probes, number])
        elif action == "stop":
            post.probing, result = None, post.probed_count
        elif action in ("pause", "resume"):
            post.paused = action == "pause"
        elif action == "close":
            self.posts.pop(name).close()
        else:
            raise ValueError("no command " + action)
        say({"id": number, "result": result})

    def serve(self):
        poller = zmq.Poller()
        poller.register(0, zmq.POLLIN)
        pending = b""
        say({"ready": True})
        while True:
            if poller.poll(5):
                chunk = os.read(0, 65536)
                if not chunk:
                    return
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    command = json.loads(line)
                    try:
                        self.run(command)
                    except Exception as error:  # the test is told; the peer lives on
                        say({"id": command["id"], "error": repr(error)})
            for post in list(self.posts.values()):
                post.work()


Station().serve()
os._exit(0)  # without waiting for messages that nobody will fetch
