"""A client of hongbao that repeats requests as the API asks for: Python 3.9, no other modules.

    alice = Hongbao("https://example.org/", token)
    sent = alice.send(888, 3, greeting="Happy new year")
    share = bob.claim(sent["id"])          # {"state": "opened", "amount": 123, "seq": 1, ...}

Amounts are in the minor unit. A token is what your back end signs for a user."""
import http.client
import json
import random
import time
import urllib.error
import urllib.request
import uuid


class Refused(Exception):
    """The request is wrong, and repeating it would not help. code is stable; problem has the details."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail") or problem.get("code") or f"status {status}")
        self.status, self.code, self.problem = status, problem.get("code", ""), problem


class Unavailable(Exception):
    """No answer within `patience`. The request may have been carried out: repeat it with the same key."""


class Hongbao:
    def __init__(self, base, token, patience=60, timeout=15):
        """base: the address of the page. patience: seconds until a call gives up; timeout: of one request."""
        self.base, self.token, self.patience, self.timeout = base.rstrip("/") + "/v1/", token, patience, timeout

    def send(self, total, shares, mode="lucky", key=None, **more):
        """Send an envelope; return it. Keep `key` if you want to repeat the call after Unavailable."""
        body = {"mode": mode, "total": total, "shares": shares, **more}
        return self._call("POST", "envelopes", body, key or uuid.uuid4().hex)

    def claim(self, envelope):
        """Try for a share. Return {"state": "opened", "amount": ..., "seq": ..., "opened_at": ...}, the same in each
        call, or {"state": "sold_out"} or {"state": "expired"}."""
        answer = self._call("POST", f"envelopes/{envelope}/claim")
        if answer["state"] in ("sold_out", "expired"):  # also after an answer that was lost
            mine = self.envelope(envelope).get("mine")
            answer = {"state": "opened", **mine} if mine else answer
        return answer

    def envelope(self, envelope):
        """Return the envelope with its claims."""
        return self._call("GET", f"envelopes/{envelope}")

    def _call(self, method, path, body=None, key=None):
        """Repeat the identical request until its answer is final."""
        end, tries = time.monotonic() + self.patience, 0
        while True:
            status, retry_after, answer = self._once(method, path, body, key)
            if status // 100 == 2 and answer.get("state") != "busy":
                return answer
            if 400 <= status < 500 and status not in (408, 409, 429):
                raise Refused(status, answer)
            pause = (float(retry_after) if retry_after else min(8, 0.5 * 2 ** tries)) * random.uniform(1, 1.3)
            tries += 1
            if time.monotonic() + pause > end:
                raise Unavailable(answer.get("code") or "no answer")
            time.sleep(pause)

    def _once(self, method, path, body, key):
        """Return (status, Retry-After, JSON); status 0: no answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers.update({"Idempotency-Key": key} if key else {})
        data = json.dumps(body).encode() if body else b"" if method == "POST" else None
        try:
            with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers, method=method),
                                        timeout=self.timeout) as response:
                return response.status, response.headers["Retry-After"], json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, error.headers["Retry-After"], json.loads(text) if text[:1] == b"{" else {}
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None, {}
