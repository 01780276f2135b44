"""Faults that a proxy injects: rules drawn from a seed, and a log of what they did.

A rule names a connection (database user, or ""), an operation as the proxy's protocol calls it, and an action:

    delay S          forward after S seconds (at random up to S)
    trickle          forward byte by byte
    reset            cut the connection instead of forwarding
    drop_request     swallow the request; the client waits
    drop_reply       forward, wait for the reply, cut the connection: applied, and the client does not know
    black_hole       from here on forward nothing on this connection, in either direction
    hold S           keep the request for S seconds on a connection that the client sees cut at once, then
                     forward it: it is applied while the client already repeats it
    error N          answer with error packet N (MariaDB), or SERVER_ERROR (memcached), without forwarding
    kill_before      kill -9 the process at the other end instead of forwarding
    kill_after       forward, wait for the reply, kill -9 the process before it has the reply"""
import collections
import dataclasses
import random
import threading
import time

ACTIONS = ("delay", "trickle", "reset", "drop_request", "drop_reply", "black_hole", "hold", "error", "kill_before",
           "kill_after")


@dataclasses.dataclass
class Rule:
    operation: str  # exact, or a prefix that ends in "*"
    action: str
    argument: float = 0
    connection: str = ""  # "": any
    probability: float = 1.0
    count: int = 1 << 60  # so often at most
    done: int = 0

    def __post_init__(self):
        assert self.action in ACTIONS, self.action

    def fits(self, connection, operation):
        if self.connection and self.connection != connection:
            return False
        if self.operation.endswith("*"):
            return operation.startswith(self.operation[:-1])
        return operation == self.operation


class Rules:
    """The rules of one proxy. Shared by its threads."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.rules, self.log, self.seen = [], [], set()

    def set(self, *rules):
        with self.lock:
            self.rules = list(rules)

    def clear(self):
        self.set()

    def choose(self, connection, operation):
        """The rule that strikes here, or None. Logged."""
        with self.lock:
            self.seen.add((connection, operation))
            for rule in self.rules:
                if rule.done < rule.count and rule.fits(connection, operation) \
                        and self.chance.random() < rule.probability:
                    rule.done += 1
                    self.log.append((time.monotonic_ns(), connection, operation, rule.action))
                    return rule
        return None

    def happened(self, since_ns=0):
        """(operation, action) -> how often."""
        with self.lock:
            return collections.Counter((operation, action) for at, _, operation, action in self.log if at >= since_ns)

    def struck(self):
        """(connection, operation, action) -> how often, for the rules that are set."""
        with self.lock:
            return {(rule.connection, rule.operation, rule.action): rule.done for rule in self.rules}
