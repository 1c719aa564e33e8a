/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process that takes accounting packets keeps of them: those whose answer waits, those
 * that were heard lately, and what each sender may still send. All of it is bounded. */
#include "daemon/radius/senders.h"
#include "daemon/radius/waiting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct endpoint peer = {{{192, 0, 2, 5}, ADDR_IP4}, 40000};

static int set_up(void **state)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	*state = waiting;
	return waiting ? waiting_init(waiting) : -1;
}

static int take_down(void **state)
{
	waiting_fini(*state);
	free(*state);
	return 0;
}

/* One packet of its own for each number. */
static struct radius_packet packet_of(uint32_t number)
{
	static uint8_t authenticator[RADIUS_MD5_SIZE];

	memcpy(authenticator, &number, sizeof(number));
	return (struct radius_packet){
		.code = 4, .id = (uint8_t)number, .authenticator = authenticator};
}

static enum waiting_heard look(const struct waiting *waiting, uint32_t number, uint64_t now_ms)
{
	const struct radius_packet packet = packet_of(number);

	return waiting_look(waiting, &peer, &packet, now_ms);
}

static struct waiting_packet *add(struct waiting *waiting, uint32_t number, uint64_t now_ms)
{
	const struct radius_packet packet = packet_of(number);

	return waiting_add(waiting, &peer, &packet, now_ms);
}

static void a_packet_is_known_while_it_waits_and_for_half_a_minute(void **state)
{
	struct waiting *waiting = *state;
	struct endpoint other = peer;
	struct radius_packet packet;

	assert_int_equal(look(waiting, 1, 1000), WAITING_NEW);
	struct waiting_packet *slot = add(waiting, 1, 1000);
	assert_non_null(slot);
	assert_int_equal(look(waiting, 1, 1000), WAITING_WAITS);
	packet = packet_of(1);
	other.port++;
	assert_int_equal(waiting_look(waiting, &other, &packet, 1000), WAITING_NEW);
	packet.id++;
	assert_int_equal(waiting_look(waiting, &peer, &packet, 1000), WAITING_NEW);
	assert_ptr_equal(waiting_find(waiting, slot->id), slot);
	uint64_t id = slot->id;
	waiting_del(waiting, slot, true);
	assert_null(waiting_find(waiting, id));
	assert_int_equal(look(waiting, 1, 1000 + HEARD_MS - 1), WAITING_AGAIN);
	assert_int_equal(look(waiting, 1, 1000 + HEARD_MS), WAITING_NEW);
}

/* Control could not store it, or went: it is new when it comes again. */
static void what_was_not_answered_is_heard_anew(void **state)
{
	struct waiting *waiting = *state;

	waiting_del(waiting, add(waiting, 1, 1000), false);
	assert_int_equal(look(waiting, 1, 1000), WAITING_NEW);
	struct waiting_packet *slot = add(waiting, 1, 1000);
	uint64_t id = slot->id;
	waiting_forget_all(waiting);
	assert_null(waiting_find(waiting, id));
	assert_int_equal(look(waiting, 1, 1000), WAITING_NEW);
	assert_non_null(add(waiting, 1, 1000));
	waiting_sweep(waiting, 1000 + WAITING_MS - 1);
	assert_int_equal(look(waiting, 1, 1001), WAITING_WAITS);
	waiting_sweep(waiting, 1000 + WAITING_MS);
	assert_int_equal(look(waiting, 1, 1001), WAITING_NEW);
}

static void no_more_wait_than_there_is_room_for(void **state)
{
	struct waiting *waiting = *state;
	struct waiting_packet *last = NULL;

	for (uint32_t i = 0; i < WAITING_MAX; i++)
		assert_non_null(last = add(waiting, i, 1000));
	assert_null(add(waiting, WAITING_MAX, 1000));
	uint64_t id = last->id;
	waiting_del(waiting, last, true);
	assert_non_null(last = add(waiting, WAITING_MAX, 1000));
	assert_int_not_equal(last->id, id);
	assert_null(waiting_find(waiting, id));
	assert_null(waiting_find(waiting, 0));
	assert_null(waiting_find(waiting, UINT64_MAX));
}

/* What was heard longest ago gives way, and nothing else is forgotten. */
static void what_was_heard_is_bounded(void **state)
{
	struct waiting *waiting = *state;

	for (uint32_t i = 0; i < HEARD_MAX + 100; i++) {
		const struct radius_packet packet = packet_of(i);
		waiting_answered(waiting, &peer, &packet, 1000);
	}
	for (uint32_t i = 0; i < HEARD_MAX + 100; i++)
		assert_int_equal(look(waiting, i, 1000), i < 100 ? WAITING_NEW : WAITING_AGAIN);
	/* one that waits and is pushed out by others is answered all the same */
	struct waiting_packet *slot = add(waiting, 5, 1000);
	for (uint32_t i = 0; i < HEARD_MAX; i++) {
		const struct radius_packet packet = packet_of(HEARD_MAX + 100 + i);
		waiting_answered(waiting, &peer, &packet, 1000);
	}
	assert_int_equal(look(waiting, 5, 1000), WAITING_NEW);
	waiting_del(waiting, slot, true);
	assert_int_equal(look(waiting, HEARD_MAX + 100, 1000), WAITING_AGAIN);
}

static void proxy_states_are_kept_however_long(void **state)
{
	struct waiting *waiting = *state;
	uint8_t bytes[600] = {0};

	for (size_t len = 5; len < 560; len += 277) {
		struct radius_packet packet = packet_of((uint32_t)len);
		for (size_t at = 0; at < len; at += 5)
			memcpy(bytes + at, "\x21\x05one", 5);
		packet.attributes = (struct radius_octets){bytes, len / 5 * 5};
		struct waiting_packet *slot = waiting_add(waiting, &peer, &packet, 1000);
		struct radius_question question = waiting_question(slot);
		assert_int_equal(question.proxy_len, len / 5 * 5);
		assert_memory_equal(question.proxy_states, bytes, question.proxy_len);
		waiting_del(waiting, slot, true);
	}
}

static void a_sender_may_send_so_much(void **state)
{
	const struct addr source = {{192, 0, 2, 5}, ADDR_IP4};
	struct senders senders;
	(void)state;
	assert_int_equal(senders_init(&senders), 0);
	struct sender *sender = senders_find(&senders, "wlc", &source, 1000);
	for (unsigned i = 0; i < SENDER_AT_ONCE; i++)
		assert_true(sender_take(sender, WAITING_NEW, 1000));
	assert_false(sender_take(sender, WAITING_NEW, 1000));
	for (unsigned ms = 0; ms < 1000; ms++)
		for (unsigned i = 0; i < SENDER_A_SECOND / 1000; i++)
			assert_true(sender_take(sender, WAITING_NEW, 1001 + ms));
	assert_false(sender_take(sender, WAITING_NEW, 2000));
	assert_true(sender_take(
		sender, WAITING_NEW, UINT64_MAX / 2)); /* a long time makes no more than all */
	for (unsigned i = 1; i < SENDER_AT_ONCE; i++)
		assert_true(sender_take(sender, WAITING_NEW, UINT64_MAX / 2));
	assert_false(sender_take(sender, WAITING_NEW, UINT64_MAX / 2));
	assert_ptr_equal(senders_find(&senders, "wlc", &source, 1000), sender);
	assert_ptr_not_equal(senders_find(&senders, "other", &source, 1000), sender);
	senders_fini(&senders);
}

/* Whoever was heard of lately stays, whatever others make up. */
static void what_is_sent_again_takes_nothing_from_what_is_new(void **state)
{
	const struct addr source = {{192, 0, 2, 5}, ADDR_IP4};
	struct senders senders;
	(void)state;
	assert_int_equal(senders_init(&senders), 0);
	struct sender *sender = senders_find(&senders, "wlc", &source, 1000);
	for (unsigned i = 0; i < SENDER_AT_ONCE; i++)
		assert_true(sender_take(sender, WAITING_AGAIN, 1000));
	assert_false(sender_take(sender, WAITING_AGAIN, 1000));
	for (unsigned i = 0; i < SENDER_AT_ONCE; i++)
		assert_true(sender_take(sender, WAITING_NEW, 1000));
	assert_false(sender_take(sender, WAITING_NEW, 1000));
	/* nothing is done for it */
	assert_true(sender_take(sender, WAITING_WAITS, 1000));
	assert_true(sender_take(sender, WAITING_AGAIN, 1001));
	assert_true(sender_take(sender, WAITING_NEW, 1001));
	senders_fini(&senders);
}

static void senders_are_bounded(void **state)
{
	const struct addr known = {{192, 0, 2, 5}, ADDR_IP4};
	struct senders senders;
	(void)state;
	assert_int_equal(senders_init(&senders), 0);
	struct sender *sender = senders_find(&senders, "wlc", &known, 1000);
	sender->told.packets = 7;
	for (uint32_t i = 0; i < 100000; i++) {
		struct addr other = {
			{10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, ADDR_IP4};
		sender = senders_find(&senders, "wlc", &known, 1000);
		sender->told.heard_ms = 1000 + i;
		senders_find(&senders, "wlc", &other, 1000)->told.refused_ms = 1000 + i;
	}
	assert_int_equal(senders_find(&senders, "wlc", &known, 1000)->told.packets, 7);
	senders_fini(&senders);
}

/* Each comes to be told, however many change all the time. */
static void senders_are_told_in_turn(void **state)
{
	enum { ALL = SENDERS_SETS * SENDERS_WAYS, A_TICK = 64 };
	struct senders senders;
	bool told[ALL] = {false};
	(void)state;
	assert_int_equal(senders_init(&senders), 0);
	assert_null(senders_next(&senders));
	for (size_t tick = 0; tick < ALL / A_TICK; tick++) {
		for (size_t i = 0; i < ALL; i++)
			senders.v[i].changed = true;
		for (size_t n = 0; n < A_TICK; n++) {
			struct sender *sender = senders_next(&senders);
			assert_non_null(sender);
			assert_false(told[sender - senders.v]);
			told[sender - senders.v] = true;
			sender->changed = false;
		}
	}
	senders_fini(&senders);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
	const struct CMUnitTest tests[] = {
		TEST(a_packet_is_known_while_it_waits_and_for_half_a_minute),
		TEST(what_was_not_answered_is_heard_anew),
		TEST(no_more_wait_than_there_is_room_for),
		TEST(what_was_heard_is_bounded),
		TEST(proxy_states_are_kept_however_long),
		cmocka_unit_test(a_sender_may_send_so_much),
		cmocka_unit_test(what_is_sent_again_takes_nothing_from_what_is_new),
		cmocka_unit_test(senders_are_bounded),
		cmocka_unit_test(senders_are_told_in_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
