# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the filters of the tests: rspamd, clamd and clamav-milter, unpacked, and OpenDKIM, each in a
host and with a configuration that asks nothing of a network."""

import base64
import os
import subprocess

import dkim
import mail
from mta import Unpacked

# What each of them finds. clamd's are signatures of the tests' own: no database is fetched. The
# second is the harmless text that every scanner knows (EICAR), in two halves here: scanners look at
# sources, too.
VIRUS = b"POSTERN-TEST-VIRUS-$H+H*"
VIRUS_NAME = "Postern.Test.UNOFFICIAL"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
EICAR_NAME = "Postern.Eicar.UNOFFICIAL"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
GTUBE_HEADER = b"YJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


class Filter(Unpacked):
    """One that listens on a TCP port of its host's loopback; stop() and begin_again() at will. It
    runs when it is made, but for Opendkim, which is started by start()."""

    LIBRARIES = ()

    def __init__(self, host, tag, port):
        super().__init__(host, tag)
        self.port, self.logfile = port, f"{self.folder}/log"
        self.config = f"{self.folder}/conf"
        os.chmod(self.folder, 0o755)
        os.makedirs(os.path.join(mail.MTA, self.package, "etc"), exist_ok=True)
        self.view = mail.view(self.package, self.etc, *self.LIBRARIES)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def configure(self, text):
        with open(self.config, "w") as file:
            file.write(text)
        os.chmod(self.config, 0o644)

    def begin_again(self):
        self.begin((*self.view, *self.words), "127.0.0.1", self.port, f"{self.folder}/output")


class Rspamd(Filter):
    """The proxy in milter mode, which scans by itself: without Redis, maps, DNS and modules. GTUBE
    is refused, its sister GTUBE_HEADER gets `X-Spam: Yes`."""

    package, users = "rspamd", (("_rspamd", 126),)
    LIBRARIES = ("libhyperscan5", "libluajit-5.1-2", "libluajit-5.1-common", "libsodium23",
                 "libicu72", "libunwind8")

    CONFIG = """
options {{
    pidfile = "{folder}/pid";
    tempdir = "{folder}/data";
    control_socket = "{folder}/data/control mode=0600";
    hs_cache_dir = "{folder}/data";
    cache_file = "{folder}/data/symbols.cache";
    url_tld = "{folder}/tld";
    filters = "";
    enable_test_patterns = true;
    local_addrs = [];
    dns {{ nameserver = ["127.0.0.1"]; timeout = 100ms; retransmits = 1; }}
}}
logging {{ type = "file"; filename = "{folder}/data/log"; level = "info"; }}
actions {{ reject = 15; add_header = 6; }}
modules {{ path = "{folder}/modules"; }}
worker "rspamd_proxy" {{
    bind_socket = "127.0.0.1:{port}";
    milter = yes;
    timeout = 60s;
    count = 1;
    spam_header = "X-Spam";
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""

    def __init__(self, host, tag, port=11332):
        super().__init__(host, tag, port)
        for name in ("data", "modules"):
            os.makedirs(f"{self.folder}/{name}", exist_ok=True)
        os.chown(f"{self.folder}/data", 126, 126)
        self.logfile = f"{self.folder}/data/log"
        # all that there are would be compiled at each start, for seconds
        with open(f"{self.folder}/tld", "w") as file:
            file.write("example\n")
        self.configure(self.CONFIG.format(folder=self.folder, port=port))
        self.words = ("rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", self.config)
        self.begin_again()


class Clamd(Filter):
    """With signatures of the tests' own, on a socket (`path`) and a port. more: lines of its
    configuration."""

    package, LIBRARIES = "clamav-daemon", ("libclamav12", "libmspack0", "libicu72")

    CONFIG = """
Foreground yes
LogFile {folder}/log
DatabaseDirectory {folder}/database
OfficialDatabaseOnly no
LocalSocket {path}
LocalSocketMode 666
TCPSocket {port}
TCPAddr 127.0.0.1
TemporaryDirectory {folder}/temporary
SelfCheck 0
"""

    def __init__(self, host, tag, port=3310, more=""):
        super().__init__(host, tag, port)
        self.path = f"{self.folder}/socket"
        for name in ("database", "temporary"):
            os.makedirs(f"{self.folder}/{name}", exist_ok=True)
        with open(f"{self.folder}/database/test.ndb", "w") as file:
            for name, text in ((VIRUS_NAME, VIRUS), (EICAR_NAME, EICAR)):
                file.write(f"{name.removesuffix('.UNOFFICIAL')}:0:*:{text.hex()}\n")
        self.configure(self.CONFIG.format(folder=self.folder, path=self.path, port=port) + more)
        self.words = ("clamd", "-c", self.config)
        self.begin_again()


class ClamavMilter(Filter):
    """Asks the clamd given; adds its headers to what is clean, and refuses what is not."""

    package, LIBRARIES = "clamav-milter", ("libclamav12", "libmspack0", "libicu72")

    CONFIG = """
Foreground yes
LogFile {folder}/log
MilterSocket inet:{port}@127.0.0.1
ClamdSocket unix:{clamd}
OnInfected Reject
RejectMsg virus %v
OnFail Defer
AddHeader Add
TemporaryDirectory {folder}
"""

    def __init__(self, host, tag, clamd, port=7357, more=""):
        super().__init__(host, tag, port)
        self.configure(self.CONFIG.format(folder=self.folder, clamd=clamd.path, port=port) + more)
        self.words = ("clamav-milter", "-c", self.config)
        self.begin_again()


class Opendkim(Filter):
    """Signs for a domain with a key of its own, selector `test`; whoever knows `record` verifies."""

    package = "opendkim"  # installed: its libraries are many

    CONFIG = """
Mode s
Domain {domain}
Selector test
KeyFile {folder}/key
RequireSafeKeys no
Canonicalization {ways}
InternalHosts 0.0.0.0/0, ::/0
Socket inet:{port}@127.0.0.1
PidFile {folder}/pid
Syslog no
OversignHeaders From
"""

    def __init__(self, host, tag, domain, port=8891):
        super().__init__(host, tag, port)
        self.view, self.domain = (), domain
        subprocess.run(["openssl", "genrsa", "-out", f"{self.folder}/key", "2048"], check=True,
                       stderr=subprocess.DEVNULL)
        public = subprocess.run(["openssl", "rsa", "-in", f"{self.folder}/key", "-pubout",
                                 "-outform", "DER"], check=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL).stdout
        self.record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
        self.words = ("opendkim", "-f", "-x", self.config)

    def start(self, ways):
        """With these ways of canonicalization."""
        self.stop()
        self.configure(self.CONFIG.format(folder=self.folder, domain=self.domain, ways=ways,
                                          port=self.port))
        self.begin_again()

    def verifies(self, message):
        def record(name, timeout=5):
            return self.record if name == f"test._domainkey.{self.domain}.".encode() else None
        return dkim.verify(message, dnsfunc=record)
