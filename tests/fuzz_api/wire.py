"""Requests as bytes and answers as the web server wrote them, over one kept connection.

http.client neither sends what is malformed nor notices bytes that follow an answer."""
import select
import socket
import zlib


class Broken(Exception):
    """What came back is not one HTTP answer."""


class Answer:
    def __init__(self, status, reason, headers, body):
        self.status = status
        self.reason = reason
        self.headers = headers  # list of (name in lower case, value)
        self.body = body  # without content coding

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name):
        return next(iter(self.all(name)), None)

    def __repr__(self):
        head = "".join(f"  {name}: {value}\n" for name, value in self.headers)
        return f"{self.status} {self.reason}\n{head}  {self.body[:2000].decode(errors='replace')}"


class Wire:
    """A connection to the web server. Reconnects where the server has closed it. Not thread-safe."""

    def __init__(self, port, timeout=30):
        self.port = port
        self.timeout = timeout
        self.socket = None
        self.rest = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.rest = None, b""

    def _connect(self):
        """Return True if an idle connection is open already. Bytes on it would belong to no request."""
        if self.socket and select.select([self.socket], [], [], 0)[0]:
            extra = self.socket.recv(1000)
            self.close()
            if extra:
                raise Broken(f"bytes after the previous answer: {extra!r}")
        if self.socket:
            return True
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return False

    def exchange(self, data, method):
        """Send data and return its final answer."""
        for _ in range(2):
            kept = self._connect()
            try:
                self.socket.sendall(data)
            except (ConnectionResetError, BrokenPipeError):
                pass  # refused before it was sent whole; the answer may be there all the same
            try:
                return self._read(method)
            except Broken:
                closed_unanswered = self.rest == b""
                self.close()
                if not (kept and closed_unanswered):  # an idle connection may be closed at any moment
                    raise
        raise Broken("closed twice without an answer")

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError as error:
            raise Broken(f"no answer within {self.timeout} s") from error
        if not data:
            raise Broken(f"the connection was closed within an answer: {self.rest[:200]!r}")
        self.rest += data

    def _until(self, mark):
        while mark not in self.rest:
            self._more()
        found, self.rest = self.rest.split(mark, 1)
        return found

    def _exactly(self, count):
        while len(self.rest) < count:
            self._more()
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def _head(self):
        line, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, reason = (line + " ").split(" ", 2)
        if not version.startswith("HTTP/1."):
            raise Broken(f"no status line: {line!r}")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return int(status), reason.strip(), headers

    def _chunks(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                while self._until(b"\r\n"):
                    pass  # trailers
                return body
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise Broken("a chunk is longer than its size")

    def _read(self, method):
        status, reason, headers = self._head()
        while 100 <= status < 200:
            status, reason, headers = self._head()
        answer = Answer(status, reason, headers, b"")
        if method != "HEAD" and status not in (204, 304):
            if "chunked" in (answer.header("transfer-encoding") or ""):
                answer.body = self._chunks()
            elif answer.header("content-length") is None:
                raise Broken(f"no length: {answer}")
            else:
                answer.body = self._exactly(int(answer.header("content-length")))
        if (answer.header("connection") or "").lower() == "close":
            self.close()
        if self.rest:
            raise Broken(f"bytes after the answer: {answer} and {self.rest[:200]!r}")
        if answer.header("content-encoding") == "gzip":
            answer.body = zlib.decompress(answer.body, 31)
        return answer
