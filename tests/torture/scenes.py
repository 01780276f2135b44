"""The fault table: each scene makes one kind of fault happen so many times under load."""
import collections
import datetime
import os
import random
import signal
import threading
import time

from clients import Caller, Load
from history import OK, Operation
from rules import Rule
from service import listens, wait_until
from swarm import Swarm, grab_request, open_request

SCENES = {}
Result = collections.namedtuple("Result", "trials events")


def scene(name, small, full):
    """Register a scene: a function (stage, wanted trials, chance) -> Result."""
    def register(function):
        SCENES[name] = (function, small, full)
        return function
    return register


def under_load(stage, done, limit_s, grace_s=40, missing=lambda: "", **more):
    """Run clients until done() is true. Fails if that takes longer than limit_s; missing() says what."""
    load = Load(stage.service, stage.history, stage.seed, stage.next_load(), **more).start()
    end = time.monotonic() + limit_s
    try:
        while not done():
            assert not load.errors, load.errors
            assert time.monotonic() < end, f"not enough happened within {limit_s} s {missing()}"
            time.sleep(0.02)
    finally:
        stage.clear()
        load.finish(grace_s)


def with_rules(stage, proxies, wanted, rules, **more):
    """Load with rules on proxies until they struck `wanted` times."""
    began = time.monotonic_ns()

    def happened():
        counts = collections.Counter()
        for proxy in proxies:
            counts.update(proxy.rules.happened(began))
        return counts
    for proxy in proxies:
        proxy.rules.set(*rules())
    under_load(stage, lambda: sum(happened().values()) >= wanted, 60 + wanted, **more)
    counts = happened()
    return Result(sum(counts.values()), {f"{operation} {action}": n for (operation, action), n in counts.items()})


def register_commits(user, small):
    """COMMITs of one program: applied and the reply lost, lost, held."""
    connection = f"hongbao_{user}"

    @scene(f"{user}: COMMIT applied, reply lost", small, 20000)
    def reply_lost(stage, wanted, _chance):
        return with_rules(stage, [stage.database], wanted, lambda: [Rule("COMMIT", "drop_reply", 0, connection, 0.3)])

    @scene(f"{user}: COMMIT lost", small, 20000)
    def lost(stage, wanted, _chance):
        return with_rules(stage, [stage.database], wanted, lambda: [Rule("COMMIT", "reset", 0, connection, 0.3)])

    @scene(f"{user}: COMMIT held while the client repeats", small // 5, 20000)
    def held(stage, wanted, _chance):
        return with_rules(stage, [stage.database], wanted, lambda: [Rule("COMMIT", "hold", 0.3, connection, 0.1)])

    return reply_lost, lost, held


for program, few in (("open", 100), ("send", 50), ("settle", 40)):
    register_commits(program, few)

PROGRAMS = [f"hongbao_{program}" for program in ("send", "grab", "open", "query", "settle")]
ERRORS = (1213, 1205, 1020, 1047, 1290, 1040, 1114, 1317, 1969, 1158, 1180)
STATEMENTS = ("SELECT*", "INSERT*", "UPDATE*", "DELETE*", "COMMIT")


@scene("database: error packets at every kind of statement", 200, 4000)
def errors(stage, wanted, _chance):
    each = max(1, wanted // (len(ERRORS) * len(STATEMENTS)) + 1)
    return with_rules(stage, [stage.database], wanted, lambda: [
        Rule(statement, "error", number, "", 0.05, each) for number in ERRORS for statement in STATEMENTS])


@scene("database: connections reset, delayed, trickled, silent", 60, 5000)
def database_network(stage, wanted, _chance):
    return with_rules(stage, [stage.database], wanted, lambda: [
        Rule("SELECT*", "reset", 0, "", 0.02), Rule("INSERT*", "reset", 0, "", 0.02), Rule("COMMIT", "delay", 0.2, "", 0.1),
        Rule("INSERT*", "trickle", 0, "", 0.05), Rule("SELECT*", "black_hole", 0, "", 0.01, 2)])


@scene("cache: cas applied, reply lost", 100, 20000)
def cas_reply_lost(stage, wanted, _chance):
    return with_rules(stage, [stage.cache], wanted, lambda: [
        Rule("cas", "drop_reply", 0, "", 0.3), Rule("add", "drop_reply", 0, "", 0.1)])


@scene("cache: cas lost", 100, 20000)
def cas_lost(stage, wanted, _chance):
    return with_rules(stage, [stage.cache], wanted, lambda: [
        Rule("cas", "reset", 0, "", 0.3), Rule("add", "reset", 0, "", 0.1)])


@scene("cache: errors, delays, silence", 40, 5000)
def cache_network(stage, wanted, _chance):
    return with_rules(stage, [stage.cache], wanted, lambda: [
        Rule("cas", "error", 0, "", 0.1), Rule("set", "error", 0, "", 0.1), Rule("get*", "delay", 0.3, "", 0.02),
        Rule("get*", "drop_request", 0, "", 0.01, 10)])


@scene("web server: request or answer lost", 60, 10000)
def fastcgi(stage, wanted, _chance):
    return with_rules(stage, list(stage.pools.values()), wanted, lambda: [
        Rule("REQUEST", "drop_reply", 0, "", 0.05), Rule("REQUEST", "reset", 0, "", 0.03),
        Rule("REQUEST", "trickle", 0, "", 0.03), Rule("REQUEST", "delay", 0.2, "", 0.05)])


def kills(stage, wanted, strike, limit_s, pause_s=0.05):
    """Strike `wanted` times under load."""
    count = 0

    def done():
        nonlocal count
        if count < wanted:
            count += 1 if strike() else 0
            time.sleep(pause_s)
        return count >= wanted
    under_load(stage, done, limit_s)
    return Result(count, {"kills": count})


@scene("kill -9 a FastCGI worker", 50, 10000)
def kill_worker(stage, wanted, chance):
    return kills(stage, wanted, lambda: stage.kill_worker(chance), 60 + 2 * wanted)


@scene("kill -9 settle", 8, 2000)
def kill_settle(stage, wanted, _chance):
    return kills(stage, wanted, lambda: stage.service.kill_and_wait("settle") is None, 60 + 5 * wanted)


@scene("kill -9 memcached", 6, 5000)
def kill_memcached(stage, wanted, _chance):
    return kills(stage, wanted, lambda: stage.service.kill_and_wait("memcached") is None, 60 + 5 * wanted)


@scene("kill -9 mariadbd", 2, 500)
def kill_mariadb(stage, wanted, chance):
    def strike():
        stage.service.kill_and_wait("mariadb")
        wait_until(lambda: listens(stage.directory / "run/db.sock"), 60, "mariadbd listens")
        time.sleep(chance.uniform(0.5, 2))  # the load goes on in between
        return True
    return kills(stage, wanted, strike, 120 + 30 * wanted)


@scene("SIGSTOP of a process, 0.1 to 2 s", 5, 1000)
def stopped(stage, wanted, chance):
    def strike():
        name = chance.choice(("worker", "memcached", "mariadb", "settle"))
        pid = stage.kill_worker(chance, signal.SIGSTOP) if name == "worker" else stage.service.pid(name)
        if not pid:
            return False
        if name != "worker":
            stage.service.signal(name, signal.SIGSTOP)
        time.sleep(chance.uniform(0.1, 2))
        os.kill(pid, signal.SIGCONT)
        return True
    return kills(stage, wanted, strike, 120 + 10 * wanted)


def crash_points(stage):
    """A pair of rules for every statement and every cache command that a program makes under load, by proxy."""
    end = time.monotonic() + 15
    under_load(stage, lambda: time.monotonic() > end, 40, life_s=2)
    return {proxy: sorted(point for point in proxy.rules.seen if proxy is stage.cache or point[0] in PROGRAMS)
            for proxy in (stage.database, stage.cache)}


@scene("kill -9 before and after each statement and cache command", 1, 50)
def crash_at_each_point(stage, wanted, chance):
    """Marker files are made and removed between two statements: the points around them are among these. A few points
    are armed at a time; workers are killed elsewhere too, so that the statements of a start occur."""
    points = crash_points(stage)
    left = [(proxy, *point, action) for proxy in points for point in points[proxy] for action in ("kill_before", "kill_after")
            for _ in range(wanted)]
    number, armed = len(left), []

    def arm():
        armed[:] = chance.sample(left, min(6, len(left)))
        for proxy in points:
            proxy.rules.set(*(Rule(operation, action, 0, connection, 1, 1) for of, connection, operation, action in armed
                              if of is proxy))

    def disarm():
        for point in list(armed):
            if point[0].rules.struck()[*point[1:]]:
                armed.remove(point)
                left.remove(point)

    def done():
        disarm()
        if not armed or time.monotonic() > due[0]:
            due[0] = time.monotonic() + 3
            arm()
            stage.kill_any(chance)
            stage.ready()  # /metrics has statements of its own
        return not left
    due = [0.0]
    under_load(stage, done, 120 + 60 * wanted, missing=lambda: [point[1:] for point in left], life_s=2)
    return Result(number, {"crash points": number // wanted})


# ---- races, which need no fault ----
def record(stage, kind, users, envelope, answers, began):
    """Answers of a swarm, as operations of the history."""
    for user, answer in zip(users, answers):
        outcome = OK if answer.status == 200 else "failed" if answer.status < 500 and answer.status != 429 else "unknown"
        stage.history.add(Operation(kind, user, envelope, {}, began, time.monotonic_ns(), outcome, answer.status,
                                    answer.json or {}))


def fire(swarm, requests):
    """Fire over new connections: the web server may close an idle one at the very moment it is used again."""
    swarm.close()
    return swarm.fire(requests)


def send_one(stage, sender, key, total, shares, **more):
    body = {"mode": "lucky", "total": total, "shares": shares, "greeting": key, **more}
    return sender.insist("send", key, "POST", "/v1/envelopes", body, key, end=time.monotonic() + 30, **body).reply


def rich_sender(stage, name, amount):
    wallet = Caller(stage.service, stage.history, "back-end", "wallet")
    wallet.insist("topup", f"{name}-1", "POST", "/v1/topups", {"user": name, "amount": amount, "reference": f"{name}-1"},
                  f"{name}-1", end=time.monotonic() + 30, of=name, amount=amount)
    return Caller(stage.service, stage.history, name)


@scene("opens of N + k users at the last share", 20, 20000)
def last_share(stage, wanted, chance):
    name = stage.next_load()
    sender, swarm, events = rich_sender(stage, f"{name}-s", 100 * wanted), Swarm(stage.service), collections.Counter()
    users = [f"{name}-u{i}" for i in range(9)]
    tokens = [stage.service.token(user) for user in users]
    for trial in range(wanted):
        shares = chance.randint(1, 3)
        envelope = send_one(stage, sender, f"{name}-{trial}", 50, shares)["id"]
        tickets = {}
        while len(tickets) < shares + 3:  # more tickets than shares: the gate is lost in between
            stage.evict_gates([envelope])
            left = [i for i in range(len(users)) if i not in tickets][:shares]
            began = time.monotonic_ns()
            answers = fire(swarm, [grab_request(tokens[i], envelope) for i in left])
            record(stage, "grab", [users[i] for i in left], envelope, answers, began)
            tickets.update({i: a.json["ticket"] for i, a in zip(left, answers) if a.state == "grabbed"})
        began = time.monotonic_ns()
        answers = fire(swarm, [open_request(tokens[i], envelope, ticket) for i, ticket in tickets.items()])
        record(stage, "open", [users[i] for i in tickets], envelope, answers, began)
        events.update(a.state or a.code for a in answers)
    swarm.close()
    assert events["sold_out"] and events["opened"], events
    return Result(wanted, dict(events))


@scene("one user from fifty connections", 10, 20000)
def one_user(stage, wanted, _chance):
    name = stage.next_load()
    sender, swarm, opened = rich_sender(stage, f"{name}-s", 100 * wanted), Swarm(stage.service), 0
    user = f"{name}-u"
    token = stage.service.token(user)
    for trial in range(wanted):
        envelope = send_one(stage, sender, f"{name}-{trial}", 50, 3)["id"]
        began = time.monotonic_ns()
        grabbed = fire(swarm, [grab_request(token, envelope)])
        record(stage, "grab", [user], envelope, grabbed, began)
        began = time.monotonic_ns()
        answers = fire(swarm, [open_request(token, envelope, grabbed[0].json["ticket"])] * 50)
        record(stage, "open", [user] * 50, envelope, answers, began)
        opened += sum(a.state == "opened" for a in answers)
    swarm.close()
    assert opened > 25 * wanted, f"only {opened} of {50 * wanted} were answered"
    return Result(wanted, {"equal answers": opened})


@scene("opens against the refund at the deadline, +-5 ms", 60, 50000)
def deadline(stage, wanted, _chance):
    name, width = stage.next_load(), min(20, wanted // 6 + 1)
    events, lock = collections.Counter(), threading.Lock()
    offset = [-0.03]  # moved to where either may win: how late an open arrives depends on the machine

    def race(number):
        chance = random.Random(f"{stage.seed} {name} {number}")
        sender = rich_sender(stage, f"{name}-s{number}", 100 * wanted)
        user = Caller(stage.service, stage.history, f"{name}-u{number}")
        for trial in range(number, wanted, width):
            sent = send_one(stage, sender, f"{name}-{trial}", 50, 2, expires_in=1)
            grabbed = user.once("grab", sent["id"], "POST", f"/v1/envelopes/{sent['id']}/grab")
            at = datetime.datetime.fromisoformat(sent["expires_at"].replace("Z", "+00:00")).timestamp()
            time.sleep(max(0.0, at + offset[0] + chance.uniform(-0.005, 0.005) - time.time()))
            o = user.insist("open", sent["id"], "POST", f"/v1/envelopes/{sent['id']}/open",
                            {"ticket": grabbed.reply.get("ticket", "")}, end=time.monotonic() + 20)
            word = o.reply.get("state") or o.reply.get("code")
            with lock:
                offset[0] += 0.005 if word == "opened" else -0.005
                events[word] += 1
    threads = [threading.Thread(target=race, args=(i,)) for i in range(width)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert events["opened"] and events["expired"], f"no race: {events}"
    return Result(sum(events.values()), dict(events))
