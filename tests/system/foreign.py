"""A second database session, which holds locks during a test."""
import subprocess


class Foreign:
    """An administrator session. Run each statement immediately; roll back on exit."""

    def __init__(self, service):
        self.process = subprocess.Popen(
            ["mariadb", "--no-defaults", "-S", str(service.directory / "run/db.sock"), "-N", "-B", "-n", "hongbao"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, text):
        """Run a statement and return when the server has completed it."""
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
