/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how audit records travel: bytes of a kind, many to one ipc, and one that is longer than an
 * ipc in parts.
 *
 * IPC_RECORDS holds parts, back to back. Each says which record it is of, how long that is, and
 * where in it the part belongs. Who sends tells one record after the other, each to its end, and
 * never cuts one that fits into an ipc; if that went wrong in the middle, it begins the same record
 * anew. Who hears them has one assembly for each sender. A record that never ends, one without
 * some of its parts, and what is behind another's beginning, is dropped and counted: it costs the
 * bytes that came, until the next one of this sender or its end. */
#ifndef POSTERN_LIB_IPC_RECORD_H
#define POSTERN_LIB_IPC_RECORD_H

#include "lib/base/backlog.h"
#include "lib/ipc/core.h"

enum ipc_record_kind {
	IPC_RECORD_FLOW = 1, /* ipc_flow_encode() */
	IPC_RECORD_MESSAGE,  /* message_record_encode() */
};
#define IPC_RECORD_KINDS 3

/* Of one record: a thousand recipients and what became of each. */
#define IPC_RECORD_BYTES_MAX (1u << 20)

struct ipc_part {
	uint32_t serial; /* of the record; its sender counts */
	uint32_t whole;  /* bytes of the record */
	uint32_t at;     /* the first of it here */
	uint32_t bytes;  /* of it here: they follow */
	uint16_t kind;   /* enum ipc_record_kind */
	uint16_t reserved;
};

struct ipc_records {
	struct ipc_header header;
	uint8_t data[];
};

/* For ipc_check(): parts to the last byte, each within its record. */
bool ipc_records_ok(const void *ipc, size_t len);

/* How far the oldest record of a backlog has been told. */
struct ipc_told {
	uint32_t n;  /* records that end in this ipc */
	uint32_t at; /* bytes told of the one behind them; 0: none was begun */
};

/* Fills an ipc of IPC_BYTES_MAX from the oldest record of a backlog on, which is not empty; `at`
 * bytes of that have been told. */
struct ipc_told ipc_records_fill(
	struct ipc_records *records, const struct ipc_backlog *backlog, uint32_t at);

/* What came of a record that came in parts. All zero at first. */
struct ipc_assembly {
	uint8_t *bytes; /* NULL: nothing */
	uint32_t len, whole, serial;
	uint16_t kind;
	bool given_up; /* the record `serial` is counted, and its other parts are passed over */
};

/* Borrowed bytes of a whole record. */
typedef void ipc_record_take(
	void *context, enum ipc_record_kind kind, const uint8_t *bytes, size_t len);

/* Hands out the records that are whole; how many were dropped. */
unsigned ipc_records_read(struct ipc_assembly *assembly, const struct ipc_records *records,
	ipc_record_take *take, void *context);
/* The sender is gone: how many were dropped. For the next one it is all zero. */
unsigned ipc_assembly_end(struct ipc_assembly *assembly);

#endif
