/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the packets whose answer waits for control, and which were heard in the last half minute:
 * one that comes again is answered again, and nothing else happens. Of bounded size: whoever finds
 * no room sends again later. */
#ifndef POSTERN_DAEMON_RADIUS_WAITING_H
#define POSTERN_DAEMON_RADIUS_WAITING_H

#include "daemon/radius/sockets.h"
#include "lib/base/siphash.h"
#include "lib/policy/policy.h"
#include "lib/radius/packet.h"

#define WAITING_MAX    32768
#define WAITING_MS     60000
#define HEARD_MAX      131072
#define HEARD_MS       30000
#define WAITING_STATES 64 /* bytes of Proxy-States that need no memory of their own */

struct waiting_packet {
	uint64_t id; /* 0: free */
	uint64_t at_ms;
	uint32_t heard; /* where it stands there */
	uint32_t next_free;
	struct way_back back;
	struct addr source;
	char radius[POLICY_NAME_SIZE];
	uint8_t packet_id, code;
	uint8_t authenticator[RADIUS_MD5_SIZE];
	size_t proxy_len;
	uint8_t *more; /* more Proxy-States than have room here */
	uint8_t states[WAITING_STATES];
};

struct heard_packet {
	uint64_t what; /* keyed hash; 0: none */
	uint64_t at_ms;
	uint64_t waits; /* id; 0: it was answered */
	uint32_t next;  /* of its chain, from 1 */
};

struct waiting {
	struct waiting_packet *v;
	uint32_t free; /* from 1 */
	uint64_t ids;
	struct heard_packet *heard;
	uint32_t *chains;
	uint32_t newest;
	uint8_t secret[SIPHASH_SECRET_SIZE];
};

/* 0 or -errno. */
int waiting_init(struct waiting *waiting);
void waiting_fini(struct waiting *waiting);

enum waiting_heard { WAITING_NEW, WAITING_AGAIN, WAITING_WAITS };
/* Was it heard in the last 30 s? */
enum waiting_heard waiting_look(const struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet, uint64_t now_ms);
/* It was heard, and is answered now. */
void waiting_answered(struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet, uint64_t now_ms);
/* Its answer waits; the caller fills back, source and radius. NULL: no room. */
struct waiting_packet *waiting_add(struct waiting *waiting, const struct endpoint *peer,
	const struct radius_packet *packet, uint64_t now_ms);
/* NULL: it waits no longer. */
struct waiting_packet *waiting_find(const struct waiting *waiting, uint64_t id);
struct radius_question waiting_question(const struct waiting_packet *packet);
/* answered: else it was not heard, as far as who sends it again is concerned. */
void waiting_del(struct waiting *waiting, struct waiting_packet *packet, bool answered);
void waiting_forget_all(struct waiting *waiting);
/* Of those too old nobody tells any more. */
void waiting_sweep(struct waiting *waiting, uint64_t now_ms);

#endif
