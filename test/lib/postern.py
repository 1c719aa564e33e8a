# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns Postern in the gateway of a lab: its policy file, its processes, its command line."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

from lab import wait_until
from mail import BUILD

POSTERND = os.path.join(BUILD, "daemon", "posternd")
POSTERNCTL = os.path.join(BUILD, "tools", "posternctl")
USER = os.environ.get("POSTERN_USER", "nobody")

# What a policy of the tests begins with; `drain` keeps a stop short.
HEAD = """language 1
hostname "gw.example.net"
drain 1s
"""


def zone(more="", name="guest", interface="guest0"):
    return f'zone {name} {{ interface "{interface}"\n{more}\n}}\n'


def server(host, family, name="relay", second=False, port=25, more=""):
    return (f"server {name} {{ host {host.ip(family, second)} port {port}\n"
            f"probe none\n{more}\n}}\n")


def policy(*parts):
    return HEAD + "".join(part if part.endswith("\n") else part + "\n" for part in parts)


def runs(pid):
    """Neither gone nor a zombie, with all its threads: one that lives on has its descriptors."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] not in "ZX":
                    return True
    return False


def stop(pids):
    """Sends SIGSTOP and waits until none of their threads runs any more; one that ended is."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    for pid in pids:
        wait_until(lambda: states_of(pid) <= set("TtZX"), 10, f"process {pid} is stopped")


def states_of(pid):
    """Of its threads, as in /proc: R, S, T and so on."""
    states = set()
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/stat") as file:
                states.add(file.read().rsplit(")", 1)[1].split()[0])
    return states


# Files of the test in front of the machine's in /etc, for one program.
ETC = """
set -e
mount --make-rprivate /
mount -t overlay -o lowerdir="$1:/etc" overlay /etc
shift
exec "$@"
"""


class Postern:
    """etc: a folder whose files stand in for those of /etc, for example resolv.conf."""

    def __init__(self, lab, text, start=True, etc=None, program=POSTERND):
        self.lab, self.gateway = lab, lab.gateway
        self.program = program
        self.view = ["unshare", "-m", "sh", "-c", ETC, "sh", etc] if etc else []
        self.folder = lab.path("postern")
        self.file = os.path.join(self.folder, "postern.conf")
        self.state = os.path.join(self.folder, "state")
        self.rundir = os.path.join(self.folder, "run")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        for folder in (self.folder, self.state, self.rundir):
            os.makedirs(folder, exist_ok=True)
        self.write(text)
        lab.on_close(self._last)
        if start:
            self.start()

    def write(self, text):
        with open(self.file, "w") as file:
            file.write(text)

    # -- processes ------------------------------------------------------------------------------

    def start(self, wait=True, options=()):
        env = dict(os.environ)
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1:handle_abort=1")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        with open(self.log, "a") as log:
            self.begun = log.tell()
            self.process = self.gateway.popen(
                *self.view, self.program, "-d", "-f", self.file, "--state", self.state, "--run", self.rundir,
                "--user", USER, *options, stdout=log, stderr=log, env=env)
        if wait:
            wait_until(self.up, 20, "posternd answers")
        return self

    def up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"posternd ended with {self.process.returncode}:\n"
                                 + self.log_tail())
        return self.ctl("status", check=False).returncode != 3 and self.serves()

    def serves(self):
        """Have keeper and control both said that they are ready, since the last start?"""
        with open(self.log, errors="replace") as log:
            log.seek(self.begun)
            said = log.read()
        return "keeper: ready" in said and "control: ready" in said

    def stop(self, seconds=15):
        """Orderly: SIGTERM, and waits for the end."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(seconds)
        self.process = None

    def pids(self, role=None):
        """The daemon's processes: {pid: role}, or the pids of one role (keeper, control, relay,
        health)."""
        found = {}
        pending = [self.process.pid] if self.process else []
        while pending:
            pid = pending.pop()
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline") as file:
                    argv = file.read().split("\0")
                with open(f"/proc/{pid}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                        continue
                if pid == self.process.pid:
                    found[pid] = "keeper"
                elif "--child" in argv:  # else it was forked, and is not yet what it will be
                    found[pid] = argv[argv.index("--child") + 1].split(":")[0]
                with open(f"/proc/{pid}/task/{pid}/children") as file:
                    pending += [int(child) for child in file.read().split()]
        if role:
            return [pid for pid, is_ in found.items() if is_ == role]
        return found

    def signal(self, role, kind=signal.SIGKILL):
        """Sends a signal to every process of one role, waiting for one that is just being started;
        returns their pids. With SIGSTOP they have stopped when it returns."""
        pids = wait_until(lambda: self.pids(role), 10, f"a {role} runs")
        if kind == signal.SIGSTOP:
            stop(pids)
            return pids
        for pid in pids:
            os.kill(pid, kind)
        return pids

    def kill_all(self):
        """Every process at once, as the kernel's OOM killer might."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        # a relay that is still ending has its listener yet
        wait_until(lambda: not any(map(runs, pids)), 10, "all processes are gone")
        self.process = None

    def _last(self):
        if self.process and self.process.poll() is None:
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)

    def log_text(self):
        with contextlib.suppress(FileNotFoundError), open(self.log, errors="replace") as file:
            return file.read()
        return ""

    def log_tail(self, lines=25):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def problem(self):
        """What a sanitizer or an assertion wrote; "" if nothing."""
        lines = self.log_text().splitlines()
        bad = re.compile(r"Sanitizer|runtime error|Assertion|assertion|stack smashing|core dumped")
        for number, line in enumerate(lines):
            if bad.search(line):
                return "\n".join(lines[number:number + 40])
        return ""

    # -- command line ---------------------------------------------------------------------------

    def ctl(self, *words, check=True, input=None, timeout=30):
        """posternctl with these words: CompletedProcess. A single text is split at blanks."""
        if len(words) == 1:
            words = words[0].split()
        return self.gateway.run(POSTERNCTL, "--run", self.rundir, *words, check=check,
                                input=input, timeout=timeout)

    def show(self, *words):
        return self.ctl(*words).stdout

    def json(self, *words):
        if len(words) == 1:
            words = words[0].split()
        text = self.ctl("-j", *words).stdout
        return json.loads(text)

    def rows(self, *words):
        """The objects of a `show` command."""
        return self.json(*words)

    def apply(self, text, check=True):
        """Whatever commands changed since, whomever it lets pass, and whatever it leaves."""
        return self.ctl("policy", "apply", "-", "--discard-edits", "--allow-open", "--allow-empty",
                        input=text, check=check)

    def login(self, user, host=None, zone="guest", address=None, mac=True, more=()):
        """Logs a host in with both its addresses (or those given) and its MAC."""
        addresses = [address] if isinstance(address, str) else \
            address or [host.ip4, host.ip6]
        words = ["session", "login", user, "zone", zone]
        for one in addresses:
            words += ["address", one]
        if mac:
            words += ["mac", host.mac if mac is True else mac]
        more = more.split() if isinstance(more, str) else more
        return self.ctl(*words, *more)

    def logout(self, *words):
        return self.ctl("session", "logout", *words, check=False)

    def counter(self, name):
        """One counter's value, by its name; 0 if it was never counted."""
        return sum(row["value"] for row in self.json("counters") if row["counter"] == name)

    def counted(self, name, least, seconds=5):
        """Waits until a counter is at least so much: relays tell theirs once a second."""
        wait_until(lambda: self.counter(name) >= least, seconds, f"{name} at {least}")

    def steady(self, name):
        """A counter's value once every relay has told its own."""
        before, value = None, self.counter(name)
        while value != before:
            time.sleep(1.2)  # longer than relays keep theirs to themselves
            before, value = value, self.counter(name)
        return value

    def live(self):
        """The flows that the relays hold now, asked of them."""
        return self.rows("flow", "show")

    def wait_no_flows(self, seconds=20):
        wait_until(lambda: not self.live(), seconds, "no flow is left")

    def audit(self, *words, seconds=10, count=1):
        """Waits for at least so many audit records that match the filter; newest first. By an
        id it is one record with all its parts."""
        def records():
            done = self.ctl("-j", "audit", "show", *words, check=False)
            # an id that has no record yet is refused
            rows = json.loads(done.stdout) if done.returncode == 0 else []
            return rows if len(rows) >= count else None
        return wait_until(records, seconds, f"{count} audit records {words}")

    # -- what the kernel holds ------------------------------------------------------------------

    def table(self):
        return self.gateway.run("nft", "list", "table", "inet", "postern", check=False).stdout

    def finish(self):
        """Stops the daemon; returns what was wrong with its end, or ""."""
        status = 0
        if self.process:
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(20)
                except subprocess.TimeoutExpired:
                    return "posternd did not end on SIGTERM\n" + self.log_tail()
            status = self.process.returncode
        text = self.problem()
        return text or (f"posternd ended with {status}\n" + self.log_tail() if status else "")
