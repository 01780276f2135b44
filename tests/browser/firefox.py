"""Firefox through its own remote protocol, Marionette, because Debian has no geckodriver. A message is JSON with its length
and a colon in front: a command is [0, id, name, parameters], its response [1, id, error, result].
Source: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html"""
import json
import pathlib
import shutil
import socket
import subprocess

from service import free_port, new_directory, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the WebDriver standard marks an element
PREFERENCES = {"intl.accept_languages": "en-GB,en", "browser.shell.checkDefaultBrowser": False,
               "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False,
               "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
               "browser.aboutwelcome.enabled": False, "toolkit.startup.max_resumed_crashes": -1}


class FirefoxError(Exception):
    pass


class Firefox:
    """One window, with the size of a phone."""

    def __init__(self):
        self.profile, port = str(new_directory("hb-firefox-")), free_port()
        text = "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                       for name, value in {**PREFERENCES, "marionette.port": port}.items())
        (pathlib.Path(self.profile) / "user.js").write_text(text, encoding="utf-8")
        self.process = subprocess.Popen(
            ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", self.profile, "--width", "390", "--height", "844"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"HOME": self.profile, "PATH": "/usr/bin:/bin"})
        self.socket, self.pending, self.number = None, b"", 0
        try:
            wait_until(lambda: self._connect(port), 60, "Firefox listens")
            self._receive()  # the greeting
            self._call("WebDriver:NewSession", capabilities={"alwaysMatch": {}})
        except BaseException:
            self.close()
            raise

    def _connect(self, port):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            return False
        return True

    def _receive(self):
        while b":" not in self.pending:
            self.pending += self._read()
        length, _, rest = self.pending.partition(b":")
        while len(rest) < int(length):
            rest += self._read()
        message, self.pending = rest[:int(length)], rest[int(length):]
        return json.loads(message)

    def _read(self):
        data = self.socket.recv(65536)
        if not data:
            raise FirefoxError("Firefox closed the connection")
        return data

    def _call(self, command, **parameters):
        self.number += 1
        text = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(str(len(text)).encode() + b":" + text)
        _, _, error, result = self._receive()
        if error:
            raise FirefoxError(f"{command}: {error['message']}")
        return result

    def close(self):
        if self.socket:
            self.socket.close()
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.profile, ignore_errors=True)

    def version(self):
        return self.script("return navigator.userAgent")

    def open(self, url):
        self._call("WebDriver:Navigate", url=url)

    def script(self, text, *arguments):
        return self._call("WebDriver:ExecuteScript", script=text, args=list(arguments))["value"]

    def _find(self, css):
        return self._call("WebDriver:FindElement", using="css selector", value=css)["value"][ELEMENT]

    def click(self, css):
        self._call("WebDriver:ElementClick", id=self._find(css))

    def write(self, css, text):
        element = self._find(css)
        self._call("WebDriver:ElementClear", id=element)
        self._call("WebDriver:ElementSendKeys", id=element, text=text)
