/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/names/client_answers.h"

#include "lib/base/siphash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 4096

struct entry {
	struct entry *next; /* of the bucket */
	struct entry *newer, *older;
	uint64_t until_ms;
	struct ipc_looked_up answer; /* last: its names stand behind */
};

struct client_answers {
	uint8_t secret[SIPHASH_SECRET_SIZE]; /* strangers choose their addresses */
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest;
	size_t n, most;
};

struct client_answers *client_answers_new(size_t most)
{
	struct client_answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return NULL;
	if (getrandom(answers->secret, sizeof(answers->secret), 0) != sizeof(answers->secret)) {
		free(answers);
		return NULL;
	}
	answers->most = most;
	return answers;
}

static struct entry **bucket_of(struct client_answers *answers, const struct addr *addr)
{
	struct siphash hash;

	siphash_begin(&hash, answers->secret);
	siphash_number(&hash, addr->family);
	siphash_bytes(&hash, addr->bytes, sizeof(addr->bytes));
	return &answers->buckets[siphash_end(&hash) % BUCKETS];
}

/* Where it hangs; *NULL: it is not there. */
static struct entry **find(struct client_answers *answers, const struct addr *addr)
{
	struct entry **at = bucket_of(answers, addr);

	while (*at && !addr_equal(&(*at)->answer.addr, addr))
		at = &(*at)->next;
	return at;
}

static void take_out(struct client_answers *answers, struct entry *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		answers->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		answers->oldest = entry->newer;
}

static void put_first(struct client_answers *answers, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = answers->newest;
	if (answers->newest)
		answers->newest->newer = entry;
	else
		answers->oldest = entry;
	answers->newest = entry;
}

static void del(struct client_answers *answers, struct entry **at)
{
	struct entry *entry = *at;

	if (!entry)
		return;
	*at = entry->next;
	take_out(answers, entry);
	answers->n--;
	free(entry);
}

void client_answers_free(struct client_answers *answers)
{
	while (answers && answers->oldest)
		del(answers, find(answers, &answers->oldest->answer.addr));
	free(answers);
}

const struct ipc_looked_up *client_answers_find(
	struct client_answers *answers, const struct addr *addr, uint64_t now_ms)
{
	struct entry **at = find(answers, addr), *entry = *at;

	if (!entry)
		return NULL;
	if (now_ms >= entry->until_ms) {
		del(answers, at);
		return NULL;
	}
	take_out(answers, entry);
	put_first(answers, entry);
	return &entry->answer;
}

void client_answers_put(
	struct client_answers *answers, const struct ipc_looked_up *answer, uint64_t until_ms)
{
	del(answers, find(answers, &answer->addr));
	if (answers->n == answers->most && answers->oldest)
		del(answers, find(answers, &answers->oldest->answer.addr));
	struct entry *entry = malloc(offsetof(struct entry, answer) + answer->header.bytes);
	if (!entry)
		return;
	memcpy(&entry->answer, answer, answer->header.bytes);
	entry->until_ms = until_ms;
	struct entry **bucket = bucket_of(answers, &answer->addr);
	entry->next = *bucket;
	*bucket = entry;
	put_first(answers, entry);
	answers->n++;
}

size_t client_answers_count(const struct client_answers *answers)
{
	return answers->n;
}
