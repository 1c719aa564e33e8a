/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control and web say to each other. Of the login pages web can have control log in,
 * renew, log out and show, each of the client whose connection it has, and nothing else; where
 * passwords are asked for, it logs in only whom process auth affirms. */
#ifndef POSTERN_LIB_IPC_WEB_H
#define POSTERN_LIB_IPC_WEB_H

#include "lib/auth/affirm.h"
#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/policy/policy.h"
#include "lib/portal/client.h"
#include "lib/portal/files.h"
#include "lib/portal/page.h"

enum ipc_web_type {
	/* control -> web */
	IPC_METRICS_LISTEN = IPC_FILE_WEB,
	IPC_METRICS_PAGE, /* + descriptor: a sealed memfd with the text of all metrics */

	/* web -> control */
	IPC_METRICS_STATE, /* whether it could listen */
	IPC_METRICS_GET,   /* answered by IPC_METRICS_PAGE, or by the reply why not */

	/* web -> control, each with its seq. Answered by the reply: 0; -ENOENT, nobody is logged in
	   there; -EDQUOT, over the limit of sessions; -EPERM, it is not that portal's to say; else
	   why it could not be done */
	IPC_PORTAL_LOGIN,
	IPC_PORTAL_RENEW,
	IPC_PORTAL_LOGOUT,
	IPC_PORTAL_SHOW, /* or, where somebody is logged in, by */

	/* control -> web */
	IPC_PORTAL_SHOWN,

	/* web -> control */
	IPC_PORTAL_WRONG, /* a login was refused by auth; for the audit, not answered */
	IPC_PORTAL_STATE, /* of one portal, whenever it changes */
	IPC_WEB_END,
};

struct ipc_metrics_listen {
	struct ipc_header header;
	struct endpoint at; /* family ADDR_NONE: nowhere */
};

struct ipc_metrics_state {
	struct ipc_header header;
	struct endpoint at;
	int32_t status; /* 0: it listens; -errno: it does not, and tries again */
	uint32_t reserved;
};

/* ---- login pages ---- */

struct ipc_portal_login {
	struct ipc_header header;
	char portal[POLICY_NAME_SIZE];
	struct portal_client client;
	char terms[PORTAL_VERSION_SIZE]; /* which he accepted; empty: there are none */
	struct affirm affirm;            /* by auth, of what is behind; without password zero */
	uint32_t session_bytes;          /* 0: without password, where the portal has no auth */
	uint8_t session[];               /* as process auth encoded who it is */
};

struct ipc_portal_client { /* RENEW, LOGOUT, SHOW */
	struct ipc_header header;
	char portal[POLICY_NAME_SIZE];
	struct portal_client client;
};

struct ipc_portal_wrong {
	struct ipc_header header;
	char portal[POLICY_NAME_SIZE];
	struct portal_client client;
	char user[POLICY_USER_SIZE]; /* as it was typed, cut where it is longer */
};

/* Times are of the wall clock. */
struct ipc_portal_shown {
	struct ipc_header header;
	char user[POLICY_USER_SIZE];
	uint64_t ends_ms, hard_end_ms; /* 0: never */
	uint64_t sent, refused;
	uint32_t device; /* 1: it is one of the policy, which nobody renews or logs out */
	uint32_t messages;
	uint32_t more; /* 1: there are older ones, that are not counted */
	uint32_t nmails;
	uint32_t unrecorded; /* 1: what was sent is not known */
	uint32_t reserved;
	struct portal_mail mails[PORTAL_MAILS_MAX];
};

/* Since the process began. */
struct portal_counts {
	uint64_t connections, refused_connections;
	uint64_t requests, refused_requests; /* refused: by Host, Origin, token, form */
	uint64_t logins, renewals, logouts;
	uint64_t failures; /* wrong passwords */
	uint64_t put_off;  /* not asked, as too many had failed */
	uint64_t later;    /* it could not be found out */
};

/* Who is shut out at the moment: those who failed last. */
#define PORTAL_LOCKED_MAX 16
struct portal_locked_row {
	uint32_t what; /* enum portal_try: DEVICE or NETWORK */
	uint32_t failures;
	uint64_t until_ms; /* wall clock */
	char zone[POLICY_NAME_SIZE];
	struct mac mac;
	struct addr address;
	uint8_t reserved;
};

struct ipc_portal_state {
	struct ipc_header header;
	char portal[POLICY_NAME_SIZE];
	struct portal_counts counts;
	uint64_t begun_ms; /* wall clock: they begin there */
	uint32_t serves;   /* 0: HTTPS is not there */
	uint32_t open;     /* connections */
	uint32_t locked;   /* of all portals of the process: how many; the first of them are */
	uint32_t nrows;
	struct portal_locked_row rows[PORTAL_LOCKED_MAX];
	char text[IPC_TEXT_SIZE]; /* why it does not serve */
};

#endif
