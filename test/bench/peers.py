# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the peers of the bench: each one started in the gateway with the files in peers/, and
stopped again, so that no peer pays for another's rules."""

import contextlib
import os
import shutil
import subprocess
import time

import load
from authority import Authority
from lab import wait_until
from mail import MTA, Postfix
from postern import Postern

HERE = os.path.dirname(os.path.abspath(__file__))
CORES = os.cpu_count()
TICK = os.sysconf("SC_CLK_TCK")
PACKAGES = ("postfix", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1",
            "nginx", "libnginx-mod-stream", "libnginx-mod-mail")


def unpacked(package, *names):
    return os.path.join(MTA, package, *names)


def libraries():
    """The folders of the shared libraries that HAProxy wants and the machine lacks."""
    found = set()
    for package in ("liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"):
        for folder, _, names in os.walk(unpacked(package, "usr", "lib")):
            if any(".so" in name for name in names):
                found.add(folder)
    return ":".join(sorted(found))


def cpu_of(pids):
    """(CPU seconds, seconds in the kernel) of processes, all their threads; exact to the
    nanosecond in all, in 10 ms steps for the kernel's part."""
    total = kernel = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0]) / 1e9
            with open(f"/proc/{pid}/stat") as file:
                kernel += int(file.read().rsplit(")", 1)[1].split()[12]) / TICK
    return total, kernel


def softirq():
    """Seconds that the machine spent in soft interrupts: everybody's."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[7]) / TICK


class Peer:
    """Nothing at all: the client's packets are forwarded to the server that it names itself."""

    name = "direct"
    lacks = "redirect, identity, failover, audit"
    proxies = False

    def __init__(self, lab):
        self.lab, self.gateway = lab, lab.gateway
        self.target = lab.dmz.ip4

    def start(self):
        pass

    def stop(self):
        pass

    def forget(self):
        """The next start knows nothing of what was."""

    def pids(self):
        return []

    def roles(self):
        """{pid: what it is}"""
        return {pid: self.name for pid in self.pids()}

    # -- for those that redirect ----------------------------------------------------------------

    ruled = None  # by whose file; None: its own

    def rules(self, on):
        if on:
            with open(f"{HERE}/peers/{self.ruled or self.name}.nft") as file:
                self.gateway.nft(file.read())
        else:
            self.gateway.run("nft", "delete", "table", "inet", "bench", check=False)

    def filled(self, name, **more):
        """A file of peers/ with its @WORDS@ filled in; its path."""
        with open(f"{HERE}/peers/{name}") as file:
            text = file.read()
        for word, value in {"CORES": CORES, "FOLDER": self.lab.folder, **more}.items():
            text = text.replace(f"@{word}@", str(value))
        path = self.lab.path(name)
        with open(path, "w") as file:
            file.write(text)
        return path


class Dnat(Peer):
    name = "dnat"
    lacks = "identity, failover, audit"

    def __init__(self, lab):
        super().__init__(lab)
        self.target = lab.internet.ip4

    def start(self):
        self.rules(True)

    def stop(self):
        self.rules(False)


class Proxy(Dnat):
    """A proxy with processes of its own."""

    lacks = "identity, greeting failover, audit"
    proxies = True
    process = None

    def argv(self):
        raise NotImplementedError

    def start(self):
        self.rules(True)
        self.process = self.gateway.popen(*self.argv(), stdout=self.log(), stderr=subprocess.STDOUT)
        wait_until(self.greets, 10, f"{self.name} greets")

    def log(self):
        return open(self.lab.path(self.name + ".log"), "a")

    def greets(self):
        with contextlib.suppress(OSError):
            with self.lab.client.connect(self.target, 25, 2) as sock:
                return sock.recv(3) == b"220"
        return False

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        self.rules(False)

    def pids(self):
        """The process and its children."""
        found, pending = [], [self.process.pid] if self.process else []
        while pending:
            found.append(pending.pop())
            with contextlib.suppress(OSError):
                with open(f"/proc/{found[-1]}/task/{found[-1]}/children") as file:
                    pending += [int(child) for child in file.read().split()]
        return found


class Haproxy(Proxy):
    name = "haproxy"

    def argv(self):
        self.gateway.run("ip", "rule", "del", "fwmark", "1", check=False)
        self.gateway.ipcmd("rule add fwmark 1 lookup 100",
                           "route replace local default dev lo table 100")
        return ["env", f"LD_LIBRARY_PATH={libraries()}", unpacked("haproxy", "usr/sbin/haproxy"),
                "-db", "-f", self.filled("haproxy.cfg")]

    def stop(self):
        super().stop()
        self.gateway.run("ip", "rule", "del", "fwmark", "1", check=False)


class Nginx(Proxy):
    name = "nginx"

    def argv(self):
        conf = self.filled("nginx.conf",
                           MODULES=unpacked("libnginx-mod-stream", "usr/lib/nginx/modules"))
        return [unpacked("nginx", "usr/sbin/nginx"), "-p", self.lab.folder, "-e", "stderr",
                "-c", conf]


class Gateway(Dnat):
    """Postern."""

    name = "postern"
    lacks = ""
    proxies = True
    speaks = False  # the greeting is its own

    def __init__(self, lab):
        super().__init__(lab)
        self.postern = None

    def text(self, before_rules=""):
        with open(f"{HERE}/peers/{self.name}.conf") as file:
            head, rule = file.read().rsplit("rule ", 1)
        return f"{head}{before_rules}rule {rule}"

    def start(self):
        if self.postern is None:
            self.postern = Postern(self.lab, self.text(), start=False)
        self.postern.write(self.text())  # the other Postern's policy stood in the same place
        self.postern.start()
        for host in (self.lab.client, self.lab.client2):
            self.postern.login("alice", host)
        # no line of log a flow: the others write none, either
        self.postern.ctl("log level warning")
        wait_until(lambda: Proxy.greets(self), 10, "Postern greets")
        with self.lab.client.connect(self.target, 25, 5) as sock:
            greeting = sock.recv(512)
        if (b"gw.example.net" in greeting) != self.speaks:
            raise AssertionError(f"{self.name} greets by {greeting}")

    def stop(self):
        if self.postern:
            self.postern.stop()

    def forget(self):
        if self.postern is None:
            self.postern = Postern(self.lab, self.text(), start=False)
        for name in os.listdir(self.postern.state):
            path = os.path.join(self.postern.state, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def pids(self):
        return list(self.roles())

    def roles(self):
        return self.postern.pids() if self.postern and self.postern.process else {}


class PathKernel(Gateway):
    """Postern where the kernel alone carries the connections; its record is of their end."""

    name = "path-kernel"
    lacks = "greeting failover, deadlines"
    proxies = False

    def start(self):
        super().start()
        self.wait_carried()

    def wait_carried(self):
        """The relay has the clients until a host of the policy is known to be there."""
        wait_until(self._carries, 20, "the kernel carries the client")

    def _carries(self):
        rows = self.postern.rows("client", "show", "zone", "guest")
        return Proxy.greets(self) and any(
            row["address"] == self.lab.client.ip4 and row["verdict"] == "kernel" for row in rows)


class Message(Gateway):
    """Postern at message level."""

    name = "message"
    speaks = True


class MessageTls(Message):
    """The same in TLS, by a certificate of P-256."""

    name = "message-tls"

    def __init__(self, lab):
        super().__init__(lab)
        self.certificate, self.key = Authority(lab.path("tls")).sign("gw", "gw.example.net")

    def text(self, before_rules=""):
        return super().text(before_rules).replace("@CERTIFICATE@", self.certificate) \
            .replace("@KEY@", self.key)


class Handshake(Peer):
    """The library's, over loopback: no peer, but what one may cost."""

    name = "handshake"
    lacks = "all but a handshake"


class NginxMail(Proxy):
    name = "nginx-mail"
    lacks = "identity, rules by recipient, audit; blind behind the first recipient"
    tls = ""

    def argv(self):
        conf = self.filled("nginx-mail.conf", TLS=self.tls,
                           MODULES=unpacked("libnginx-mod-mail", "usr/lib/nginx/modules"))
        return [unpacked("nginx", "usr/sbin/nginx"), "-p", self.lab.folder, "-e", "stderr",
                "-c", conf]


class NginxMailTls(NginxMail):
    """The same in TLS, as message-tls has it: a key of P-256, and nobody resumes."""

    name = "nginx-mail-tls"
    ruled = NginxMail.name

    def __init__(self, lab):
        super().__init__(lab)
        certificate, key = Authority(lab.path("nginx-tls")).sign("gw", "gw.example.net")
        self.tls = (f"starttls only; ssl_certificate {certificate}; ssl_certificate_key {key};"
                    " ssl_session_cache none; ssl_session_tickets off;")


class Starttls(Proxy):
    """The bench's own server in the gateway, which answers each line at once and passes nothing on:
    what it costs the least that can be had to take STARTTLS, by the network."""

    name = "starttls"
    ruled = NginxMail.name
    lacks = "all but an answer to each line"

    def __init__(self, lab):
        super().__init__(lab)
        self.signed = Authority(lab.path("starttls")).sign("gw", "gw.example.net")

    def argv(self):
        return [load.PROGRAM, "tls-serve", "0.0.0.0", "4325", *self.signed]


class BeforeQueue(Proxy):
    """Postfix, its smtpd passing on to the server what it lets in; nothing is queued. Its log, a
    few lines a message, is what record it has."""

    name = "postfix"
    lacks = "identity, many messages in one connection to the server"
    # who is measured lives as long as the measurement: who ended could no longer be asked
    MORE = """
smtpd_proxy_filter = inet:203.0.113.10:25
smtpd_proxy_options =
smtpd_authorized_xforward_hosts =
default_process_limit = 250
max_use = 1000000
max_idle = 1h
smtpd_client_event_limit_exceptions = static:all
"""

    def __init__(self, lab):
        super().__init__(lab)
        self.postfix = None

    def start(self):
        self.rules(True)
        if self.postfix is None:
            self.postfix = Postfix(self.gateway, "gw.example.net", more=self.MORE)
        else:
            self.postfix.start()
        self.process = self.postfix.process
        wait_until(self.greets, 10, "Postfix greets the clients")

    def stop(self):
        self.postfix.stop()
        self.process = None
        self.rules(False)


ALL = (Peer, Dnat, Haproxy, Nginx, Gateway, PathKernel)
# those beside which Postern speaks SMTP itself; the first and the last do not
MAIL = (Haproxy, NginxMail, BeforeQueue, Gateway, Message)
# the same without TLS, the handshake alone in both ways to count it, and both; and who else does
SECURE = (Message, Handshake, Starttls, MessageTls, NginxMailTls)
# those that a proxy is compared with: the better of them
RIVALS = ("haproxy", "nginx")


class Spent:
    """CPU time of a peer from here on; settled() waits until it has nothing more to do, so that
    records that are written later count, too."""

    def __init__(self, peer):
        self.peer = peer
        self.before = self._now()
        self.softirq = softirq()

    def _now(self):
        return {pid: (cpu_of([pid]), role) for pid, role in self.peer.roles().items()}

    def settled(self, seconds=3):
        last, since = sum(value[0][0] for value in self._now().values()), time.monotonic()
        deadline = since + seconds
        while self.before and time.monotonic() < deadline:
            time.sleep(0.05)
            now = sum(value[0][0] for value in self._now().values())
            if now - last > 0.002:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > 0.45:
                break
        return self

    def used(self):
        """{"cpu": seconds, "kernel": seconds, "softirq": the machine's, role: seconds}"""
        sums = {"cpu": 0.0, "kernel": 0.0, "softirq": softirq() - self.softirq}
        for pid, ((total, kernel), role) in self._now().items():
            before = self.before.get(pid, ((0, 0), role))[0]
            sums["cpu"] += total - before[0]
            sums["kernel"] += kernel - before[1]
            sums[role] = sums.get(role, 0.0) + total - before[0]
        return sums
