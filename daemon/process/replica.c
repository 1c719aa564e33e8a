#include "daemon/process/replica.h"

#include "daemon/channel.h"
#include "lib/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void free_picture(struct picture *picture)
{
	if (!picture)
		return;
	policy_unref(picture->policy);
	session_table_free(picture->sessions);
	lists_free(picture->lists);
	blocks_free(picture->blocks);
	free(picture);
}

static struct picture *new_picture(void)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	if (!picture)
		return NULL;
	picture->sessions = session_table_new();
	picture->lists = lists_new();
	picture->blocks = blocks_new();
	if (picture->sessions && picture->lists && picture->blocks)
		return picture;
	free_picture(picture);
	return NULL;
}

int replica_init(struct replica *replica, uint16_t relay_port)
{
	memset(replica, 0, sizeof(*replica));
	replica->relay_port = relay_port;
	replica->now = new_picture();
	replica->storage = malloc(session_storage_size());
	if (replica->now && replica->storage)
		return 0;
	replica_fini(replica);
	return -ENOMEM;
}

void replica_fini(struct replica *replica)
{
	free_picture(replica->now);
	free_picture(replica->coming);
	policy_unref(replica->prepared);
	free(replica->storage);
	memset(replica, 0, sizeof(*replica));
}

int replica_begin(struct replica *replica)
{
	free_picture(replica->coming);
	policy_unref(replica->prepared);
	replica->prepared = NULL;
	replica->coming = new_picture();
	return replica->coming ? 0 : -ENOMEM;
}

static struct picture *target(struct replica *replica)
{
	return replica->coming ? replica->coming : replica->now;
}

/* Control checked this text before, and what it lets pass is not refused here: an error is our
 * own. */
static int prepare(struct replica *replica, uint64_t number, int fd, char *text)
{
	const struct language_world world = {.relay_port = replica->relay_port, .lenient = true};
	struct language_diagnosis diagnosis;
	void *bytes;
	size_t len;

	int rc = channel_map(fd, &bytes, &len);
	if (rc < 0)
		return rc;
	struct policy *policy = language_parse("policy", bytes, len, &world, &diagnosis);
	munmap(bytes, len);
	if (!policy)
		snprintf(text, MESSAGE_TEXT_SIZE, "%s",
			diagnosis.n ? diagnosis.v[0].text : "out of memory");
	language_diagnosis_fini(&diagnosis);
	if (!policy)
		return -EINVAL;
	policy_unref(replica->prepared);
	replica->prepared = policy;
	replica->prepared_number = number;
	return 0;
}

static int commit(struct replica *replica, uint64_t number)
{
	struct picture *picture = target(replica);
	if (!replica->prepared || replica->prepared_number != number)
		return -ENOENT;
	int rc = session_table_set_devices(picture->sessions, replica->prepared, picture->lists);
	if (rc < 0)
		return rc;
	policy_unref(picture->policy);
	picture->policy = replica->prepared;
	picture->number = number;
	replica->prepared = NULL;
	return 0;
}

static int put_sessions(struct replica *replica, const struct message_sessions *message)
{
	struct picture *picture = target(replica);
	const uint8_t *at = message->data;
	size_t left = message->bytes;

	for (uint32_t i = 0; i < message->n; i++) {
		struct session session;
		size_t used = session_decode(at, left, &session, replica->storage);
		if (used == 0)
			return -EBADMSG;
		int rc = session_table_put(picture->sessions, &session);
		if (rc < 0)
			return rc;
		at += used;
		left -= used;
	}
	return 0;
}

/* Devices hold what a dynamic list holds. */
static int renew_devices(struct picture *picture, const char *list)
{
	const struct policy *policy = picture->policy;
	for (size_t i = 0; policy && i < policy->ndevices; i++)
		if (policy_device_follows(&policy->devices[i], list))
			return session_table_set_devices(picture->sessions, policy, picture->lists);
	return 0;
}

static int change_list(struct replica *replica, const struct message_list_entries *message)
{
	struct picture *picture = target(replica);
	for (uint32_t i = 0; i < message->n; i++) {
		const struct message_list_entry *entry = &message->v[i];
		if (!entry->add) {
			lists_remove(picture->lists, message->name, &entry->elem);
			continue;
		}
		int rc = lists_add(picture->lists, message->name, &entry->elem, entry->end_ms);
		if (rc < 0)
			return rc;
	}
	return renew_devices(picture, message->name);
}

static int clear_list(struct replica *replica, const struct message_list_entries *message)
{
	lists_clear(target(replica)->lists, message->name);
	return renew_devices(target(replica), message->name);
}

/* Under a picture that is still coming flows go on; they end when it is complete. */
static enum replica_change change_block(
	struct replica *replica, const struct message_block *message, int *error)
{
	struct picture *picture = target(replica);

	*error = 0;
	if (!message->add)
		blocks_del(picture->blocks, &message->block);
	else
		*error = blocks_put(picture->blocks, &message->block);
	if (*error)
		return REPLICA_FAILED;
	return message->add && !replica->coming ? REPLICA_BLOCKED : REPLICA_CHANGED;
}

static enum replica_change done(int rc, int *error, enum replica_change change)
{
	*error = rc;
	return rc < 0 ? REPLICA_FAILED : change;
}

/* A picture without a policy is none. */
static enum replica_change complete(struct replica *replica, int *error)
{
	if (!target(replica)->policy)
		return done(-ENOENT, error, REPLICA_COMPLETE);
	if (replica->coming) {
		free_picture(replica->now);
		replica->now = replica->coming;
		replica->coming = NULL;
	}
	replica->complete = true;
	return done(0, error, REPLICA_COMPLETE);
}

enum replica_change replica_take(struct replica *replica, const struct message_header *message,
	int fd, int *error, char text[static MESSAGE_TEXT_SIZE])
{
	const void *m = message;
	text[0] = '\0';
	switch (message->type) {
	case MESSAGE_POLICY:
		return done(prepare(replica, ((const struct message_policy *)m)->number, fd, text),
			error, REPLICA_CHANGED);
	case MESSAGE_POLICY_COMMIT:
		return done(commit(replica, ((const struct message_policy *)m)->number), error,
			replica->coming ? REPLICA_CHANGED : REPLICA_POLICY);
	case MESSAGE_POLICY_ABORT:
		policy_unref(replica->prepared);
		replica->prepared = NULL;
		return done(0, error, REPLICA_CHANGED);
	case MESSAGE_SESSIONS:
		return done(put_sessions(replica, m), error, REPLICA_CHANGED);
	case MESSAGE_SESSION_GONE:
		session_table_del(
			target(replica)->sessions, ((const struct message_session_gone *)m)->id);
		return done(0, error, REPLICA_CHANGED);
	case MESSAGE_LIST_ENTRIES:
		return done(change_list(replica, m), error, REPLICA_CHANGED);
	case MESSAGE_LIST_CLEAR:
		return done(clear_list(replica, m), error, REPLICA_CHANGED);
	case MESSAGE_BLOCK:
		return change_block(replica, m, error);
	case MESSAGE_PICTURE_DONE:
		return complete(replica, error);
	default:
		return REPLICA_NONE;
	}
}
