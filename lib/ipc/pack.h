/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a struct is packed into bytes and read back: by a table of its fields, so that both ways
 * and the check are one thing. A number takes the bytes that it needs (a small one its own, another
 * one more, that says how many), a text its length and no more, an address what its family has.
 * What is read is not believed: it is bounded, in range, and has one spelling. */
#ifndef POSTERN_LIB_IPC_PACK_H
#define POSTERN_LIB_IPC_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ipc_pack {
	IPC_PACK_U16,
	IPC_PACK_U32,
	IPC_PACK_U64,
	IPC_PACK_TEXT, /* ended by NUL, without control characters */
	IPC_PACK_MAC,
	IPC_PACK_ENDPOINT, /* ADDR_NONE is one */
};

struct ipc_field {
	enum ipc_pack pack;
	uint16_t at;    /* offset in the struct */
	uint16_t size;  /* in the struct */
	uint32_t bound; /* of a number: it is below; 0: any */
};

#define IPC_FIELD(kind, type, name, bound)                                                 \
	{                                                                                  \
		kind, offsetof(struct type, name), sizeof(((struct type *)0)->name), bound \
	}

/* Bytes that a field takes beyond its size in the struct, at most; room for as many must be behind
 * every field, whatever it takes. */
#define IPC_FIELD_OVERHEAD 9

struct ipc_packer {
	uint8_t *bytes;
	size_t room, len;
	bool full; /* something had no room: what stands there is nothing */
};

struct ipc_unpacker {
	const uint8_t *bytes;
	size_t len, at;
	bool bad; /* from here on nothing is read */
};

void ipc_pack_number(struct ipc_packer *packer, uint64_t number);
void ipc_pack_struct(
	struct ipc_packer *packer, const struct ipc_field *fields, size_t n, const void *from);

/* 0 when bad. bound: it is below; 0: any. */
uint64_t ipc_unpack_number(struct ipc_unpacker *unpacker, uint64_t bound);
/* Into a struct that is all zero. */
void ipc_unpack_struct(
	struct ipc_unpacker *unpacker, const struct ipc_field *fields, size_t n, void *to);
/* Read to the end, and nothing was bad? */
bool ipc_unpack_is_whole(const struct ipc_unpacker *unpacker);

/* hash, with what these fields look like packed: for ipc_protocol(). */
uint64_t ipc_pack_hash(uint64_t hash, const struct ipc_field *fields, size_t n);

#endif
