/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an operator is to do about a server's TLS that is no good. */
#ifndef POSTERN_LIB_TLS_ADVICE_H
#define POSTERN_LIB_TLS_ADVICE_H

#include "lib/tls/facts.h"

#define TLS_ADVICE_SIZE 400

/* In the policy's own words where it is the policy. seen->why is not empty. Returns buf. */
const char *tls_advice(const struct tls_seen *seen, char buf[static TLS_ADVICE_SIZE]);

/* pin "sha256:HEX" of the key, as it stands in a policy; returns buf. */
#define TLS_PIN_SIZE 72
const char *tls_pin(const uint8_t key[static 32], char buf[static TLS_PIN_SIZE]);

#endif
