/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/probe/trial.h"

#include "lib/tls/advice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const trial_verdict_names[TRIAL_VERDICTS] = {
	[TRIAL_TAKEN] = "taken",
	[TRIAL_TAKEN_UNNAMED] = "warning",
	[TRIAL_REFUSED] = "refused",
	[TRIAL_SKIPPED] = "skipped",
};

/* The names that a fix is made of. */
struct parties {
	char own[ADDR_TEXT_SIZE];        /* the gateway at the server */
	char client[ADDR_TEXT_SIZE];     /* who the server takes the client for */
	char client_own[ADDR_TEXT_SIZE]; /* the announced client, else the gateway */
	char host[ENDPOINT_TEXT_SIZE];
};

static bool announces(const struct trial_setup *setup)
{
	return setup->dialogue.announce != POLICY_ANNOUNCE_NONE;
}

static bool has_proxy(const struct trial_setup *setup)
{
	return setup->dialogue.announce == POLICY_ANNOUNCE_PROXY_V1 ||
	       setup->dialogue.announce == POLICY_ANNOUNCE_PROXY_V2;
}

static struct parties parties_of(const struct trial_setup *setup)
{
	struct parties parties = {.own = "the gateway"};
	if (setup->own.family != ADDR_NONE)
		addr_format(&setup->own, parties.own);
	if (setup->dialogue.client.addr.family != ADDR_NONE)
		addr_format(&setup->dialogue.client.addr, parties.client);
	else
		snprintf(parties.client, sizeof(parties.client), "the client");
	memcpy(parties.client_own, announces(setup) ? parties.client : parties.own,
		sizeof(parties.client_own));
	endpoint_format(&setup->host, parties.host);
	return parties;
}

static bool says(const char *words, const char *part)
{
	size_t len = strlen(part);
	for (; *words; words++)
		if (strncasecmp(words, part, len) == 0)
			return true;
	return false;
}

enum cause {
	CAUSE_STARTTLS,
	CAUSE_AUTH,
	CAUSE_GREYLIST,
	CAUSE_BLOCKED,
	CAUSE_TOO_MANY,
	CAUSE_SENDER,
	CAUSE_RELAY,
	CAUSE_RECIPIENT,
	CAUSE_OTHER,
};

/* What servers say when they mean it; the first that fits. */
static const struct {
	const char *part;
	enum cause cause;
} causes[] = {
	{"STARTTLS", CAUSE_STARTTLS},
	{"greylist", CAUSE_GREYLIST},
	{"graylist", CAUSE_GREYLIST},
	{"relay", CAUSE_RELAY},
	{"authenticat", CAUSE_AUTH},
	{"authoriz", CAUSE_AUTH},
	{"5.7.57", CAUSE_AUTH},
	{"block", CAUSE_BLOCKED},
	{"blacklist", CAUSE_BLOCKED},
	{"listed", CAUSE_BLOCKED},
	{"too many", CAUSE_TOO_MANY},
	{"too much", CAUSE_TOO_MANY},
	{"sender", CAUSE_SENDER},
	{".1.8", CAUSE_SENDER},
	{"user unknown", CAUSE_RECIPIENT},
	{"unknown user", CAUSE_RECIPIENT},
	{"no such user", CAUSE_RECIPIENT},
	{".1.1", CAUSE_RECIPIENT},
	{"5.1.2", CAUSE_RECIPIENT},
	{"unrouteable", CAUSE_RECIPIENT},
	{"recipient", CAUSE_RECIPIENT},
};

static enum cause cause_of(const struct trial *trial)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (says(trial->words, causes[i].part))
			return causes[i].cause;
	return trial->code == 530 ? CAUSE_AUTH : CAUSE_OTHER;
}

#define FIX_SIZE TLS_ADVICE_SIZE

static void fix_relay(const struct trial_setup *setup, const struct parties *who, char *fix)
{
	bool user = setup->dialogue.login && *setup->dialogue.login;
	if (setup->dialogue.announce == POLICY_ANNOUNCE_XCLIENT && setup->login)
		snprintf(fix, FIX_SIZE, "let the server relay for %s, or %s", who->client,
			user ? "for users who are logged in (smtpd_sasl_auth_enable, "
			       "permit_sasl_authenticated)"
			     : "test with a user: LOGIN grants what the server grants its users");
	else if (announces(setup))
		snprintf(fix, FIX_SIZE, "let the server relay for %s", who->client);
	else if (setup->foreign)
		snprintf(fix, FIX_SIZE,
			"let the server accept the clients' networks, %s among them", who->own);
	else if (setup->bind == POLICY_BIND_CLIENT)
		snprintf(fix, FIX_SIZE,
			"let the server accept the clients' networks; this test came from %s",
			who->own);
	else
		snprintf(fix, FIX_SIZE, "let the server accept %s, or announce xclient", who->own);
}

static void fix_refusal(const struct trial *trial, const struct parties *who, char *fix)
{
	const struct trial_setup *setup = trial->setup;
	const char *whom = who->client_own;

	switch (cause_of(trial)) {
	case CAUSE_RELAY:
		fix_relay(setup, who, fix);
		break;
	case CAUSE_STARTTLS:
		snprintf(fix, FIX_SIZE,
			"write `tls require` at the server, or let it take clear text from %s",
			whom);
		break;
	case CAUSE_AUTH:
		snprintf(fix, FIX_SIZE,
			"let the server relay for %s without AUTH, or write an `account` at it",
			whom);
		break;
	case CAUSE_GREYLIST:
		snprintf(fix, FIX_SIZE, "spare %s from greylisting; clients will try again", whom);
		break;
	case CAUSE_BLOCKED:
		snprintf(fix, FIX_SIZE, "spare %s from the server's block lists", whom);
		break;
	case CAUSE_TOO_MANY:
		snprintf(fix, FIX_SIZE, "raise the server's limits for %s%s (man 7 postern-server)",
			whom, announces(setup) ? "" : ", since all clients are one to it");
		break;
	case CAUSE_SENDER:
		snprintf(fix, FIX_SIZE,
			setup->account ? "write a sender that the account may use: account ... { "
					 "sender \"ADDRESS\" }"
				       : "test with a sender that it takes: from ADDRESS");
		break;
	case CAUSE_RECIPIENT:
		snprintf(fix, FIX_SIZE, "test with a recipient that it takes: to ADDRESS");
		break;
	case CAUSE_OTHER:
		snprintf(fix, FIX_SIZE, "the server's log says why it does not take %s", whom);
		break;
	}
}

static void fix_offer(const struct trial *trial, const struct parties *who, char *fix)
{
	bool named = trial->setup->dialogue.announce == POLICY_ANNOUNCE_XCLIENT;
	snprintf(fix, FIX_SIZE, "%s%s out of the server's %s",
		announces(trial->setup) ? "take " : "announce xclient, or take ",
		named ? who->client : who->own,
		trial->dialogue.forges & SMTP_OFFER_XCLIENT ? "smtpd_authorized_xclient_hosts"
							    : "smtpd_authorized_xforward_hosts");
}

/* Nothing came where something should, or the connection ended there. */
static void fix_silence(const struct trial *trial, const struct parties *who, char *fix)
{
	if (trial->met != DIALOGUE_GREETING)
		snprintf(fix, FIX_SIZE, "the server's log says why it gives up on %s", who->own);
	else if (has_proxy(trial->setup))
		snprintf(fix, FIX_SIZE,
			"let the server expect PROXY at this port, and from %s (man 7 "
			"postern-server)",
			who->own);
	else
		snprintf(fix, FIX_SIZE,
			"let the server accept connections from %s; if it expects PROXY at %s, "
			"announce proxy-v2 or use another port",
			who->own, who->host);
}

static void fix_tls(const struct trial *trial, const struct parties *who, char *fix)
{
	const struct tls_seen *seen = &trial->tls;

	if (trial->met == DIALOGUE_EHLO)
		snprintf(fix, FIX_SIZE,
			"let the server offer STARTTLS to %s; where TLS begins at once, as at port "
			"465, write `immediate`",
			who->own);
	else if (trial->met == DIALOGUE_STARTTLS)
		snprintf(fix, FIX_SIZE, "the server's log says why it takes no STARTTLS from %s",
			who->own);
	else
		tls_advice(seen, fix);
}

/* A login that was not said, or not taken. */
static void fix_login(const struct trial *trial, const struct parties *who, char *fix)
{
	const struct trial_account *account = trial->setup->account;

	if (trial->login_refused)
		snprintf(fix, FIX_SIZE,
			"is \"%.80s\" its user there, and the secret in its file the right one? no "
			"test tries it for %u minutes but with another secret; flows are not held "
			"up by this test",
			account->login.user, TARGET_LOGIN_MS / 60000);
	else if (trial->code)
		snprintf(fix, FIX_SIZE, "the server's log says why it takes no login from %s",
			who->own);
	else if (!account->login.secret)
		snprintf(fix, FIX_SIZE,
			"posternctl certificate reload says why; flows go on with what was loaded "
			"before, if anything was");
	else if (!account->insecure && !(account->sure && trial->dialogue.secured))
		snprintf(fix, FIX_SIZE, "write `tls verify` or `tls pin` at this host");
	else if (!trial->dialogue.logins)
		snprintf(fix, FIX_SIZE,
			"is it the port for submission (587, or 465)? many offer AUTH inside TLS "
			"alone, or have to allow it to %s",
			who->own);
	else if (account->held_s)
		snprintf(fix, FIX_SIZE,
			"mend the account or its secret, then: posternctl certificate reload");
	else
		snprintf(fix, FIX_SIZE, "the server's log says why it gives up on %s", who->own);
}

static void fix_dialogue(const struct trial *trial, const struct parties *who, char *fix)
{
	bool is_offer = trial->dialogue.outcome == TARGET_REFUSED && trial->dialogue.forges &&
			!trial->setup->dialogue.read;
	bool is_xclient = trial->setup->dialogue.announce == POLICY_ANNOUNCE_XCLIENT;

	if (trial->dialogue.about_tls)
		fix_tls(trial, who, fix);
	else if (trial->dialogue.about_client)
		snprintf(fix, FIX_SIZE, "let the server accept %s as a client", who->client);
	else if (is_offer)
		fix_offer(trial, who, fix);
	else if (is_xclient && trial->met == DIALOGUE_EHLO && trial->code)
		snprintf(fix, FIX_SIZE,
			"add %s to the server's smtpd_authorized_xclient_hosts, at a port without "
			"postscreen; or announce none",
			who->own);
	else if (has_proxy(trial->setup) && trial->met != DIALOGUE_GREETING)
		snprintf(fix, FIX_SIZE,
			"let the server expect PROXY at %s (man 7 postern-server), or announce "
			"none",
			who->host);
	else if (!trial->code || says(trial->words, "expect PROXY?"))
		fix_silence(trial, who, fix);
	else if (trial->met == DIALOGUE_GREETING && cause_of(trial) == CAUSE_OTHER)
		snprintf(fix, FIX_SIZE, "let the server accept connections from %s",
			who->client_own);
	else
		fix_refusal(trial, who, fix);
}

static void judge_taken(const struct trial *trial, const struct parties *who, char *text)
{
	const struct trial_setup *setup = trial->setup;
	const char *user = setup->dialogue.login ? setup->dialogue.login : "";
	if (announces(setup))
		snprintf(text, TRIAL_VERDICT_SIZE, "taken: %s: for %s%s%s", trial->words,
			who->client, *user ? ", user " : "", user);
	else if (setup->account)
		snprintf(text, TRIAL_VERDICT_SIZE, "taken: %s: for account %s", trial->words,
			setup->account->login.user);
	else if (setup->foreign)
		snprintf(text, TRIAL_VERDICT_SIZE, "taken: %s: for %s", trial->words, who->own);
	else if (setup->bind == POLICY_BIND_CLIENT)
		snprintf(text, TRIAL_VERDICT_SIZE,
			"taken: %s: for %s, where this test came from; flows come from the "
			"client's own address: test with address ADDRESS",
			trial->words, who->own);
	else
		snprintf(text, TRIAL_VERDICT_SIZE,
			"taken: %s: but <%s> is accepted without identity: everybody behind the "
			"gateway can relay by %s; to let the server tell clients apart, announce "
			"xclient or proxy-v2, or bind client",
			trial->words, setup->to, who->own);
}

/* As flows meet it to whom nothing is too much. */
static enum trial_verdict judge(const struct trial *trial, char text[static TRIAL_VERDICT_SIZE])
{
	const struct parties who = parties_of(trial->setup);
	char fix[FIX_SIZE] = "";

	if (trial->failed == TRIAL_OVER) {
		judge_taken(trial, &who, text);
		return announces(trial->setup) || trial->setup->account ||
				       trial->setup->bind == POLICY_BIND_CLIENT
			       ? TRIAL_TAKEN
			       : TRIAL_TAKEN_UNNAMED;
	}
	if (trial->failed == TRIAL_DIALOGUE)
		fix_dialogue(trial, &who, fix);
	else if (trial->failed == TRIAL_LOGIN)
		fix_login(trial, &who, fix);
	else if (trial->code)
		fix_refusal(trial, &who, fix);
	else
		snprintf(fix, sizeof(fix), "the server's log says why it gives up on %s",
			who.client_own);
	snprintf(text, TRIAL_VERDICT_SIZE, "refused: %s: %s", trial->words, fix);
	return TRIAL_REFUSED;
}

enum trial_verdict trial_judge(const struct trial *trial, char text[static TRIAL_VERDICT_SIZE])
{
	const struct dialogue_setup *setup = &trial->setup->dialogue;
	const struct parties who = parties_of(trial->setup);
	char fix[FIX_SIZE], forgery[TARGET_TEXT_SIZE], read[TRIAL_VERDICT_SIZE];
	enum trial_verdict verdict = judge(trial, text);

	if (!trial->setup->plain || !setup->read || !trial->dialogue.forges)
		return verdict;
	memcpy(read, text, sizeof(read));
	fix_offer(trial, &who, fix);
	snprintf(text, TRIAL_VERDICT_SIZE,
		"refused at connection level: %s: %.200s; at message level %.400s",
		dialogue_forgery(setup->announce, trial->dialogue.forges, forgery), fix, read);
	return TRIAL_REFUSED;
}

void trial_unreached(
	const struct trial_setup *setup, int error, char text[static TRIAL_VERDICT_SIZE])
{
	const struct parties who = parties_of(setup);
	char fix[FIX_SIZE];

	if (error == ECONNREFUSED)
		snprintf(fix, sizeof(fix),
			"does a mail server listen there, and does no filter reject %s?", who.own);
	else if (error == ETIMEDOUT && setup->foreign)
		snprintf(fix, sizeof(fix),
			"is it up, does it send what is for %s back by this gateway, and does no "
			"filter drop it?",
			who.own);
	else if (error == ETIMEDOUT)
		snprintf(fix, sizeof(fix),
			"is it up, does it route back to %s, and does no filter drop it?", who.own);
	else if (error == EPERM && setup->foreign)
		snprintf(fix, sizeof(fix),
			"the keeper gave no socket for the client's address; the log says why");
	else if (error == EADDRNOTAVAIL)
		snprintf(fix, sizeof(fix), "is the address to bind still one of the gateway's?");
	else
		snprintf(fix, sizeof(fix), "is there a route to it?");
	snprintf(text, TRIAL_VERDICT_SIZE, "unreachable: %s: %s: %s", who.host,
		error == ETIMEDOUT ? "no connection in time" : strerror(error), fix);
}
