"""Requests as bytes, so that malformed ones can be sent, and their answers as the web server wrote them."""
import collections
import http.client
import json
import socket

Raw = collections.namedtuple("Raw", "status headers body")


def exchange(address, data, method="GET", timeout=20):
    """The first final answer to these bytes; None if the connection was closed without one."""
    with socket.create_connection(address, timeout=timeout) as s:
        try:
            s.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass  # refused before it was sent whole; the answer is there all the same
        response = http.client.HTTPResponse(s, method=method)
        try:
            response.begin()
            while 100 <= response.status < 200:
                response.begin()
            return Raw(response.status, response.headers, response.read())
        except (http.client.BadStatusLine, ConnectionResetError):
            return None


def problem(answer):
    """The problem document of an answer; fails if it is none."""
    assert answer.headers.get_all("Content-Type") == ["application/problem+json"], (answer.status, answer.headers.items())
    document = json.loads(answer.body)
    assert document["status"] == answer.status and document["title"] and document["code"], document
    return document
