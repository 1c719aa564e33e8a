/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/login.h"

#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/flow/charge.h"
#include "daemon/smtp/smtp.h"
#include "lib/base/base64.h"
#include "lib/ipc/auth.h"
#include "lib/policy/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX BASE64_BYTES(AUTH_BYTES_MAX) /* RFC 4954, 4: 12,288 */

struct smtp_login {
	uint64_t id;
	bool begun; /* the other process knows of it */
	bool given; /* beside the mechanism */
	bool asked; /* and has to answer */
	bool long_; /* more was said than is kept */
	char mechanism[AUTH_MECHANISM_SIZE];
	size_t len;
	char text[TEXT_MAX];
};

struct login_offer {
	char listener[POLICY_NAME_SIZE];
	char mechanisms[AUTH_MECHANISMS_SIZE];
};

static struct smtp_login **place_of(const struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	return &table->logins[pool_number(&table->flows, flow)];
}

bool login_is_under_way(const struct smtp_flow *flow)
{
	return *place_of(flow) != NULL;
}

static void forget(struct smtp_flow *flow)
{
	struct smtp_login **place = place_of(flow);

	if (!*place)
		return;
	explicit_bzero(*place, sizeof(**place));
	free(*place);
	*place = NULL;
}

/* ---- what is shown ---- */

static const struct policy_listener *listener_of(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	return way->listener < 0 ? NULL : &way->policy->listeners[way->listener];
}

void login_set_up(const struct smtp_flow *flow, struct engine_setup *setup)
{
	const struct policy_listener *listener = listener_of(flow);

	if (!listener || listener->auth_names.n == 0)
		return;
	setup->flags |= ENGINE_LOGINS;
	if (listener->tls.insecure)
		setup->flags |= ENGINE_LOGINS_CLEAR;
}

const char *login_offers(const struct smtp_flow *flow)
{
	/* until it is known what a backend can: what all can */
	static const char unknown[] = "PLAIN LOGIN";
	const struct policy_listener *listener = listener_of(flow);
	const struct logins *logins = &flow->smtp->logins;

	if (!listener || listener->auth_names.n == 0)
		return NULL;
	for (uint32_t i = 0; i < logins->noffers; i++)
		if (strcmp(logins->offers[i].listener, listener->name.text) == 0)
			return logins->offers[i].mechanisms[0] ? logins->offers[i].mechanisms
							       : NULL;
	return unknown;
}

static void take_offer(struct smtp *smtp, const struct ipc_auth_offer *ipc)
{
	struct logins *logins = &smtp->logins;
	uint32_t i = 0;

	while (i < logins->noffers && strcmp(logins->offers[i].listener, ipc->listener) != 0)
		i++;
	if (i < logins->noffers && !ipc->whole)
		return;
	if (i == logins->noffers) {
		struct login_offer *more =
			realloc(logins->offers, (i + 1) * sizeof(*logins->offers));
		if (!more)
			return;
		logins->offers = more;
		logins->noffers++;
	}
	memcpy(logins->offers[i].listener, ipc->listener, sizeof(ipc->listener));
	memcpy(logins->offers[i].mechanisms, ipc->mechanisms, sizeof(ipc->mechanisms));
}

/* ---- what a client says ---- */

static void add(struct smtp_login *login, const char *text, size_t len)
{
	login->long_ |= len > sizeof(login->text) - login->len;
	if (login->long_)
		return;
	memcpy(login->text + login->len, text, len);
	login->len += len;
}

static void begin(struct smtp_flow *flow, const struct engine_out *out)
{
	struct smtp_login **place = place_of(flow), *login;

	forget(flow);
	login = *place = calloc(1, sizeof(*login));
	if (!login)
		return;
	login->id = (uint64_t)pool_number(&flow->smtp->table.flows, flow) << 32 |
		    ++flow->smtp->logins.last;
	login->given = out->given;
	size_t len = out->mechanism_len < sizeof(login->mechanism) ? out->mechanism_len : 0;
	for (size_t i = 0; i < len; i++) {
		char c = out->mechanism[i];
		login->mechanism[i] = (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
	}
	add(login, out->response, out->response_len);
}

void login_on_said(struct smtp_flow *flow, const struct engine_out *out)
{
	struct smtp_login *login = *place_of(flow);

	if (out->said == ENGINE_SAID_AUTH)
		begin(flow, out);
	else if (login)
		add(login, out->response, out->response_len);
	login = *place_of(flow);
	/* what follows of that line would be kept in vain */
	if (flow->engine.state == ENGINE_RESPONSE && (!login || login->long_)) {
		engine_logged_in(&flow->engine, ENGINE_LOGIN_LONG, 0, loop_now_ms(flow->smtp->loop),
			smtp_out(flow));
		smtp_act(flow);
	}
}

static void answer(struct smtp_flow *flow, enum engine_login login, unsigned flags)
{
	engine_logged_in(
		&flow->engine, login, flags, loop_now_ms(flow->smtp->loop), smtp_out(flow));
	smtp_act(flow);
}

/* ---- passed on ---- */

static bool is_name(const char *mechanism)
{
	size_t fit = strspn(mechanism, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return fit > 0 && !mechanism[fit];
}

/* The ipcs of both kinds end with what the client said. */
union asked {
	struct ipc_header header;
	struct ipc_auth_ask ask;
	struct ipc_auth_response response;
	uint8_t room[sizeof(struct ipc_auth_ask) + AUTH_BYTES_MAX + 3];
};

static void fill_ask(const struct smtp_flow *flow, const struct smtp_login *login, size_t bytes,
	struct ipc_auth_ask *ipc)
{
	ipc->client = flow->way.client;
	ipc->server = flow->way.original;
	snprintf(ipc->listener, sizeof(ipc->listener), "%s", listener_of(flow)->name.text);
	memcpy(ipc->mechanism, login->mechanism, sizeof(ipc->mechanism));
	ipc->secured = flow->engine.client_secured;
	ipc->given = login->given;
	ipc->bytes = (uint16_t)bytes;
}

/* False: it is no base64. */
static bool build(const struct smtp_flow *flow, const struct smtp_login *login, union asked *out)
{
	bool first = !login->begun;
	size_t fixed = first ? sizeof(out->ask) : sizeof(out->response);
	uint8_t *to = first ? out->ask.response : out->response.response;

	ipc_init(out, first ? IPC_AUTH_ASK : IPC_AUTH_RESPONSE, fixed);
	long bytes = base64_decode(login->text, login->len, to);
	if (bytes < 0)
		return false;
	out->header.bytes += (uint32_t)bytes;
	if (first) {
		out->ask.id = login->id;
		fill_ask(flow, login, (size_t)bytes, &out->ask);
	} else {
		out->response.id = login->id;
		out->response.bytes = (uint32_t)bytes;
	}
	return true;
}

bool login_ask(struct smtp_flow *flow)
{
	struct smtp_login *login = *place_of(flow);
	struct channel *pair = flow->smtp->logins.pair;
	enum engine_login refused = ENGINE_LOGIN_OK;
	union asked out;

	if (login && login->asked)
		return false;
	if (!login || !pair)
		refused = ENGINE_LOGIN_LATER;
	else if (login->long_)
		refused = ENGINE_LOGIN_LONG;
	else if (!is_name(login->mechanism))
		refused = ENGINE_LOGIN_NO_MECHANISM;
	else if (!build(flow, login, &out))
		refused = ENGINE_LOGIN_MALFORMED;
	else if (channel_send(pair, &out, -1) < 0)
		refused = ENGINE_LOGIN_LATER;
	explicit_bzero(&out, sizeof(out));
	if (login) {
		explicit_bzero(login->text, login->len);
		login->len = 0;
	}
	if (refused == ENGINE_LOGIN_OK) {
		login->begun = login->asked = true;
		return false;
	}
	answer(flow, refused, 0);
	return true;
}

void login_end(struct smtp_flow *flow)
{
	struct smtp_login *login = *place_of(flow);
	struct ipc_auth_cancel ipc;

	if (login && login->begun && flow->smtp->logins.pair) {
		ipc_init(&ipc, IPC_AUTH_CANCEL, sizeof(ipc));
		ipc.id = login->id;
		channel_send(flow->smtp->logins.pair, &ipc, -1);
	}
	forget(flow);
}

/* ---- what it came to ---- */

/* The flow whose login this is, and waits for it. */
static struct smtp_flow *flow_of(struct smtp *smtp, uint64_t id)
{
	struct pool *flows = &smtp->table.flows;
	uint32_t number = (uint32_t)(id >> 32);
	struct smtp_flow *flow = number < flows->fresh ? pool_piece(flows, number) : NULL;
	const struct smtp_login *login = flow ? smtp->table.logins[number] : NULL;

	return login && login->id == id && login->asked && flow->state == SMTP_FLOW_TALK &&
			       flow->engine.state == ENGINE_ASK_LOGIN
		       ? flow
		       : NULL;
}

static void on_challenge(struct smtp *smtp, const struct ipc_auth_challenge *ipc)
{
	struct smtp_flow *flow = flow_of(smtp, ipc->id);
	char text[BASE64_BYTES(AUTH_BYTES_MAX)];

	if (!flow)
		return;
	(*place_of(flow))->asked = false;
	size_t len = base64_encode(ipc->challenge, ipc->bytes, text);
	engine_challenge(&flow->engine, text, len, loop_now_ms(smtp->loop), smtp_out(flow));
	smtp_act(flow);
	smtp_run(flow);
}

/* The flow has a user from now on: in rules, limits, records and towards servers. */
static bool take_user(struct smtp_flow *flow, const struct ipc_auth_verdict *ipc)
{
	struct session session;

	if (session_decode(ipc->session, ipc->session_bytes, &session, flow->smtp->take.storage) !=
			ipc->session_bytes ||
		session.kind != SESSION_AUTH)
		return false;
	uint8_t *bytes = malloc(ipc->session_bytes);
	if (!bytes)
		return false;
	memcpy(bytes, ipc->session, ipc->session_bytes);
	free(flow->session);
	flow->session = bytes;
	snprintf(flow->way.user, sizeof(flow->way.user), "%s", session.user.text);
	return true;
}

static void drop_user(struct smtp_flow *flow)
{
	free(flow->session);
	flow->session = NULL;
	flow->way.user[0] = '\0';
}

/* So many connections of one user, or so many in a time: he comes again. */
static bool fits(struct smtp_flow *flow)
{
	enum ending over = charge_user(&flow->way);

	if (over == ENDING_NONE)
		return true;
	log_info("a login of %s at listener %s was put off: %s", log_person(flow->way.user),
		listener_of(flow)->name.text, ending_names[over]);
	drop_user(flow);
	return false;
}

/* What submission has beside transfer. */
static unsigned flags_of(const struct smtp_flow *flow)
{
	bool repair = listener_of(flow)->newline != POLICY_NEWLINE_STRICT;

	return ENGINE_SUBMISSION | ENGINE_SESSION | (repair ? ENGINE_REPAIR : 0u);
}

static enum engine_login login_of(enum auth_verdict verdict)
{
	switch (verdict) {
	case AUTH_OK:
		return ENGINE_LOGIN_OK;
	case AUTH_REFUSED:
		return ENGINE_LOGIN_REFUSED;
	case AUTH_LATER:
	case AUTH_LIMITED:
		return ENGINE_LOGIN_LATER;
	case AUTH_MALFORMED:
		return ENGINE_LOGIN_MALFORMED;
	case AUTH_NO_MECHANISM:
		break;
	}
	return ENGINE_LOGIN_NO_MECHANISM;
}

static const unsigned counters[AUTH_VERDICTS] = {
	[AUTH_OK] = COUNTER_AUTH_PASSED,
	[AUTH_REFUSED] = COUNTER_AUTH_REFUSED,
	[AUTH_LATER] = COUNTER_AUTH_LATER,
	[AUTH_LIMITED] = COUNTER_AUTH_LIMITED,
	[AUTH_MALFORMED] = COUNTER_AUTH_MALFORMED,
	[AUTH_NO_MECHANISM] = COUNTER_AUTH_MALFORMED,
};

/* What the record is to say of those that did not pass. */
static void note(struct smtp_flow *flow, enum engine_login login)
{
	uint8_t *n = login == ENGINE_LOGIN_REFUSED ? &flow->logins_refused
		     : login == ENGINE_LOGIN_LATER ? &flow->logins_later
						   : NULL;

	if (n && *n < UINT8_MAX)
		++*n;
}

static void on_verdict(struct smtp *smtp, const struct ipc_auth_verdict *ipc)
{
	struct smtp_flow *flow = flow_of(smtp, ipc->id);
	enum engine_login login = login_of((enum auth_verdict)ipc->verdict);

	if (!flow)
		return;
	forget(flow);
	if (ipc->verdict == AUTH_LATER)
		log_warning("a login at listener %s could not be checked%s%s: %s",
			listener_of(flow)->name.text, *ipc->auth ? " by auth " : "", ipc->auth,
			ipc->text);
	if (login == ENGINE_LOGIN_OK && (!take_user(flow, ipc) || !fits(flow)))
		login = ENGINE_LOGIN_LATER;
	smtp_count(smtp, counters[ipc->verdict]);
	note(flow, login);
	answer(flow, login, login == ENGINE_LOGIN_OK ? flags_of(flow) : 0);
	smtp_run(flow);
}

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct smtp *smtp = context;
	const void *m = ipc;

	child_count(&smtp->child, COUNTER_IPC_RECEIVED);
	if (fd >= 0)
		close(fd);
	switch (ipc->type) {
	case IPC_AUTH_OFFER:
		take_offer(smtp, m);
		return;
	case IPC_AUTH_CHALLENGE:
		on_challenge(smtp, m);
		return;
	case IPC_AUTH_VERDICT:
		on_verdict(smtp, m);
		return;
	default:
		child_count(&smtp->child, COUNTER_IPC_BAD);
		log_warning("auth sent %s, which it may not send: ignored", ipc_name(ipc->type));
	}
}

/* ---- the pair ---- */

static bool give_up(struct smtp_flow *flow, void *context)
{
	(void)context;
	if (flow->state != SMTP_FLOW_TALK || flow->engine.state != ENGINE_ASK_LOGIN ||
		!login_is_under_way(flow) || !(*place_of(flow))->asked)
		return false;
	forget(flow);
	smtp_count(flow->smtp, COUNTER_AUTH_LATER);
	note(flow, ENGINE_LOGIN_LATER);
	answer(flow, ENGINE_LOGIN_LATER, 0);
	smtp_run(flow);
	return true;
}

static void hang_up(struct smtp *smtp)
{
	if (!smtp->logins.pair)
		return;
	channel_free(smtp->logins.pair);
	smtp->logins.pair = NULL;
	smtp_flow_each(&smtp->table, give_up, NULL);
}

static void on_gone(void *context)
{
	hang_up(context);
}

void login_on_pair(struct smtp *smtp, int fd)
{
	static const struct channel_handler handler = {on_ipc, on_gone};

	hang_up(smtp);
	smtp->logins.pair = channel_open(smtp->loop, fd, &handler, smtp);
	if (!smtp->logins.pair)
		log_error("no memory for the channel of logins");
}

void login_fini(struct smtp *smtp)
{
	if (smtp->logins.pair)
		channel_free(smtp->logins.pair);
	smtp->logins.pair = NULL;
	free(smtp->logins.offers);
	smtp->logins.offers = NULL;
	smtp->logins.noffers = 0;
}
