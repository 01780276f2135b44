"""A web server in front of the service's pools, with the installed configuration of conf/web. Started as root it must
drop to its own user, which reaches the sockets by their group, as in a real installation."""
import os
import pathlib
import re
import shutil
import socket
import subprocess

from service import BUILD, SOURCE, free_port, wait_until

NAMES = ("lighttpd", "nginx", "apache")
WEB_USER = "www-data"
MODULES = """mpm_event authz_core alias deflate env filter headers proxy proxy_fcgi reqtimeout rewrite setenvif
             remoteip socache_shmcb ssl http2 dir mime""".split()
PAGE = {"www": pathlib.Path(BUILD) / "page", "errors": SOURCE / "conf/errors"}
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def is_root():
    return os.geteuid() == 0


def let_in(service):
    """Gives the sockets to the web server's group, as the socket units do."""
    service.directory.chmod(0o755)
    (service.directory / "run").chmod(0o755)
    (service.directory / "markers").chmod(0o755)
    for path in (service.directory / "run").glob("*.sock"):
        if is_root() and path.stem in ("send", "grab", "open", "query"):
            shutil.chown(path, group=WEB_USER)


class Front:
    """One web server; `port` is its public listener, `tls_port` and `metrics_port` the others."""

    def __init__(self, service, directory, name, switched_on=(), blocks=(), address="127.0.0.1"):
        self.name, self.directory, self.address = name, directory, address
        self.port, self.tls_port, self.metrics_port = free_port(), free_port(), free_port()
        self.service, self.switched_on = service, switched_on
        directory.mkdir(exist_ok=True)
        for path in (directory, *list(directory.parents)[:3]):
            path.chmod(0o755)
        for folder in ("log/nginx", "log/apache2", "log/lighttpd", "share", *TEMPORARY):
            (directory / folder).mkdir(parents=True)
            if is_root():
                shutil.chown(directory / folder, WEB_USER, WEB_USER)
        for part, source in PAGE.items():
            shutil.copytree(source, directory / "share" / part)
        for path in (SOURCE / "conf/web").iterdir():
            target = directory / path.name.removesuffix(".in")
            target.write_text(self.fill(path.read_text()))
        self.script = "/assets/" + next((directory / "share/www/assets").glob("main-*.js")).name
        let_in(service)
        command = getattr(self, name)(blocks)
        with open(directory / "out", "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        wait_until(self.serves, 20, f"{name} serves")

    def fill(self, text):
        """The template with the paths, ports and switched-on blocks of this instance."""
        for old, new in (("@pkgdatadir@", self.directory / "share"), ("@rundir@", self.service.directory / "run"),
                         ("@statedir@", self.service.directory), ("@webdir@", self.directory),
                         ("@weblogdir@", self.directory / "log"), ("/var/log/", f"{self.directory}/log/"),
                         ("/run/lighttpd.pid", self.directory / "pid"), ("127.0.0.1:9464", f"127.0.0.1:{self.metrics_port}"),
                         ("192.0.2.1", "127.0.0.1"), ("include fastcgi_params", "include /etc/nginx/fastcgi_params"),
                         ("*:80", f"*:{self.port}"), ("*:443", f"*:{self.tls_port}"),
                         ("listen 80 ", f"listen {self.address}:{self.port} "), ("listen [::]:80 ", f"listen [::1]:{self.port} "),
                         ("listen 443 ", f"listen {self.address}:{self.tls_port} "),
                         ("listen [::]:443 ", f"listen [::1]:{self.tls_port} "),
                         ('var.port = 80', f"var.port = {self.port}"), ('"0.0.0.0"', f'"{self.address}"'),
                         ('"0.0.0.0:443"', f'"{self.address}:{self.tls_port}"'), ('"[::]:443"', f'"[::1]:{self.tls_port}"'),
                         ('"[::]:"', '"[::1]:"'), ("/etc/lighttpd/server.pem", self.directory / "server.pem"),
                         ("/etc/nginx/hongbao", self.directory / "server"), ("/etc/apache2/hongbao", self.directory / "server")):
            text = text.replace(old, str(new))
        for word in self.switched_on:
            text = re.sub(rf"#{word} ", "", text)
        return text

    def lighttpd(self, blocks):
        config = self.directory / "main.conf"
        config.write_text("\n".join([*blocks, f'include "{self.directory}/lighttpd.conf"']) + "\n")
        if not is_root():
            text = (self.directory / "lighttpd.conf").read_text()
            (self.directory / "lighttpd.conf").write_text(re.sub(r"^server\.(user|group)name.*\n", "", text, flags=re.M))
        return ["lighttpd", "-D", "-f", str(config)]

    def nginx(self, blocks):
        temporary = "".join(f"{kind}_temp_path {self.directory}/{kind};\n" for kind in TEMPORARY)
        config = self.directory / "main.conf"
        config.write_text(("user www-data;\n" if is_root() else "") +
                          f"daemon off;\npid {self.directory}/pid;\nerror_log {self.directory}/log/error.log;\n"
                          "worker_rlimit_nofile 16384;\nevents { worker_connections 4096; }\n"
                          f"http {{\n{temporary}" + "\n".join(blocks) + f"include {self.directory}/nginx.conf;\n}}\n")
        return ["nginx", "-c", str(config)]

    def apache(self, blocks):
        lines = [f"ServerRoot {self.directory}", f"PidFile {self.directory}/pid", "ServerName localhost",
                 f"Listen {self.address}:{self.port}", f"Listen [::1]:{self.port}", f"ErrorLog {self.directory}/log/error.log",
                 f"Mutex file:{self.directory}", "TypesConfig /dev/null",
                 *(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in MODULES)]
        if "tls" in self.switched_on:
            lines.append(f"Listen {self.address}:{self.tls_port}")
        if is_root():
            lines += ["User www-data", "Group www-data"]
        config = self.directory / "main.conf"
        config.write_text("\n".join([*lines, *blocks, f"Include {self.directory}/apache.conf"]) + "\n")
        return ["apache2", "-D", "FOREGROUND", "-f", str(config)]

    def serves(self):
        assert self.process.poll() is None, (self.directory / "out").read_text() + self.errors()
        with socket.socket() as s:
            return s.connect_ex((self.address, self.port)) == 0

    def errors(self):
        return "".join(p.read_text(errors="replace")[-4000:] for p in (self.directory / "log").rglob("error.log"))

    def processes(self):
        """(pid, effective user id) of the server and all its descendants."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            found.append((pid, int(re.search(r"^Uid:\s+\d+\s+(\d+)", status, re.M).group(1))))
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo += map(int, path.read_text().split())
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
