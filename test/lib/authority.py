# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a certificate authority of a test, by the openssl program, and the certificates it signs."""

import contextlib
import hashlib
import ipaddress
import os
import subprocess

CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[req]
distinguished_name = name
prompt = no
[name]
commonName = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


def openssl(*words, stdin=None):
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _kind(name):
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return "IP"
    return "DNS"


class Authority:
    """`file` is its own certificate."""

    def __init__(self, folder, name="Test Authority", days=30):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.config = self.path("openssl.cnf")
        self._configure(name)
        open(self.path("index"), "w").close()
        with open(self.path("serial"), "w") as file:
            file.write("1000\n")
        self.file, self.key = self.path("ca.pem"), self.path("ca.key")
        self._new_key(self.key)
        openssl("req", "-x509", "-config", self.config, "-extensions", "root", "-key", self.key,
                "-out", self.file, "-days", str(days))

        self._ca = ("ca", "-batch", "-notext", "-config", self.config, "-cert", self.file,
                    "-keyfile", self.key)

    def path(self, leaf):
        return os.path.join(self.folder, leaf)

    def _configure(self, name):
        with open(self.config, "w") as file:
            file.write(CONFIG.format(folder=self.folder, name=name))

    @staticmethod
    def _new_key(path):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        os.chmod(path, 0o644)  # for whoever the program of the test runs as

    def sign(self, leaf, *names, begins="20200101000000Z", ends="20991231235959Z", usage=None):
        """A certificate for these names of hosts or addresses; its file, and that of its key. usage: the one
        thing that it is for."""
        certificate, key, request = (self.path(f"{leaf}.{end}") for end in ("pem", "key", "csr"))
        self._configure(names[0])
        self._new_key(key)
        more = ("-addext", f"extendedKeyUsage={usage}") if usage else ()
        openssl("req", "-new", "-config", self.config, "-key", key, "-out", request, "-addext",
                "subjectAltName=" + ",".join(f"{_kind(name)}:{name}" for name in names), *more)
        openssl(*self._ca, "-in", request, "-out", certificate, "-startdate", begins, "-enddate",
                ends)
        return certificate, key

    def sign_itself(self, leaf, name):
        """A certificate that nobody else signed; its file, and that of its key."""
        certificate, key = self.path(f"{leaf}.pem"), self.path(f"{leaf}.key")
        self._configure(name)
        self._new_key(key)
        openssl("req", "-x509", "-config", self.config, "-extensions", "leaf", "-key", key, "-out",
                certificate, "-days", "30")
        return certificate, key

    def revoke(self, certificate):
        """Its file has the list of all that were, too, from here on."""
        listed = self.path("crl.pem")
        openssl(*self._ca, "-revoke", certificate)
        openssl(*self._ca, "-gencrl", "-crldays", "30", "-out", listed)
        openssl("x509", "-in", self.file, "-out", self.file)
        with open(listed) as new, open(self.file, "a") as file:
            file.write(new.read())


def pin(certificate):
    """As a policy says the public key of a certificate: its SPKI's SHA-256."""
    public = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", stdin=public)
    return "sha256:" + hashlib.sha256(der).hexdigest()
