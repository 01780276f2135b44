"""The page: served whole from here, under a strict policy, with nothing inline."""
import re
import urllib.parse

from client import Client

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
         ".json": "application/json"}


def fetch(service, path):
    client = Client(service)
    answer = client.request("GET", path, raw=True)
    client.close()
    return answer


def links(path, text):
    """What a file refers to, as paths."""
    found = re.findall(r'(?:src|href)="([^"]+)"', text) if path.endswith("/") else \
        re.findall(r'^(?:import|export)\b[^;"]*"([^"]+)";', text, re.M)
    return {urllib.parse.urljoin(path, link) for link in found if not link.startswith("#")}


def test_everything_is_ours(service):
    """All that the page loads, and what that loads."""
    seen, todo = set(), {"/"}
    while todo:
        path = todo.pop()
        seen.add(path)
        answer = fetch(service, path)
        assert answer.status == 200, path
        kind = TYPES[re.search(r"(\.\w+)?$", path).group() or ".html"]
        assert answer.headers["Content-Type"].startswith(kind), path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "*" not in policy
        assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        text = answer.body.decode()
        if path == "/" or path.endswith(".js"):
            todo |= links(path, text) - seen
    assert {"/main.js", "/style.css"} <= seen
    assert all(p.startswith("/") for p in seen)  # nothing from elsewhere


def test_nothing_inline(service):
    page = fetch(service, "/").body.decode()
    for tag in re.findall(r"<script[^>]*>", page):
        assert "src=" in tag
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    for path in re.findall(r'src="([^"]+\.js)"', page):
        script = fetch(service, "/" + path).body.decode()
        assert not re.search(r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", script)


def test_what_is_not_there(service):
    for path in ("/nothing", "/../start", "/%2e%2e/start", "/.git/config"):
        assert fetch(service, path).status in (400, 403, 404), path


def test_description_is_served(service):
    answer = fetch(service, "/openapi.json")
    assert answer.json["openapi"].startswith("3.1") and answer.headers["Content-Type"] == "application/json"
