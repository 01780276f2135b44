"""The service compared with simple alternatives. A peer's grab is the whole flow; ours is grab and open."""
import time

import plan
import scenes_closed
from peers import TITLES, WAYS, Peer
from scene import Scene
from service import wait_until
from table import Bar, Figure

SHARES = 100


def peer_grab(envelope, user):
    """Return a grab of a peer, which takes the Authorization header as the user name and checks no token."""
    lines = f"POST /v1/envelopes/{envelope}/grab HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {user}\r\n"
    return f"{lines}Content-Length: 0\r\n\r\n".encode()


def our_flow(bench, ids, count):
    """Yield pairs of a grab and the open that follows."""
    signer, hole = bench.stack.signer, b"?" * plan.TICKET_BYTES
    for i, user in enumerate(bench.strangers(count)):
        envelope, token = ids[i % len(ids)], signer.token(user)
        yield plan.grab(envelope, token), plan.open_(envelope, token, hole)


def peer_flow(bench, envelopes, count):
    return (peer_grab(i % envelopes + 1, user) for i, user in enumerate(bench.strangers(count)))


class _Peers(Scene):
    """Measure the peers one after the other, with settle paused."""
    slow = True
    per_second = 45000

    def peer(self, bench, letter):
        """Return a peer, started on first use. An idle peer costs nothing."""
        if letter not in bench.peers:
            bench.peers[letter] = Peer(bench.stack, letter)
        return bench.peers[letter]

    def winners(self, bench, letter, envelopes):
        """Return the winners per second of a peer, and a description of the error."""
        peer = self.peer(bench, letter)
        count = int(self.per_second * bench.seconds)
        peer.fill(envelopes, count // envelopes + 1)
        prepared = plan.Plan(peer_flow(bench, envelopes, count))
        result = bench.fire(prepared, peer.port).result()
        prepared.close()
        wrong = result.wrong("200 opened")
        if letter != "A" and not wrong and peer.claims() != result.count("200 opened"):
            wrong = f"{peer.claims()} claims of {result.count('200 opened')} are in MySQL"
        return result.rate, wrong


class Winners(_Peers):
    envelopes, what, least = 1, "", 0.0

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        stack.settle(False)
        best = 0
        for letter in "ABCD":
            rate, wrong = self.winners(bench, letter, self.envelopes)
            best = max(best, rate) if letter in WAYS and not wrong else best
            note = "A's answer is not durable, and not yet in MySQL" if letter == "A" else ""
            yield Figure(f"peer {TITLES[letter]}: winners, {self.what}", rate, wrong=wrong, note=note)
        count = int(25000 * bench.seconds)
        ids = stack.envelopes(self.envelopes, count // self.envelopes + 1)
        prepared = plan.Plan(our_flow(bench, ids, count))
        result = bench.fire(prepared).result()
        prepared.close()
        yield Figure(f"ours, grab and open: winners, {self.what}", result.rate_of("200 opened"), ceiling=best,
                     bar=Bar(self.least, unit="B, C, D"), wrong=result.wrong("200 grabbed", "200 opened") or stack.audit(),
                     note="peers check no token and keep no ledger; settle is paused, as peer A's worker is; the ratio "
                          "is to the best of B, C and D")


class WinnersMany(Winners):
    name, envelopes, what, least = "peers-many", 1000, "1,000 envelopes", 1.5


class WinnersHot(Winners):
    name, envelopes, what, least = "peers-hot", 1, "one hot envelope", 2.5


class SoldOut(_Peers):
    name = "peers-sold-out"

    def answers(self, bench, port, requests):
        prepared = plan.Plan(requests)
        result = bench.fire(prepared, port, cycle=True).result()
        prepared.close()
        return result.rate, result.wrong("200 sold_out")

    def ours(self, bench, scene):
        own = bench.variant(scene.settings, scene.mariadb) if scene.settings else bench
        own.stack.reset()
        rate, wrong = 0, ""
        try:
            requests = scene.requests(own)
        except AssertionError as e:
            return rate, str(e)
        rate, wrong = self.answers(own, own.stack.port, requests)
        if own is not bench:
            own.stack.settle(False)
        return rate, wrong

    def run(self, bench):
        best = 0
        for letter in "ABCD":
            peer = self.peer(bench, letter)
            peer.fill(100, 0)
            requests = [peer_grab(i % 100 + 1, user) for i, user in enumerate(bench.regulars(20000))]
            rate, wrong = self.answers(bench, peer.port, requests)
            best = best if wrong else max(best, rate)
            yield Figure(f"peer {TITLES[letter]}: sold-out answers", rate, wrong=wrong)
        file = b"POST /closed/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
        static, wrong = self.answers(bench, self.peer(bench, "A").port, [file])
        yield Figure("a peer with a static file (nginx): sold-out answers", static, wrong=wrong)
        for scene, title in ((scenes_closed.SoldOutMarkers(), "net 0"), (scenes_closed.SoldOut.for_(bench), "net 0 off")):
            rate, wrong = self.ours(bench, scene)
            bar = Bar(3, unit="best") if title == "net 0" else None
            yield Figure(f"ours, {title}: sold-out answers", rate, ceiling=best, bar=bar, wrong=wrong,
                         note="the ratio is to the best of A, B, C and D")


class Credited(_Peers):
    """From the first grab until the last winner is credited."""
    name = "peers-credited"
    envelopes = 1000

    def run(self, bench):
        count = bench.scaled(100000)
        theirs, wrong = self.theirs(bench, count)
        note = f"{count:,} winners, all different users; timed until the last credit is committed"
        yield Figure(f"peer {TITLES['A']}: credited in MySQL", theirs, wrong=wrong, note=note)
        ours, wrong = self.ours(bench, count)
        yield Figure("ours: credited in MySQL", ours, ceiling=theirs, bar=Bar(1.0, unit="A"), wrong=wrong)

    def theirs(self, bench, count):
        peer = self.peer(bench, "A")
        peer.fill(self.envelopes, count // self.envelopes)
        bench.stack.settle(False)
        prepared = plan.Plan(peer_flow(bench, self.envelopes, count))
        worker = peer.drain()
        result = bench.fire(prepared, peer.port, seconds=0).result()
        wait_until(lambda: peer.redis.command("LLEN", "consumed") == "0", 120, "the queue is drained")
        done = time.monotonic()
        worker.terminate()
        worker.wait(20)
        prepared.close()
        wrong = result.wrong("200 opened")
        return count / (done - result.start_s), wrong or ("" if peer.claims() == count else "claims are missing")

    def ours(self, bench, count):
        stack = bench.stack
        stack.reset()
        prepared = plan.Plan(our_flow(bench, stack.envelopes(self.envelopes, count // self.envelopes), count))
        result = bench.fire(prepared, seconds=0, retry=True).result()
        stack.wait_for_credits()
        done = time.monotonic()
        prepared.close()
        return count / (done - result.start_s), result.wrong("200 grabbed", "200 opened", "200 busy") or stack.audit()


SCENES = (WinnersMany, WinnersHot, SoldOut, Credited)
