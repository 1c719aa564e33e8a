"""Owns certificates made for a test with openssl(1): an authority, and what it signs."""

import array
import os
import re
import subprocess

OPENSSL = "/usr/bin/openssl"


def openssl(*words, input=None):
    return subprocess.run([OPENSSL, *words], input=input, check=True, capture_output=True,
                          text=isinstance(input, str) or input is None).stdout


class Authority:
    """Its files and all that it signs stand in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.pem = self._make("authority", "/CN=Lab Authority", ["-x509", "-days", "400"])

    def _make(self, name, subject, more):
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.path(f"{name}.key"), "-subj", subject, "-out",
                self.path(f"{name}.pem"), *more)
        return self.path(f"{name}.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def sign(self, name, days=60, alt=None):
        """(file, key) of a certificate for `alt` or the name; its file holds the chain."""
        alt = alt or f"{name}.example"
        self._make(name, f"/CN={alt}", [])
        os.rename(self.path(f"{name}.pem"), self.path(f"{name}.csr"))
        extensions = self.path(f"{name}.ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName=DNS:{alt}\n")
        own = openssl("x509", "-req", "-in", self.path(f"{name}.csr"), "-CA", self.pem, "-CAkey",
                      self.path("authority.key"), "-CAcreateserial", "-extfile", extensions, "-days", str(days))
        with open(self.pem) as file:
            self.write(f"{name}.pem", own + file.read())
        os.chmod(self.path(f"{name}.key"), 0o644)
        return self.path(f"{name}.pem"), self.path(f"{name}.key")

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
