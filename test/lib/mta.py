# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns mail servers other than Postfix, unpacked and in views of their own, with the configuration
that a test gives them."""

import contextlib
import os
import signal
import socket

import mail
from lab import in_thread, wait_until

# /var of its own: OpenSMTPD's folders cannot be moved by its configuration
OWN_VAR = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /var
mkdir -p /var/run /var/log /var/tmp /var/spool/smtpd /var/lib/opensmtpd/empty /var/mail
chmod 711 /var/spool/smtpd
exec "$@"
"""


class Sasl:
    """A SASL service as Dovecot has one: knows PLAIN, and nobody."""

    def __init__(self, lab):
        self.path = lab.path("sasl")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        os.chmod(self.path, 0o666)
        in_thread(self._accept)
        lab.on_close(self.listener.close)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            in_thread(self._serve, sock)

    @staticmethod
    def _serve(sock):
        with contextlib.suppress(OSError), sock:
            sock.sendall(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
                         b"COOKIE\t00112233445566778899aabbccddeeff\nDONE\n")
            for line in sock.makefile("rb"):
                words = line.rstrip(b"\n").split(b"\t")
                if words[0] == b"AUTH":
                    sock.sendall(b"FAIL\t" + words[1] + b"\n")


class Unpacked:
    """One running server of a package; `users` are lines of passwd and group."""

    package, users = "", ()

    def __init__(self, host, tag):
        self.host, self.folder = host, host.lab.path(f"{self.package}-{tag}")
        self.etc = os.path.join(self.folder, "etc")
        os.makedirs(self.etc, exist_ok=True)
        for leaf in ("passwd", "group"):
            with open(f"/etc/{leaf}") as old, open(f"{self.etc}/{leaf}", "w") as new:
                new.write(old.read())
                for name, number in self.users:
                    new.write(f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
                              if leaf == "passwd" else f"{name}:x:{number}:\n")
        # no name server: an answer at once, and none
        with open(f"{self.etc}/resolv.conf", "w") as file:
            file.write("nameserver 127.0.0.1\n")
        self.process = None
        host.lab.on_close(self.stop)

    def begin(self, words, address, port, output):
        with open(output, "w") as file:
            self.process = self.host.popen(*words, stdout=file, stderr=file)

        def listens():
            if self.process.poll() is not None:
                with open(output) as file:
                    raise AssertionError(f"{self.package} ended: {file.read()}")
            with contextlib.suppress(OSError), self.host.connect(address, port, 1):
                return True
            return False
        wait_until(listens, 60, f"{self.package} listens")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def log(self):
        with contextlib.suppress(OSError), open(self.logfile, errors="replace") as file:
            return file.read()
        return ""


class Exim(Unpacked):
    """The heavy one: Debian's light one knows nothing of PROXY. Its libraries are unpacked, too."""

    package, users = "exim4-daemon-heavy", (("Debian-exim", 120),)
    LIBRARIES = ("libmariadb3", "libspf2-2")
    more_ports = ()

    MAIN = """
primary_hostname = mx.dmz.example
exim_user = Debian-exim
exim_group = Debian-exim
log_file_path = {folder}/log/%s
log_selector = +incoming_interface +proxy
spool_directory = {folder}/spool
pid_file_path = {folder}/exim.pid
host_lookup =
rfc1413_hosts =
keep_environment =
tls_advertise_hosts =
acl_smtp_rcpt = check
{main}
begin acl
check:
{acl}
  deny message = relay not permitted
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  file = {folder}/mailbox
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = false
  server_prompts = :
"""

    def __init__(self, host, tag, main, acl, port=25):
        super().__init__(host, tag)
        self.logfile = f"{self.folder}/log/main"
        for name in ("", "/log", "/spool"):
            os.makedirs(self.folder + name, exist_ok=True)
            os.chown(self.folder + name, 120, 120)
        # Exim takes a configuration from its own place only, or drops its privileges
        os.makedirs(f"{self.etc}/exim4", exist_ok=True)
        with open(f"{self.etc}/exim4/exim4.conf", "w") as file:
            file.write(self.MAIN.format(folder=self.folder, main=main, acl=acl))
        os.makedirs(os.path.join(mail.MTA, self.package, "etc"), exist_ok=True)
        # not by the environment: it starts itself with set-user-id for each delivery
        ports = " : ".join(map(str, (port, *self.more_ports)))
        self.begin((*mail.view(self.package, self.etc, *self.LIBRARIES),
                    "exim4", "-bdf", "-oX", ports), "127.0.0.1", port, f"{self.folder}/output")


class OpenSmtpd(Unpacked):
    package, users = "opensmtpd", (("opensmtpd", 121), ("opensmtpq", 122))

    def __init__(self, host, tag, config, port):
        super().__init__(host, tag)
        self.logfile = f"{self.folder}/output"
        with open(f"{self.etc}/smtpd.conf", "w") as file:
            file.write(config)
        with open(f"{self.etc}/mailname", "w") as file:
            file.write("mx.dmz.example\n")
        os.chmod(self.folder, 0o755)
        self.begin((*mail.view(self.package, self.etc), "sh", "-c", OWN_VAR, "sh", "smtpd", "-dv"),
                   host.ip4, port, self.logfile)


class Dovecot(Unpacked):
    """A submission server, on 587 and 465, that takes mail of its one user alone, in TLS alone, and
    passes it on to port 25 of its host's loopback."""

    package, users = "dovecot-core", (("dovecot", 123), ("dovenull", 124), ("vmail", 125))
    LIBRARIES = ("dovecot-submissiond", "libicu72", "liblua5.4-0", "libsodium23", "libstemmer0d",
                 "libunwind8")

    CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = submission
hostname = smtp.isp.example
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid=125 gid=125 home={folder}/home
}}
first_valid_uid = 125
mail_location = maildir:~/mail
submission_relay_host = 127.0.0.1
submission_relay_port = 25
service submission-login {{
  inet_listener submissions {{
    port = 465
    ssl = yes
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

    def __init__(self, host, tag, signed, user, secret):
        super().__init__(host, tag)
        self.logfile = f"{self.folder}/log"
        os.makedirs(f"{self.folder}/home")
        os.chown(f"{self.folder}/home", 125, 125)
        os.makedirs(os.path.join(mail.MTA, self.package, "etc"), exist_ok=True)
        with open(f"{self.folder}/users", "w") as file:
            file.write(f"{user}:{{PLAIN}}{secret}\n")
        os.chmod(f"{self.folder}/users", 0o644)
        config = f"{self.folder}/dovecot.conf"
        with open(config, "w") as file:
            file.write(self.CONFIG.format(folder=self.folder, certificate=signed[0],
                                          key=signed[1]))
        self.begin((*mail.view(self.package, self.etc, *self.LIBRARIES), "dovecot", "-F", "-c",
                    config), host.ip4, 587, f"{self.folder}/output")


class Mailboxes(Unpacked):
    """What people fetch their mail from: POP3 and IMAP, by STARTTLS and in TLS, of one user."""

    package, users = Dovecot.package, Dovecot.users
    LIBRARIES = ("dovecot-imapd", "dovecot-pop3d", *Dovecot.LIBRARIES)

    CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid=125 gid=125 home={folder}/home
}}
first_valid_uid = 125
mail_location = maildir:~/mail
namespace inbox {{
  inbox = yes
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

    def __init__(self, host, tag, signed, user, secret):
        super().__init__(host, tag)
        self.logfile = f"{self.folder}/log"
        self.inbox = f"{self.folder}/home/mail/new"
        for folder in (f"{self.folder}/home", f"{self.folder}/home/mail", self.inbox,
                       f"{self.folder}/home/mail/cur", f"{self.folder}/home/mail/tmp"):
            os.makedirs(folder)
            os.chown(folder, 125, 125)
        os.makedirs(os.path.join(mail.MTA, self.package, "etc"), exist_ok=True)
        with open(f"{self.folder}/users", "w") as file:
            file.write(f"{user}:{{PLAIN}}{secret}\n")
        os.chmod(f"{self.folder}/users", 0o644)
        config = f"{self.folder}/dovecot.conf"
        with open(config, "w") as file:
            file.write(self.CONFIG.format(folder=self.folder, certificate=signed[0],
                                          key=signed[1]))
        self.begin((*mail.view(self.package, self.etc, *self.LIBRARIES), "dovecot", "-F", "-c",
                    config), host.ip4, 143, f"{self.folder}/output")

    def put(self, word):
        """A message into the inbox."""
        with open(f"{self.inbox}/{word}", "w") as file:
            file.write(f"From: desk@hotel.example\nSubject: {word}\n\n{word}\n")
            os.fchown(file.fileno(), 125, 125)


class Slapd(Unpacked):
    """A directory, on 389 and 636, of the people given: (uid, password, mails, groups). `reader`
    may search in it with READER; nobody else sees more than who is bound sees of himself. says:
    what it writes of what it does (slapd -d)."""

    package, users = "slapd", ()
    LIBRARIES = ("libltdl7", "libwrap0")
    READER = "reads it all"

    CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
maxsize 16777216
suffix "dc=hotel,dc=example"
directory {folder}/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=hotel,dc=example" read by self read by * none
"""

    def __init__(self, host, tag, signed, people, says="0"):
        super().__init__(host, tag)
        self.logfile, self.says = f"{self.folder}/output", says
        os.makedirs(f"{self.folder}/data", exist_ok=True)
        ldif, config = f"{self.folder}/people.ldif", f"{self.folder}/slapd.conf"
        with open(ldif, "w") as file:
            file.write(self.entries(people))
        with open(config, "w") as file:
            file.write(self.CONFIG.format(folder=self.folder, certificate=signed[0],
                                          key=signed[1]))
        self.view = mail.view(self.package, self.etc, *self.LIBRARIES)
        done = host.run(*self.view, "slapadd", "-f", config, "-l", ldif, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        self.start(config)

    def start(self, config=None):
        self.begin((*self.view, "slapd", "-d", self.says, "-h", "ldap:/// ldaps:///", "-f",
                    config or f"{self.folder}/slapd.conf"), self.host.ip4, 636, self.logfile)

    # where nobody may be sent: below people one entry, and a whole part of the directory
    ELSEWHERE = "ldap://203.0.113.11:3899/dc=elsewhere,dc=example"

    def entries(self, people):
        base = "dc=hotel,dc=example"
        text = (f"dn: {base}\nobjectClass: dcObject\nobjectClass: organization\no: Hotel\n"
                f"dc: hotel\n\ndn: cn=reader,{base}\nobjectClass: organizationalRole\n"
                f"objectClass: simpleSecurityObject\ncn: reader\nuserPassword: {self.READER}\n\n"
                f"dn: ou=people,{base}\nobjectClass: organizationalUnit\nou: people\n\n"
                + "".join(f"dn: {name},{base}\nobjectClass: referral\nobjectClass: "
                          f"extensibleObject\n{name.split(',')[0].replace('=', ': ')}\n"
                          f"ref: {self.ELSEWHERE}\n\n"
                          for name in ("cn=away,ou=people", "ou=elsewhere")))
        for uid, password, mails, groups in people:
            text += (f"dn: cn={uid} of the hotel,ou=people,{base}\nobjectClass: inetOrgPerson\n"
                     f"cn: {uid} of the hotel\nsn: {uid}\nuid: {uid}\nuserPassword: {password}\n"
                     + "".join(f"mail: {address}\n" for address in mails)
                     + "".join(f"memberOf: cn={group},ou=groups,{base}\n" for group in groups)
                     + "\n")
        return text


class DovecotAuth(Unpacked):
    """A Dovecot that does nothing but check passwords, for whoever may open its socket. It delays
    what it refuses, and who is refused."""

    package, users, LIBRARIES = Dovecot.package, Dovecot.users, Dovecot.LIBRARIES

    CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols =
ssl = no
auth_mechanisms = {mechanisms}
{more}
passdb {{
  driver = passwd-file
  args = scheme={scheme} {folder}/users
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

    def __init__(self, host, tag, passwords, mechanisms="plain login cram-md5 scram-sha-256",
                 more="", libraries=(), extra="", scheme="PLAIN"):
        super().__init__(host, tag)
        self.logfile, self.path = f"{self.folder}/log", f"{self.folder}/auth"
        os.makedirs(os.path.join(mail.MTA, self.package, "etc"), exist_ok=True)
        os.chmod(self.folder, 0o755)
        with open(f"{self.folder}/users", "w") as file:
            file.writelines(f"{user}:{{{scheme}}}{password}{extra}\n"
                            for user, password in passwords.items())
        os.chmod(f"{self.folder}/users", 0o644)
        with open(f"{self.folder}/dovecot.conf", "w") as file:
            file.write(self.CONFIG.format(folder=self.folder, mechanisms=mechanisms, more=more,
                                          scheme=scheme))
        self.words = (*mail.view(self.package, self.etc, *self.LIBRARIES, *libraries), "dovecot",
                      "-F", "-c", f"{self.folder}/dovecot.conf")
        self.start()

    def pids(self):
        """All of it: the one that began, first."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [pid, *map(int, file.read().split())]

    def stop(self):
        """At once and whole: what checks the passwords would else stay as long as it is asked."""
        if not self.process or self.process.poll() is not None:
            return
        for process in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait(10)

    def start(self):
        with open(f"{self.folder}/output", "w") as file:
            self.process = self.host.popen(*self.words, stdout=file, stderr=file)

        def listens():
            assert self.process.poll() is None, self.log()
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(5)
                sock.connect(self.path)
                return sock.recv(7) == b"VERSION"
            return False
        wait_until(listens, 60, f"{self.package} listens")
