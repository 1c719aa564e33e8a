# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the hosts: network namespaces with addresses of the documentation ranges, and what runs in
them. Everything a Lab makes goes away with it, also when the test fails or is interrupted.

    client, client2 -- switch -- gateway -- dmz
                                    +------ internet
"""

import atexit
import contextlib
import ctypes
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
NETNS = "/run/netns"

# host -> (interface, MAC, IPv4, IPv6), each beside the gateway's leg of that network
GUEST4, GUEST6 = "192.0.2.0/25", "2001:db8:1::/64"
DMZ4, DMZ6 = "203.0.113.0/24", "2001:db8:2::/64"
INTERNET4, INTERNET6 = "198.51.100.0/24", "2001:db8:3::/64"
HOSTS = {
    "client": ("02:00:5e:00:53:10", "192.0.2.10", "2001:db8:1::10"),
    "client2": ("02:00:5e:00:53:11", "192.0.2.11", "2001:db8:1::11"),
    "dmz": ("02:00:5e:00:53:20", "203.0.113.10", "2001:db8:2::10"),
    "internet": ("02:00:5e:00:53:30", "198.51.100.25", "2001:db8:3::25"),
}
GATEWAY = {  # leg -> (MAC, IPv4, IPv6)
    "guest0": ("02:00:5e:00:53:01", "192.0.2.1", "2001:db8:1::1"),
    "dmz0": ("02:00:5e:00:53:02", "203.0.113.1", "2001:db8:2::1"),
    "net0": ("02:00:5e:00:53:03", "198.51.100.1", "2001:db8:3::1"),
}
PREFIX_LENGTH = {"client": 25, "client2": 25, "dmz": 24, "internet": 24,
                 "guest0": 25, "dmz0": 24, "net0": 24}
# a second address of dmz and internet, for a second server and a second destination
SECOND = {"dmz": ("203.0.113.11", "2001:db8:2::11"),
          "internet": ("198.51.100.26", "2001:db8:3::26")}

_libc = ctypes.CDLL(None, use_errno=True)


class Timeout(AssertionError):
    """A condition that did not come true before its deadline."""


def wait_until(condition, seconds=10, what="condition"):
    """Calls condition until it returns something true, and returns that. No fixed sleep is as
    short as a condition and none is as safe as a deadline."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout(f"after {seconds} s still not: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def patience(want):
    """So many seconds for what is wanted: "timeout" is seen in a moment, and any answer comes when
    it comes."""
    return 1 if want == "timeout" else 20


def setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _bound(sock, address, port):
    try:
        sock.bind((address, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


class Host:
    """One network namespace."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.netns = f"{lab.prefix}-{name}"
        self.path = f"{NETNS}/{self.netns}"
        if name in HOSTS:
            self.mac, self.ip4, self.ip6 = HOSTS[name]
        if name in SECOND:
            self.second4, self.second6 = SECOND[name]

    def ip(self, family, second=False):
        if second:
            return self.second4 if family == 4 else self.second6
        return self.ip4 if family == 4 else self.ip6

    def command(self, argv):
        return ["nsenter", f"--net={self.path}", "--", *map(str, argv)]

    def run(self, *argv, check=True, input=None, timeout=60, env=None):
        """Runs a program to its end; returns the CompletedProcess with its output as text."""
        done = subprocess.run(self.command(argv), text=True, input=input, timeout=timeout,
                              stdin=subprocess.DEVNULL if input is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(map(str, argv))}: status "
                                 f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def popen(self, *argv, **options):
        """Starts a program that the lab ends at the latest."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.command(argv), **options)
        self.lab.processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in this host: sockets opened here belong to it for ever, and
        /proc/sys/net is this host's."""
        with open("/proc/thread-self/ns/net") as here, open(self.path) as there:
            setns(there.fileno())
            try:
                yield self
            finally:
                setns(here.fileno())

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        with self.inside():
            return socket.socket(family, kind, protocol)

    def connect(self, address, port=25, timeout=10, source=None, source_port=0):
        """A TCP connection from this host."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self.socket(family)
        sock.settimeout(timeout)
        try:
            if source or source_port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((source or ("::" if ":" in address else "0.0.0.0"), source_port))
            sock.connect((address, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def listen(self, address, port, backlog=256):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # a server that was just stopped may hold the port for a moment
        wait_until(lambda: _bound(sock, address, port), 10, f"port {port} is free")
        sock.listen(backlog)
        return sock

    def sysctl(self, name, value=None):
        path = "/proc/sys/" + name.replace(".", "/")
        with self.inside():
            with open(path, "w" if value is not None else "r") as file:
                if value is None:
                    return file.read().strip()
                file.write(str(value))
        return str(value)

    def ipcmd(self, *lines):
        """ip(8) commands, in one process."""
        self.run("ip", "-batch", "-", input="\n".join(lines) + "\n")

    def nft(self, text):
        return self.run("nft", "-f", "-", input=text)

    def pids(self):
        done = subprocess.run(["ip", "netns", "pids", self.netns], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return [int(pid) for pid in done.stdout.split()]

    # -- what arrives here ------------------------------------------------------------------

    def count_packets(self):
        """Installs counters of what arrives at this host: see counted()."""
        self.nft("""
table inet seen {
    counter guest4 { }
    counter guest6 { }
    counter gateway4 { }
    counter gateway6 { }
    chain arrive {
        type filter hook prerouting priority -400; policy accept;
        ip saddr %s tcp dport 25 counter name guest4
        ip6 saddr %s tcp dport 25 counter name guest6
        ip saddr { 198.51.100.1, 203.0.113.1 } tcp dport 25 counter name gateway4
        ip6 saddr { 2001:db8:3::1, 2001:db8:2::1 } tcp dport 25 counter name gateway6
    }
}
""" % (GUEST4, GUEST6))

    def counted(self, who="guest"):
        """Packets to TCP/25 that arrived from the guests themselves, or from the gateway, both
        families."""
        listing = json.loads(self.run("nft", "-j", "list", "counters").stdout)["nftables"]
        return sum(entry["counter"]["packets"] for entry in listing
                   if "counter" in entry and entry["counter"]["name"] in (who + "4", who + "6"))


class Lab:
    """The five hosts. `prefix` makes the namespace names unique: runs can be parallel."""

    def __init__(self, prefix=None, bridge_in_gateway=False, tag="pt", folder=None, attach=False):
        self.prefix = prefix or f"{tag}{os.getpid()}"
        self.bridge_in_gateway = bridge_in_gateway
        self.processes = []
        self.closers = []
        self.hosts = {}
        # not below a folder that is private to root: the servers run as others
        self.folder = folder or tempfile.mkdtemp(prefix=self.prefix + "-")
        if attach:
            self._add_hosts()
            return
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        atexit.register(self.close)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _add_hosts(self):
        for name in ("client", "client2", "gateway", "dmz", "internet", "switch"):
            if name != "switch" or not self.bridge_in_gateway:
                self.hosts[name] = Host(self, name)
                setattr(self, name, self.hosts[name])

    def leave(self):
        """Lets hosts and processes outlive this program; Lab(attach=True) finds them again."""
        atexit.unregister(self.close)
        self.closers = []

    def _build(self):
        self._add_hosts()
        for host in self.hosts.values():
            subprocess.run(["ip", "netns", "add", host.netns], check=True)
            with host.inside():
                for line in ("ipv6/conf/all/accept_dad 0", "ipv6/conf/default/accept_dad 0",
                             "ipv6/conf/default/accept_ra 0", "ipv4/conf/all/rp_filter 0",
                             "ipv4/conf/default/rp_filter 0", "ipv6/conf/all/disable_ipv6 0",
                             # a lost neighbour answer shall not cost a second
                             "ipv4/neigh/default/retrans_time_ms 200",
                             "ipv6/neigh/default/retrans_time_ms 200"):
                    path, value = line.split()
                    with contextlib.suppress(OSError), open("/proc/sys/net/" + path, "w") as file:
                        file.write(value)
        for leaf in ("iptables", "ip6tables", "arptables"):
            for name in ("switch", "gateway"):
                if name in self.hosts:
                    with contextlib.suppress(OSError):
                        self.hosts[name].sysctl(f"net.bridge.bridge-nf-call-{leaf}", 0)
        self.gateway.sysctl("net.ipv4.ip_forward", 1)
        self.gateway.sysctl("net.ipv6.conf.all.forwarding", 1)

        bridge = self.gateway if self.bridge_in_gateway else self.switch
        lines = []
        bridge_name = "guest0" if self.bridge_in_gateway else "br0"
        bridge.ipcmd(f"link add {bridge_name} type bridge forward_delay 0",
                     f"link set {bridge_name} up")
        for name in ("client", "client2"):
            lines += [f"link add port-{name} netns {bridge.netns} type veth"
                      f" peer name eth0 netns {self.hosts[name].netns}"]
        if not self.bridge_in_gateway:
            lines += [f"link add uplink netns {bridge.netns} type veth"
                      f" peer name guest0 netns {self.gateway.netns}"]
        for leg, name in (("dmz0", "dmz"), ("net0", "internet")):
            lines += [f"link add {leg} netns {self.gateway.netns} type veth"
                      f" peer name eth0 netns {self.hosts[name].netns}"]
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)

        ports = ["port-client", "port-client2"] + ([] if self.bridge_in_gateway else ["uplink"])
        bridge.ipcmd(*(f"link set {port} master {bridge_name} up" for port in ports))
        gateway = ["link set lo up"]
        for leg in GATEWAY:
            gateway += self._leg_lines(leg, GATEWAY[leg], PREFIX_LENGTH[leg])
        self.gateway.ipcmd(*gateway)
        for name in HOSTS:
            leg = {"client": "guest0", "client2": "guest0", "dmz": "dmz0", "internet": "net0"}[name]
            lines = ["link set lo up"]
            lines += self._leg_lines("eth0", HOSTS[name], PREFIX_LENGTH[name])
            if name in SECOND:
                lines += [f"addr add {SECOND[name][0]}/{PREFIX_LENGTH[name]} dev eth0",
                          f"addr add {SECOND[name][1]}/64 dev eth0 nodad"]
            lines += [f"route add default via {GATEWAY[leg][1]}",
                      f"route add ::/0 via {GATEWAY[leg][2]}"]
            self.hosts[name].ipcmd(*lines)
        self.internet.count_packets()
        self.dmz.count_packets()

    @staticmethod
    def _leg_lines(leg, addresses, length):
        mac, ip4, ip6 = addresses
        return [f"link set {leg} address {mac} up", f"addr add {ip4}/{length} dev {leg}",
                f"addr add {ip6}/64 dev {leg} nodad"]

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def on_close(self, function):
        """Called before the hosts go, last registered first."""
        self.closers.append(function)

    def close(self):
        """Ends every process in the hosts and removes them. Safe to call again."""
        if not self.hosts and not os.path.isdir(self.folder):
            return
        atexit.unregister(self.close)
        while self.closers:
            with contextlib.suppress(Exception):
                self.closers.pop()()
        for kind in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
            pids = [pid for host in self.hosts.values() for pid in host.pids()]
            for pid in pids:
                if pid != os.getpid():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, kind)
            if kind == signal.SIGTERM and pids:
                with contextlib.suppress(Timeout):
                    wait_until(lambda: self._reap() and not any(
                        host.pids() for host in self.hosts.values()), 1)
        self._reap()
        for host in self.hosts.values():
            subprocess.run(["ip", "netns", "del", host.netns], stderr=subprocess.DEVNULL)
        self.hosts = {}
        if not os.environ.get("POSTERN_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _reap(self):
        for process in self.processes:
            process.poll()
        return True


def sweep(tag="pt"):
    """Removes hosts whose test was killed too hard to clean up: their owner's pid is gone."""
    if not os.path.isdir(NETNS):
        return
    for name in os.listdir(NETNS):
        owner = name.split("-")[0][len(tag):]
        if not name.startswith(tag) or not owner.isdigit() or os.path.exists(f"/proc/{owner}"):
            continue
        done = subprocess.run(["ip", "netns", "pids", name], text=True, stdout=subprocess.PIPE)
        for pid in done.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
    for name in os.listdir(tempfile.gettempdir()):
        owner = name.split("-")[0][len(tag):]
        if name.startswith(tag) and owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
