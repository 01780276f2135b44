"""The service compared with alternatives. A peer's request is the whole flow; ours is a claim, or grab and open."""
import random
import time

import plan
import scenes_closed
from peers import DURABLE, TITLES, make
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


def our_claims(bench, ids, count):
    signer = bench.stack.signer
    return (plan.claim(ids[i % len(ids)], signer.token(user)) for i, user in enumerate(bench.strangers(count)))


def peer_request(bench, letter, envelope, user):
    """Return the request of a user to a peer; E and F check a token."""
    return plan.claim(envelope, bench.stack.signer.token(user)) if letter in "EF" else peer_grab(envelope, user)


def peer_flow(bench, letter, envelopes, count):
    return (peer_request(bench, letter, i % envelopes + 1, user) for i, user in enumerate(bench.strangers(count)))


class _Peers(Scene):
    """Measure the peers one after the other, with settle paused."""
    slow = True
    per_second = 45000

    def peer(self, bench, letter):
        """Return a peer, started on first use. An idle peer costs nothing."""
        if letter not in bench.peers:
            bench.peers[letter] = make(bench.stack, letter)
        return bench.peers[letter]

    def winners(self, bench, letter, envelopes):
        """Return the result of a peer, and a description of the error."""
        peer = self.peer(bench, letter)
        count = int(self.per_second * bench.seconds)
        peer.fill(envelopes, count // envelopes + 1)
        prepared = plan.Plan(peer_flow(bench, letter, envelopes, count))
        result = bench.fire(prepared, peer.port).result()
        prepared.close()
        wrong = result.wrong("200 opened")
        if letter != "A" and not wrong and peer.claims() != result.count("200 opened"):
            wrong = f"{peer.claims()} claims of {result.count('200 opened')} are in MySQL"
        return result, wrong


class Winners(_Peers):
    envelopes, what = 1, ""
    bars = {}  # of each way of ours: grab and open, claim

    def run(self, bench):
        stack = bench.stack
        stack.reset()
        stack.settle(False)
        best = 0
        for letter in "ABCDEF":
            result, wrong = self.winners(bench, letter, self.envelopes)
            best = max(best, result.rate) if letter in DURABLE and not wrong else best
            note = "A's answer is not durable, and not yet in MySQL" if letter == "A" else ""
            yield Figure(f"peer {TITLES[letter]}: winners, {self.what}", result.rate, wrong=wrong, note=note,
                         cost=result.cost_us())
        for way, requests in (("grab and open", our_flow), ("claim", our_claims)):
            yield self.ours(bench, way, requests, best)

    def ours(self, bench, way, requests, best):
        stack, count = bench.stack, int(25000 * bench.seconds)
        ids = stack.envelopes(self.envelopes, count // self.envelopes + 1)
        prepared = plan.Plan(requests(bench, ids, count))
        result = bench.fire(prepared).result()
        prepared.close()
        note = ("peers A to D check no token and keep no ledger; settle is paused, as peer A's worker is; the ratio is to the "
                "best of the durable peers")
        return Figure(f"ours, {way}: winners, {self.what}", result.rate_of("200 opened"), ceiling=best, note=note,
                      bar=Bar(self.bars[way], unit="best of B..F"), cost=result.cost_us(),
                      wrong=result.wrong("200 grabbed", "200 opened") or stack.audit())


class WinnersMany(Winners):
    name, envelopes, what = "peers-many", 1000, "1,000 envelopes"
    bars = {"grab and open": 1.5, "claim": 2.3}


class WinnersHot(Winners):
    name, envelopes, what = "peers-hot", 1, "one hot envelope"
    bars = {"grab and open": 2.5, "claim": 3.0}


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
        for letter in "ABCDEF":
            peer = self.peer(bench, letter)
            peer.fill(100, 0)
            requests = [peer_request(bench, letter, i % 100 + 1, user) for i, user in enumerate(bench.regulars(20000))]
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
                         note="the ratio is to the best of A to F")


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
        prepared = plan.Plan(peer_flow(bench, "A", self.envelopes, count))
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


class Rush(_Peers):
    """The whole rush: three users for every share, all at once, each repeated when it is answered "busy"."""
    name, what, least = "rush", "many envelopes", 2.3

    def pairs(self, bench, envelopes, shares):
        """Yield (index of the envelope, user) in order of arrival: a hundred envelopes at a time."""
        users, chance = bench.regulars(20000), random.Random(bench.round)
        at_once = 100
        for at in range(0, envelopes, at_once):
            lot = [(at + i, users[(7 * (at + i) + 31 * n) % len(users)]) for i in range(min(at_once, envelopes - at))
                   for n in range(3 * shares)]
            chance.shuffle(lot)
            yield from lot

    def rush(self, bench, port, requests, shares):
        """Return (winners per second, result, description of the error)."""
        prepared = plan.Plan(requests)
        result = bench.fire(prepared, port, seconds=0, retry=True, connections=4 * bench.connections).result()
        prepared.close()
        winners = result.count("200 opened")
        wrong = result.wrong("200 opened", "200 sold_out", "200 busy")
        if not wrong and winners != shares:
            wrong = f"{winners} winners of {shares} shares"
        return winners / result.answers["200 opened"]["last_s"] if winners else 0, result, wrong

    def run(self, bench):
        envelopes, shares = self.size(bench)
        bench.stack.reset()
        bench.stack.settle(False)
        best = 0
        for letter in DURABLE:
            peer = self.peer(bench, letter)
            peer.fill(envelopes, shares)
            requests = (peer_request(bench, letter, i + 1, user) for i, user in self.pairs(bench, envelopes, shares))
            rate, result, wrong = self.rush(bench, peer.port, requests, envelopes * shares)
            if not wrong and peer.claims() != envelopes * shares:
                wrong = f"{peer.claims()} claims are stored"
            best = best if wrong else max(best, rate)
            yield Figure(f"peer {TITLES[letter]}: winners of a rush, {self.what}", rate, wrong=wrong, cost=result.cost_us())
        ids, signer = bench.stack.envelopes(envelopes, shares), bench.stack.signer
        requests = (plan.claim(ids[i], signer.token(user)) for i, user in self.pairs(bench, envelopes, shares))
        rate, result, wrong = self.rush(bench, bench.stack.port, requests, envelopes * shares)
        yield Figure(f"ours, claim: winners of a rush, {self.what}", rate, ceiling=best, bar=Bar(self.least, unit="best of B..F"),
                     wrong=wrong or bench.stack.audit(), cost=result.cost_us(),
                     note=f"{envelopes:,} envelopes of {shares:,} shares, three users for each share; settle is paused")

    def size(self, bench):
        return bench.scaled(10000 if bench.whole() else 1000), 10


class RushHot(Rush):
    name, what, least = "rush-hot", "one hot envelope", 3.0

    def size(self, bench):
        return 1, 5000


SCENES = (WinnersMany, WinnersHot, Rush, RushHot, SoldOut, Credited)
