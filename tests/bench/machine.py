"""Describe the machine that runs the benchmark."""
import os
import pathlib
import platform
import subprocess
import tempfile
import time


def _first_of(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return "unknown"


def _version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], text=True, capture_output=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "absent"


def flush_us(directory, times=200):
    """Return the median time to flush 4 KiB to the disk that holds directory, as each commit does."""
    taken = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            started = time.monotonic()
            os.fdatasync(file.fileno())
            taken.append(time.monotonic() - started)
    return round(sorted(taken)[times // 2] * 1e6)


def describe(directory):
    """Return a dict for the JSON output; text() formats it for the table."""
    packages = ("lighttpd", "mariadb-server-core", "memcached", "libfcgi0ldbl", "nginx-common", "redis-server")
    memory_kib = int(_first_of("/proc/meminfo", "MemTotal").split()[0])
    return {"processors": os.cpu_count(), "model": _first_of("/proc/cpuinfo", "model name"),
            "memory_gib": round(memory_kib / 2**20, 1), "kernel": platform.release(),
            "flush_us": flush_us(directory), "load_client": "on the same processors, not pinned",
            "packages": {name: _version(name) for name in packages}}


def text(machine):
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (f"{machine['processors']} processors ({machine['model']}), {machine['memory_gib']} GiB, "
            f"Linux {machine['kernel']}; 4 KiB to the disk in {machine['flush_us']} us (median); "
            f"load client {machine['load_client']}\n{packages}")
