#include "daemon/health_peer.h"

#include "daemon/control.h"
#include "daemon/log.h"
#include "daemon/peers.h"
#include "lib/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct told {
	struct told *next;
	struct message_targets message;
};

struct health_peer {
	struct control *control;
	struct channel *channel; /* NULL: it does not run */
	uint32_t generation;
	struct told *told;       /* one for each server */
	uint64_t last[COUNTERS]; /* of this generation */
	uint64_t dead[COUNTERS]; /* sum of the generations before */
};

struct health_peer *health_peer_new(struct control *control)
{
	struct health_peer *peer = calloc(1, sizeof(*peer));
	if (peer)
		peer->control = control;
	return peer;
}

/* A dead one's totals stay in the sum; its gauges are nothing any more. */
static void hang_up(struct health_peer *peer)
{
	channel_free(peer->channel);
	peer->channel = NULL;
	for (unsigned i = 0; i < COUNTERS; i++)
		if (counter_kind_of(i) == COUNTER_KIND_TOTAL)
			peer->dead[i] += peer->last[i];
	memset(peer->last, 0, sizeof(peer->last));
}

void health_peer_free(struct health_peer *peer)
{
	if (!peer)
		return;
	hang_up(peer);
	while (peer->told) {
		struct told *told = peer->told;
		peer->told = told->next;
		free(told);
	}
	free(peer);
}

static struct told **find(struct health_peer *peer, const char *server)
{
	struct told **at = &peer->told;
	while (*at && strcmp((*at)->message.server, server) != 0)
		at = &(*at)->next;
	return at;
}

/* In the place of what it said before. A word on a server of an older policy comes too late. */
static void take_targets(struct health_peer *peer, const struct message_targets *message)
{
	struct told **at = find(peer, message->server);
	struct told *told = malloc(offsetof(struct told, message) + message->header.bytes);

	if (!told || policy_find_server(peer->control->policy, message->server) < 0) {
		free(told);
		return;
	}
	memcpy(&told->message, message, message->header.bytes);
	told->next = *at ? (*at)->next : NULL;
	free(*at);
	*at = told;
	peers_send(peer->control->peers, message);
}

static void on_message(void *context, const struct message_header *message, int fd)
{
	struct health_peer *peer = context;
	const void *m = message;

	if (fd >= 0)
		close(fd);
	peer->control->counters[COUNTER_MESSAGES_RECEIVED]++;
	switch (message->type) {
	case MESSAGE_TARGETS:
		take_targets(peer, m);
		break;
	case MESSAGE_COUNTERS:
		memcpy(peer->last, ((const struct message_counters *)m)->v, sizeof(peer->last));
		break;
	case MESSAGE_REPLY:
		if (((const struct message_reply *)m)->status < 0)
			log_error("health refuses what it was told: %s",
				((const struct message_reply *)m)->text);
		break;
	default:
		peer->control->counters[COUNTER_MESSAGES_BAD]++;
		log_warning("health says %s, which is not its to say",
			message_name((enum message_type)message->type));
	}
}

static void on_gone(void *context)
{
	struct health_peer *peer = context;
	log_debug("health is gone; what it said stands");
	hang_up(peer);
}

static const struct channel_handler handler = {.on_message = on_message, .on_gone = on_gone};

void health_peer_send(struct health_peer *peer, const void *message)
{
	if (peer->channel && channel_send(peer->channel, message, -1) == 0)
		peer->control->counters[COUNTER_MESSAGES_SENT]++;
}

static void send_policy_message(struct health_peer *peer, enum message_type type, int fd)
{
	struct message_policy message;
	message_init(&message, type, sizeof(message));
	message.header.seq = channel_next_seq(peer->channel);
	message.number = peer->control->policy_number;
	channel_send(peer->channel, &message, fd);
}

static void send_policy(struct health_peer *peer)
{
	size_t len;
	if (!peer->control->policy)
		return;
	char *text = language_print(peer->control->policy, LANGUAGE_PRINT_RESOLVED, &len);
	int fd = text ? channel_memfd("policy", text, len) : -ENOMEM;
	free(text);
	if (fd < 0) {
		log_error("no memory for the policy of health");
		return;
	}
	send_policy_message(peer, MESSAGE_POLICY, fd);
	send_policy_message(peer, MESSAGE_POLICY_COMMIT, -1);
	close(fd);
}

void health_peer_add(struct health_peer *peer, uint32_t generation, int fd)
{
	struct message_log_level level;
	struct message_plain done;

	if (fd < 0)
		return;
	if (peer->channel)
		hang_up(peer);
	peer->channel = channel_open(peer->control->loop, fd, &handler, peer);
	if (!peer->channel) {
		close(fd);
		return;
	}
	peer->generation = generation;
	message_init(&level, MESSAGE_LOG_LEVEL, sizeof(level));
	level.level = peer->control->log_level;
	health_peer_send(peer, &level);
	for (const struct told *told = peer->told; told; told = told->next)
		health_peer_send(peer, &told->message);
	if (!peer->control->policy)
		return;
	send_policy(peer);
	message_init(&done, MESSAGE_PICTURE_DONE, sizeof(done));
	health_peer_send(peer, &done);
}

void health_peer_gone(struct health_peer *peer, uint32_t generation)
{
	/* what it said last may still wait in its socket */
	if (peer->channel && peer->generation == generation)
		channel_drain(peer->channel);
	if (peer->channel && peer->generation == generation)
		hang_up(peer);
}

void health_peer_follow(struct health_peer *peer)
{
	for (struct told **at = &peer->told; *at;) {
		struct told *told = *at;
		if (policy_find_server(peer->control->policy, told->message.server) >= 0) {
			at = &told->next;
			continue;
		}
		*at = told->next;
		free(told);
	}
	if (peer->channel)
		send_policy(peer);
}

int health_peer_probe_now(struct health_peer *peer, const char *server)
{
	struct message_probe_now message;
	if (!peer->channel)
		return -ENOTCONN;
	message_init(&message, MESSAGE_PROBE_NOW, sizeof(message));
	snprintf(message.server, sizeof(message.server), "%s", server);
	health_peer_send(peer, &message);
	return 0;
}

const struct message_targets *health_peer_targets(
	const struct health_peer *peer, const char *server)
{
	const struct told *told = peer->told;
	while (told && strcmp(told->message.server, server) != 0)
		told = told->next;
	return told ? &told->message : NULL;
}

void health_peer_tell(const struct health_peer *peer, struct channel *relay)
{
	for (const struct told *told = peer->told; told; told = told->next)
		channel_send(relay, &told->message, -1);
}

void health_peer_sum_counters(const struct health_peer *peer, uint64_t sum[static COUNTERS])
{
	counter_sum(sum, peer->dead);
	counter_sum(sum, peer->last);
}
