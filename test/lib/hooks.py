# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a gateway with the login hooks installed: the programs that call them, unpacked, and the hooks
where the package puts them, all in a mount namespace's view of /usr and /etc."""

import os
import shutil
import socket

import mail
from lab import in_thread
from postern import POSTERNCTL

HOOKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "hooks")
PLACE = "/usr/share/postern/hooks"

# $1: lower folders of /usr, $2: of /etc. The hooks' posternctl and logger are in /usr/local/sbin.
VIEW = """
set -e
mount --make-rprivate /
mount -t overlay -o lowerdir="$1:/usr" overlay /usr
mount -t overlay -o lowerdir="$2:/etc" overlay /etc
shift 2
exec "$@"
"""


class Installed:
    """postern: the daemon that the hooks talk to. packages: unpacked ones to have in view."""

    def __init__(self, lab, postern, packages=()):
        self.lab, self.postern = lab, postern
        self.usr, self.etc = lab.path("hooks", "usr"), lab.path("hooks", "etc")
        shutil.copytree(HOOKS, self.usr + PLACE.removeprefix("/usr"), symlinks=True)
        log = lab.path("hooks", "log")
        # a guest has no shell here: these run as the callers do, with their environment
        self._program("posternctl", f'exec {POSTERNCTL} --run {postern.rundir} "$@"')
        self._program("logger", f'exec /usr/bin/logger --socket {log} "$@"')
        self.configure("postern/hooks.conf", "# the lab's zone\nguest0 guest\nradius guest\n")
        roots = [os.path.join(mail.MTA, package) for package in packages]
        self.lower_usr = ":".join([self.usr] + [f"{root}/usr" for root in roots
                                                if os.path.isdir(f"{root}/usr")])
        self.lower_etc = ":".join([self.etc] + [f"{root}/etc" for root in roots
                                                if os.path.isdir(f"{root}/etc")])
        self.complaints = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.listener.bind(log)
        os.chmod(log, 0o666)
        in_thread(self._hear)
        lab.on_close(self.listener.close)

    def _hear(self):
        while True:
            try:
                self.complaints.append(self.listener.recv(65536).decode(errors="replace"))
            except OSError:
                return

    def _program(self, name, text):
        path = os.path.join(self.usr, "local", "sbin", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    def configure(self, name, text, mode=0o644):
        """A file below /etc in the view. Before a program is run: a view is made anew for each."""
        path = os.path.join(self.etc, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def link(self, name, target):
        path = os.path.join(self.etc, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.islink(path):
            os.symlink(target, path)

    def view(self, *argv):
        return ["unshare", "-m", "sh", "-c", VIEW, "sh", self.lower_usr, self.lower_etc, *argv]

    def run(self, *argv, env=None, **how):
        """Runs a program in the gateway, with this view and, where given, this environment alone."""
        if env is not None:
            argv = ["env", "-i", *(f"{name}={value}" for name, value in env.items()), *argv]
        return self.lab.gateway.run(*self.view(*argv), **how)

    def hook(self, name, *words, env=None, **how):
        env = {"PATH": "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", **(env or {})}
        return self.run(f"{PLACE}/{name}", *words, env=env, **how)
