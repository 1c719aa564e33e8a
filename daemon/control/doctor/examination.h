/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the parts of doctor share: one examination under way, and how it says what it found. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_EXAMINATION_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_EXAMINATION_H

#include "daemon/control/doctor/finding.h"

struct control;

struct examination {
	const struct control *control;
	const struct doctor_facts *facts;
	doctor_finding *finding;
	void *context;
};

/* The advice is left out where all is well. */
void examination_find(const struct examination *exam, const char *check, enum doctor_state state,
	const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What stands behind the fact's first word, or NULL; each call with *at goes on behind the last. */
const char *examination_fact(const struct doctor_facts *facts, const char *word, size_t *at);

/* settings.c: settings of the kernel. */
void examination_of_settings(const struct examination *exam);
/* server.c: the servers, that each has a host that may be used, and the way there. */
void examination_of_servers(const struct examination *exam);
/* credential.c: certificates, trust stores, secrets. */
void examination_of_credentials(const struct examination *exam);
/* auth.c: where passwords are checked. */
void examination_of_auths(const struct examination *exam);
/* radius.c */
void examination_of_radiuses(const struct examination *exam);
/* portal.c */
void examination_of_portals(const struct examination *exam);
/* scan.c: what judges messages. */
void examination_of_scans(const struct examination *exam);
/* clamd.c: the configuration of the clamd that a scan of the policy, by its number, asks. */
void examination_of_clamd(const struct examination *exam, size_t index);
/* path.c: servers of `path kernel`. */
void examination_of_paths(const struct examination *exam);
/* way.c: where the zones' interfaces lead. */
void examination_of_ways(const struct examination *exam);
/* foreign.c: other programs' chains and rules on the way of our packets. */
void examination_of_foreign(const struct examination *exam);

#endif
