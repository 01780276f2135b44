"""What is wrong with the markup of a page as the browser holds it, by html-validate."""
import json
import pathlib
import subprocess
import threading

from page_checks import MODULES

SCRIPT = pathlib.Path(__file__).parent / "validate.mjs"


class Markup:
    """One html-validate for many pages: to start it takes longer than all its work."""
    def __init__(self):
        self.process = subprocess.Popen(["node", str(SCRIPT), str(MODULES.parent)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.turn = threading.Lock()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(10) == 0

    def faults(self, browser):
        page = browser.script("return '<!DOCTYPE html>' + document.documentElement.outerHTML")
        with self.turn:
            self.process.stdin.write(json.dumps(page) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        return [f"markup {sentence}" for sentence in json.loads(answer)]
