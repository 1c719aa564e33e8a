# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns certificates made for a test with their chain, and the search for what is left of a key in a
process's memory."""

import array
import datetime
import os
import re

import authority


def openssl(*words):
    return authority.openssl(*words).decode()


class Authority(authority.Authority):
    """Its files and all that it signs stand in `folder`; `pem` is its own certificate."""

    def __init__(self, folder):
        super().__init__(folder, "Lab Authority", days=400)
        self.pem = self.file

    def sign(self, name, days=60, alt=None):
        """(file, key) of a certificate for `alt` or the name; its file holds the chain."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begins, ends = (f"{at:%Y%m%d%H%M%SZ}" for at in (
            min(now, now + datetime.timedelta(days - 1)), now + datetime.timedelta(days)))
        made, key = super().sign(f"{name}.own", alt or f"{name}.example", begins=begins, ends=ends)
        with open(made) as own, open(self.pem) as chain, open(key) as private:
            self.write(f"{name}.key", private.read())
            return self.write(f"{name}.pem", own.read() + chain.read()), self.path(f"{name}.key")

    def write(self, name, text, mode=0o644):
        """Anew, in one step."""
        path = self.path(name)
        with open(path + ".new", "w") as file:
            file.write(text)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path


def private_bytes(path):
    """The private number of a key of P-256, as 32 bytes."""
    text = openssl("pkey", "-in", path, "-noout", "-text")
    digits = re.search(r"priv:\n((?:    .*\n)+)", text).group(1)
    return bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits))[-32:].rjust(32, b"\0")


def traces_of_key(path):
    """What tells that a key was here: its text, line by line, and its number in every order that
    a library keeps it in."""
    with open(path) as file:
        lines = [line.strip() for line in file if len(line.strip()) > 40]
    number = private_bytes(path)
    return [line.encode() for line in lines] + [number, number[::-1]]


# the shadow of a sanitizer is larger, and holds no byte of anybody's
PART_MAX = 1 << 36


def _written(pid):
    """(begin, end) of each part of its own memory that it may write and of which a page is there."""
    part = None
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                begin, end = (int(edge, 16) for edge in words[0].split("-"))
                mine = words[1] == "rw-p" and end - begin < PART_MAX
                part = (begin, end) if mine else None
            elif part and words[0] == "Rss:" and words[1] != "0":
                yield part


def _present(pid, begin, end):
    """(begin, end) of each run of pages of this part that are there: most of a pool is not."""
    page = os.sysconf("SC_PAGESIZE")
    with open(f"/proc/{pid}/pagemap", "rb", 0) as file:
        file.seek(begin // page * 8)
        entries = array.array("Q", file.read((end - begin) // page * 8))
    first = None
    for number, entry in enumerate(entries):
        there = entry >> 62  # in memory, or in swap
        if there and first is None:
            first = number
        elif not there and first is not None:
            yield begin + first * page, begin + number * page
            first = None
    if first is not None:
        yield begin + first * page, end


def memory_holds(pid, needles):
    """Those of the needles that stand in the memory of a process; one that has ended holds none."""
    found = set()
    try:
        with open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for part in _written(pid):
                for begin, end in _present(pid, *part):
                    memory.seek(begin)
                    data = memory.read(end - begin)
                    found |= {needle for needle in needles if needle in data}
    except (FileNotFoundError, ProcessLookupError):
        return set()
    return found
