"""hongbaoctl and an independent script recompute the same draws."""
import json
import subprocess
import uuid

from service import SLOW, SOURCE
from swarm import Request, Swarm, grab_request, open_request, send_request

COUNT = 1000 // SLOW


def test_draws_of_a_thousand_envelopes(user, service, rng):
    alice, swarm = user(money=COUNT * 1000), Swarm(service, timeout=60)
    crowd = [service.token(f"verify{i}") for i in range(3)]
    envelopes = []
    while len(envelopes) < COUNT:
        sends = []
        for _ in range(100):
            shares = rng.randint(1, 4)
            sends.append(send_request(alice.token, rng.choice((shares, rng.randint(shares, 1000))), shares,
                                      uuid.uuid4().hex, mode=rng.choice(("lucky", "lucky", "equal"))))
        made = [a.json["id"] for a in swarm.fire(sends)]
        for token in crowd:  # open up to three shares of each
            grabbed = swarm.fire([grab_request(token, e) for e in made])
            swarm.fire([open_request(token, e, a.json["ticket"]) for e, a in zip(made, grabbed) if a.state == "grabbed"])
        envelopes += made
    views = swarm.fire([Request("GET", f"/v1/envelopes/{e}", alice.token) for e in envelopes[:200]])
    still_open = [a.json["id"] for a in views if a.json["state"] == "open"][:20]
    for envelope in still_open:  # expired ones have draws too
        service.ctl("close", envelope)
    lines = []
    for i in range(0, COUNT, 100):
        views = swarm.fire([Request("GET", f"/v1/envelopes/{e}", alice.token) for e in envelopes[i:i + 100]])
        lines += [a.body.decode() for a in views if a.json["seed"]]
    swarm.close()
    states = {json.loads(line)["state"] for line in lines}
    assert states == {"sold_out", "expired"} and len(lines) > COUNT * 0.6
    ids = [json.loads(line)["id"] for line in lines]
    assert service.ctl("verify", *ids).stdout == f"{len(ids)} envelopes, 0 wrong\n"
    script = ["/usr/bin/python3", str(SOURCE / "tools/verify.py")]
    done = subprocess.run(script, input="\n".join(lines), text=True, capture_output=True, check=False)
    assert done.returncode == 0 and done.stdout == f"{len(ids)} envelopes, 0 wrong\n"
