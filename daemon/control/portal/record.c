/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/portal/record.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/control.h"
#include "lib/base/copy.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

static void fill(struct login_record *login, const char *portal, const char *zone, const char *user)
{
	memset(login, 0, sizeof(*login));
	copy_text(login->zone, sizeof(login->zone), zone);
	copy_text(login->user, sizeof(login->user), user);
	snprintf(login->source, sizeof(login->source), "%s %s",
		session_source_names[SESSION_SOURCE_PORTAL], portal);
}

static void keep(struct control *control, struct login_record *login)
{
	login->at_ms = loop_wall_ms(control->loop);
	audit_login(control->audit, login);
}

void record_login(struct control *control, const struct login_order *order,
	enum login_ending ending, uint64_t session, const char *detail)
{
	struct login_record login;

	fill(&login, order->via, order->zone, order->user);
	login.ending = ending;
	login.session = session;
	login.client = order->addresses[0].addr;
	login.mac = order->mac;
	copy_text(login.terms, sizeof(login.terms), order->terms);
	copy_text(login.detail, sizeof(login.detail), detail);
	keep(control, &login);
}

void record_wrong(struct control *control, const char *portal, const struct portal_client *client,
	const char *user)
{
	struct login_record login;

	fill(&login, portal, client->zone, user);
	login.ending = LOGIN_ENDING_WRONG;
	login.client = client->address;
	login.mac = client->mac;
	text_blank(login.user);
	keep(control, &login);
}
