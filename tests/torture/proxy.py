"""A proxy on a unix socket that knows where requests begin and what they are, and injects faults by rules.

The three protocols differ in how a stream is cut into requests and replies (class attributes of Proxy's children):
MariaDB in packets, memcached in lines with data, FastCGI in records."""
import os
import random
import re
import select
import signal
import socket
import struct
import threading
import time

from rules import Rules

CHUNK = 65536


class Cut(Exception):
    """This connection ends here, for both sides."""


class Link:
    """One connection: what the client sent and is not forwarded yet."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.name = ""     # who the client is: the database user
        self.pending = b""
        self.silent = False


class Proxy:
    """Accepts on path, connects to upstream. Threads end with their connections."""

    def __init__(self, path, upstream, seed=0):
        self.path, self.upstream = str(path), str(upstream)
        self.rules = Rules(f"{seed} {type(self).__name__}")
        self.pauses = random.Random(seed)
        self.closing = False
        self.listener = None
        self._listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _listen(self):
        if self.listener:
            self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(512)
        self.listener.settimeout(0.05)

    def close(self):
        self.closing = True
        self.listener.close()

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except socket.timeout:
                if not os.path.exists(self.path):
                    self._listen()  # start removes the sockets of an earlier run
                continue
            except OSError:
                continue
            client.settimeout(None)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        link = Link(client, server)
        try:
            server.connect(self.upstream)
            self._pump(link)
        except (OSError, Cut):
            pass
        finally:
            client.close()
            server.close()

    def _pump(self, link):
        while True:
            ready, _, _ = select.select([link.client, link.server], [], [])
            if link.server in ready:
                data = link.server.recv(CHUNK)
                if not data:
                    raise Cut
                if not link.silent:
                    link.client.sendall(data)
            if link.client in ready:
                data = link.client.recv(CHUNK)
                if not data:
                    raise Cut
                link.pending += data
                self._forward(link)

    def _forward(self, link):
        plain = b""
        for operation, raw in self.split(link):
            rule = None if link.silent else self.rules.choose(link.name, operation)
            if rule is None:
                plain += b"" if link.silent else raw
                continue
            if plain:
                link.server.sendall(plain)
                plain = b""
            getattr(self, f"_{rule.action}")(link, raw, rule)
        if plain:
            link.server.sendall(plain)

    # ---- actions ----
    def _delay(self, link, raw, rule):
        time.sleep(self.pauses.uniform(0, rule.argument))
        link.server.sendall(raw)

    def _trickle(self, link, raw, _rule):
        for at in range(len(raw)):
            link.server.sendall(raw[at:at + 1])
            if at % 16 == 0:
                time.sleep(0.0005)

    def _reset(self, _link, _raw, _rule):
        raise Cut

    def _drop_request(self, _link, _raw, _rule):
        pass

    def _drop_reply(self, link, raw, _rule):
        link.server.sendall(raw)
        link.server.settimeout(10)
        self.read_reply(link.server)
        raise Cut

    def _black_hole(self, link, _raw, _rule):
        link.silent = True

    def _hold(self, link, raw, rule):
        link.client.close()
        time.sleep(rule.argument)
        link.server.sendall(raw)
        link.server.settimeout(10)
        self.read_reply(link.server)
        raise Cut

    def _error(self, link, raw, rule):
        link.client.sendall(self.error_reply(int(rule.argument)))
        if self.error_ends:
            raise Cut

    def _kill_before(self, link, _raw, _rule):
        self._kill(link)

    def _kill_after(self, link, raw, _rule):
        link.server.sendall(raw)
        link.server.settimeout(10)
        self.read_reply(link.server)
        self._kill(link)

    @staticmethod
    def _kill(link):
        """Kill the process that connected, as the kernel names it."""
        pid, _, _ = struct.unpack("3i", link.client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # another point killed it
        raise Cut

    # ---- what a protocol knows ----
    error_ends = False

    def split(self, link):
        """Take whole requests from link.pending: (operation, raw bytes)."""
        raise NotImplementedError

    def read_reply(self, server):
        server.recv(CHUNK)

    def error_reply(self, number):
        raise NotImplementedError


class MysqlProxy(Proxy):
    """Operations are statements as far as their table: "COMMIT", "INSERT claim"; "CONNECT" the login."""

    COM_QUERY = 3
    STATES = {1213: b"40001", 1205: b"HY000", 1020: b"HY000", 1047: b"08S01", 1290: b"HY000", 1040: b"08004",
              1114: b"HY000", 1317: b"70100", 1969: b"70100", 1158: b"08S01", 1180: b"HY000"}
    TABLE = re.compile(rb"^(SELECT|INSERT|UPDATE|DELETE)\b.*?\b(?:FROM|INTO|UPDATE)\s+(\w+)|^(UPDATE)\s+(\w+)", re.S)

    def operation(self, payload):
        if payload[:1] != bytes([self.COM_QUERY]):
            return "OTHER"
        text = payload[1:].strip()
        found = self.TABLE.match(text)
        if found:
            verb, table = found[1] or found[3], found[2] or found[4]
            return f"{verb.decode()} {table.decode()}"
        return text.split(b" ")[0].decode("ascii", "replace").upper()

    def split(self, link):
        while len(link.pending) >= 4:
            end = 4 + int.from_bytes(link.pending[:3], "little")
            if len(link.pending) < end:
                return
            raw, link.pending = link.pending[:end], link.pending[end:]
            if not link.name:  # the answer to the greeting: flags, size, charset, 23 bytes, the user
                link.name = raw[36:].split(b"\0")[0].decode("ascii", "replace")
                yield "CONNECT", raw
            else:
                yield self.operation(raw[4:]), raw

    def error_reply(self, number):
        body = b"\xff" + number.to_bytes(2, "little") + b"#" + self.STATES.get(number, b"HY000") + b"injected"
        return len(body).to_bytes(3, "little") + b"\x01" + body


class MemcachedProxy(Proxy):
    """Operations are commands: "gets", "cas", "add", "set"."""

    WITH_DATA = {b"set", b"add", b"replace", b"append", b"prepend", b"cas"}

    def split(self, link):
        while b"\r\n" in link.pending:
            line, _, rest = link.pending.partition(b"\r\n")
            words = line.split(b" ")
            end = len(line) + 2
            if words[0] in self.WITH_DATA and len(words) >= 5:
                end += int(words[4]) + 2
                if len(link.pending) < end:
                    return
            raw, link.pending = link.pending[:end], link.pending[end:]
            yield words[0].decode("ascii", "replace"), raw

    def error_reply(self, number):
        return b"SERVER_ERROR injected\r\n"


class FcgiProxy(Proxy):
    """One request a connection. Its operation is "REQUEST", when its last record has come."""

    def split(self, link):
        data, at, last = link.pending, 0, False
        while len(data) - at >= 8 and not last:
            size = 8 + int.from_bytes(data[at + 4:at + 6], "big") + data[at + 6]
            if len(data) - at < size:
                return
            last = data[at + 1] == 5 and size == 8  # an empty FCGI_STDIN
            at += size
        if last:
            raw, link.pending = data[:at], data[at:]
            yield "REQUEST", raw

    def read_reply(self, server):
        while server.recv(CHUNK):
            pass

    error_ends = True

    def error_reply(self, number):
        return b""
