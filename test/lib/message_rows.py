# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages in a daemon's store, put there beside it: the bytes of their records and the words of the
index as the store has them, written down a second time."""

import os
import sqlite3


def field(tag, value):
    """One field of a record: tag, length of seven bits a byte, value."""
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8, "little")
    head, length = bytes([tag]), len(value)
    while length > 0x7f:
        head += bytes([length & 0x7f | 0x80])
        length >>= 7
    return head + bytes([length]) + value


def word(kind, value):
    """The hash of a word: FNV-1a, as SQLite has numbers."""
    number = 0xcbf29ce484222325
    for byte in bytes([kind]) + value:
        number = (number ^ byte) * 0x100000001b3 % (1 << 64)
    return number - (1 << 64) if number >> 63 else number


FLOW, USER, SENDER, RECIPIENT, QUEUE_ID, MESSAGE_ID = range(6)


def put(state, flow, number, end_ms, sender, recipients, user=b"alice", queue_id=b"4C72EEAA5E65",
        message_id=b"1@laptop.example", reply=b"250 2.0.0 Ok: queued as 4C72EEAA5E65"):
    """One delivered message of a flow; flow is a number."""
    record = b"".join((
        field(1, flow), field(2, number), field(4, 1), field(6, end_ms - 1500), field(7, end_ms),
        field(8, 4096), field(10, bytes([192, 0, 2, 10]) + (40000).to_bytes(2, "little")),
        field(14, user), field(15, b"guest"), field(17, b"laptop"), field(18, sender),
        field(19, b"relay"), field(20, reply), field(21, queue_id), field(22, message_id),
        field(25, b"TLSv1.3"), field(26, b"TLS_AES_256_GCM_SHA384"), field(27, b"laptop.example"),
        field(28, b"expired"), field(29, b"TLSv1.2"), field(30, b"ECDHE-RSA-AES128-GCM-SHA256"),
        field(32, b"unchecked"), field(34, b"mail.example")))
    for address in recipients:
        record += field(200, field(1, address) + field(4, b"guests") + field(5, b"250 2.1.5 Ok"))
    words = {word(FLOW, flow.to_bytes(8, "little")), word(USER, user), word(SENDER, sender.lower()),
             word(QUEUE_ID, queue_id), word(MESSAGE_ID, message_id),
             *(word(RECIPIENT, address.lower()) for address in recipients)}
    with sqlite3.connect(os.path.join(state, "messages.db"), timeout=20) as db:
        key = db.execute("SELECT coalesce(max(key), 0) + 1 FROM message").fetchone()[0]
        db.execute("INSERT INTO message(key, end_ms, record) VALUES (?, ?, ?)", (key, end_ms, record))
        db.executemany("INSERT INTO word(hash, key) VALUES (?, ?)", [(one, key) for one in words])
    db.close()
