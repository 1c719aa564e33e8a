/* Owns what of a policy is read from files that never become part of it: certificates with their
 * keys, trust stores, secrets. */
#ifndef POSTERN_CREDENTIAL_H
#define POSTERN_CREDENTIAL_H

enum credential_kind {
	CREDENTIAL_CERTIFICATE,
	CREDENTIAL_TRUST,  /* `ca`: certificates of who may sign others' */
	CREDENTIAL_SECRET, /* a password, whole file but the line's end */
	CREDENTIAL_KINDS,
};

#define CREDENTIAL_PATH_SIZE        512
#define CREDENTIAL_SECRET_BYTES_MAX 1024u

#endif
