#include "daemon/relay/picture.h"

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

int picture_init(struct picture_pair *pair, uint16_t relay_port)
{
	memset(pair, 0, sizeof(*pair));
	pair->relay_port = relay_port;
	pair->now = new_picture();
	pair->storage = malloc(session_storage_size());
	if (pair->now && pair->storage)
		return 0;
	picture_fini(pair);
	return -ENOMEM;
}

void picture_fini(struct picture_pair *pair)
{
	free_picture(pair->now);
	free_picture(pair->coming);
	policy_unref(pair->prepared);
	free(pair->storage);
	memset(pair, 0, sizeof(*pair));
}

int picture_begin(struct picture_pair *pair)
{
	free_picture(pair->coming);
	policy_unref(pair->prepared);
	pair->prepared = NULL;
	pair->coming = new_picture();
	return pair->coming ? 0 : -ENOMEM;
}

static struct picture *target(struct picture_pair *pair)
{
	return pair->coming ? pair->coming : pair->now;
}

/* Control checked this text before, and what it lets pass is not refused here: an error is our
 * own. */
static int prepare(struct picture_pair *pair, uint64_t number, int fd, char *text)
{
	const struct language_world world = {.relay_port = pair->relay_port, .lenient = true};
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
	policy_unref(pair->prepared);
	pair->prepared = policy;
	pair->prepared_number = number;
	return 0;
}

static int commit(struct picture_pair *pair, uint64_t number)
{
	struct picture *picture = target(pair);
	if (!pair->prepared || pair->prepared_number != number)
		return -ENOENT;
	int rc = session_table_set_devices(picture->sessions, pair->prepared, picture->lists);
	if (rc < 0)
		return rc;
	policy_unref(picture->policy);
	picture->policy = pair->prepared;
	picture->number = number;
	pair->prepared = NULL;
	return 0;
}

static int put_sessions(struct picture_pair *pair, const struct message_sessions *message)
{
	struct picture *picture = target(pair);
	const uint8_t *at = message->data;
	size_t left = message->bytes;

	for (uint32_t i = 0; i < message->n; i++) {
		struct session session;
		size_t used = session_decode(at, left, &session, pair->storage);
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

static int change_list(struct picture_pair *pair, const struct message_list_entries *message)
{
	struct picture *picture = target(pair);
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

static int clear_list(struct picture_pair *pair, const struct message_list_entries *message)
{
	lists_clear(target(pair)->lists, message->name);
	return renew_devices(target(pair), message->name);
}

/* Under a picture that is still coming flows go on; they end when it is complete. */
static enum picture_change change_block(
	struct picture_pair *pair, const struct message_block *message, int *error)
{
	struct picture *picture = target(pair);

	*error = 0;
	if (!message->add)
		blocks_del(picture->blocks, &message->block);
	else
		*error = blocks_put(picture->blocks, &message->block);
	if (*error)
		return PICTURE_FAILED;
	return message->add && !pair->coming ? PICTURE_BLOCKED : PICTURE_CHANGED;
}

static enum picture_change done(int rc, int *error, enum picture_change change)
{
	*error = rc;
	return rc < 0 ? PICTURE_FAILED : change;
}

/* A picture without a policy is none. */
static enum picture_change complete(struct picture_pair *pair, int *error)
{
	if (!target(pair)->policy)
		return done(-ENOENT, error, PICTURE_COMPLETE);
	if (pair->coming) {
		free_picture(pair->now);
		pair->now = pair->coming;
		pair->coming = NULL;
	}
	pair->complete = true;
	return done(0, error, PICTURE_COMPLETE);
}

enum picture_change picture_take(struct picture_pair *pair, const struct message_header *message,
	int fd, int *error, char text[static MESSAGE_TEXT_SIZE])
{
	const void *m = message;
	text[0] = '\0';
	switch (message->type) {
	case MESSAGE_POLICY:
		return done(prepare(pair, ((const struct message_policy *)m)->number, fd, text),
			error, PICTURE_CHANGED);
	case MESSAGE_POLICY_COMMIT:
		return done(commit(pair, ((const struct message_policy *)m)->number), error,
			pair->coming ? PICTURE_CHANGED : PICTURE_POLICY);
	case MESSAGE_POLICY_ABORT:
		policy_unref(pair->prepared);
		pair->prepared = NULL;
		return done(0, error, PICTURE_CHANGED);
	case MESSAGE_SESSIONS:
		return done(put_sessions(pair, m), error, PICTURE_CHANGED);
	case MESSAGE_SESSION_GONE:
		session_table_del(
			target(pair)->sessions, ((const struct message_session_gone *)m)->id);
		return done(0, error, PICTURE_CHANGED);
	case MESSAGE_LIST_ENTRIES:
		return done(change_list(pair, m), error, PICTURE_CHANGED);
	case MESSAGE_LIST_CLEAR:
		return done(clear_list(pair, m), error, PICTURE_CHANGED);
	case MESSAGE_BLOCK:
		return change_block(pair, m, error);
	case MESSAGE_PICTURE_DONE:
		return complete(pair, error);
	default:
		return PICTURE_NONE;
	}
}
