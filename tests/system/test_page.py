"""The page is served entirely from this site, under a strict policy, without inline code."""
import os
import re
import urllib.parse
from pathlib import Path

from client import Client

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
         ".json": "application/json", ".png": "image/png", ".ico": "image/x-icon",
         ".webmanifest": "application/manifest+json"}


def fetch(service, path):
    client = Client(service)
    answer = client.request("GET", path, raw=True)
    client.close()
    return answer


def links(path, text):
    """Return the paths that a file refers to."""
    if path.endswith("/"):
        found = re.findall(r'(?:src|href)="([^"]+)"', text) + re.findall(r'og:image" content="([^"]+)"', text)
    elif path.endswith(".css"):
        found = re.findall(r'url\("?([^")]+)"?\)', text)
    else:
        found = re.findall(r"""(?:\bimport|\bfrom)\(?["'](\./[^"']+)["']""", text)
    return {urllib.parse.urljoin(path, link) for link in found if not link.startswith(("#", "data:"))}


def test_page_loads_nothing_from_other_sites(service):
    """Follow all references of the page, recursively."""
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
        if path == "/" or path.endswith((".js", ".css")):
            todo |= links(path, answer.body.decode()) - seen
    names = {re.sub(r"-[0-9A-Z]{8}\.", ".", path) for path in seen}
    assert {"/assets/main.js", "/assets/page.css", "/assets/boot.js", "/assets/signed_in.js", "/assets/draw_check.js",
            "/card.png", "/favicon.ico"} <= names
    assert all(p.startswith("/") for p in seen)  # nothing from elsewhere


def test_no_inline_code_or_style(service):
    page = fetch(service, "/").body.decode()
    for tag in re.findall(r"<script[^>]*>", page):
        assert "src=" in tag
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    folder = Path(os.environ["HONGBAO_SOURCE"], "www")
    scripts = [p for p in folder.rglob("*.js") if "vendor" not in p.parts]
    assert len(scripts) > 20
    for script in scripts:
        banned = r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|setAttribute\('style'"
        assert not re.search(banned, script.read_text(encoding="utf-8")), script


def test_cache_headers(service):
    """The page is revalidated each time; assets, named by their contents, are kept; the absence of one is not."""
    page = fetch(service, "/")
    assert page.headers["Cache-Control"] == "no-cache"
    assets = re.findall(r'"(assets/[^"]+)"', page.body.decode())
    assert len(set(assets)) >= 3
    for asset in assets:
        assert re.search(r"-[0-9A-Z]{8}\.(js|css|svg)$", asset), asset
        assert "max-age=31" in fetch(service, "/" + asset).headers["Cache-Control"]
    assert "max-age" not in fetch(service, "/assets/none-00000000.js").headers.get("Cache-Control", "")


def test_missing_files(service):
    for path in ("/nothing", "/../start", "/%2e%2e/start", "/.git/config"):
        assert fetch(service, path).status in (400, 403, 404), path


def test_description_is_served(service):
    answer = fetch(service, "/openapi.json")
    assert answer.json["openapi"].startswith("3.1") and answer.headers["Content-Type"] == "application/json"
