# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the mail programs that log in at a listener and send a message: each sends one, with the
word in it, and fails if it does not."""

import os
import smtplib
import ssl
import urllib.parse

import mail
from lab import GATEWAY, wait_until
from postern import ETC
from scene import Skip, equal
from secure import NAME

PORT = 587


def door(family):
    return GATEWAY["net0"][1 if family == 4 else 2]


def text_of(word):
    return f"Subject: {word}\n\n{word}\n"


def _good(done):
    equal(done.returncode, 0, done.stdout + done.stderr)


def _named(t, family):
    """The words in front of a program that let it find the gateway by its name."""
    etc = t.lab.path(f"named{family}")
    os.makedirs(etc, exist_ok=True)
    with open(os.path.join(etc, "hosts"), "w") as file:
        file.write(f"{door(family)} {NAME}\n")
    with open(os.path.join(etc, "resolv.conf"), "w") as file:
        file.write("nameserver 127.0.0.1\n")
    return ["unshare", "-m", "sh", "-c", ETC, "sh", etc]


def swaks(t, family, word, user, password, kind):
    _good(mail.swaks(t.lab.internet, door(family), word, "--port", str(PORT), "--tls", "--auth",
                     kind, "--auth-user", user, "--auth-password", password, check=False))


def curl(t, family, word, user, password, kind):
    _good(t.lab.internet.run(
        *_named(t, family), "curl", "-sS", "--ssl-reqd", "--cacert", t.authority.file, "--url",
        f"smtp://{NAME}:{PORT}/client.example", "--user", f"{user}:{password}", "--login-options",
        f"AUTH={kind}", "--mail-from", "a@client.example", "--mail-rcpt", "b@internet.example",
        "--upload-file", "-", input=text_of(word), check=False))


def msmtp(t, family, word, user, password, kind):
    secret = t.lab.path("msmtp-password")
    with open(secret, "w") as file:
        file.write(password)
    done = t.lab.internet.run(
        *_named(t, family), "msmtp", "--file=/dev/null", f"--host={NAME}", f"--port={PORT}",
        "--tls=on", f"--tls-trust-file={t.authority.file}", f"--auth={kind.lower()}",
        f"--user={user}", f"--passwordeval=cat {secret}", "--from=a@client.example",
        "b@internet.example", input=text_of(word), check=False)
    if "not supported" in done.stdout + done.stderr:
        raise Skip(f"this msmtp has no {kind}")
    _good(done)


def s_nail(t, family, word, user, password, kind):
    who = ":".join(urllib.parse.quote(part, safe="") for part in (user, password))
    _good(t.lab.internet.run(
        *_named(t, family), "s-nail", "-:/", "-Sv15-compat", f"-Smta=smtp://{who}@{NAME}:{PORT}",
        "-Ssmtp-use-starttls", f"-Stls-ca-file={t.authority.file}", "-Stls-ca-no-defaults",
        "-Stls-verify=strict", f"-Ssmtp-auth={kind.lower()}", "-Shostname=client.example",
        "-Sfrom=a@client.example", "-Ssendwait", "-s", word, "b@internet.example",
        input=word + "\n", check=False))


def python(t, family, word, user, password, kind):
    """By smtplib."""
    context = ssl.create_default_context(cafile=t.authority.file)
    context.check_hostname = False
    with t.lab.internet.inside(), smtplib.SMTP(door(family), PORT, timeout=30) as smtp:
        smtp.starttls(context=context)
        smtp.ehlo()
        smtp.user, smtp.password = user, password
        code, said = smtp.auth(kind, getattr(smtp, "auth_" + kind.lower().replace("-", "_")))
        equal(code, 235, said)
        smtp.sendmail("a@client.example", ["b@internet.example"], text_of(word))


PROGRAMS = {"swaks": swaks, "curl": curl, "msmtp": msmtp, "s-nail": s_nail, "smtplib": python}


def gsasl(t, family, user, password, kind):
    """It logs in, and is told whether it is; it sends nothing. Inside of TLS that another program
    makes with a listener that begins with it: its own STARTTLS comes before EHLO."""
    where = f"[{door(family)}]" if family == 6 else door(family)
    tunnel = t.lab.internet.popen(
        "socat", "TCP4-LISTEN:2525,bind=127.0.0.1,reuseaddr",
        f"OPENSSL:{where}:465,cafile={t.authority.file},commonname={NAME},snihost={NAME}")
    try:
        wait_until(lambda: ":2525 " in t.lab.internet.run("ss", "-Htln").stdout, 10, "the tunnel")
        done = t.lab.internet.run(
            "gsasl", "--smtp", "--connect=127.0.0.1:2525", "--no-starttls", f"--mechanism={kind}",
            f"--authentication-id={user}", f"--password={password}",
            f"--hostname={NAME}", "--no-cb", "--verbose", check=False, input="")
    finally:
        tunnel.terminate()
        tunnel.wait(10)
    return done.returncode == 0, done.stdout + done.stderr
