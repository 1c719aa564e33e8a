/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how each kind of ipc is described and checked: a table of each file, and what their checks
 * have in common. For the files here alone. */
#ifndef POSTERN_LIB_IPC_KIND_H
#define POSTERN_LIB_IPC_KIND_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"

struct ipc_kind {
	const char *name; /* NULL: none */
	size_t bytes;     /* of the whole, or with `longer` of its fixed part */
	bool longer;
	size_t item; /* of what stands repeatedly in a longer one; 0: it is bytes */
	bool secret; /* wiped wherever it was held */
	bool (*ok)(const void *ipc, size_t len);
};

/* Of one file, from its first type on. */
struct ipc_kinds {
	const struct ipc_kind *v;
	size_t n;
	uint64_t (*hash)(uint64_t hash); /* how the rest is packed; NULL: nothing is */
};

#define IPC_PLAIN(word)                                                       \
	{                                                                     \
		word, sizeof(struct ipc_plain), false, 0, false, ipc_plain_ok \
	}
#define IPC_FIXED(word, type, ok)                                    \
	{                                                            \
		word, sizeof(struct ipc_##type), false, 0, false, ok \
	}
#define IPC_LONGER(word, type, item, ok)                               \
	{                                                              \
		word, sizeof(struct ipc_##type), true, item, false, ok \
	}
#define IPC_SECRET_FIXED(word, type, ok)                            \
	{                                                           \
		word, sizeof(struct ipc_##type), false, 0, true, ok \
	}
#define IPC_SECRET_LONGER(word, type, item, ok)                       \
	{                                                             \
		word, sizeof(struct ipc_##type), true, item, true, ok \
	}
#define IPC_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

extern const struct ipc_kinds ipc_core_kinds, ipc_kernel_kinds, ipc_picture_kinds, ipc_flow_kinds,
	ipc_health_kinds, ipc_web_kinds, ipc_hand_kinds, ipc_credential_kinds, ipc_auth_kinds,
	ipc_scan_kinds, ipc_radius_kinds;

/* Terminated, and without control characters? */
bool ipc_text_ok(const char *text, size_t size);
#define TEXT_OK(field)  ipc_text_ok(field, sizeof(field))
#define NAMED_OK(field) (TEXT_OK(field) && (field)[0])
bool ipc_addr_ok(const struct addr *addr);
bool ipc_addr_given_ok(const struct addr *addr); /* and not ADDR_NONE */
bool ipc_prefix_ok(const struct prefix *prefix);
/* n items of `size` bytes fill what lies behind `base` exactly. */
bool ipc_count_ok(size_t len, size_t base, uint32_t n, size_t size);
/* Any is. */
bool ipc_plain_ok(const void *ipc, size_t len);

#endif
