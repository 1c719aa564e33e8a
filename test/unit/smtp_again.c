/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows whose round was cut short: all of them go on, and between them everybody else is heard. */
#include "daemon/smtp/flow.h"
#include "daemon/smtp/smtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define FLOWS   600
#define AT_ONCE 256 /* as many events are in a batch */

static struct smtp smtp;
static unsigned batches, runs, rounds[FLOWS];

static void on_event(struct loop_watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
}

static void run(struct smtp_flow *flow)
{
	runs++;
	rounds[flow->start_ms]++;
	smtp_flow_run_again(flow);
}

static const struct smtp_flow_face face = {
	.on_client = on_event, .on_server = on_event, .run = run};

static void after_batch(void *context)
{
	(void)context;
	assert_in_range(runs, 1, AT_ONCE);
	runs = 0;
	if (++batches == 12)
		loop_stop(smtp.loop);
}

static void each_has_its_round_and_none_has_two_before_the_others(void **state)
{
	struct smtp_flow *flows[FLOWS];

	(void)state;
	smtp.loop = loop_new();
	assert_non_null(smtp.loop);
	assert_int_equal(smtp_flow_table_init(&smtp.table, FLOWS, &face), 0);
	for (unsigned i = 0; i < FLOWS; i++) {
		flows[i] = smtp_flow_new(&smtp, eventfd(0, EFD_CLOEXEC));
		assert_non_null(flows[i]);
		flows[i]->start_ms = i;
		smtp_flow_run_again(flows[i]);
	}
	loop_after_batch(smtp.loop, after_batch, NULL);
	assert_int_equal(loop_run(smtp.loop), 0);
	for (unsigned i = 0; i < FLOWS; i++) {
		assert_in_range(rounds[i], 12 * AT_ONCE / FLOWS, 12 * AT_ONCE / FLOWS + 1);
		close(flows[i]->client.fd);
	}
	smtp_flow_table_fini(&smtp.table);
	loop_free(smtp.loop);
}

static void one_that_is_over_has_none(void **state)
{
	(void)state;
	smtp.loop = loop_new();
	assert_non_null(smtp.loop);
	assert_int_equal(smtp_flow_table_init(&smtp.table, 2, &face), 0);
	struct smtp_flow *over = smtp_flow_new(&smtp, eventfd(0, EFD_CLOEXEC));
	struct smtp_flow *other = smtp_flow_new(&smtp, eventfd(0, EFD_CLOEXEC));
	assert_non_null(over);
	assert_non_null(other);
	other->start_ms = 1;
	rounds[0] = rounds[1] = batches = 0;
	smtp_flow_run_again(over);
	smtp_flow_run_again(other);
	smtp_flow_end(over, ENDING_QUIT, false);
	loop_after_batch(smtp.loop, after_batch, NULL);
	assert_int_equal(loop_run(smtp.loop), 0);
	assert_int_equal(rounds[0], 0);
	assert_int_equal(rounds[1], 12);
	close(over->client.fd);
	close(other->client.fd);
	smtp_flow_table_fini(&smtp.table);
	loop_free(smtp.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_round_and_none_has_two_before_the_others),
		cmocka_unit_test(one_that_is_over_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
