"""Grabs and claims of sold-out envelopes, answered by the web server or by a pool."""
import http.client

import plan
from scene import RateScene
from service import wait_until

CLOSED = 100  # envelopes
CROWD = 20000


def answer(port, path, token=None):
    """Send one POST; return (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, b"", {"Authorization": f"Bearer {token}"} if token else {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


class _SoldOut(RateScene):
    pool, answer_bytes = "grab", 20
    call = "grab"
    expected = ("200 sold_out",)
    cycle = True
    note = "the same 20,000 users throughout"

    def requests(self, bench):
        signer, ids = bench.stack.signer, close(bench, CLOSED)
        wrong = self.wait(bench, ids)
        assert not wrong, wrong
        tokens = [signer.token(user) for user in bench.regulars(CROWD)]
        return [plan.request("POST", self.path(ids[i % len(ids)]), token) for i, token in enumerate(tokens)]

    def path(self, envelope):
        return f"/v1/envelopes/{envelope}/{self.call}"

    def wait(self, bench, ids):
        """Wait until the envelopes are in the state the scene needs. Return a description of the error, or ""."""
        return ""


def close(bench, count):
    """Make envelopes of one share, open them, and return their ids."""
    ids = bench.stack.envelopes(count, 1)
    token = bench.stack.signer.token("winner")
    bench.stack.do_all([(plan.grab(i, token), plan.open_(i, token, b"?" * plan.TICKET_BYTES)) for i in ids],
                       "200 grabbed", "200 opened")
    return ids


class SoldOutMarkers(_SoldOut):
    name, title, bar, latency_ms = "sold-out-markers", "sold-out grabs, net 0: the web server's own file", 4.0, 2

    def wait(self, bench, ids):
        if not bench.stack.has_setting("site.markers"):
            return "there is no setting site.markers"
        try:  # the pool would require a token
            wait_until(lambda: all(answer(bench.stack.port, self.path(i))[0] == 200 for i in ids), 10,
                       "the web server answers from markers")
        except AssertionError as e:
            return str(e)
        return ""


class SoldOut(_SoldOut):
    name, title, bar, latency_ms = "sold-out", "sold-out grabs in FastCGI (net 0 off)", 0.85, 2
    settings = ("site.markers=no",)

    @classmethod
    def for_(cls, bench):
        """Return a scene that uses a separate installation only if the service has markers."""
        scene = cls()
        if not bench.stack.has_setting("site.markers"):
            scene.settings = ()
        return scene

    def run(self, bench):
        self.settings = self.for_(bench).settings
        yield from super().run(bench)

    def wait(self, bench, ids):
        """Let every process confirm every end: until then some requests are answered "busy"."""
        token = bench.stack.signer.token("early")
        bench.stack.do_all([plan.request("POST", self.path(i), token) for i in ids] * 20, "200 sold_out", "200 busy")
        status, _ = answer(bench.stack.port, self.path(ids[0]))
        return "" if status == 401 else "the web server answers from a marker"


class ClaimsSoldOutMarkers(SoldOutMarkers):
    name, title, bar, latency_ms = "claims-sold-out-markers", "sold-out claims, net 0: the web server's own file", 2.9, None
    pool, call = "open", "claim"


class ClaimsSoldOut(SoldOut):
    name, title, bar, latency_ms = "claims-sold-out", "sold-out claims in FastCGI (net 0 off)", 0.85, None
    pool, call = "open", "claim"


SCENES = (SoldOutMarkers, SoldOut, ClaimsSoldOutMarkers, ClaimsSoldOut)
