#include "daemon/server_hosts.h"

#include "daemon/control.h"
#include "daemon/log.h"
#include "daemon/monitor.h"
#include "daemon/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const server_hosts_words[SERVER_HOSTS_WORDS] = {[SERVER_HOSTS_UNKNOWN] = "not used yet",
	[SERVER_HOSTS_UP] = "up",
	[SERVER_HOSTS_DOWN] = "down",
	[SERVER_HOSTS_REFUSED] = "refused"};

#define HOSTS_MAX 4096 /* remembered; the oldest goes */

struct host {
	struct host *next;
	struct endpoint endpoint;
	char server[POLICY_NAME_SIZE];
	struct server_hosts_state state;
};

struct server_hosts {
	struct host *first;
	size_t n;
};

struct server_hosts *server_hosts_new(void)
{
	return calloc(1, sizeof(struct server_hosts));
}

void server_hosts_free(struct server_hosts *hosts)
{
	while (hosts && hosts->first) {
		struct host *host = hosts->first;
		hosts->first = host->next;
		free(host);
	}
	free(hosts);
}

static struct host *find(
	const struct server_hosts *hosts, const char *server, const struct endpoint *endpoint)
{
	struct host *host = hosts->first;
	while (host && (host->endpoint.port != endpoint->port ||
			       !addr_equal(&host->endpoint.addr, &endpoint->addr) ||
			       strcmp(host->server, server) != 0))
		host = host->next;
	return host;
}

static struct host *add(
	struct server_hosts *hosts, const char *server, const struct endpoint *endpoint)
{
	struct host *host;
	if (hosts->n == HOSTS_MAX) {
		struct host **at = &hosts->first;
		while ((*at)->next)
			at = &(*at)->next;
		host = *at;
		*at = NULL;
		*host = (struct host){0};
	} else {
		host = calloc(1, sizeof(*host));
		if (!host)
			return NULL;
		hosts->n++;
	}
	host->endpoint = *endpoint;
	snprintf(host->server, sizeof(host->server), "%s", server);
	host->next = hosts->first;
	hosts->first = host;
	return host;
}

/* The only writer of a host's state. */
static void change(struct control *control, const char *server, const struct endpoint *endpoint,
	enum server_hosts_word word, const char *why)
{
	struct host *host = find(control->server_hosts, server, endpoint);
	if (!host)
		host = add(control->server_hosts, server, endpoint);
	if (!host)
		return;
	struct server_hosts_state *state = &host->state;
	char text[ENDPOINT_TEXT_SIZE];
	bool changed = state->word != word;
	state->word = word;
	snprintf(state->text, sizeof(state->text), "%s", why);
	if (!changed)
		return;
	state->since_ms = loop_wall_ms(control->loop);
	endpoint_format(endpoint, text);
	if (word == SERVER_HOSTS_UP)
		log_info("server %s host %s is up", server, text);
	else
		log_warning(
			"server %s host %s is %s: %s", server, text, server_hosts_words[word], why);
	if (monitor_wanted(control, MONITOR_SERVER))
		monitor_publish(control, MONITOR_SERVER,
			json_pack("{s:s, s:o, s:s, s:s, s:o}", "event", "host", "server",
				row_text(server), "host", text, "state", server_hosts_words[word],
				"why", row_text(why)));
}

void server_hosts_tell(struct control *control, const struct message_host *message)
{
	enum server_hosts_word word = SERVER_HOSTS_UP;
	if (message->kind == MESSAGE_HOST_FAILED)
		word = SERVER_HOSTS_DOWN;
	else if (message->kind == MESSAGE_HOST_ASKED && !message->usable)
		word = SERVER_HOSTS_REFUSED;
	change(control, message->server, &message->host, word,
		word == SERVER_HOSTS_UP ? "" : message->text);
}

void server_hosts_tell_attempts(struct control *control, const struct message_flow *flow)
{
	/* an original destination is nobody's server */
	if (policy_find_server(control->policy, flow->server) < 0)
		return;
	for (uint32_t i = 0; i < flow->nattempts; i++) {
		const struct message_attempt *attempt = &flow->attempts[i];
		char why[MESSAGE_TEXT_SIZE];
		if (attempt->host.addr.family == ADDR_NONE)
			continue;
		if (attempt->ending == ENDING_NONE) {
			change(control, flow->server, &attempt->host, SERVER_HOSTS_UP, "");
			continue;
		}
		if (ending_class_of((enum ending)attempt->ending) != ENDING_CLASS_SERVER)
			continue;
		snprintf(why, sizeof(why), "%s%s%s", ending_meanings[attempt->ending],
			*attempt->reply ? ": " : "", attempt->reply);
		change(control, flow->server, &attempt->host,
			attempt->ending == ENDING_OFFERS_XCLIENT ? SERVER_HOSTS_REFUSED
								 : SERVER_HOSTS_DOWN,
			why);
	}
}

struct server_hosts_state server_hosts_find(
	const struct server_hosts *hosts, const char *server, const struct endpoint *endpoint)
{
	const struct host *host = find(hosts, server, endpoint);
	return host ? host->state : (struct server_hosts_state){0};
}
