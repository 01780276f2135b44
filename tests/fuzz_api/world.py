"""What the generated requests refer to: users, tokens, envelopes in every state, tickets, cursors, tags."""
import json

from client import Client

SETTINGS = ["limits.expires_min=1", "limits.grabs_per_second=10000", "limits.grabs_burst=100000",
            "limits.sent_per_day=1000000000000", "limits.guests_per_minute=100000"]


class World:
    """Made once for an installation."""

    def __init__(self, service):
        self.service = service
        self.names = ["fuzz-alice", "fuzz-bob", "fuzz-carol", "fuzz-poor"]
        self.users = [service.token(name, name=name.title(), groups=["fuzz"]) for name in self.names]
        self.wallets = [service.token(name, kind="wallet") for name in ("shop", "bank")]
        for name in self.names[:3]:
            service.ctl("topup", name, 10**9)
        self.clients = [Client(service, token) for token in self.users]
        alice, bob, carol, _ = self.clients
        sends = [(10000, 500, {}), (500, 500, {"mode": "equal"}), (100, 2, {"to": {"users": ["fuzz-bob", "fuzz-carol"]}}),
                 (3000, 300, {"to": {"group": "fuzz"}}), (40, 4, {"to": {"group": "others"}}), (50, 1, {}), (60, 3, {})]
        self.envelopes = [alice.send(total, shares, **more).json["id"] for total, shares, more in sends]
        self.tickets = [(client.token, envelope, client.grab(envelope).json["ticket"])
                        for client in (bob, carol) for envelope in self.envelopes[:2]]
        assert bob.grab_and_open(self.envelopes[5]).state == "opened"
        assert carol.grab_and_open(self.envelopes[6]).state == "opened"
        service.ctl("close", self.envelopes[6])
        self.guests = [json.loads(alice.request("POST", "/v1/guests", {}, token="").body)["token"] for _ in range(2)]
        self.site = alice.get("/v1/site").json
        self.etag = alice.envelope(self.envelopes[0]).headers["ETag"]
        self.cursors = {}
        for name, path in (("sent", "/v1/me/sent"), ("ledger", "/v1/me/ledger")):
            found = alice.get(path + "?limit=2").json["next"]
            self.cursors[name] = [found] if found else []

    def close(self):
        for client in self.clients:
            client.close()
