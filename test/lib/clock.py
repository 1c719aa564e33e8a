# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a wall clock for the programs of one test: set as the test likes, while the machine's is not
touched but for a nanosecond, by which the kernel tells whoever watches that it was set."""

import ctypes
import os
import shutil
import struct
import time

from mail import BUILD

CLOCK_REALTIME = 0
ADJ_SETOFFSET, ADJ_NANO = 0x0100, 0x2000

_libc = ctypes.CDLL(None, use_errno=True)


class Timex(ctypes.Structure):
    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long),
                ("status", ctypes.c_int), ("constant", ctypes.c_long),
                ("precision", ctypes.c_long), ("tolerance", ctypes.c_long),
                ("sec", ctypes.c_long), ("nsec", ctypes.c_long), ("rest", ctypes.c_long * 32)]


def nudge():
    """Sets the machine's clock by a nanosecond and back. False: that is not allowed here."""
    for sec, nsec in ((0, 1), (-1, 999_999_999)):
        step = Timex(modes=ADJ_SETOFFSET | ADJ_NANO, sec=sec, nsec=nsec)
        if _libc.clock_adjtime(CLOCK_REALTIME, ctypes.byref(step)) < 0:
            return False
    return True


class Clock:
    """etc is a folder for Postern(etc=...): with it, its programs have this clock."""

    def __init__(self, lab):
        self.etc, folder = lab.path("clock-etc"), lab.path("clock")
        os.makedirs(self.etc)
        os.makedirs(folder)
        os.chmod(lab.folder, 0o755)
        library = shutil.copy(os.path.join(BUILD, "test", "test-clock.so"), folder)
        self.file = os.path.join(folder, "ahead")
        self._write(0)
        with open(os.path.join(self.etc, "ld.so.preload"), "w") as file:
            file.write(library + "\n")

    def _write(self, ms):
        self.ahead = ms / 1000
        if not os.path.exists(self.file):
            with open(self.file, "wb") as file:
                file.write(bytes(8))
        # in place: it is mapped
        with open(self.file, "r+b", buffering=0) as file:
            file.write(struct.pack("<q", ms))

    def set(self, ahead):
        """So many seconds ahead of the machine's clock; negative: behind."""
        self._write(int(ahead * 1000))
        nudge()

    def now(self):
        return time.time() + self.ahead

    def hear(self):
        """Does the kernel say here that the clock was set?"""
        return nudge()
