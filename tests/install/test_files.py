"""What `make install` puts where, for any prefix; the part of the installation that needs no machine of its own."""
import configparser
import re
import subprocess

import pytest

from service import SOURCE


def test_every_path_is_of_the_prefix(installed):
    """No file names another installation's directory, and no placeholder is left."""
    texts = {p: p.read_text(errors="replace") for p in installed.files() if p.suffix != ".png"}
    made = [p for p in texts if "/web/" in str(p) or "systemd" in str(p) or "tmpfiles" in str(p) or p.name in
            ("logrotate", "hongbao.conf", "hongbao-setup")]
    assert len(made) > 15
    for path in made:
        assert not re.search(r"@[a-z]+dir@|@webgroup@", texts[path]), path
        assert "/usr/local" not in texts[path], path
    assert "ExecStart=/opt/envelopes/libexec/hongbao/hongbao-%i" in texts[installed.path("lib/systemd/system/hongbao@.service")]
    assert 'var.files_www = "/opt/envelopes/share/hongbao/www"' in texts[installed.path("share/hongbao/web/lighttpd.conf")]


def test_named_files_are_installed(installed):
    """Files of the installation that a unit, a web server's file or a script names are there."""
    for path in installed.files():
        if "/web/" not in str(path) and "/systemd/" not in str(path) and path.name != "hongbao-setup":
            continue
        for named in re.findall(r"/opt/envelopes/(?!etc)[A-Za-z0-9@._/-]+", path.read_text()):
            named = named.rstrip("./").replace("/errors/503.html", "/errors")
            for pool in ("send", "grab", "open", "query"):
                target = installed.root / (named.lstrip("/") + (pool if named.endswith("hongbao-") else ""))
                assert target.exists() or "-r 's/x/" in named, (path, named)


def test_settings_are_read(installed, tmp_path):
    """The installed settings are valid, and every file that they name is in the installation's directories."""
    text = installed.path("share/doc/hongbao/examples/hongbao.conf").read_text()
    settings = configparser.ConfigParser(comment_prefixes="#", interpolation=None)
    settings.read_string(text)
    assert settings["cache"]["servers"] == "/run/hongbao-cache/cache.sock"
    assert dict(settings["database"]) == {}, "the server of this machine"
    assert settings["admin"]["sql_dir"] == "/opt/envelopes/share/hongbao/sql"
    assert settings["secrets"]["token"] == "/opt/envelopes/etc/hongbao/secrets/token.key"
    config = tmp_path / "hongbao.conf"
    for name in ("token", "guest", "wallet", "ticket"):
        (tmp_path / f"{name}.key").write_text(f"{name.encode().hex():0<64}\n")
        (tmp_path / f"{name}.key").chmod(0o400)
    config.write_text(re.sub(r"/opt/envelopes/etc/hongbao/secrets/(\w+\.key)", rf"{tmp_path}/\1", text))
    for pool in ("send", "grab", "open", "query"):
        done = subprocess.run([installed.path(f"libexec/hongbao/hongbao-{pool}"), "--config", config, "--check-config"],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.needs("root", "systemd-sysusers")
def test_users_and_directories(installed, tmp_path):
    """sysusers.d and tmpfiles.d can be applied, and make a user for each unit."""
    root = tmp_path / "machine"
    for name in ("etc", "run", "var/lib", "var/log"):
        (root / name).mkdir(parents=True)
    users = installed.path("lib/sysusers.d/hongbao.conf")
    done = subprocess.run(["systemd-sysusers", f"--root={root}", users], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = re.findall(r"^(hongbao[a-z-]*):", (root / "etc/passwd").read_text(), re.M)
    assert sorted(names) == [f"hongbao-{n}" for n in ("cache", "grab", "open", "query", "send", "settle")]
    group = re.search(r"^hongbao:.*:([a-z,-]*)$", (root / "etc/group").read_text(), re.M).group(1)
    assert "hongbao-cache" not in group and len(group.split(",")) == 5
    done = subprocess.run(["systemd-tmpfiles", "--create", f"--root={root}", installed.path("lib/tmpfiles.d/hongbao.conf")],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (root / "run/hongbao/shared").stat().st_mode & 0o7777 == 0o770
    assert (root / "var/lib/hongbao/markers").stat().st_mode & 0o7777 == 0o775


def test_database_settings_satisfy_doctor():
    """mariadb.cnf sets each variable that doctor compares and that is not right by default."""
    table = re.findall(r'^    \{"(\w+)", "([^"]+)",$', (SOURCE / "bin/ctl_doctor_database.c").read_text(), re.M)
    settings = dict(re.findall(r"^(\w+) = (\S+)$", (SOURCE / "conf/mariadb.cnf").read_text(), re.M))
    by_default = {"innodb_doublewrite", "foreign_key_checks", "unique_checks"}
    assert len(table) > 3
    for name, good in table:
        if name in by_default:
            continue
        value = settings[name]
        assert value in good.split() or good.startswith("<=") and int(value) <= int(good[2:]) or \
            good.startswith("has:") and good[4:] in value, (name, value, good)


def test_completion(installed):
    """Tab after hongbaoctl offers its commands, and after a command that command's options."""
    script = installed.path("share/bash-completion/completions/hongbaoctl")
    for typed, wanted in (("hongbaoctl au", {"audit"}), ("hongbaoctl doctor --", {"--json"}), ("hongbaoctl token x --", {"--name", "--ttl"})):
        words = typed.split(" ")
        done = subprocess.run(["bash", "-c", f'. {script}; COMP_WORDS=("${{@}}"); COMP_CWORD=$(($# - 1)); _hongbaoctl; echo "${{COMPREPLY[@]}}"',
                               "bash", *words], capture_output=True, text=True, check=True,
                              env={"PATH": f"{installed.path('sbin')}:/usr/bin:/bin"})
        assert wanted <= set(done.stdout.split()), (typed, done)


def test_setup_says_how_it_is_used(installed):
    script = installed.path("sbin/hongbao-setup")
    assert "lighttpd|nginx|apache" in subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    for wrong in ([], ["caddy"]):
        assert subprocess.run([script, *wrong], capture_output=True, check=False).returncode == 2
