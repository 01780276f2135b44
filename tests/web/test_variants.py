"""What the files have switched off: TLS and a load balancer; and what they log, compress and limit."""
import gzip
import json
import socket
import ssl
import subprocess

import pytest

from client import Client
from front import NAMES, Front
from raw import exchange
from service import wait_until

GET = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\r\n"


def get(front, target, headers="", port=None, host="127.0.0.1"):
    return exchange((host, port or front.port), GET.format(target, headers).encode())


@pytest.fixture(scope="module", params=NAMES)
def switched_on(request, service, tmp_path_factory):
    """With TLS, a certificate of its own, and a balancer at 127.0.0.1."""
    directory = tmp_path_factory.mktemp(f"{request.param}-on")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", directory / "server.key", "-out", directory / "server.crt"],
                   check=True, capture_output=True)
    (directory / "server.pem").write_text((directory / "server.key").read_text() + (directory / "server.crt").read_text())
    for name in ("server.key", "server.pem"):
        (directory / name).chmod(0o600)
    made = Front(service, directory, request.param, switched_on=("tls", "balancer"))
    try:
        yield made
    finally:
        made.stop()


def curl(front, target, *options):
    done = subprocess.run(["curl", "-sk", "-m", "20", "-D", "-", "-o", "/dev/null", *options,
                           f"https://localhost:{front.tls_port}{target}"], capture_output=True, text=True, check=False)
    # An answer that comes before the body was sent ends the stream, which curl calls an error (92).
    assert done.returncode in (0, 92) and done.stdout, (done.returncode, done.stderr)
    return done.stdout.lower()


def test_tls_is_kept_to(switched_on):
    """HSTS on every kind of answer over TLS and on none without it, where only a redirect is left."""
    for target, status in (("/", 200), (switched_on.script, 200), ("/v1/me", 401), ("/v1/nothing", 404), ("/nothing", 404), ("/healthz", 200)):
        head = curl(switched_on, target)
        assert head.split()[1] == str(status), head
        assert head.count("strict-transport-security: max-age=31536000") == 1, head
        plain = get(switched_on, target)
        assert plain.status in (301, 308) and plain.headers["Location"] == f"https://localhost{target}"
        assert "Strict-Transport-Security" not in plain.headers


def test_old_tls_is_refused(switched_on):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", switched_on.tls_port)) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain)


def test_http2(switched_on):
    """Streams of one connection: the table's answers, each with its headers once."""
    urls = [f"https://localhost:{switched_on.tls_port}{t}" for t in ("/v1/me", "/healthz", switched_on.script, "/nothing") for _ in range(20)]
    done = subprocess.run(["curl", "-sk", "-m", "30", "--http2", "--parallel", "--parallel-max", "40", "-w", "%{http_version} %{http_code}\n",
                           *(word for url in urls for word in ("-o", "/dev/null", url))], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) == ["2 200"] * 40 + ["2 401"] * 20 + ["2 404"] * 20
    head = curl(switched_on, "/v1/me", "--http2")
    assert head.startswith("http/2 401") and head.count("x-content-type-options") == head.count("content-security-policy") == 1
    posted = curl(switched_on, "/v1/envelopes", "--http2", "-d", "x" * 20000)
    assert posted.startswith("http/2 413") and "application/problem+json" in posted and posted.count("content-security-policy") == 1


def test_client_address_behind_a_balancer(switched_on):
    """Only metrics' listener trusts no header; the public one takes the balancer's word, and only for the address."""
    assert curl(switched_on, "/healthz", "-H", "X-Forwarded-For: 198.51.100.7").split()[1] == "200"
    assert curl(switched_on, "/metrics", "-H", "X-Forwarded-For: 127.0.0.1").split()[1] == "404"
    assert get(switched_on, "/metrics", port=switched_on.metrics_port).status == 200


def test_ipv6(front):
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    assert get(front, "/healthz", host="::1").status == 200
    assert get(front, "/", host="::1").status == 200


def big_envelope(service):
    """An envelope whose answer is longer than a kilobyte."""
    alice = Client(service, service.token("compressor"))
    service.ctl("topup", "compressor", 100000)
    sent = alice.send(1000, 20).json["id"]
    for i in range(12):
        other = Client(service, service.token(f"compressor{i}", name=f"Somebody With A Name {i}"))
        assert other.grab_and_open(sent).state == "opened"
        other.close()
    token = alice.token
    alice.close()
    return sent, f"Authorization: Bearer {token}\r\n"


def test_compression(front, service):
    """Long JSON and the page are compressed; the ETag that comes with it brings 304, also without compression."""
    envelope, auth = big_envelope(service)
    for target, more in ((f"/v1/envelopes/{envelope}", auth), ("/", ""), (front.script, ""), ("/openapi.json", "")):
        plain = get(front, target, more)
        packed = get(front, target, more + "Accept-Encoding: gzip\r\n")
        assert plain.status == packed.status == 200 and "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body, target
        assert len(packed.body) < 0.7 * len(plain.body) and "accept-encoding" in packed.headers["Vary"].lower()
        for etag, encoding in ((plain.headers["ETag"], ""), (packed.headers["ETag"], "Accept-Encoding: gzip\r\n")):
            again = get(front, target, f"{more}{encoding}If-None-Match: {etag}\r\n")
            assert again.status == 304 and again.body == b"", (target, etag, encoding)
    grab = exchange((front.address, front.port), (f"POST /v1/envelopes/{envelope}/grab HTTP/1.1\r\nHost: x\r\n{auth}"
                    "Accept-Encoding: gzip\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").encode())
    assert "Content-Encoding" not in grab.headers and json.loads(grab.body)["state"] == "grabbed"


def test_access_log_has_markers_only(front, service):
    """The envelope's id of each grab answered from a file, and nothing that opens anything."""
    alice, bob = Client(service, service.token("logger-a")), Client(front, service.token("logger-b"))
    service.ctl("topup", "logger-a", 1000)
    sold = alice.send(100, 1).json["id"]
    assert Client(service, bob.token).grab_and_open(sold).state == "opened"
    # the marker is there once an answer lacks the pool's X-Request-Id
    wait_until(lambda: "X-Request-Id" not in bob.request("POST", f"/v1/envelopes/{sold}/grab", raw=True).headers, 15, "a marker")
    for path in ("/", f"/?e={sold}", "/v1/me"):
        bob.request("GET", path, raw=True)
    alice.close()
    bob.close()
    if front.name == "lighttpd":
        front.stop()  # it writes its log when it ends, and now and then
    logs = list((front.directory / "log").rglob("hongbao-access.log"))
    wait_until(lambda: sold in "".join(p.read_text() for p in logs), 10, "the log names the envelope")
    text = "".join(p.read_text() for p in logs)
    assert bob.token not in text and bob.token.split(".")[1] not in text and "/v1/me" not in text and "?e=" not in text
    assert all(" marker /" in line and line.endswith(" 200") for line in text.splitlines()), text
