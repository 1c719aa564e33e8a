/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/test.h"

#include "daemon/base/channel.h"
#include "daemon/smtp/scan/header.h"
#include "daemon/smtp/scan/message.h"
#include "daemon/smtp/scan/part.h"
#include "daemon/smtp/scan/told.h"
#include "daemon/smtp/smtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE_BYTES SMTP_FLOW_READ_BYTES /* of the text, as flows have it */
#define ROUND_BYTES (4u * PIECE_BYTES)   /* of it in one go: flows go on beside it */
#define NEXT_MS     1                    /* from one to the next */
#define TELL_MS     5000                 /* control hears this often that it goes on */
#define CLIENT_PORT 49152                /* as one of a client's: the first of RFC 6335 6 */

struct scan_test {
	struct scan_message message; /* first */
	struct scan_test *next;
	struct ipc_scan_test asked;
	struct policy *policy; /* held */
	struct scan_part *part;
	struct loop_timer timer;
	struct endpoint client;
	void *bytes; /* of the text, mapped */
	size_t len, at;
	size_t piece;    /* bytes from `at` on that the part has or gets */
	size_t in_round; /* bytes */
	uint64_t begun_ms, until_ms, tell_ms;
};

#define TEST_OF(pointer) ((struct scan_test *)(void *)(pointer))

static uint64_t now_of(const struct scan_test *test)
{
	return loop_now_ms(test->message.smtp->loop);
}

/* ---- its message ---- */

static uint32_t recipients(const struct scan_message *message)
{
	(void)message;
	return 1;
}

static const char *recipient(struct scan_message *message, uint32_t number)
{
	(void)number;
	return TEST_OF(message)->asked.to;
}

static bool is_first(const struct scan_message *message)
{
	(void)message;
	return true;
}

static const char *text_of(const struct scan_message *message, size_t *len)
{
	const struct scan_test *test = (const struct scan_test *)(const void *)message;

	*len = test->piece;
	return (const char *)test->bytes + test->at;
}

/* ---- its end ---- */

static void free_test(struct scan_test *test)
{
	struct smtp *smtp = test->message.smtp;

	scan_part_free(test->part);
	loop_timer_clear(smtp->loop, &test->timer);
	if (test->bytes)
		munmap(test->bytes, test->len);
	policy_unref(test->policy);
	free(test);
}

static void end(struct scan_test *test)
{
	struct scan_tests *tests = &test->message.smtp->scan_tests;
	struct scan_test **at = &tests->first;

	while (*at != test)
		at = &(*at)->next;
	*at = test->next;
	tests->n--;
	free_test(test);
}

void scan_tests_stop(struct smtp *smtp)
{
	while (smtp->scan_tests.first)
		end(smtp->scan_tests.first);
}

/* ---- what came of it ---- */

static void tell(const struct scan_test *test, void *ipc)
{
	struct ipc_header *header = ipc;

	header->seq = test->asked.header.seq;
	child_send(&test->message.smtp->child, ipc);
}

static uint32_t tell_changes(const struct scan_test *test)
{
	const struct milter *milter = test->part->milter;
	struct milter_change change;
	union scan_told_change told;
	uint32_t n = 0;
	size_t at = 0;

	for (; milter && milter_change(milter, &at, &change); n++) {
		scan_told_change(&change, &told);
		tell(test, &told);
	}
	return n;
}

static void tell_verdict(const struct scan_test *test, uint32_t changes)
{
	struct ipc_scan_tested told;

	scan_told_verdict(test->part, &told);
	told.changes = changes;
	told.took_ms = now_of(test) - test->begun_ms;
	tell(test, &told);
}

/* Could its header be changed, as that of a flow's message? */
static bool header_fits(const struct scan_test *test)
{
	return test->len <= SCAN_HEADER_MAX || memmem(test->bytes, SCAN_HEADER_MAX, "\r\n\r\n", 4);
}

static void finish(struct scan_test *test)
{
	struct scan_part *part = test->part;
	const uint32_t changes = part->verdict == SCAN_GO ? tell_changes(test) : 0;

	if (changes > 0 && !header_fits(test)) {
		part->too_large = true;
		scan_part_refuse(part, 552, "5.3.4", SCAN_HEADER_TOO_LARGE, true);
	}
	tell_verdict(test, changes);
	child_reply(&test->message.smtp->child, &test->asked.header, 0, 0, "");
	end(test);
}

/* ---- its way ---- */

static void arm(struct scan_test *test)
{
	uint64_t at_ms = scan_part_deadline(test->part);

	if (test->until_ms < at_ms)
		at_ms = test->until_ms;
	if (test->tell_ms < at_ms)
		at_ms = test->tell_ms;
	if (test->part->verdict != SCAN_PENDING)
		at_ms = now_of(test) + NEXT_MS;
	loop_timer_set(test->message.smtp->loop, &test->timer, at_ms);
}

static bool is_over(const struct scan_part *part)
{
	return part->verdict == SCAN_REFUSED || part->verdict == SCAN_FAILED ||
	       (part->verdict == SCAN_GO && part->goal == SCAN_GOAL_END);
}

/* Goals and times are those of a flow's message with one recipient. */
static void seek_next(struct scan_test *test)
{
	struct scan_part *part = test->part;
	const uint64_t owner_ms = now_of(test) + ENGINE_OWNER_MS;
	const uint64_t deadline_ms = now_of(test) + scan_part_policy(part)->deadline_ms;

	if (part->goal < SCAN_GOAL_DATA) {
		scan_part_seek(part, (enum scan_goal)(part->goal + 1), owner_ms);
		return;
	}
	test->at += test->piece;
	part->text_at = 0;
	test->piece = test->len - test->at < PIECE_BYTES ? test->len - test->at : PIECE_BYTES;
	test->in_round += test->piece;
	scan_part_seek(part, test->piece > 0 ? SCAN_GOAL_TEXT : SCAN_GOAL_END, deadline_ms);
}

/* May free it. */
static void run(struct scan_test *test)
{
	while (test->part->verdict != SCAN_PENDING && !is_over(test->part) &&
		test->in_round < ROUND_BYTES)
		seek_next(test);
	if (is_over(test->part))
		finish(test);
	else
		arm(test);
}

static void on_settled(struct scan_message *message)
{
	run(TEST_OF(message));
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct scan_test *test = TEST_OF((char *)timer - offsetof(struct scan_test, timer));
	struct ipc_plain goes_on;

	test->in_round = 0;
	scan_part_on_time(test->part, now_ms);
	if (now_ms >= test->until_ms && test->part->verdict == SCAN_PENDING) {
		test->part->late = true;
		scan_part_fail(test->part, "late: it is not done with the text in time", false);
	}
	if (now_ms >= test->tell_ms) {
		test->tell_ms = now_ms + TELL_MS;
		ipc_init(&goes_on, IPC_SCAN_TESTING, sizeof(goes_on));
		tell(test, &goes_on);
	}
	run(test);
}

/* ---- its beginning ---- */

/* As `server test` has it. */
static void set_sender(struct scan_test *test, const char *gateway)
{
	char *from = test->asked.from;

	if (test->asked.bounce || *from)
		return;
	snprintf(from, sizeof(test->asked.from), "postmaster@%.240s", gateway);
}

static void set_up(struct scan_test *test, struct smtp *smtp, const struct policy_scan *scan)
{
	static const struct scan_message_face face = {.recipients = recipients,
		.recipient = recipient,
		.is_first = is_first,
		.text = text_of,
		.on_settled = on_settled};
	struct scan_message *message = &test->message;
	const uint64_t now_ms = loop_now_ms(smtp->loop);

	*message = (struct scan_message){.smtp = smtp, .face = &face, .client = &test->client};
	set_sender(test, smtp_name(smtp, test->policy));
	scan_facts_test(&message->facts, smtp_name(smtp, test->policy), &test->client,
		test->asked.from, test->asked.user);
	message->helo = message->facts.host;
	test->timer.on_time = on_time;
	test->begun_ms = now_ms;
	test->tell_ms = now_ms + TELL_MS;
	/* its envelope, its text at the slowest, and the verdict */
	test->until_ms = now_ms + 2 * ENGINE_OWNER_MS + 2 * scan->deadline_ms;
}

/* NULL: no memory, or no text. */
static struct scan_test *new_test(
	struct smtp *smtp, const struct ipc_scan_test *ipc, size_t index, void *bytes, size_t len)
{
	struct scan_test *test = calloc(1, sizeof(*test));

	if (!test)
		return NULL;
	test->asked = *ipc;
	test->policy = policy_ref(smtp_picture(smtp)->policy);
	test->client = (struct endpoint){ipc->client, CLIENT_PORT};
	test->bytes = bytes;
	test->len = len;
	set_up(test, smtp, &test->policy->scans[index]);
	test->part = scan_part_new(&test->message, &test->policy->scans[index], NULL);
	if (test->part)
		return test;
	test->bytes = NULL;
	free_test(test);
	return NULL;
}

void scan_test_begin(struct smtp *smtp, const struct ipc_scan_test *ipc, int fd)
{
	struct scan_tests *tests = &smtp->scan_tests;
	const struct policy *policy = smtp_picture(smtp)->policy;
	ptrdiff_t index = policy ? policy_find_scan(policy, ipc->scan) : -1;
	void *bytes = NULL;
	size_t len = 0;
	int error = channel_map(fd, &bytes, &len);

	if (!error && index < 0)
		error = -ENOENT;
	if (!error && tests->n >= SCAN_TESTS_MAX)
		error = -EBUSY;
	struct scan_test *test = error ? NULL : new_test(smtp, ipc, (size_t)index, bytes, len);
	if (!test) {
		if (bytes)
			munmap(bytes, len);
		child_reply(&smtp->child, &ipc->header, error ? error : -ENOMEM, 0,
			error == -EBUSY    ? "as many tests as there may be are under way"
			: error == -ENOENT ? "the process that scans does not know it yet"
					   : strerror(error ? -error : ENOMEM));
		return;
	}
	test->next = tests->first;
	tests->first = test;
	tests->n++;
	seek_next(test);
	run(test);
}
