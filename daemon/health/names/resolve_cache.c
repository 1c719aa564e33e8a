/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/names/resolve_cache.h"

#include "daemon/base/log.h"
#include "daemon/health/jitter.h"
#include "daemon/health/names/resolve.h"
#include "lib/base/container.h"
#include "lib/base/hash.h"
#include "lib/metrics/counter.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS      1024
#define RUNNING_MAX  32 /* questions at a time */
#define TRIES        3
#define RETRY_MS     5000 /* without an answer; doubles */
#define RETRY_MAX_MS 30000

struct entry {
	struct entry *next; /* of the bucket */
	struct entry *next_due;
	struct resolve_cache *cache;
	char name[DNS_NAME_SIZE]; /* in small letters, without a dot at its end */
	enum dns_type type;
	uint32_t id; /* of the question that runs; 0: none */
	bool due;    /* in the queue */
	bool wanted, fixed;
	bool known;          /* status, expiry and records are of an answer */
	bool failing;        /* the last question had no answer */
	enum dns_status why; /* with failing */
	unsigned failures;
	enum dns_status status;
	uint64_t expires_ms;     /* monotonic */
	struct loop_timer timer; /* the next question */
	size_t n;
	struct addr addresses[DNS_ADDRESSES_MAX];
	struct dns_answer *mx; /* NULL but with an MX answer */
};

struct resolve_cache {
	struct loop *loop;
	uint64_t *counters;
	void (*on_change)(void *context);
	void *context;
	struct resolve *resolve;
	struct entry *buckets[BUCKETS];
	struct entry *running[RUNNING_MAX]; /* NULL: free */
	struct entry *due, **last_due;
	uint32_t next_id;
};

static void normalize(const char *name, char normal[static DNS_NAME_SIZE])
{
	size_t len = strnlen(name, DNS_NAME_SIZE - 1);
	if (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++)
		normal[i] = (char)tolower((unsigned char)name[i]);
	normal[len] = '\0';
}

static struct entry **bucket_of(struct resolve_cache *cache, const char *normal)
{
	return &cache->buckets[hash_bytes(normal, strlen(normal)) % BUCKETS];
}

static void push_due(struct entry *entry)
{
	struct resolve_cache *cache = entry->cache;
	if (entry->due || entry->id)
		return;
	entry->due = true;
	entry->next_due = NULL;
	*cache->last_due = entry;
	cache->last_due = &entry->next_due;
}

static void drop_due(struct entry *entry)
{
	struct resolve_cache *cache = entry->cache;
	struct entry **at = &cache->due;
	while (entry->due && *at && *at != entry)
		at = &(*at)->next_due;
	if (!entry->due || !*at)
		return;
	*at = entry->next_due;
	if (!*at)
		cache->last_due = at;
	entry->due = false;
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct entry *entry = container_of(timer, struct entry, timer);
	(void)now_ms;
	push_due(entry);
}

static struct entry *find(struct resolve_cache *cache, const char *normal, enum dns_type type)
{
	struct entry *entry = *bucket_of(cache, normal);
	while (entry && (entry->type != type || strcmp(entry->name, normal) != 0))
		entry = entry->next;
	return entry;
}

static struct entry *add(struct resolve_cache *cache, const char *normal, enum dns_type type)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	struct entry **bucket = bucket_of(cache, normal);
	entry->cache = cache;
	entry->type = type;
	entry->timer.on_time = on_time;
	snprintf(entry->name, sizeof(entry->name), "%s", normal);
	entry->next = *bucket;
	*bucket = entry;
	cache->counters[COUNTER_NAMES]++;
	return entry;
}

/* A question that runs keeps nothing of its entry but the number: its answer then finds none. */
static void del(struct resolve_cache *cache, struct entry **at)
{
	struct entry *entry = *at;
	*at = entry->next;
	drop_due(entry);
	for (size_t i = 0; i < RUNNING_MAX; i++)
		if (cache->running[i] == entry)
			cache->running[i] = NULL;
	loop_timer_clear(cache->loop, &entry->timer);
	free(entry->mx);
	free(entry);
	cache->counters[COUNTER_NAMES]--;
}

static struct entry *want(struct resolve_cache *cache, const char *name, enum dns_type type)
{
	char normal[DNS_NAME_SIZE];
	normalize(name, normal);
	struct entry *entry = find(cache, normal, type);
	if (entry) {
		cache->counters[COUNTER_NAMES_SHARED] += entry->known;
	} else {
		entry = add(cache, normal, type);
		if (entry)
			push_due(entry);
	}
	if (entry)
		entry->wanted = true;
	return entry;
}

static bool is_stale(const struct entry *entry)
{
	return entry->known && entry->failing &&
	       loop_now_ms(entry->cache->loop) >= entry->expires_ms;
}

static enum target_known known_of(const struct entry *entry)
{
	if (!entry)
		return TARGET_FAILED; /* no memory */
	if (!entry->known)
		return entry->failing ? TARGET_FAILED : TARGET_PENDING;
	switch (entry->status) {
	case DNS_GOOD:
		return TARGET_GOOD;
	case DNS_NO_NAME:
		return TARGET_NO_NAME;
	case DNS_NO_DATA:
		return TARGET_NO_DATA;
	case DNS_FAILED:
	case DNS_REFUSED:
	case DNS_TROUBLED:
	case DNS_MALFORMED:
		break;
	}
	return TARGET_FAILED;
}

void resolve_cache_addresses(
	struct resolve_cache *cache, const char *name, struct target_addresses *found)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	bool seen[TARGET_FAILED + 1] = {false};

	memset(found, 0, sizeof(*found));
	found->why = DNS_FAILED;
	for (size_t i = 0; i < 2; i++) {
		const struct entry *entry = want(cache, name, types[i]);
		seen[known_of(entry)] = true;
		if (entry && entry->failing)
			found->why = entry->why;
		if (!entry || !entry->known)
			continue;
		found->stale |= entry->status == DNS_GOOD && is_stale(entry);
		memcpy(found->v + found->n, entry->addresses,
			entry->n * sizeof(entry->addresses[0]));
		found->n += entry->n;
	}
	/* one family may still be asked for, or fail for ever at a broken server */
	if (seen[TARGET_PENDING])
		found->known = TARGET_PENDING;
	else if (seen[TARGET_GOOD])
		found->known = TARGET_GOOD;
	else if (seen[TARGET_FAILED])
		found->known = TARGET_FAILED;
	else
		found->known = seen[TARGET_NO_NAME] ? TARGET_NO_NAME : TARGET_NO_DATA;
}

void resolve_cache_mx(struct resolve_cache *cache, const char *domain, struct target_mx *found)
{
	const struct entry *entry = want(cache, domain, DNS_MX);
	found->known = known_of(entry);
	found->why = entry && entry->failing ? entry->why : DNS_FAILED;
	found->stale = entry && entry->status == DNS_GOOD && is_stale(entry);
	found->answer = found->known == TARGET_GOOD ? entry->mx : NULL;
}

static uint64_t seconds_ms(uint32_t s, uint32_t floor_s, uint32_t ceiling_s)
{
	return 1000 * (uint64_t)(s < floor_s ? floor_s : s > ceiling_s ? ceiling_s : s);
}

/* Records of a good answer. False: no memory, as if there was no answer. */
static bool keep_records(struct entry *entry, const struct dns_answer *answer)
{
	if (entry->type != DNS_MX) {
		entry->n = answer->n;
		memcpy(entry->addresses, answer->addresses, sizeof(entry->addresses));
		return true;
	}
	if (!entry->mx && !(entry->mx = malloc(sizeof(*entry->mx))))
		return false;
	*entry->mx = *answer;
	return true;
}

static void log_failing(const struct entry *entry, enum dns_status status)
{
	static const char *const words[] = {
		[DNS_A] = "address", [DNS_MX] = "MX", [DNS_AAAA] = "IPv6 address"};
	log_warning("DNS: no %s of %s: %s%s", words[entry->type], entry->name,
		dns_status_texts[status], entry->known ? "; the last answer is used" : "");
}

static void take_failure(struct entry *entry, enum dns_status status)
{
	uint64_t wait_ms = RETRY_MS;
	if (!entry->failing)
		log_failing(entry, status);
	entry->failing = true;
	entry->why = status;
	for (unsigned i = 0; i < entry->failures && wait_ms < RETRY_MAX_MS; i++)
		wait_ms *= 2;
	entry->failures++;
	if (wait_ms > RETRY_MAX_MS)
		wait_ms = RETRY_MAX_MS;
	loop_timer_set(entry->cache->loop, &entry->timer,
		loop_now_ms(entry->cache->loop) + jitter_around(wait_ms));
}

static void take_answer(struct entry *entry, const struct dns_answer *answer)
{
	uint64_t now_ms = loop_now_ms(entry->cache->loop), ttl_ms, wait_ms;
	bool good = answer->status == DNS_GOOD;

	if (good && !keep_records(entry, answer)) {
		take_failure(entry, DNS_FAILED);
		return;
	}
	if (entry->failing)
		log_info("DNS: %s is answered again", entry->name);
	if (good) {
		ttl_ms = seconds_ms(answer->ttl_s, RESOLVE_TTL_FLOOR_S, RESOLVE_TTL_CEILING_S);
		/* before its time is over, so that nobody ever waits */
		wait_ms = ttl_ms * 75 / 100 + jitter_below(ttl_ms / 10);
	} else {
		ttl_ms = seconds_ms(answer->has_ttl ? answer->ttl_s : RESOLVE_NEGATIVE_S,
			RESOLVE_TTL_FLOOR_S, RESOLVE_NEGATIVE_MAX_S);
		wait_ms = jitter_around(ttl_ms);
		entry->n = 0;
	}
	entry->status = answer->status;
	entry->known = true;
	entry->failing = false;
	entry->failures = 0;
	entry->expires_ms = now_ms + ttl_ms;
	loop_timer_set(entry->cache->loop, &entry->timer, now_ms + wait_ms);
}

static bool is_failure(enum dns_status status)
{
	return status != DNS_GOOD && status != DNS_NO_NAME && status != DNS_NO_DATA;
}

static void on_answer(void *context, uint32_t id, const struct dns_answer *answer)
{
	struct resolve_cache *cache = context;
	for (size_t i = 0; i < RUNNING_MAX; i++) {
		struct entry *entry = cache->running[i];
		if (!entry || entry->id != id)
			continue;
		cache->running[i] = NULL;
		entry->id = 0;
		if (is_failure(answer->status))
			take_failure(entry, answer->status);
		else
			take_answer(entry, answer);
		cache->on_change(cache->context);
		return;
	}
}

void resolve_cache_run(struct resolve_cache *cache)
{
	for (size_t i = 0; i < RUNNING_MAX && cache->due; i++) {
		struct entry *entry = cache->due;
		if (cache->running[i])
			continue;
		drop_due(entry);
		loop_timer_clear(cache->loop, &entry->timer);
		if (++cache->next_id == 0)
			cache->next_id = 1;
		entry->id = cache->next_id;
		cache->running[i] = entry;
		resolve_ask(cache->resolve, entry->id, entry->name, entry->type);
	}
}

void resolve_cache_begin(struct resolve_cache *cache)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry *entry = cache->buckets[i]; entry; entry = entry->next)
			entry->wanted = false;
}

void resolve_cache_sweep(struct resolve_cache *cache)
{
	uint64_t stale = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct entry **at = &cache->buckets[i];
		while (*at) {
			if (!(*at)->wanted && !(*at)->fixed) {
				del(cache, at);
				continue;
			}
			stale += is_stale(*at);
			at = &(*at)->next;
		}
	}
	cache->counters[COUNTER_NAMES_STALE] = stale;
}

/* An entry to fill from elsewhere; NULL: what it holds is better. */
static struct entry *find_or_add(struct resolve_cache *cache, const char *name, enum dns_type type)
{
	char normal[DNS_NAME_SIZE];
	normalize(name, normal);
	struct entry *entry = find(cache, normal, type);
	if (!entry)
		entry = add(cache, normal, type);
	return !entry || entry->known ? NULL : entry;
}

static void hold_over(struct entry *entry)
{
	entry->known = entry->failing = true;
	entry->why = DNS_FAILED;
	entry->status = DNS_GOOD;
	entry->expires_ms = 0;
	push_due(entry);
}

static size_t put_family(struct entry *entry, const struct addr *addresses, size_t n)
{
	enum addr_family family = entry->type == DNS_A ? ADDR_IP4 : ADDR_IP6;
	for (size_t i = 0; i < n && entry->n < DNS_ADDRESSES_MAX; i++)
		if (addresses[i].family == family)
			entry->addresses[entry->n++] = addresses[i];
	return entry->n;
}

void resolve_cache_seed_addresses(
	struct resolve_cache *cache, const char *name, const struct addr *addresses, size_t n)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	for (size_t i = 0; i < 2; i++) {
		struct entry *entry = find_or_add(cache, name, types[i]);
		if (!entry)
			continue;
		if (put_family(entry, addresses, n) > 0)
			hold_over(entry);
		else
			push_due(entry);
	}
}

void resolve_cache_seed_mx(
	struct resolve_cache *cache, const char *domain, const struct dns_mx *records, size_t n)
{
	struct entry *entry = find_or_add(cache, domain, DNS_MX);
	if (!entry || !n || !(entry->mx = calloc(1, sizeof(*entry->mx))))
		return;
	entry->mx->n = n < DNS_MX_MAX ? n : DNS_MX_MAX;
	memcpy(entry->mx->mx, records, entry->mx->n * sizeof(records[0]));
	hold_over(entry);
}

void resolve_cache_fix(struct resolve_cache *cache, const char *name, const struct addr *address)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	char normal[DNS_NAME_SIZE];
	normalize(name, normal);
	for (size_t i = 0; i < 2; i++) {
		struct entry *entry = find(cache, normal, types[i]);
		if (!entry && !(entry = add(cache, normal, types[i])))
			return;
		/* of the other family the file says that there is none */
		if (!entry->fixed)
			entry->status = DNS_NO_DATA;
		entry->fixed = entry->known = true;
		entry->expires_ms = UINT64_MAX;
		if (put_family(entry, address, 1) > 0)
			entry->status = DNS_GOOD;
	}
}

int resolve_cache_open(struct loop *loop, uint64_t *counters, void (*on_change)(void *context),
	void *context, struct resolve_cache **out)
{
	struct resolve_cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return -ENOMEM;
	cache->loop = loop;
	cache->counters = counters;
	cache->on_change = on_change;
	cache->context = context;
	cache->last_due = &cache->due;
	int error = resolve_open(loop, counters, TRIES, on_answer, cache, &cache->resolve);
	if (error) {
		free(cache);
		return error;
	}
	*out = cache;
	return 0;
}

void resolve_cache_close(struct resolve_cache *cache)
{
	if (!cache)
		return;
	resolve_close(cache->resolve);
	for (size_t i = 0; i < BUCKETS; i++)
		while (cache->buckets[i])
			del(cache, &cache->buckets[i]);
	free(cache);
}
