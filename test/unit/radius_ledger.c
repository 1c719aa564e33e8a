/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request of accounting means by what is known of its session: cell by cell, and in whatever
 * order requests come. */
#include "lib/radius/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S(n) ((uint64_t)(1700000000 + (n)) * 1000) /* events */
#define NOW  1000000

static const struct radius_key key_a = {{0x1111111111111111, 1}}, key_b = {{0x2222222222222222, 2}};

struct world {
	struct radius_ledger *ledger;
	uint64_t sessions;
	size_t changed, forgotten;
};

static int set_up(void **state)
{
	static struct world world;
	world = (struct world){.ledger = radius_ledger_new()};
	*state = &world;
	return world.ledger ? 0 : -1;
}

static int take_down(void **state)
{
	radius_ledger_free(((struct world *)*state)->ledger);
	return 0;
}

static struct radius_event event_of(const struct radius_key *key, enum radius_status status, int s)
{
	return (struct radius_event){.key = *key,
		.nas = 77,
		.status = status,
		.event_ms = S(s),
		.user = key->v[1],
		.can_open = true,
		.skew_s = 300};
}

static enum radius_act hear(struct world *world, const struct radius_event *event)
{
	struct radius_decision decision;
	radius_ledger_take(world->ledger, event, NOW, &decision);
	if (decision.act == RADIUS_ACT_OPEN)
		radius_ledger_opened(world->ledger, &event->key, ++world->sessions);
	return decision.act;
}

static enum radius_act hear_at(struct world *world, enum radius_status status, int s)
{
	const struct radius_event event = event_of(&key_a, status, s);
	return hear(world, &event);
}

static void visit(void *context, const struct radius_entry *before, const struct radius_entry *now)
{
	struct world *world = context;
	assert_non_null(before);
	world->changed += now != NULL;
	world->forgotten += now == NULL;
}

static enum radius_state state_of(const struct world *world, const struct radius_key *key)
{
	const struct radius_entry *entry = radius_ledger_find(world->ledger, key);
	assert_non_null(entry);
	return (enum radius_state)entry->state;
}

#define START   RADIUS_STATUS_START
#define INTERIM RADIUS_STATUS_INTERIM
#define STOP    RADIUS_STATUS_STOP

/* ---- the table, cell by cell ---- */

enum known { UNKNOWN, LIVE, PENDING, TOMBSTONE, OVERTAKEN };

static void make(struct world *world, enum known known)
{
	struct radius_event other = event_of(&key_b, START, 12);
	switch (known) {
	case UNKNOWN:
		return;
	case LIVE:
		hear_at(world, START, 10);
		return;
	case PENDING: {
		struct radius_event event = event_of(&key_a, START, 10);
		event.can_open = false;
		assert_int_equal(hear(world, &event), RADIUS_ACT_WAIT);
		return;
	}
	case TOMBSTONE:
		hear_at(world, START, 5);
		hear_at(world, STOP, 10);
		return;
	case OVERTAKEN: {
		struct radius_event event = event_of(&key_a, START, 10);
		event.claims[event.nclaims++] = 5;
		other.claims[other.nclaims++] = 5;
		hear(world, &event);
		hear(world, &other);
		radius_ledger_session_gone(
			world->ledger, 1, RADIUS_END_SUPERSEDED, 300, NOW, visit, world);
		assert_int_equal(state_of(world, &key_a), RADIUS_SUPERSEDED);
		return;
	}
	}
}

static void every_cell_is_as_it_is_written(void **state)
{
	struct world *world = *state;
	static const struct {
		enum known known;
		enum radius_status status;
		int s; /* what is known was heard at 10 */
		bool can_open;
		enum radius_act act;
		int then; /* state; -1: not known */
	} cases[] = {
		{UNKNOWN, START, 11, true, RADIUS_ACT_OPEN, RADIUS_LIVE},
		{UNKNOWN, INTERIM, 11, true, RADIUS_ACT_OPEN, RADIUS_LIVE},
		{UNKNOWN, START, 11, false, RADIUS_ACT_WAIT, RADIUS_PENDING},
		{UNKNOWN, INTERIM, 11, false, RADIUS_ACT_WAIT, RADIUS_PENDING},
		{UNKNOWN, STOP, 11, true, RADIUS_ACT_TOMBSTONE, RADIUS_ENDED},
		{LIVE, START, 11, true, RADIUS_ACT_RENEW, RADIUS_LIVE},
		{LIVE, INTERIM, 11, true, RADIUS_ACT_RENEW, RADIUS_LIVE},
		{LIVE, INTERIM, 11, false, RADIUS_ACT_RENEW, RADIUS_LIVE},
		{LIVE, START, 10, true, RADIUS_ACT_OLD, RADIUS_LIVE},
		{LIVE, START, 9, true, RADIUS_ACT_OLD, RADIUS_LIVE},
		{LIVE, INTERIM, 9, true, RADIUS_ACT_OLD, RADIUS_LIVE},
		{LIVE, INTERIM, 10, true, RADIUS_ACT_RENEW, RADIUS_LIVE}, /* behind its Start */
		{LIVE, STOP, 11, true, RADIUS_ACT_END, RADIUS_ENDED},
		{LIVE, STOP, 10, true, RADIUS_ACT_END, RADIUS_ENDED},
		{LIVE, STOP, 9, true, RADIUS_ACT_OLD, RADIUS_LIVE}, /* of one before */
		{PENDING, START, 11, false, RADIUS_ACT_WAIT, RADIUS_PENDING},
		{PENDING, INTERIM, 11, true, RADIUS_ACT_OPEN, RADIUS_LIVE},
		{PENDING, INTERIM, 10, true, RADIUS_ACT_OPEN, RADIUS_LIVE},
		{PENDING, INTERIM, 9, true, RADIUS_ACT_OLD, RADIUS_PENDING},
		{PENDING, STOP, 11, true, RADIUS_ACT_TOMBSTONE, RADIUS_ENDED},
		{TOMBSTONE, START, 11, true, RADIUS_ACT_OPEN, RADIUS_LIVE},
		{TOMBSTONE, START, 11, false, RADIUS_ACT_WAIT, RADIUS_PENDING},
		{TOMBSTONE, START, 10, true, RADIUS_ACT_OLD, RADIUS_ENDED},
		{TOMBSTONE, START, 9, true, RADIUS_ACT_OLD, RADIUS_ENDED},
		{TOMBSTONE, INTERIM, 11, true, RADIUS_ACT_OVER, RADIUS_ENDED},
		{TOMBSTONE, INTERIM, 9, true, RADIUS_ACT_OLD, RADIUS_ENDED},
		{TOMBSTONE, STOP, 11, true, RADIUS_ACT_OLD, RADIUS_ENDED},
		{OVERTAKEN, START, 11, true, RADIUS_ACT_CLAIMED, RADIUS_SUPERSEDED},
		{OVERTAKEN, START, 13, true, RADIUS_ACT_OPEN, RADIUS_LIVE},
		{OVERTAKEN, INTERIM, 13, true, RADIUS_ACT_CLAIMED, RADIUS_SUPERSEDED},
		{OVERTAKEN, STOP, 13, true, RADIUS_ACT_TOMBSTONE, RADIUS_ENDED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		take_down(state);
		set_up(state);
		make(world, cases[i].known);
		struct radius_event event = event_of(&key_a, cases[i].status, cases[i].s);
		event.can_open = cases[i].can_open;
		if (cases[i].known == OVERTAKEN)
			event.claims[event.nclaims++] = 5;
		enum radius_act act = hear(world, &event);
		if (act != cases[i].act || (int)state_of(world, &key_a) != cases[i].then)
			fail_msg("case %zu: %s, state %d", i, radius_act_names[act],
				state_of(world, &key_a));
	}
}

static void what_is_missing_is_said(void **state)
{
	struct world *world = *state;
	struct radius_decision decision;
	struct radius_event event = event_of(&key_a, INTERIM, 10);
	radius_ledger_take(world->ledger, &event, NOW, &decision);
	assert_true(decision.start_missed);
	event = event_of(&key_a, INTERIM, 20);
	radius_ledger_take(world->ledger, &event, NOW, &decision);
	assert_false(decision.start_missed);
	event = event_of(&key_b, STOP, 20);
	radius_ledger_take(world->ledger, &event, NOW, &decision);
	assert_true(decision.start_missed);
}

/* ---- two users, one address, in every order ---- */

struct scene {
	struct radius_event events[6];
	size_t n;
};

static void add(struct scene *scene, const struct radius_key *key, enum radius_status status, int s,
	int begin)
{
	struct radius_event *event = &scene->events[scene->n++];
	*event = event_of(key, status, s);
	event->claims[event->nclaims++] = 4711;
	/* as a NAS says it: in all but the Start */
	event->begin_ms = status == START ? 0 : S(begin);
}

/* What sessions are to control: a new one of another user ends the one that has the address. */
struct holder {
	uint64_t session;
	struct radius_key key;
};

static void play(struct world *world, const struct radius_event *event, struct holder *holder)
{
	struct radius_decision decision;
	radius_ledger_take(world->ledger, event, NOW, &decision);
	for (size_t i = 0; i < decision.nlosers; i++) {
		assert_int_equal(decision.losers[i], holder->session);
		radius_ledger_session_gone(world->ledger, holder->session, RADIUS_END_SUPERSEDED,
			300, NOW, visit, world);
		holder->session = 0;
	}
	const bool mine = holder->session && radius_key_equal(&holder->key, &event->key);
	if (decision.act == RADIUS_ACT_OPEN) {
		assert_int_equal(holder->session, 0);
		*holder = (struct holder){++world->sessions, event->key};
		radius_ledger_opened(world->ledger, &event->key, holder->session);
	} else if ((decision.act == RADIUS_ACT_END || decision.act == RADIUS_ACT_CLAIMED) && mine) {
		holder->session = 0;
	}
}

static size_t permute(struct scene *scene, size_t at, const struct radius_key *owner)
{
	size_t n = 0;
	if (at == scene->n) {
		struct world world = {.ledger = radius_ledger_new()};
		struct holder holder = {0};
		assert_non_null(world.ledger);
		for (size_t i = 0; i < scene->n; i++)
			play(&world, &scene->events[i], &holder);
		if (owner) {
			assert_int_not_equal(holder.session, 0);
			assert_true(radius_key_equal(&holder.key, owner));
			assert_int_equal(radius_ledger_count(world.ledger, RADIUS_LIVE), 1);
		} else {
			assert_int_equal(holder.session, 0);
			assert_int_equal(radius_ledger_count(world.ledger, RADIUS_LIVE), 0);
		}
		radius_ledger_free(world.ledger);
		return 1;
	}
	for (size_t i = at; i < scene->n; i++) {
		const struct radius_event first = scene->events[at];
		scene->events[at] = scene->events[i];
		scene->events[i] = first;
		n += permute(scene, at + 1, owner);
		scene->events[i] = scene->events[at];
		scene->events[at] = first;
	}
	return n;
}

static void one_after_the_other_in_every_order(void **state)
{
	struct scene scene = {.n = 0};
	(void)state;
	add(&scene, &key_a, START, 1, 1);
	add(&scene, &key_a, INTERIM, 2, 1);
	add(&scene, &key_a, STOP, 3, 1);
	add(&scene, &key_b, START, 4, 4);
	add(&scene, &key_b, INTERIM, 5, 4);
	assert_int_equal(permute(&scene, 0, &key_b), 120);
	add(&scene, &key_b, STOP, 6, 4);
	assert_int_equal(permute(&scene, 0, NULL), 720);
}

/* The first user's end is heard of when the second has the address. */
static void a_late_stop_in_every_order(void **state)
{
	struct scene scene = {.n = 0};
	(void)state;
	add(&scene, &key_a, START, 1, 1);
	add(&scene, &key_a, INTERIM, 4, 1);
	add(&scene, &key_a, STOP, 5, 1);
	add(&scene, &key_b, START, 3, 3);
	add(&scene, &key_b, INTERIM, 6, 3);
	assert_int_equal(permute(&scene, 0, &key_b), 120);
	add(&scene, &key_b, STOP, 7, 3);
	assert_int_equal(permute(&scene, 0, NULL), 720);
}

/* The first one's Stop is lost: he does not get the address back. */
static void a_lost_stop_in_every_order(void **state)
{
	struct scene scene = {.n = 0};
	(void)state;
	add(&scene, &key_a, START, 1, 1);
	add(&scene, &key_a, INTERIM, 2, 1);
	add(&scene, &key_a, INTERIM, 8, 1);
	add(&scene, &key_b, START, 3, 3);
	add(&scene, &key_b, INTERIM, 5, 3);
	assert_int_equal(permute(&scene, 0, &key_b), 120);
	add(&scene, &key_b, STOP, 6, 3);
	assert_int_equal(permute(&scene, 0, NULL), 720);
}

/* ---- the rest ---- */

static void a_nas_that_begins_anew_ends_what_began_before(void **state)
{
	struct world *world = *state;
	struct radius_event later = event_of(&key_b, START, 30);
	hear_at(world, START, 10);
	hear(world, &later);
	assert_true(radius_ledger_nas_over(world->ledger, 77, S(20), 300, NOW, visit, world));
	assert_int_equal(world->changed, 1);
	assert_int_equal(state_of(world, &key_a), RADIUS_ENDED);
	assert_int_equal(state_of(world, &key_b), RADIUS_LIVE);
	/* it is heard of again, or late */
	assert_false(radius_ledger_nas_over(world->ledger, 77, S(20), 300, NOW, visit, world));
	assert_false(radius_ledger_nas_over(world->ledger, 77, S(15), 300, NOW, visit, world));
	assert_int_equal(hear_at(world, INTERIM, 19), RADIUS_ACT_OLD);
	const struct radius_key unheard = {{9, 9}};
	struct radius_event overtaken = event_of(&unheard, START, 19);
	assert_int_equal(hear(world, &overtaken), RADIUS_ACT_OLD);
	/* another's goes on */
	overtaken.nas = 78;
	assert_int_equal(hear(world, &overtaken), RADIUS_ACT_OPEN);
}

static void sessions_may_be_of_several(void **state)
{
	struct world *world = *state;
	struct radius_event other = event_of(&key_b, START, 12);
	struct radius_decision decision;
	other.user = key_a.v[1];
	hear_at(world, START, 10);
	radius_ledger_take(world->ledger, &other, NOW, &decision);
	assert_int_equal(decision.act, RADIUS_ACT_OPEN);
	radius_ledger_opened(world->ledger, &key_b, 1);
	assert_int_equal(radius_ledger_count_session(world->ledger, 1), 2);
	assert_int_equal(hear_at(world, STOP, 13), RADIUS_ACT_END);
	assert_int_equal(radius_ledger_count_session(world->ledger, 1), 1);
	assert_true(radius_key_equal(&radius_ledger_of_session(world->ledger, 1)->key, &key_b));
}

static void a_session_that_is_over_otherwise(void **state)
{
	struct world *world = *state;
	hear_at(world, START, 10);
	radius_ledger_session_gone(world->ledger, 1, RADIUS_END_TOMBSTONE, 300, NOW, visit, world);
	assert_int_equal(hear_at(world, INTERIM, 20), RADIUS_ACT_OVER);
	assert_int_equal(hear_at(world, START, 21), RADIUS_ACT_OPEN);
	radius_ledger_session_gone(world->ledger, 2, RADIUS_END_FORGOTTEN, 300, NOW, visit, world);
	assert_int_equal(world->forgotten, 1);
	assert_null(radius_ledger_find(world->ledger, &key_a));
	assert_int_equal(hear_at(world, INTERIM, 30), RADIUS_ACT_OPEN);
}

static void tombstones_have_their_time_and_number(void **state)
{
	struct world *world = *state;
	hear_at(world, STOP, 10);
	assert_int_equal(radius_ledger_next_ms(world->ledger), NOW + RADIUS_TOMBSTONE_MS);
	assert_int_equal(
		radius_ledger_sweep(world->ledger, NOW + RADIUS_TOMBSTONE_MS - 1, 10, visit, world),
		0);
	assert_int_equal(
		radius_ledger_sweep(world->ledger, NOW + RADIUS_TOMBSTONE_MS, 10, visit, world), 1);
	assert_int_equal(radius_ledger_next_ms(world->ledger), 0);
	struct radius_event event = event_of(&key_a, STOP, 10);
	event.skew_s = 86400;
	hear(world, &event);
	assert_int_equal(radius_ledger_next_ms(world->ledger), NOW + 4 * 86400000ull);
	for (uint64_t i = 0; i < RADIUS_TOMBSTONES_MAX; i++) {
		event = event_of(&key_b, STOP, 10);
		event.key.v[0] = i * 0x9e3779b97f4a7c15;
		hear(world, &event);
	}
	world->forgotten = 0;
	assert_int_equal(radius_ledger_sweep(world->ledger, NOW, 10, visit, world), 1);
	assert_int_equal(world->forgotten, 1);
}

static void no_more_than_there_is_room_for(void **state)
{
	struct world *world = *state;
	struct radius_event event = event_of(&key_a, START, 10);
	for (uint64_t i = 0; i < RADIUS_ENTRIES_MAX; i++) {
		event.key.v[0] = i * 0x9e3779b97f4a7c15;
		assert_int_equal(hear(world, &event), RADIUS_ACT_OPEN);
	}
	event.key.v[0] = 12345;
	assert_int_equal(hear(world, &event), RADIUS_ACT_FULL);
	assert_null(radius_ledger_find(world->ledger, &event.key));
	event.key.v[0] = 0;
	event.event_ms += 1000;
	event.status = STOP;
	assert_int_equal(hear(world, &event), RADIUS_ACT_END);
}

static void what_cannot_be_carried_out_is_undone(void **state)
{
	struct world *world = *state;
	struct radius_decision decision;
	struct radius_event event = event_of(&key_a, START, 10);
	radius_ledger_take(world->ledger, &event, NOW, &decision);
	radius_ledger_undo(world->ledger, &decision);
	assert_null(radius_ledger_find(world->ledger, &key_a));
	hear_at(world, START, 10);
	event = event_of(&key_a, STOP, 20);
	radius_ledger_take(world->ledger, &event, NOW, &decision);
	radius_ledger_undo(world->ledger, &decision);
	assert_int_equal(state_of(world, &key_a), RADIUS_LIVE);
	assert_int_equal(radius_ledger_find(world->ledger, &key_a)->session, 1);
	/* more was heard since */
	radius_ledger_take(world->ledger, &event, NOW, &decision);
	hear_at(world, START, 30);
	radius_ledger_undo(world->ledger, &decision);
	assert_int_equal(radius_ledger_find(world->ledger, &key_a)->session, 2);
}

/* Two spacings that are alike say when the next Interim comes; events in between say nothing. */
/* By a sender whose times are ours: all is an hour earlier than it was. */
static void our_clock_is_set_back(void **state)
{
	struct world *world = *state;
	struct radius_event stays = event_of(&key_a, START, 7000),
			    comes = event_of(&key_b, START, 3601);

	stays.claims[stays.nclaims++] = comes.claims[comes.nclaims++] = 5;
	assert_int_equal(hear(world, &stays), RADIUS_ACT_OPEN);
	assert_int_equal(hear_at(world, INTERIM, 7200), RADIUS_ACT_RENEW);
	assert_true(radius_ledger_nas_over(world->ledger, 78, S(7200), 300, NOW, visit, world));
	assert_int_equal(hear_at(world, INTERIM, 3600), RADIUS_ACT_OLD);
	radius_ledger_set_back(world->ledger, S(3600));
	assert_int_equal(hear_at(world, INTERIM, 3601), RADIUS_ACT_RENEW);
	/* who comes with its MAC behind that began later */
	assert_int_equal(hear(world, &comes), RADIUS_ACT_OPEN);
	assert_int_equal(hear_at(world, STOP, 3602), RADIUS_ACT_END);
	/* and its NAS may begin anew */
	assert_true(radius_ledger_nas_over(world->ledger, 78, S(3601), 300, NOW, visit, world));
	/* what lies behind stays as it is */
	radius_ledger_set_back(world->ledger, S(3603));
	assert_int_equal(radius_ledger_find(world->ledger, &key_b)->event_ms, S(3601));
	assert_int_equal(hear_at(world, START, 3602), RADIUS_ACT_OLD);
}

static void how_far_interims_are_apart(void **state)
{
	struct world *world = *state;
	static const struct {
		int s;
		uint32_t steady_s;
	} cases[] = {{610, 0}, {1210, 0}, {1820, 610}, {1825, 0}, {2425, 0}, {3030, 605}};
	hear_at(world, START, 10);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(hear_at(world, INTERIM, cases[i].s), RADIUS_ACT_RENEW);
		assert_int_equal(
			radius_ledger_find(world->ledger, &key_a)->steady_s, cases[i].steady_s);
	}
}

static void an_entry_as_bytes(void **state)
{
	struct world *world = *state;
	uint8_t bytes[RADIUS_ENTRY_BYTES];
	struct radius_entry again;
	hear_at(world, START, 10);
	hear_at(world, INTERIM, 20);
	const struct radius_entry *entry = radius_ledger_find(world->ledger, &key_a);
	radius_entry_encode(entry, bytes);
	assert_true(radius_entry_decode(bytes, sizeof(bytes), &again));
	assert_true(radius_key_equal(&again.key, &key_a));
	assert_int_equal(again.session, entry->session);
	assert_int_equal(again.begin_ms, S(10));
	assert_int_equal(again.event_ms, S(20));
	assert_int_equal(again.interim, 1);
	assert_false(radius_entry_decode(bytes, sizeof(bytes) - 1, &again));
	bytes[64] = RADIUS_STATES;
	assert_false(radius_entry_decode(bytes, sizeof(bytes), &again));
	bytes[64] = RADIUS_ENDED; /* and a session */
	assert_false(radius_entry_decode(bytes, sizeof(bytes), &again));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
	const struct CMUnitTest tests[] = {
		TEST(every_cell_is_as_it_is_written),
		TEST(what_is_missing_is_said),
		TEST(one_after_the_other_in_every_order),
		TEST(a_late_stop_in_every_order),
		TEST(a_lost_stop_in_every_order),
		TEST(a_nas_that_begins_anew_ends_what_began_before),
		TEST(sessions_may_be_of_several),
		TEST(a_session_that_is_over_otherwise),
		TEST(tombstones_have_their_time_and_number),
		TEST(no_more_than_there_is_room_for),
		TEST(what_cannot_be_carried_out_is_undone),
		TEST(our_clock_is_set_back),
		TEST(how_far_interims_are_apart),
		TEST(an_entry_as_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
