"""Reads of an envelope while it fills."""
import http.client

import plan
from load import Load
from scene import RateScene

ENVELOPES, SHARES, OPENED = 500, 100, 20
OPENS_PER_SECOND = 100  # concurrent with the reads


class _Pages(RateScene):
    pool = "query"
    cycle = True
    note = f"with {OPENS_PER_SECOND} opens per second of the same envelopes, settle running"

    def requests(self, bench):
        stack = bench.stack
        self.ids = stack.envelopes(ENVELOPES, SHARES)
        stack.do_all(self.opens(bench, ENVELOPES * OPENED), "200 opened")
        stack.wait_for_credits()
        readers = [(i % ENVELOPES, user) for i, user in enumerate(bench.regulars(5000))]
        answers = [self.read(stack, i) for i in self.ids]
        self.answer_bytes = len(answers[0][1]) if self.answer_status == 200 else 0
        stack.do_all((self.look(stack, at, user) for at, user in readers), "200 open")  # the readers already watch
        return [self.look(stack, at, user, self.known(answers[at])) for at, user in readers]

    def look(self, stack, at, user, etag=None):
        return plan.request("GET", f"/v1/envelopes/{self.ids[at]}", stack.signer.token(user), etag=etag)

    def known(self, answer):
        """Return the ETag for If-None-Match, or None."""
        raise NotImplementedError

    def opens(self, bench, count):
        signer = bench.stack.signer
        for i, user in enumerate(bench.strangers(count)):
            envelope = self.ids[i % ENVELOPES]
            yield plan.open_(envelope, signer.token(user), signer.ticket(envelope, user))

    def read(self, stack, envelope, user="r0"):
        """Read an envelope over a persistent connection; return (ETag, body)."""
        if not hasattr(self, "connection"):
            self.connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
        self.connection.request("GET", f"/v1/envelopes/{envelope}",
                                headers={"Authorization": f"Bearer {stack.signer.token(user).decode()}"})
        response = self.connection.getresponse()
        return response.headers["ETag"], response.read()

    def measured(self, bench, prepared, **options):
        filling = plan.Plan(self.opens(bench, int(OPENS_PER_SECOND * bench.seconds)))
        beside = Load(bench.stack.load, bench.stack.port, filling, bench.stack.directory, seconds=bench.seconds, connections=8,
                      rate=OPENS_PER_SECOND)
        result = super().measured(bench, prepared, **options)
        assert not beside.result().wrong("200 opened")
        filling.close()
        return result


class Read200(_Pages):
    name, title, bar = "get-200", "envelope page data, GET 200, while it fills", 0.40
    expected = ("200 open",)

    def known(self, answer):
        return None


class Read304(_Pages):
    name, title, bar = "get-304", "envelope page data, GET 304, while it fills", 0.65
    answer_status = 304
    expected = ("304", "200 open")

    def known(self, answer):
        return answer[0]

    def check(self, bench, counts):
        share = counts["304"] / counts.total()
        return "" if share > 0.85 else f"only {share:.0%} of the answers were 304"


SCENES = (Read200, Read304)
