/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of other programs' nftables objects as the kernel tells them: netlink messages
 * and their attributes. What is cut off, too short or not terminated is not there. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_BYTES_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

struct control_link;

/* Messages back to back, each begins at a multiple of four; borrowed. */
struct foreign_dump {
	const uint8_t *bytes;
	size_t len;
	const struct control_link *links; /* which name an interface's number has */
	size_t nlinks;
};

/* The next message of nftables, with its family; begin with *at 0. NULL: there is none. */
const struct nlmsghdr *foreign_next(const struct foreign_dump *dump, size_t *at, uint32_t *family);

#define FOREIGN_ATTRS 32

/* By their types; NULL: not there. Borrowed from the dump. */
struct foreign_attrs {
	const struct nlattr *v[FOREIGN_ATTRS];
};

/* Of a message, and of what is nested in an attribute (which may be NULL: then there are none). */
void foreign_read(const struct nlmsghdr *message, struct foreign_attrs *attrs);
void foreign_nested(const struct nlattr *attr, struct foreign_attrs *attrs);

/* 0: not there. */
uint32_t foreign_u32(const struct foreign_attrs *attrs, unsigned type);
uint64_t foreign_u64(const struct foreign_attrs *attrs, unsigned type);
/* NULL: not there. */
const char *foreign_text(const struct foreign_attrs *attrs, unsigned type);
const void *foreign_data(const struct foreign_attrs *attrs, unsigned type, uint32_t *len);
/* The bytes of a value to compare or load, or of a set's key. */
const void *foreign_value(const struct foreign_attrs *attrs, unsigned type, uint32_t *len);
/* A verdict and the chain that it may lead to, or NULL. false: there is none. */
bool foreign_verdict(
	const struct foreign_attrs *attrs, unsigned type, uint32_t *verdict, const char **chain);

/* "inet", "ip", "ip6" or "netdev"; NULL: a family that is not on our way. */
const char *foreign_family(uint32_t family);
/* Is it our own table? */
bool foreign_is_ours(uint32_t family, const char *table);

/* A name as one word of a fact. Empty: there is none. */
struct foreign_word {
	char text[128];
};

struct foreign_word foreign_word(const char *name);

#endif
