"""Who lives on the installation, and what they have sent each other: by the API, as a chat would."""
import itertools

from client import Client
from service import Service, wait_until

_numbers = itertools.count(1)


class People:
    def __init__(self, service):
        self.service = service
        self.clients = []

    @classmethod
    def start(cls, settings=()):
        service = Service(["limits.expires_min=1", "limits.grabs_burst=10000", "limits.grabs_per_second=10000",
                           *settings])
        try:
            return cls(service.start())
        except BaseException:
            service.stop()
            raise

    def remove(self):
        for client in self.clients:
            client.close()
        self.service.remove()

    def person(self, name, money=0, user=None, **claims):
        """A client of somebody new with .user, .name and .token; money in fen."""
        user = user or f"p{next(_numbers)}"
        client = Client(self.service, self.service.token(user, name=name, **claims))
        client.user, client.name = user, name
        self.clients.append(client)
        if money:
            self.service.ctl("topup", user, money)
        return client

    def guest(self, name):
        """A client of a new guest of the page, who has money to play with."""
        client = Client(self.service)
        client.token = client.request("POST", "/v1/guests", {"name": name}).json["token"]
        client.name = name
        self.clients.append(client)
        return client

    def draw(self, envelope, *people):
        """They open it, one after the other. Returns what each got."""
        amounts = []
        for person in people:
            answer = person.grab_and_open(envelope)
            assert answer.state == "opened", answer
            amounts.append(answer.json["amount"])
        return amounts

    def fen(self, person):
        me = person.get("/v1/me").json
        return me["balance"] + me["pending"]

    def credited(self, person):
        """Waits until nothing is on its way to them; returns the balance."""
        def settled():
            me = person.get("/v1/me").json
            return me if me["pending"] == 0 else None
        return wait_until(settled, 15, f"{person.name} is credited")["balance"]

    def closed(self, sender, envelope):
        """Waits until the envelope is closed; returns it."""
        def over():
            answer = sender.envelope(envelope)
            return answer.json if answer.state != "open" else None
        return wait_until(over, 15, f"{envelope} is closed")


def send(sender, total=888, shares=3, **more):
    """The id of a new envelope."""
    answer = sender.send(total, shares, **more)
    assert answer.status == 201, answer
    return answer.json["id"]
