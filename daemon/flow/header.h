/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the PROXY header that tells a server who the client is, in front of everything. */
#ifndef POSTERN_DAEMON_FLOW_HEADER_H
#define POSTERN_DAEMON_FLOW_HEADER_H

#include "daemon/flow/way.h"
#include "lib/policy/login_name.h"
#include "lib/smtp/proxy.h"

/* How long it is; 0: the server takes no header, or the client cannot be said in one. */
size_t header_encode(const struct way *way, uint8_t header[static PROXY_V2_SIZE]);
/* The login that the server is told, in text; NULL: none. */
const char *header_login(const struct way *way, char text[static LOGIN_NAME_SIZE]);

#endif
