"""Read and corrupt the items that the programs keep in memcached."""
import socket


class Cache:
    """Items of envelopes; for the formats see lib/wire/gate_value.c. kind: "g" gate, "v" version."""

    def __init__(self, service):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(service.directory / "run/cache.sock"))
        self.file = self.socket.makefile("rb")
        self.generation = service.sql("SELECT LOWER(HEX(generation)) FROM meta")[0][0]

    def key(self, envelope, kind="g"):
        return f"{envelope.replace('-', '')}/{kind}/{self.generation}"

    def get(self, envelope, kind="g"):
        """Return the space-separated words of the item, [] if it is missing."""
        self.socket.sendall(f"get {self.key(envelope, kind)}\r\n".encode())
        words = []
        while (line := self.file.readline().strip()) != b"END":
            words = [] if line.startswith(b"VALUE ") else line.decode().split(" ")
        return words

    def set(self, envelope, text, kind="g", seconds=600):
        self.socket.sendall(f"set {self.key(envelope, kind)} 0 {seconds} {len(text)}\r\n{text}\r\n".encode())
        assert self.file.readline().strip() == b"STORED"
