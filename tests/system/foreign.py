"""Somebody else at the database, who holds locks."""
import subprocess


class Foreign:
    """A session of the administrator. Statements run when they are given; the end rolls back."""

    def __init__(self, service):
        self.process = subprocess.Popen(
            ["mariadb", "--no-defaults", "-S", str(service.directory / "run/db.sock"), "-N", "-B", "-n", "hongbao"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, text):
        """Returns when the server has done it."""
        self.process.stdin.write(f"{text}; SELECT 'done-here';\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip() == "done-here":
                return
        raise AssertionError(f"failed: {text}")

    def __enter__(self):
        self.run("BEGIN")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
