/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/envelope/account.h"

#include "daemon/base/log.h"
#include "daemon/flow/choose.h"
#include "daemon/smtp/envelope/envelope.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/server_tls.h"
#include "daemon/tls/contexts.h"
#include "lib/smtp/login.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void account_fill(const struct smtp_flow *flow, struct engine_verdict *verdict)
{
	if (verdict->server == ENVELOPE_ORIGINAL || verdict->server == ENVELOPE_NO_SERVER)
		return;
	const struct policy_account *account =
		&flow->way.policy->servers[verdict->server - 1].account;
	verdict->login = account->given;
	verdict->other_sender = account->given && account->sender.len > 0;
}

/* The host at hand among those that are known now: another process's flow may have told of it, and
 * a connection that is made again is not chosen from any list. False: it is not there any more. */
static bool find_host(const struct smtp_flow *flow, struct replica_server **list, size_t *at)
{
	const struct way *way = &flow->way;

	*list = replica_targets_of(&way->process->replica->targets, way->policy, way->server);
	for (size_t i = *at = 0; *list && i < (*list)->n; *at = ++i)
		for (unsigned j = 0; j < (*list)->v[i].naddresses; j++)
			if ((*list)->v[i].port == way->host.port &&
				addr_equal(&(*list)->v[i].addresses[j], &way->host.addr))
				return true;
	return false;
}

bool account_is_held(const struct smtp_flow *flow)
{
	uint64_t wall_ms = loop_wall_ms(flow->smtp->loop);
	struct replica_server *list;
	size_t at;

	if (!find_host(flow, &list, &at))
		return false;
	const struct replica_seen *seen = &list->seen[at];
	if (seen->login_with && seen->login_with == tls_contexts_number(flow->contexts) &&
		way_now_ms(&flow->way) < seen->login_ms + TARGET_LOGIN_MS)
		return true;
	/* a clock that was set back does not make it longer */
	return list->v[at].login_until_ms > wall_ms &&
	       list->v[at].login_until_ms <= wall_ms + TARGET_LOGIN_MS;
}

/* Borrowed. */
static struct smtp_login login_of(const struct smtp_flow *flow)
{
	const struct policy_account *account = &way_server(&flow->way)->account;
	struct smtp_login login = {.user = account->user.text, .user_len = account->user.len};

	login.secret =
		tls_contexts_secret(flow->contexts, (size_t)flow->way.server, &login.secret_len);
	return login;
}

/* NULL: the login may be said to this host. */
static const char *why_not(const struct smtp_flow *flow, const struct smtp_login *login)
{
	if (!login->secret)
		return "the secret of the server's account is not there";
	if (!way_server(&flow->way)->account.insecure && !server_tls_is_sure(flow))
		return "a login only goes where the host is known by its certificate";
	if (account_is_held(flow))
		return "it refused the login less than 5 minutes ago";
	return NULL;
}

void account_on_login(struct smtp_flow *flow)
{
	const struct smtp_login login = login_of(flow);
	uint64_t now_ms = way_now_ms(&flow->way);
	struct engine_out *out = smtp_out(flow);
	const char *why = why_not(flow, &login);
	char line[SMTP_LOGIN_LINE_MAX];
	size_t len = 0;
	bool last;

	if (!why)
		len = smtp_login_line(
			&login, flow->engine.offers.login, flow->login_lines++, line, &last);
	if (!why && len == 0)
		why = "it offers neither AUTH PLAIN nor AUTH LOGIN";
	if (why)
		engine_server_unfit(&flow->engine, why, now_ms, out);
	else
		engine_login(&flow->engine, line, len, last, now_ms, out);
	explicit_bzero(line, sizeof(line));
	char *said = out->server;
	smtp_act(flow);
	explicit_bzero(said, len);
}

void account_on_sender(struct smtp_flow *flow)
{
	const struct policy_string *sender = &way_server(&flow->way)->account.sender;
	struct smtp_path path;
	size_t used;

	enum smtp_path_status status =
		smtp_path_parse(&path, SMTP_PATH_BARE, sender->text, sender->len, &used);
	assert(status == SMTP_PATH_GOOD); /* as the language checks it */
	(void)status;
	engine_sender(&flow->engine, &path, way_now_ms(&flow->way), smtp_out(flow));
	smtp_act(flow);
}

bool account_is_in(const void *owner, const char *text)
{
	const struct smtp_flow *flow = owner;

	if (!way_server(&flow->way))
		return false;
	const struct smtp_login login = login_of(flow);
	return !login.secret || smtp_login_tells(&login, text);
}

void account_on_refused(struct smtp_flow *flow, const struct engine_reply *reply, const char *words)
{
	const struct policy_server *server = way_server(&flow->way);
	struct replica_server *list;
	size_t at;
	char host[ENDPOINT_TEXT_SIZE], why[TARGET_TEXT_SIZE];

	if (!reply->server || !server)
		return;
	smtp_count(flow->smtp, COUNTER_LOGINS_AT_SERVERS_REFUSED);
	if (reply->code / 100 != 5)
		return;
	if (find_host(flow, &list, &at)) {
		list->seen[at].login_ms = way_now_ms(&flow->way);
		list->seen[at].login_with = tls_contexts_number(flow->contexts);
	}
	snprintf(why, sizeof(why), "it refuses the login of its account: %s", words);
	choose_login_refused(&flow->way, why);
	log_warning(
		"server %s: host %s refuses the login of \"%s\": %s: no more of it for 5 minutes",
		server->name.text, endpoint_format(&flow->way.host, host),
		server->account.user.text, words);
}
