"""Memory and disk space of an envelope, a process and a claim."""
import re
import socket

import opening
from scene import Scene
from table import Figure

ENVELOPES, CLAIMS = 10000, 50000


def cache_bytes(stack):
    """Return the bytes of all items in memcached."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(stack.directory / "run/cache.sock"))
        s.sendall(b"stats\r\n")
        answer = b""
        while not answer.endswith(b"END\r\n"):
            answer += s.recv(65536)
    return int(re.search(rb"STAT bytes (\d+)", answer)[1])


def process_kib(pid):
    """Return (resident, proportional) memory in KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        text = file.read()
    return tuple(int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) for name in ("Rss", "Pss"))


class Memory(Scene):
    name, slow = "memory", True

    def run(self, bench):
        empty = bench.variant((), (), "memory")
        stack = empty.stack  # its memcached has not evicted anything yet
        stack.reset()
        before = cache_bytes(stack)
        ids = stack.envelopes(bench.scaled(ENVELOPES), 10)
        yield Figure("memory: an envelope in memcached", (cache_bytes(stack) - before) / len(ids), "bytes",
                     note="without user items")
        claims = bench.scaled(CLAIMS)
        ids = stack.envelopes(100, claims // 100)
        stack.do_all(opening.requests(empty, ids, claims), "200 opened")
        files = sum((stack.directory / f"db/hongbao/{name}.ibd").stat().st_size for name in ("claim", "transfer"))
        yield Figure("  a claim on disk, with its transfer", files / claims, "bytes", wrong=stack.audit())
        for pool in ("grab", "open", "send", "query"):
            found = [process_kib(pid) for pid in bench.stack.service.workers(pool)]
            yield Figure(f"  a process of {pool}: resident", max(f[0] for f in found) / 1024, "MiB",
                         note="after the preceding scenes")
            yield Figure(f"  a process of {pool}: its share (PSS)", max(f[1] for f in found) / 1024, "MiB")


SCENES = (Memory,)
