#include "daemon/smtp/account.h"

#include "daemon/flow/choose.h"
#include "daemon/log.h"
#include "daemon/smtp/envelope.h"
#include "daemon/smtp/server_tls.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/talk.h"
#include "daemon/tls/contexts.h"
#include "lib/smtp/login.h"

#include <assert.h>
#include <string.h>

/* A login that was refused is not tried again by the next flow: servers lock who tries too often.
 */
#define REFUSED_MS (5 * 60 * 1000)

void account_fill(const struct smtp_flow *flow, struct engine_verdict *verdict)
{
	if (verdict->server == ENVELOPE_ORIGINAL || verdict->server == ENVELOPE_NO_SERVER)
		return;
	const struct policy_account *account =
		&flow->way.policy->servers[verdict->server - 1].account;
	verdict->login = account->given;
	verdict->other_sender = account->given && account->sender.len > 0;
}

/* What this process saw of the host at hand; NULL: it is not chosen from a list. */
static struct replica_seen *seen_of(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	return choose_target(way) ? &way->choice->seen[way->target] : NULL;
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
	const struct replica_seen *seen = seen_of(flow);

	if (!login->secret)
		return "the secret of the server's account is not there";
	if (!way_server(&flow->way)->account.insecure && !server_tls_is_sure(flow))
		return "a login only goes where the host is known by its certificate";
	if (seen && seen->login_with == flow->contexts &&
		way_now_ms(&flow->way) < seen->login_ms + REFUSED_MS)
		return "it refused the login less than 5 minutes ago";
	return NULL;
}

void account_on_login(struct smtp_flow *flow)
{
	const struct smtp_login login = login_of(flow);
	uint64_t now_ms = way_now_ms(&flow->way);
	struct engine_out *out = talk_out(flow);
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
	talk_act(flow);
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
	engine_sender(&flow->engine, &path, way_now_ms(&flow->way), talk_out(flow));
	talk_act(flow);
}

const char *account_on_refused(struct smtp_flow *flow, const struct engine_reply *reply)
{
	const struct policy_server *server = way_server(&flow->way);
	struct replica_seen *seen = seen_of(flow);
	char host[ENDPOINT_TEXT_SIZE];

	if (!reply->server || !server)
		return reply->text;
	smtp_count(flow->smtp, COUNTER_LOGINS_AT_SERVERS_REFUSED);
	const struct smtp_login login = login_of(flow);
	const char *words =
		login.secret && smtp_login_tells(&login, reply->text) ? "" : reply->text;
	if (reply->code / 100 != 5)
		return words;
	if (seen) {
		seen->login_ms = way_now_ms(&flow->way);
		seen->login_with = flow->contexts;
	}
	log_warning("server %s: host %s refuses the login of \"%s\": %u %s: no more of it for 5 "
		    "minutes",
		server->name.text, endpoint_format(&flow->way.host, host),
		server->account.user.text, reply->code, words);
	return words;
}
