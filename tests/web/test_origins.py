"""Pages of other sites: refused as shipped; with the two settings they may call the API and embed the page."""
import http.server
import pathlib
import sys
import threading
import urllib.request

import pytest
from client import Client
from front import NAMES, Front
from raw import exchange

sys.path.append(str(pathlib.Path(__file__).parents[1] / "browser"))
from chromium import Chromium  # noqa: E402

ASKS = """
const [url, options, done] = arguments;
fetch(url, options).then(async (r) => done([r.status, r.headers.get('Retry-After'), await r.json()]))
    .catch((error) => done([0, null, error.name]));
"""


class Chat:
    """A site with one page, which embeds what its query names."""
    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = f"<!doctype html><iframe src='{self.path.partition('?')[2]}'></iframe>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def chat():
    made = Chat()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def browser():
    made = Chromium()
    yield made
    made.close()


@pytest.fixture(scope="module", params=NAMES)
def open_front(request, service, chat, tmp_path_factory):
    """A web server that admits the chat's pages."""
    class Admitting(Front):
        def fill(self, text):
            pattern = '"^' + chat.origin.replace(".", r"\.") + '$"'
            text = text.replace('"^none$"', pattern).replace("default \"'none'\"", f'default "{chat.origin}"')
            text = text.replace("\"'none'\"", f'"{chat.origin}"')
            return super().fill(text.replace('map $http_origin $hongbao_origin {',
                                             f'map $http_origin $hongbao_origin {{ "{chat.origin}" $http_origin;'))
    made = Admitting(service, tmp_path_factory.mktemp(request.param), request.param)
    yield made
    made.stop()


@pytest.fixture
def envelopes(user):
    """The sender's client, and ids of an envelope that is sold out and one that is open."""
    alice, bob = user(money=1000), user()
    sold, live = alice.send(100, 1).json["id"], alice.send(100, 2).json["id"]
    assert bob.grab_and_open(sold).state == "opened"
    return alice, sold, live


def preflight(front, path, origin):
    request = (f"OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n"
               "Access-Control-Request-Headers: authorization\r\nConnection: close\r\n\r\n").encode()
    return exchange((front.address, front.port), request, "OPTIONS")


def granted(headers):
    return [name for name in headers if name.lower().startswith("access-control-") and headers[name]]


@pytest.mark.parametrize("path", ["/v1/me", "/v1/envelopes/01a20d63-04ab-7000-b431-b856e67a7b86/grab"])
def test_closed_as_shipped(front, path):
    answer = preflight(front, path, "https://chat.example.com")
    assert answer.status == 405 and granted(answer.headers) == []
    with urllib.request.urlopen(f"http://{front.address}:{front.port}/") as page:
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["https://chat.example.com", "null", "{}.example.com", "http://x{}"])
def test_other_origins_stay_out(open_front, chat, origin):
    origin = origin.format(chat.origin)
    answer = preflight(open_front, "/v1/me", origin)
    assert answer.status == 405 and granted(answer.headers) == []


def test_every_answer_can_be_read(open_front, chat, envelopes):
    """From pools, from files, and the web server's own."""
    alice, sold, live = envelopes
    client = Client(open_front, alice.token)
    cases = [("GET", "/v1/me", 200), ("GET", "/v1/nothing", 404), ("POST", f"/v1/envelopes/{sold}/grab", 200),
             ("POST", f"/v1/envelopes/{live}/grab", 200), ("POST", "/v1/envelopes", 415), ("PUT", "/v1/me", 405),
             ("GET", "/v1/" + "a" * 3000, 404)]
    for method, path, status in cases:
        answer = client.request(method, path, headers={"Origin": chat.origin}, raw=True)
        assert answer.status == status, (method, path)
        assert answer.headers.get_all("Access-Control-Allow-Origin") == [chat.origin], (method, path)
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in ", ".join(answer.headers.get_all("Vary")), (method, path)
    client.close()


def test_page_of_another_site_in_chromium(open_front, chat, browser, envelopes):
    alice, sold, live = envelopes
    api = f"http://{open_front.address}:{open_front.port}"
    browser.driver.get(f"{chat.origin}/?{api}/")
    ask = lambda path, **options: browser.driver.execute_async_script(ASKS, api + path, {  # noqa: E731
        **options, "headers": {"Authorization": "Bearer " + alice.token}})
    assert ask(f"/v1/envelopes/{sold}/grab", method="POST")[2] == {"state": "sold_out"}
    assert ask(f"/v1/envelopes/{live}/grab", method="POST")[2]["state"] == "grabbed"
    assert ask("/v1/me")[0] == 200
    assert ask("/v1/envelopes/x/grab", method="POST")[0] == 404
    browser.driver.switch_to.frame(0)
    assert browser.driver.execute_script("return document.body.textContent").strip() != ""


def test_page_of_a_site_that_is_not_admitted_in_chromium(front, chat, browser, envelopes):
    api = f"http://{front.address}:{front.port}"
    browser.driver.get(f"{chat.origin}/?{api}/")
    assert browser.driver.execute_async_script(ASKS, api + "/v1/me", {"headers": {"Authorization": "Bearer x"}})[0] == 0
    browser.driver.switch_to.frame(0)
    assert browser.driver.execute_script("return document.querySelector('main')") is None
