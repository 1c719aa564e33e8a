# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the iptables-nft of the tests: as its packages have it, unpacked."""

import os

import mail
from report import Skip


def command(lab, family):
    """A command of its usual name, alone in a folder of the lab's."""
    root = os.path.join(mail.MTA, "iptables", "usr")
    if not os.path.isdir(root):
        raise Skip("iptables is not unpacked")
    libraries = [f"{mail.MTA}/{package}/usr/lib/x86_64-linux-gnu"
                 for package in ("libip4tc2", "libip6tc2", "libxtables12", "iptables")]
    name = "iptables" if family == 4 else "ip6tables"
    path = os.path.join(lab.path("bin"), name)
    os.makedirs(lab.path("bin"), exist_ok=True)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\nexport LD_LIBRARY_PATH={':'.join(libraries)}\n"
                   f"export XTABLES_LIBDIR={root}/lib/x86_64-linux-gnu/xtables\n"
                   f'exec {root}/sbin/xtables-nft-multi {name} "$@"\n')
    os.chmod(path, 0o755)
    return path
