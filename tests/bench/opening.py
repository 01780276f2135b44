"""Opens that are under way while something else is looked at."""
import plan
from load import Load


def requests(bench, ids, count):
    """Opens by strangers, tickets in hand."""
    signer = bench.stack.signer
    return (plan.open_(ids[i % len(ids)], signer.token(user), signer.ticket(ids[i % len(ids)], user))
            for i, user in enumerate(bench.strangers(count)))


class Opening:
    """A load of opens in the background."""

    def __init__(self, bench, envelopes, seconds, per_second=20000, **options):
        count = int(seconds * per_second)
        ids = bench.stack.envelopes(envelopes, count // envelopes + 1)
        self.plan = plan.Plan(requests(bench, ids, count))
        self.load = Load(bench.stack.load, bench.stack.port, self.plan, seconds=seconds, series=True,
                         **{"connections": bench.connections, **options})

    def result(self):
        result = self.load.result()
        self.plan.close()
        return result
