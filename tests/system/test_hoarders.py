"""Guests that take every ticket and never open cannot keep others out for long."""
import time

from client import Client
from service import SLOW
from swarm import Swarm, grab_request


def guests(service, n):
    anybody = Client(service)
    made = [anybody.request("POST", "/v1/guests", {}).json["token"] for _ in range(n)]
    anybody.close()
    return made


def test_hoarded_tickets_are_refilled(service):
    host, *hoarders = guests(service, 21)
    sender = Client(service, host)
    envelope = sender.send(1000, 20).json["id"]
    swarm = Swarm(service)
    for _ in range(3):  # repeatedly: a user holds only one ticket at a time
        answers = swarm.fire([grab_request(t, envelope) for t in hoarders])
    assert all(a.state == "grabbed" for a in answers)
    late = [Client(service, t) for t in guests(service, 5)]
    began, waited = time.monotonic(), []
    for client in late:
        assert client.grab_and_open(envelope, 10 * SLOW).state == "opened"
        waited.append(time.monotonic() - began)
    print(f"others got in after {waited[0]:.1f} .. {waited[-1]:.1f} s")
    assert waited[-1] < 10 * SLOW
    swarm.close()


def test_refill_outgrows_returning_hoarders(service):
    """Hoarders also take refilled shares; the refill doubles until other users get tickets."""
    host, *hoarders = guests(service, 21)
    envelope = Client(service, host).send(100, 10).json["id"]
    swarm, late = Swarm(service), Client(service, guests(service, 1)[0])
    end, state = time.monotonic() + 10 * SLOW, None
    while state != "grabbed":
        assert time.monotonic() < end, "kept out for 10 s"
        swarm.fire([grab_request(t, envelope) for t in hoarders])
        state = late.grab(envelope).state
        time.sleep(0.1)  # the pace of an eager client
    assert late.grab_and_open(envelope).state == "opened"
    swarm.close()
