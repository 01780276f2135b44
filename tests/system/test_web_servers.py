"""lighttpd, Apache and nginx in front of the same pools: grabs and markers."""
import os
import shutil
import signal
import subprocess

import pytest

from client import Client
from service import SOURCE, free_port, wait_until

MODULES = "mpm_event authz_core alias rewrite headers env proxy proxy_fcgi".split()


class Front:
    """A web server that runs the configuration of conf/ with the paths of the service."""

    def __init__(self, service, directory, name):
        self.port = free_port()
        self.directory = directory
        text = (SOURCE / f"conf/{name}.conf").read_text()
        for old, new in (("/usr/local/share/hongbao", directory / "share"), ("/run/hongbao", service.directory / "run"),
                         ("/var/lib/hongbao/markers", service.directory / "markers"),
                         ("*:80", f"127.0.0.1:{self.port}"), ("listen 80", f"listen 127.0.0.1:{self.port}"),
                         ("include fastcgi_params", "include /etc/nginx/fastcgi_params")):
            text = text.replace(old, str(new))
        config = directory / "web.conf"
        config.write_text(getattr(self, name)(text))
        command = {"apache": ["apache2", "-D", "FOREGROUND", "-f"], "nginx": ["nginx", "-c"]}[name]
        self.process = subprocess.Popen([*command, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def apache(self, text):
        lines = [f"ServerRoot {self.directory}", f"PidFile {self.directory}/pid", "ServerName localhost",
                 f"Listen 127.0.0.1:{self.port}", f"ErrorLog {self.directory}/error.log",
                 *(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in MODULES)]
        if os.geteuid() == 0:  # Apache refuses to run workers as root; the group has access to the sockets
            lines += ["User nobody", "Group root"]
        return "\n".join(lines) + "\n" + text

    def nginx(self, text):
        paths = "".join(f"{kind}_temp_path {self.directory}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.geteuid() == 0 else ""
        return (f"daemon off;\n{user}pid {self.directory}/pid;\nerror_log {self.directory}/error.log;\n"
                f"events {{ }}\nhttp {{\n{paths}{text}\n}}\n")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


@pytest.fixture(scope="module", params=["lighttpd", "apache", "nginx"])
def front(request, service, tmp_path_factory):
    if request.param == "lighttpd":
        yield service
        return
    directory = tmp_path_factory.mktemp(request.param)
    for path in (directory, *list(directory.parents)[:2], service.directory):
        path.chmod(0o755 if path != service.directory else 0o750)
    for name, source in (("www", "www"), ("errors", "conf/errors")):
        shutil.copytree(SOURCE / source, directory / "share" / name)
    front = Front(service, directory, request.param)
    try:
        wait_until(lambda: serves(front), 10, f"{request.param} serves")
        yield front
    finally:
        front.stop()


def serves(front):
    client = Client(front)
    try:
        return client.get("/healthz", raw=True).status == 200
    except OSError:
        return False
    finally:
        client.close()


def comparable(answer):
    """Return the parts of an answer that must not differ between web servers."""
    names = ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy",
             "Content-Security-Policy", "Last-Modified", "ETag", "Accept-Ranges", "Allow", "Retry-After")
    return answer.status, answer.body, {n: set(answer.headers.get_all(n, [])) for n in names}


def test_grabs_from_pool_and_markers(front, service, user):
    alice, bob = user(money=1000), user()
    sold, live = alice.send(100, 1).json["id"], alice.send(100, 2).json["id"]
    some = alice.send(100, 1, to={"users": [bob.user]}).json["id"]
    client = Client(front, bob.token)
    for envelope in (sold, some):
        assert client.grab_and_open(envelope).state == "opened"
    assert client.grab(live).state == "grabbed"
    # if the hint was lost, the gate is corrected within seconds
    by_the_pool = wait_until(lambda: (a := client.grab(some)).state == "sold_out" and a, 10, "sold out")
    assert by_the_pool.headers["X-Request-Id"]
    stopped = service.workers("grab")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        answers = [client.grab(sold) for _ in range(20)]
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert not any("X-Request-Id" in a.headers for a in answers)
    for answer in answers:
        assert comparable(answer) == comparable(by_the_pool)
    client.close()


def test_other_requests_get_no_marker(front, user):
    alice, bob = user(money=1000), user()
    envelope = alice.send(100, 1).json["id"]
    bob.grab_and_open(envelope)
    path, client = f"/v1/envelopes/{envelope}/grab", Client(front, bob.token)
    for method in ("GET", "PUT"):
        answer = client.request(method, path, raw=True)
        assert answer.status == 405 and answer.headers["Allow"] == "POST"
    assert client.request("HEAD", path, raw=True).status == 405
    assert client.request("POST", path, "{}").code == "invalid_request"
    assert client.request("POST", path + "/").code == "not_found"
    client.close()
    assert client.request("POST", path, "x" * 20000).status == 413
    client.close()
    other = envelope[:-1] + ("0" if envelope[-1] != "0" else "1")
    assert client.grab(other).code == "not_found"
    for inner in ("/current", "/markers", "/v1/markers"):
        assert client.get(f"{inner}/{envelope[-2:]}/{envelope}", raw=True).status == 404
    client.close()
