#include "daemon/server_hosts.h"

#include "daemon/control.h"
#include "daemon/log.h"
#include "daemon/monitor.h"
#include "daemon/row.h"

#include <stdlib.h>
#include <string.h>

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

static struct host *add(struct server_hosts *hosts, const struct message_host *message)
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
	host->endpoint = message->host;
	memcpy(host->server, message->server, sizeof(host->server));
	host->next = hosts->first;
	hosts->first = host;
	return host;
}

void server_hosts_tell(struct control *control, const struct message_host *message)
{
	struct host *host = find(control->server_hosts, message->server, &message->host);
	if (!host)
		host = add(control->server_hosts, message);
	if (!host)
		return;
	struct server_hosts_state *state = &host->state;
	char text[ENDPOINT_TEXT_SIZE];
	bool changed = !state->known || state->usable != message->usable;
	state->known = true;
	state->usable = message->usable;
	memcpy(state->text, message->text, sizeof(state->text));
	if (!changed)
		return;
	state->since_ms = loop_wall_ms(control->loop);
	endpoint_format(&message->host, text);
	if (message->usable)
		log_info("server %s host %s can be used", message->server, text);
	else
		log_warning("server %s host %s cannot be used: %s", message->server, text,
			message->text);
	if (monitor_wanted(control, MONITOR_SERVER))
		monitor_publish(control, MONITOR_SERVER,
			json_pack("{s:s, s:o, s:s, s:s, s:o}", "event", "host", "server",
				row_text(message->server), "host", text, "state",
				message->usable ? "usable" : "refused", "why",
				row_text(message->text)));
}

struct server_hosts_state server_hosts_find(
	const struct server_hosts *hosts, const char *server, const struct endpoint *endpoint)
{
	const struct host *host = find(hosts, server, endpoint);
	return host ? host->state : (struct server_hosts_state){0};
}
