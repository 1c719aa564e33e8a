/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the PROXY protocol header: who the client is, told to a server before its first byte
 * (HAProxy's proxy-protocol.txt, versions 1 and 2). */
#ifndef POSTERN_LIB_SMTP_PROXY_H
#define POSTERN_LIB_SMTP_PROXY_H

#include "lib/base/addr.h"

#define PROXY_V1_SIZE 108 /* with NUL */
#define PROXY_V2_SIZE 512

/* "PROXY TCP4 client original ports CRLF". Both endpoints are of one family. Length, or 0 when
 * they are not. */
size_t proxy_encode_v1(const struct endpoint *client, const struct endpoint *original,
	char header[static PROXY_V1_SIZE]);

/* Version 2, command PROXY. id (the flow's, text) becomes the unique id; user, unless empty or
 * NULL, a TLV of type 0xE0. Length, or 0 when the families differ or a text is too long. */
size_t proxy_encode_v2(const struct endpoint *client, const struct endpoint *original,
	const char *id, const char *user, uint8_t header[static PROXY_V2_SIZE]);

#endif
