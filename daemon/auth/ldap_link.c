/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/ldap_link.h"

#include "daemon/auth/auth.h"
#include "daemon/tls/credentials.h"
#include "lib/base/container.h"
#include "lib/ipc/health.h"
#include "lib/tls/credential.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST_MS   60000 /* directories often close earlier; then the next question opens one */
#define BIND_SIZE 4096

static void open_next(struct ldap_link *link);

static struct loop *loop_of(const struct ldap_link *link)
{
	return link->backend->auth->loop;
}

static void set_timer(struct ldap_link *link, uint64_t ms)
{
	loop_timer_set(loop_of(link), &link->timer, loop_now_ms(loop_of(link)) + ms);
}

static void set_ready(struct ldap_link *link)
{
	link->state = LDAP_LINK_READY;
	ldap_link_rest(link, true);
	link->face->on_ready(link);
}

static void say_why(struct ldap_link *link, const char *why)
{
	snprintf(link->why, sizeof(link->why), "%s", why);
}

/* ---- who searches ---- */

static const struct tls_credential *secret_of(const struct ldap_link *link)
{
	struct credential wanted;

	if (!credential_of_auth_secret(link->backend->policy, &wanted))
		return NULL;
	return tls_credentials_find(&link->backend->auth->replica.credentials, &wanted);
}

/* Without `bind` it searches as nobody, which need not be said. */
static void bind_searcher(struct ldap_link *link)
{
	const struct policy_ldap *ldap = &link->backend->policy->ldap;
	const struct tls_credential *secret = secret_of(link);
	uint8_t bytes[BIND_SIZE];
	char password[CREDENTIAL_SECRET_BYTES_MAX + 1];
	struct ber_writer writer = {.bytes = bytes, .size = sizeof(bytes)};

	if (ldap->bind.len == 0) {
		set_ready(link);
		return;
	}
	if (!secret || secret->len > CREDENTIAL_SECRET_BYTES_MAX) {
		link->face->on_broken(link, "the secret of who searches is not there", false);
		return;
	}
	memcpy(password, secret->bytes, secret->len);
	password[secret->len] = '\0';
	link->state = LDAP_LINK_BINDS;
	link->bind_id = directory_next_id(link->directory);
	ldap_write_bind(&writer, link->bind_id, ldap->bind.text, password);
	explicit_bzero(password, sizeof(password));
	set_timer(link, DIRECTORY_STEP_MS);
	if (!ldap_link_send(link, &writer))
		link->face->on_broken(link, "who searches cannot be bound", false);
}

static void on_searcher(struct ldap_link *link, const struct ldap_message *message)
{
	if (message->kind != LDAP_BOUND || message->id != link->bind_id) {
		link->face->on_broken(link, "it answers something that it was not asked", false);
		return;
	}
	if (message->result == LDAP_SUCCESS) {
		set_ready(link);
		return;
	}
	snprintf(link->why, sizeof(link->why), "%s (result %d)",
		message->result == LDAP_INVALID_CREDENTIALS
			? "it refuses name or password of who searches"
			: "who searches cannot be bound",
		(int)message->result);
	link->face->on_broken(link, link->why, false);
}

/* ---- the connection ---- */

static void on_ready(void *owner)
{
	struct ldap_link *link = owner;

	host_addresses_prefer(
		&link->backend->auth->hosts, link->url.host, &link->addresses[link->at - 1]);
	if (link->searches)
		bind_searcher(link);
	else
		set_ready(link);
}

/* Id 0: it says that it closes (RFC 4511, 4.4.1). */
static void on_message(void *owner, const struct ldap_message *message, struct ber_slice bytes)
{
	struct ldap_link *link = owner;

	if (message->id == 0)
		link->face->on_broken(link, "it said that it closes the connection", link->served);
	else if (message->id > directory_last_id(link->directory))
		link->face->on_broken(link, "it answers something that it was not asked", false);
	else if (link->state == LDAP_LINK_BINDS)
		on_searcher(link, message);
	else
		link->face->on_message(link, message, bytes);
}

static void on_broken(void *owner, const char *why)
{
	struct ldap_link *link = owner;

	if (link->state != LDAP_LINK_OPENS) {
		link->face->on_broken(link, why, link->served);
		return;
	}
	say_why(link, why);
	directory_close(link->directory);
	link->directory = NULL;
	open_next(link);
}

static const struct directory_face face = {on_ready, on_message, on_broken};

/* Those of now: what is told meanwhile is for the next connection. */
static void take_addresses(struct ldap_link *link)
{
	if (link->url.addr.family != ADDR_NONE) {
		link->addresses[link->n++] = link->url.addr;
		return;
	}
	struct auth *auth = link->backend->auth;
	const struct ipc_resolved *known =
		host_addresses_find(&auth->hosts, &auth->child, link->url.host, &link->host);
	host_addresses_give_up(&auth->hosts, &link->host);
	while (known && link->n < known->n) {
		link->addresses[link->n] = known->addresses[link->n];
		link->n++;
	}
	if (known && link->n == 0)
		snprintf(link->why, sizeof(link->why), "its name has no address: %s",
			dns_status_texts[known->status]);
}

static void open_next(struct ldap_link *link)
{
	while (!link->directory && link->at < link->n) {
		const struct directory_setup setup = {.loop = loop_of(link),
			.face = &face,
			.owner = link,
			.url = &link->url,
			.server = {.addr = link->addresses[link->at++], .port = link->url.port},
			.context = link->context,
			.insecure = link->backend->policy->ldap.insecure};
		link->state = LDAP_LINK_OPENS;
		link->directory = directory_open(&setup);
		if (!link->directory)
			say_why(link, "it cannot be reached");
	}
	if (!link->directory)
		link->face->on_broken(link, link->why, false);
}

static void on_host(struct host_wait *wait)
{
	struct ldap_link *link = container_of(wait, struct ldap_link, host);

	loop_timer_clear(loop_of(link), &link->timer);
	take_addresses(link);
	open_next(link);
}

/* ---- its life ---- */

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct ldap_link *link = container_of(timer, struct ldap_link, timer);

	(void)now_ms;
	switch (link->state) {
	case LDAP_LINK_RESOLVES:
		if (link->host.name) {
			host_addresses_give_up(&link->backend->auth->hosts, &link->host);
			link->face->on_broken(link, "DNS does not say its address", false);
		} else {
			on_host(&link->host);
		}
		break;
	case LDAP_LINK_OPENS:
		break;
	case LDAP_LINK_BINDS:
		link->face->on_broken(link, "it does not answer", false);
		break;
	case LDAP_LINK_READY: /* nobody needs it */
		link->face->on_broken(link, "", true);
		break;
	}
}

/* It begins by the loop, so that whoever opens it has it when it is told of it. */
static void begin(struct ldap_link *link)
{
	struct auth *auth = link->backend->auth;

	say_why(link, "its name has no address");
	bool known = link->url.addr.family != ADDR_NONE ||
		     host_addresses_find(&auth->hosts, &auth->child, link->url.host, &link->host);
	set_timer(link, known ? 0 : DIRECTORY_STEP_MS);
}

struct ldap_link *ldap_link_open(struct backend *backend, size_t site, struct tls_context *context,
	const struct ldap_link_face *link_face, bool searches)
{
	struct ldap_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->face = link_face;
	link->backend = backend;
	link->site = site;
	link->searches = searches;
	link->context = tls_context_hold(context);
	link->timer.on_time = on_time;
	link->host.on_host = on_host;
	ldap_url_parse(backend->policy->ldap.urls.v[site].text, &link->url);
	begin(link);
	return link;
}

void ldap_link_close(struct ldap_link *link)
{
	host_addresses_give_up(&link->backend->auth->hosts, &link->host);
	loop_timer_clear(loop_of(link), &link->timer);
	directory_close(link->directory);
	tls_context_free(link->context);
	free(link);
}

void ldap_link_rest(struct ldap_link *link, bool rests)
{
	if (link->state != LDAP_LINK_READY)
		return;
	if (rests)
		set_timer(link, link->old ? 0 : REST_MS);
	else
		loop_timer_clear(loop_of(link), &link->timer);
}

bool ldap_link_send(struct ldap_link *link, struct ber_writer *writer)
{
	bool sent = directory_send(link->directory, writer);

	explicit_bzero(writer->bytes, writer->size);
	return sent;
}
