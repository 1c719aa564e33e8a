/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a request of a visit as libmicrohttpd brings it: its fields, who sends it, its body. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_REQUEST_H
#define POSTERN_DAEMON_WEB_PORTAL_REQUEST_H

#include "daemon/web/portal/visit.h"

/* libmicrohttpd's handler; context: the service. */
enum MHD_Result request_on(void *context, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *data, size_t *bytes, void **request);
/* An answer is sent, or its connection is over. */
void request_over(void *context, struct MHD_Connection *mhd, void **request,
	enum MHD_RequestTerminationCode code);

#endif
