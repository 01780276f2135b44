"""Opens that run in the background while something else is measured."""
import plan
from load import Load


def requests(bench, ids, count):
    """Yield open requests of new users, with valid tickets."""
    signer = bench.stack.signer
    return (plan.open_(ids[i % len(ids)], signer.token(user), signer.ticket(ids[i % len(ids)], user))
            for i, user in enumerate(bench.strangers(count)))


class Opening:
    """A background load of opens."""

    def __init__(self, bench, envelopes, seconds, per_second=20000, **options):
        count = int(seconds * per_second)
        ids = bench.stack.envelopes(envelopes, count // envelopes + 1)
        self.plan = plan.Plan(requests(bench, ids, count))
        self.load = Load(bench.stack.load, bench.stack.port, self.plan, bench.stack.directory, seconds=seconds, series=True,
                         **{"connections": bench.connections, **options})

    def result(self):
        result = self.load.result()
        self.plan.close()
        return result
