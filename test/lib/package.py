# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns what the package's tests share: the package built from this tree, a fresh Debian root kept
between runs, and a machine that runs from such a root in a host of the lab.

Everything costly lies below the build folder: a package is built again when a file of the tree
changed, the root when the names of the packages in it did."""

import collections
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import threading

import mail
from lab import in_thread, wait_until
from mail import BUILD
from report import Skip

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(BUILD, "package")
RELEASE = "bookworm"
# what the machine has beside the package and what that needs
FURTHER = ["systemd", "systemd-sysv", "iproute2", "nftables", "bash-completion", "procps"]
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@contextlib.contextmanager
def locked(name):
    """One of several test programs at a time makes what they share."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, f".lock-{name}"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def call(*argv, cwd=None, env=None, log=None, timeout=900, umask=-1):
    """Runs a program to its end; its output, also kept in log."""
    done = subprocess.run(argv, cwd=cwd, env=env, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                          umask=umask)
    if log:
        with open(log, "w") as file:
            file.write(done.stdout)
    if done.returncode:
        lines = [line[:200] for line in done.stdout.splitlines()]
        bad = [line for line in lines if "error" in line.lower()]
        raise AssertionError(f"{' '.join(argv)}: status {done.returncode}\n"
                             + "\n".join(bad[:10] + lines[-10:]))
    return done.stdout


# -- the package ------------------------------------------------------------------------------


def sources():
    """The files of a checkout: what git knows, and what it would take; without git all but what a
    build makes."""
    if os.path.exists(os.path.join(ROOT, ".git")):
        names = call("git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached",
                     "--others", "--exclude-standard", cwd=ROOT).split("\0")
    else:
        names = [os.path.relpath(os.path.join(folder, name), ROOT)
                 for folder, _, files in os.walk(ROOT) for name in files]
    left_out = re.compile(r"build[^/]*/|\.git/|(.*/)?__pycache__/")
    return sorted({name for name in names if name and not left_out.match(name)
                   and os.path.isfile(os.path.join(ROOT, name))})


def export(folder):
    """A clean checkout of this tree, with times of its own."""
    for name in sources():
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(ROOT, name), target)
    return folder


def build(tree, log, jobs=1, wrapper=(), env=None, umask=0o022):
    """dpkg-buildpackage in a checkout: the paths of what it made, beside the checkout."""
    clean = {"PATH": PATH, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    clean.update(env or {})
    call(*wrapper, "dpkg-buildpackage", "-us", "-uc", "-b", f"-j{jobs}", cwd=tree, log=log,
         env=clean, umask=umask)
    return made(os.path.dirname(tree))


def made(folder):
    """{"deb": path, "queue": path, "dbgsym": path, "changes": path}"""
    found = {}
    for path in glob.glob(os.path.join(folder, "postern*_*")):
        name = os.path.basename(path)
        if name.endswith(".deb"):
            kind = "dbgsym" if "dbgsym" in name else "queue" if "queue" in name else "deb"
            found[kind] = path
        elif name.endswith(".changes"):
            found["changes"] = path
    return found


def digest():
    """Of everything that a package is made from."""
    total = hashlib.sha256()
    for name in sources():
        if not name.startswith(("test/", ".ci/", "debian/tests/")):
            with open(os.path.join(ROOT, name), "rb") as file:
                total.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()[:16]


def package():
    """The package of this tree, built unless it was."""
    folder = os.path.join(CACHE, f"built-{digest()}")
    with locked("build"):
        if not made(folder).get("changes"):
            for old in glob.glob(os.path.join(CACHE, "built-*")):
                shutil.rmtree(old)
            build(export(os.path.join(folder, "postern")), os.path.join(CACHE, "build.log"),
                  jobs=2)
            shutil.rmtree(os.path.join(folder, "postern"))
    return made(folder)


def before(version):
    """A version as long as this one, and not it."""
    return version[:-1] + ("8" if version[-1] == "9" else "9")


def older(deb, folder):
    """The same package as a version before it: its programs say another version."""
    tree = os.path.join(folder, "older")
    call("dpkg-deb", "-R", deb, tree)
    program = os.path.join(tree, "usr/sbin/posternd")
    version = call(program, "--version").split()[1]
    with open(program, "rb") as file:
        data = file.read()
    with open(program, "wb") as file:
        file.write(data.replace(version.encode() + b"\0", before(version).encode() + b"\0"))
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control) as file:
        text = file.read()
    with open(control, "w") as file:
        file.write(re.sub(r"^Version: (.*)$", r"Version: \1~before", text, flags=re.M))
    path = os.path.join(folder, "older.deb")
    call("dpkg-deb", "--root-owner-group", "-b", tree, path)
    shutil.rmtree(tree)
    return path


def field(deb, name):
    return call("dpkg-deb", "-f", deb, name).strip()


# -- the root ---------------------------------------------------------------------------------


def needed(deb):
    """Names of what the package depends on and recommends; of alternatives the first."""
    words = ", ".join(filter(None, (field(deb, "Pre-Depends"), field(deb, "Depends"),
                                    field(deb, "Recommends"))))
    return sorted({re.split(r"[ (:|]", part.strip())[0] for part in words.split(",")})


def mirror():
    """Where this machine gets Debian from, by apt's own configuration."""
    lines = call("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                 "Created-By: Packages").splitlines()
    for line in lines:
        words = line.split()
        if words[1:] == [RELEASE, "main"]:
            return words[0]
    raise Skip(f"apt has no source of {RELEASE} main")


def base(*debs, kind="root"):
    """A fresh root with everything but the packages themselves; made once of each kind."""
    own = {field(deb, "Package") for deb in debs}
    names = sorted(set(FURTHER).union(*map(needed, debs)) - own)
    key = hashlib.sha256(" ".join([RELEASE] + names).encode()).hexdigest()[:16]
    folder = os.path.join(CACHE, f"{kind}-{key}")
    with locked(kind):
        if not os.path.isdir(folder):
            for old in glob.glob(os.path.join(CACHE, kind + "-*")):
                shutil.rmtree(old)
            env = dict(os.environ)
            proxy = call("apt-config", "shell", "proxy", "Acquire::http::Proxy").strip()
            if proxy and "http_proxy" not in env:
                env["http_proxy"] = proxy.split("=", 1)[1].strip("'")
            where = mirror()
            # its mounts go with it, also when it is interrupted
            call("unshare", "--mount", "debootstrap", "--variant=minbase",
                 f"--include={','.join(names)}", RELEASE, folder + ".new", where, env=env,
                 log=os.path.join(CACHE, f"debootstrap-{kind}.log"))
            # of the downloads nothing is needed any more
            for path in glob.glob(folder + ".new/var/cache/apt/archives/*.deb"):
                os.unlink(path)
            os.rename(folder + ".new", folder)
    return folder


# -- the machine ------------------------------------------------------------------------------

# Mounts as a container has them; then the first process.
BEGIN = r"""
set -e
lower=$1 folder=$2 first=$3
root=$folder/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 machine "$folder"
mkdir "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay "$root" \
	-o lowerdir="$lower",upperdir="$folder/upper",workdir="$folder/work"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
	touch dev/$name
	mount --bind /dev/$name dev/$name
done
ln -s /proc/self/fd dev/fd
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
[ "$first" != systemd ] || mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir .old
pivot_root . .old
umount -l /.old
rmdir /.old
mount --make-rshared /
if [ "$first" = systemd ]; then
	exec env -i container=postern-test PATH="$PATH" /lib/systemd/systemd --system
fi
exec env -i PATH="$PATH" bash -c 'sleep infinity & wait'
"""


def cgroup2():
    with open("/proc/mounts") as file:
        for line in file:
            words = line.split()
            if words[2] == "cgroup2":
                return words[1]
    return None


def remove_cgroups(top):
    for folder, _, _ in os.walk(top, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def remove_stale(top):
    """What a test left that was killed too hard to clean up: its process is gone."""
    for name in os.listdir(top):
        owner = re.fullmatch(r"pt([0-9]+)-\w+", name)
        if owner and not os.path.exists(f"/proc/{owner.group(1)}"):
            remove_cgroups(os.path.join(top, name))


class Machine:
    """A Debian that runs from a throw-away copy of a root, with processes, mounts and services of
    its own, and the network of a host of the lab."""

    def __init__(self, host, lower, systemd=False):
        self.host, self.systemd = host, systemd
        self.folder = host.lab.path("machine-" + host.name)
        os.makedirs(self.folder, exist_ok=True)
        self.cgroup = None
        enter = []
        if systemd:
            if not cgroup2():
                raise Skip("no cgroup2 hierarchy: systemd cannot be the first process of anything")
            remove_stale(cgroup2())
            self.cgroup = os.path.join(cgroup2(), host.netns)
            os.makedirs(self.cgroup, exist_ok=True)
            enter = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', self.cgroup]
        host.lab.on_close(self.close)
        with open(self.folder + ".log", "w") as log:
            self.process = host.popen(
                *enter, "unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--kill-child",
                *(["--cgroup"] if systemd else []), "sh", "-c", BEGIN, "sh", lower, self.folder,
                "systemd" if systemd else "plain", stdout=log, stderr=log, env={"PATH": PATH})
        self.first = wait_until(self._first, 20, "the first process")

    def _first(self):
        """The first process, once it is what it shall be."""
        if self.process.poll() is not None:
            with open(self.folder + ".log") as file:
                raise AssertionError("the machine did not start: " + file.read())
        pid = self.process.pid
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                child = int(file.read().split()[0])
            with open(f"/proc/{child}/comm") as file:
                if file.read().strip() in ("systemd", "bash"):
                    return child
        return None

    def path(self, name):
        """The same file, seen from outside."""
        return f"/proc/{self.first}/root/{name.lstrip('/')}"

    def command(self, argv):
        return ["nsenter", "--target", str(self.first), "--mount", "--pid", "--uts", "--ipc",
                "--net", "--", "env", "-i", f"PATH={PATH}", "LC_ALL=C.UTF-8", "HOME=/root",
                "DEBIAN_FRONTEND=noninteractive", *map(str, argv)]

    def run(self, *argv, check=True, input=None, timeout=60):
        done = subprocess.run(self.command(argv), text=True, input=input, timeout=timeout,
                              stdin=subprocess.DEVNULL if input is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(map(str, argv))}: status {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def popen(self, *argv, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.command(argv), **options)
        self.host.lab.processes.append(process)
        return process

    def put(self, path, text):
        with open(self.path(path), "w") as file:
            file.write(text)

    def read(self, path):
        with open(self.path(path)) as file:
            return file.read()

    def install(self, *debs, options=()):
        """As an operator does it; what apt and the packages' scripts say."""
        for deb in debs:
            shutil.copy(deb, self.path("/tmp"))
        done = self.run("apt-get", "install", "-y", "--allow-downgrades", *options,
                        *("/tmp/" + os.path.basename(deb) for deb in debs), timeout=200)
        return done.stdout + done.stderr

    def ctl(self, *words, **how):
        return self.run("posternctl", *words, **how)

    def close(self):
        """Ends the first process, and so all of them."""
        first = getattr(self, "first", None) or self.process.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.cgroup:
            remove_cgroups(self.cgroup)


# -- mail under way ---------------------------------------------------------------------------


class Traffic:
    """Messages from a client to the Internet while something is done to the gateway: short ones
    without a pause, and in each family one whose text comes in pieces and one that waits."""

    def __init__(self, client, internet):
        self.client, self.internet = client, internet
        self.sent, self.failed = [], []
        self.over = threading.Event()
        self.slow, self.idle = {}, {}
        for family in (4, 6):
            self.slow[family] = self._begin(family)
            self.idle[family] = mail.Smtp(client, internet.ip(family), timeout=30)
            assert self.idle[family].reply().startswith("220")
        self.threads = [in_thread(self._send, family) for family in (4, 6)]

    def _begin(self, family):
        smtp = mail.Smtp(self.client, self.internet.ip(family), timeout=30)
        assert smtp.reply().startswith("220")
        for line in ("MAIL FROM:<a@client.example>", "RCPT TO:<b@internet.example>", "DATA"):
            assert smtp.ask(line)[0] in "23", line
        smtp.send(f"Subject: slow-{family}")
        smtp.send("")
        return smtp

    def _send(self, family):
        number = 0
        while not self.over.is_set():
            number += 1
            word = f"under-way-{family}-{number}."
            self.sent.append(word)
            try:
                reply = mail.send(self.client, self.internet.ip(family), word, timeout=30)
            except OSError as error:
                reply = repr(error)
            if not reply.startswith("250"):
                self.failed.append(f"{word} {reply}")
            self.slow[family].send("a line of the slow one")

    def finish(self, server):
        """Ends all of it in order; what the server has of each message has to be one."""
        least = len(self.sent) + 20
        wait_until(lambda: len(self.sent) >= least or self.failed, 30, "messages go on")
        self.over.set()
        for thread in self.threads:
            thread.join(30)
        for family in (4, 6):
            self.sent.append(f"slow-{family}")
            reply = self.slow[family].ask(".")
            if not reply.startswith("250"):
                self.failed.append(f"slow-{family} {reply}")
            reply = self.idle[family].ask("NOOP")
            if not reply.startswith("250"):
                self.failed.append(f"idle-{family} {reply}")
            for smtp in (self.slow[family], self.idle[family]):
                smtp.close()
        if self.failed:
            raise AssertionError(f"{len(self.failed)} of {len(self.sent)} failed: "
                                 f"{self.failed[:5]}")
        counts = collections.Counter({word: len(server.having(word)) for word in self.sent})
        wrong = {word: count for word, count in counts.items() if count != 1}
        if wrong:
            raise AssertionError(f"messages that the server has not once: {wrong}")
        return len(self.sent)
