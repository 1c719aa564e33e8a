/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of a certificate must say, from their bytes: chain and key judged together,
 * and a store of trusted ones. Nothing of a key is kept. */
#ifndef POSTERN_LIB_TLS_CERTIFICATE_H
#define POSTERN_LIB_TLS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both travel in one ipc. An RSA key of 16384 bits takes 12.5 KiB. */
#define CERTIFICATE_CHAIN_BYTES_MAX 45056u
#define CERTIFICATE_KEY_BYTES_MAX   14336u
#define CERTIFICATE_TRUST_BYTES_MAX (8u << 20)
#define CERTIFICATE_CHAIN_MAX       10u

#define CERTIFICATE_DN_SIZE     256
#define CERTIFICATE_NAMES_SIZE  512
#define CERTIFICATE_SERIAL_SIZE 72
#define CERTIFICATE_TEXT_SIZE   512

/* What may be shown to everybody. */
struct certificate_facts {
	char subject[CERTIFICATE_DN_SIZE], issuer[CERTIFICATE_DN_SIZE];
	char names[CERTIFICATE_NAMES_SIZE];   /* subjectAltName: "mail.example, *.example" */
	char serial[CERTIFICATE_SERIAL_SIZE]; /* hex */
	char key[24];                         /* "RSA 2048", "EC 256" */
	uint8_t fingerprint[32];              /* SHA-256 of the own certificate */
	int64_t begins, ends;                 /* seconds since 1970; of the chain's first to end */
	unsigned chain;                       /* how many certificates */
	bool self_signed;
};

enum certificate_file { CERTIFICATE_FILE_CHAIN, CERTIFICATE_FILE_KEY };

/* What is wrong, and in which of the two files. */
struct certificate_fault {
	enum certificate_file file;
	bool of_time; /* expired, or not valid yet: all else is good */
	char text[CERTIFICATE_TEXT_SIZE];
};

struct certificate_bytes {
	const uint8_t *chain, *key; /* PEM; the same file may hold both */
	size_t chain_len, key_len;
};

/* Own certificate first, then each that signed the one before; who signed the last is not asked.
 * The key is the first one's. False: fault says why; facts are filled as far as they are known. */
bool certificate_judge(const struct certificate_bytes *bytes, int64_t now_s,
	struct certificate_facts *facts, struct certificate_fault *fault);
/* At least one certificate, each whole; *n: how many. They may have ended. */
bool certificate_judge_trust(
	const uint8_t *bytes, size_t len, unsigned *n, struct certificate_fault *fault);

/* "2026-02-14" (UTC). Returns buf. */
#define CERTIFICATE_DATE_SIZE 32
const char *certificate_date(int64_t seconds, char buf[static CERTIFICATE_DATE_SIZE]);
/* Whole days until then, rounded down; below 0: it is over. */
int64_t certificate_days_left(const struct certificate_facts *facts, int64_t now_s);

#endif
