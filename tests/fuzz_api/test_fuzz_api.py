"""What tests/fuzz_api/run does, in the size of ./check. HONGBAO_SEED repeats a run."""
import collections
import random

import generator
import judge
import model
from client import API
from requests_run import run_requests
from seed import SEED
from sequences import make_money, make_send, make_steps, play, run_sequences, shorten
from service import SLOW


def test_requests(service):
    seen = collections.Counter()
    failures = run_requests(service, SEED, range(2000 // SLOW), seen)
    assert not failures, "\n\n".join(failures[:5])
    operations = {operation["operationId"] for item in API["paths"].values() for operation in item.values()}
    served = {name for (name, status) in seen if status < 400}
    if SLOW == 1:  # enough requests to have met everything
        assert served == operations - {"metrics"}
        assert {status for _, status in seen} >= {200, 201, 400, 401, 403, 404, 405, 413, 415, 422}


def test_sequences(service):
    failures = run_sequences(service, SEED, 4)
    assert not failures, "\n\n".join(failures)


def test_an_undescribed_header_is_found(service, monkeypatch):
    """The check of requests can fail."""
    response = API["paths"]["/v1/site"]["get"]["responses"]["200"]
    monkeypatch.setitem(response, "headers", {"X-Request-Id": response["headers"]["X-Request-Id"]})
    monkeypatch.setattr(generator, "OPERATIONS", [row for row in generator.OPERATIONS if row[0] == "/v1/site"])
    failures = run_requests(service, SEED, range(50))
    assert failures and all("site" in failure and "etag is not described for 200" in failure for failure in failures)
    assert "curl -i" in failures[0] and judge.DESCRIBED >= {"etag", "retry-after", "allow"}


def test_a_lost_refund_is_found_and_shortened(service, monkeypatch):
    """The check of sequences can fail, and leaves out what is not needed."""
    def expired_without_refund(_, envelope, closed_by="deadline"):
        envelope.state, envelope.refunded, envelope.closed_by = "expired", envelope.left, closed_by
    monkeypatch.setattr(model.Model, "expired", expired_without_refund)
    rng, name = random.Random(SEED), f"lost{SEED}"
    steps = make_steps(rng, 30) + [make_money(rng, {"kind": "topup", "user": 0}), make_send(rng, {"kind": "send", "user": 0}),
                                   {"kind": "close", "user": 0, "envelope": 0}, {"kind": "me", "user": 0}]
    steps[-4]["amount"] = steps[-3]["total"] = 6
    steps[-3] |= {"shares": 6, "to": None}
    failure, _ = play(service, name, steps)
    shortest, why = shorten(service, name, steps[:failure[0] + 1], failure[1], seconds=60)
    kinds = [step["kind"] for step in shortest if step["kind"] != "topup"]
    assert kinds and kinds[0] == "send" and len(shortest) <= 5, (shortest, why)
