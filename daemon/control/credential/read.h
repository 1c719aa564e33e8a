/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one reading of a credential: its files, judged, and what may be shown of it. */
#ifndef POSTERN_DAEMON_CONTROL_CREDENTIAL_READ_H
#define POSTERN_DAEMON_CONTROL_CREDENTIAL_READ_H

#include "daemon/control/credential/file.h"
#include "lib/tls/certificate.h"
#include "lib/tls/credential.h"

struct credential_read {
	struct secret_file file, key; /* bytes: there only while it can be used */
	struct certificate_facts facts;
	unsigned trusted; /* certificates in a trust store */
	bool usable;      /* good, or out of its time alone, which is better than none */
	bool denied;      /* this process may not read it */
	struct credential_verdict verdict;
};

/* user: whom the files are to be readable for. To be wiped, whatever it came to. */
void credential_read(const struct credential *credential, const char *user, int64_t now_s,
	struct credential_read *read);
void credential_read_wipe(struct credential_read *read);

/* Once, before anything is read: what OpenSSL had in memory is wiped when it gives it back, and no
 * configuration of the machine's is read. False: it is too late for that. */
bool credential_read_init(void);

#endif
