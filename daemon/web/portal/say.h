/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the answers of a login page: pages, the style, the logo, the way on. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_SAY_H
#define POSTERN_DAEMON_WEB_PORTAL_SAY_H

#include "daemon/web/portal/visit.h"

/* The form, with what was wrong; wait_ms: until it may be tried again. */
void say_login(struct visit *visit, enum portal_notice notice, uint64_t wait_ms);
/* Who is logged in, and his mail. */
void say_status(
	struct visit *visit, enum portal_notice notice, const struct ipc_portal_shown *shown);
void say_logged_out(struct visit *visit);
/* A request that leads to no page, by its sentence. */
void say_refusal(struct visit *visit, enum portal_notice notice);
/* The same of one whose route is a refusal. */
void say_route(struct visit *visit, const char *path);
/* A post did its thing. */
void say_done(struct visit *visit);
void say_style(struct visit *visit);
void say_logo(struct visit *visit);

/* Those that all visitors share. NULL: no memory. */
struct MHD_Response *say_make_style(void);
struct MHD_Response *say_make_logo(const void *bytes, size_t len);

#endif
