# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a bare Debian with a checkout in it, for the README's own commands. It has what debootstrap
puts there and what the lists of tools/packages name, and nothing else.

The root is kept below the build folder until a list changes, with what the commands have installed
and built there: each of them is once the first of its kind in it, and then finds that."""

import filecmp
import glob
import hashlib
import os
import shutil
import subprocess

from package import CACHE, PATH, RELEASE, ROOT, call, locked, mirror, sources

CHECKOUT = "postern"  # below the root
LISTS = "tools/packages"

# Runs a program in the root, with processes and mounts of its own and this machine's network.
ENTER = """
set -e
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --make-rshared /
exec chroot "$root" env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 "$@"
"""


def enter(root, *argv, log, timeout):
    return call("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh",
                root, *argv, env={"PATH": PATH}, log=log, timeout=timeout)


def _read(*names):
    for name in names:
        with open(os.path.join(ROOT, name), "rb") as file:
            yield file.read()


def key():
    """Of all that decides what is fetched."""
    names = sorted(name for name in sources() if name.startswith(LISTS)) + ["test/run", "tools/demo"]
    total = hashlib.sha256(RELEASE.encode())
    for text in _read(*names):
        total.update(hashlib.sha256(text).digest())
    return total.hexdigest()[:16]


def bring(root):
    """This tree as a checkout in the root; what is there already keeps its time, so that little is
    built again."""
    tree = os.path.join(root, CHECKOUT)
    wanted = set(sources())
    for folder, folders, files in os.walk(tree):
        folders[:] = [name for name in folders if os.path.join(folder, name) !=
                      os.path.join(tree, "build")]
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, tree) not in wanted:
                os.unlink(path)
    for name in wanted:
        source, target = os.path.join(ROOT, name), os.path.join(tree, name)
        if os.path.exists(target) and filecmp.cmp(source, target, shallow=False):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)


def _configure(root):
    """The root gets Debian as this machine does."""
    settings = call("apt-config", "dump", "Acquire")
    path = os.path.join(root, "etc/apt/apt.conf.d/99machine")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(settings)
    shutil.copy("/etc/resolv.conf", os.path.join(root, "etc/resolv.conf"))


def _make(root):
    where = mirror()
    env = dict(os.environ)
    proxy = call("apt-config", "shell", "proxy", "Acquire::http::Proxy").strip()
    if proxy and "http_proxy" not in env:
        env["http_proxy"] = proxy.split("=", 1)[1].strip("'")
    # its mounts go with it, also when it is interrupted
    call("unshare", "--mount", "debootstrap", "--variant=minbase", RELEASE, root, where, env=env,
         log=os.path.join(CACHE, "bare-debootstrap.log"), timeout=400)
    _configure(root)


def _remove(path):
    subprocess.run(["rm", "-rf", path], check=True)


def root():
    """The root, made where there is none. What a first command left half done goes, too: `busy` is
    there while one runs."""
    folder = os.path.join(CACHE, f"bare-{key()}")
    if os.path.exists(folder + ".busy"):
        _remove(folder)
    if not os.path.isdir(folder):
        for old in glob.glob(os.path.join(CACHE, "bare-*", "")):
            _remove(old)
        _make(folder + ".new")
        os.rename(folder + ".new", folder)
    return folder


def _name(argv):
    return hashlib.sha256(" ".join(argv).encode()).hexdigest()[:16]


def _mark(folder, argv):
    """The file in the root that is there when this command has once come to its end."""
    return os.path.join(folder, f"{CHECKOUT}-ran-{_name(argv)}")


def ran(*argv):
    with locked("bare"):
        return os.path.exists(_mark(root(), argv))


def run(*argv, timeout):
    """A command in the root, with this tree; what it says. The first of its kind installs what it
    needs, and has twice the time."""
    with locked("bare"):
        folder = root()
        mark = _mark(folder, argv)
        first = not os.path.exists(mark)
        if first:
            open(folder + ".busy", "w").close()
        bring(folder)
        said = enter(folder, "sh", "-c", f'cd /{CHECKOUT} && exec "$@"', "sh", *argv,
                     log=os.path.join(CACHE, f"bare-{_name(argv)}.log"),
                     timeout=2 * timeout if first else timeout)
        if first:
            for path in glob.glob(folder + "/var/cache/apt/archives/*.deb"):
                os.unlink(path)
            open(mark, "w").close()
            os.unlink(folder + ".busy")
        return said
