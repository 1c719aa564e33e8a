/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at the files of certificates once a minute, by a clock that the test sets: what is new is
 * loaded, what is half written has another look, what is bad leaves what there was. */
#include "daemon/control/credential/renew.h"
#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/peers/flow_face.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/policy/turns.h"
#include "test/lib/control_folder.h"
#include "test/lib/policy_text.h"
#include "test/lib/tls_authority.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MINUTE_MS 60000
#define AGAIN_MS  5000

/* Both stand in front of the C library's: time goes on when the test says so, and nobody waits. */
static int64_t ahead_ms;

int clock_gettime(clockid_t id, struct timespec *at)
{
	int (*own)(clockid_t, struct timespec *) =
		(int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	static struct timespec begun;

	if (id != CLOCK_MONOTONIC)
		return own(id, at);
	if (!begun.tv_sec)
		own(id, &begun);
	int64_t ms = (int64_t)begun.tv_sec * 1000 + ahead_ms;
	*at = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	return 0;
}

int epoll_wait(int epoll, struct epoll_event *events, int n, int ms)
{
	(void)ms;
	return epoll_pwait(epoll, events, n, 0, NULL);
}

struct stage {
	struct control control;
	char folder[FOLDER_SIZE], file[96], user[64];
	char fingerprint[80]; /* of what was loaded when it was last looked at */
};

static struct tls_issued some[4];

static void write_bytes(const struct stage *stage, const char *bytes, size_t len)
{
	char fresh[112];

	snprintf(fresh, sizeof(fresh), "%s.new", stage->file);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	assert_int_equal(rename(fresh, stage->file), 0); /* another file: so it has changed */
}

/* Key and certificate in one file. */
static void put(const struct stage *stage, const struct tls_issued *issued)
{
	struct tls_text text = issued->key_text;

	tls_text_add(&text, &issued->chain);
	write_bytes(stage, text.bytes, text.len);
}

static void put_half(const struct stage *stage, const struct tls_issued *issued)
{
	write_bytes(stage, issued->key_text.bytes, issued->key_text.len);
}

static void stop(void *context)
{
	loop_stop(context);
}

/* So much later, one round of the loop. */
static void pass(struct stage *stage, int64_t ms)
{
	ahead_ms += ms;
	assert_int_equal(loop_run(stage->control.loop), 0);
}

static const struct credential_now *now_of(const struct stage *stage)
{
	size_t n;
	const struct credential_now *now = credentials_now(stage->control.credentials, &n);

	assert_int_equal(n, 1);
	return now;
}

/* Is something else loaded than when this was last asked? */
static bool is_new(struct stage *stage)
{
	const struct credential_now *now = now_of(stage);
	char before[sizeof(stage->fingerprint)];

	assert_true(now->loaded);
	memcpy(before, stage->fingerprint, sizeof(before));
	for (size_t i = 0; i < sizeof(now->facts.fingerprint); i++)
		snprintf(stage->fingerprint + 2 * i, 3, "%02x", now->facts.fingerprint[i]);
	return strcmp(before, stage->fingerprint) != 0;
}

static void follow(struct stage *stage)
{
	char text[512];

	snprintf(text, sizeof(text),
		"certificate mail { file \"%s\" key \"%s\" }\n"
		"zone guest { interface g0 tls offer { certificate mail } }\n",
		stage->file, stage->file);
	stage->control.policy = policy_of_text(text, NULL);
	credentials_follow(stage->control.credentials);
	renew_begin(stage->control.renew);
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct control *control = &stage->control;

	*state = stage;
	assert_int_equal(folder_make(stage->folder), 0);
	snprintf(stage->file, sizeof(stage->file), "%s/mail.pem", stage->folder);
	snprintf(stage->user, sizeof(stage->user), "%s", getpwuid(geteuid())->pw_name);
	control->start.options.user = stage->user;
	control->loop = loop_new();
	control->flow_peers = flow_peers_new(control, &flow_face, NULL);
	control->turns = turns_new();
	control->credentials = credentials_new(control);
	control->renew = renew_new(control, control->credentials);
	assert_true(control->loop && control->flow_peers && control->turns &&
		    control->credentials && control->renew);
	loop_after_batch(control->loop, stop, control->loop);
	put(stage, &some[0]);
	follow(stage);
	assert_true(is_new(stage));
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	struct control *control = &stage->control;

	renew_free(control->renew);
	credentials_free(control->credentials);
	turns_free(control->turns);
	flow_peers_free(control->flow_peers);
	policy_unref(control->policy);
	loop_free(control->loop);
	assert_int_equal(folder_remove(stage->folder), 0);
	free(stage);
	return 0;
}

/* ---- cases ---- */

static void what_has_changed_is_loaded_within_the_minute(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 1; i < 4; i++) {
		put(stage, &some[i]);
		pass(stage, MINUTE_MS - 1);
		assert_false(is_new(stage));
		pass(stage, 1);
		assert_true(is_new(stage));
	}
	pass(stage, MINUTE_MS);
	assert_false(is_new(stage));
}

static void what_is_half_written_has_another_look(void **state)
{
	struct stage *stage = *state;

	put_half(stage, &some[1]);
	pass(stage, MINUTE_MS);
	assert_string_equal(now_of(stage)->trouble, "");
	put(stage, &some[1]);
	pass(stage, AGAIN_MS - 1);
	assert_false(is_new(stage));
	pass(stage, 1);
	assert_true(is_new(stage));
	assert_string_equal(now_of(stage)->trouble, "");
	assert_int_equal(now_of(stage)->bad_looks, 0);
}

static void what_stays_bad_is_a_trouble_until_it_is_mended(void **state)
{
	struct stage *stage = *state;

	put_half(stage, &some[1]);
	pass(stage, MINUTE_MS);
	pass(stage, AGAIN_MS);
	assert_non_null(strstr(now_of(stage)->trouble, "certificate mail"));
	assert_non_null(strstr(now_of(stage)->trouble, stage->file));
	assert_false(is_new(stage)); /* what was loaded stays */
	pass(stage, MINUTE_MS);
	assert_true(*now_of(stage)->trouble);
	/* also the same as before is good again */
	put(stage, &some[0]);
	pass(stage, MINUTE_MS);
	assert_string_equal(now_of(stage)->trouble, "");
	assert_false(is_new(stage));
	put(stage, &some[2]);
	pass(stage, MINUTE_MS);
	assert_true(is_new(stage));
}

static void a_file_that_is_gone_leaves_what_was_loaded(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(unlink(stage->file), 0);
	pass(stage, MINUTE_MS);
	pass(stage, AGAIN_MS);
	assert_non_null(strstr(now_of(stage)->trouble, "No such file"));
	assert_false(is_new(stage));
	put(stage, &some[1]);
	pass(stage, MINUTE_MS);
	assert_true(is_new(stage));
}

static void an_end_is_told_once_at_each_mark(void **state)
{
	static const struct {
		long days;
		unsigned said;
	} cases[] = {{30, 0}, {20, CREDENTIAL_WARNING_DAYS}, {6, CREDENTIAL_TROUBLE_DAYS}};
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_issued issued;
		tls_issue(&issued, &(struct tls_wish){.names = "DNS:mail.example",
					   .begins_s = -60,
					   .ends_s = cases[i].days * 86400 + 600});
		put(stage, &issued);
		pass(stage, MINUTE_MS);
		assert_true(is_new(stage));
		pass(stage, MINUTE_MS);
		assert_int_equal(now_of(stage)->days_said, cases[i].said);
		tls_issued_free(&issued);
	}
}

struct told {
	unsigned times;
	bool bad;
	char text[512];
};

static void on_told(void *context, bool bad, const char *text)
{
	struct told *told = context;

	told->times++;
	told->bad = bad;
	snprintf(told->text, sizeof(told->text), "%s", text);
}

static void who_asks_is_told_at_once(void **state)
{
	struct stage *stage = *state;
	struct told told = {0};

	put_half(stage, &some[1]);
	assert_int_equal(renew_ask(stage->control.renew, "mail", on_told, &told), 0);
	assert_int_equal(told.times, 1);
	assert_true(told.bad);
	assert_non_null(strstr(told.text, "what was loaded before goes on"));
	put(stage, &some[1]);
	assert_int_equal(renew_ask(stage->control.renew, NULL, on_told, &told), 0);
	assert_int_equal(told.times, 2);
	assert_false(told.bad);
	assert_non_null(strstr(told.text, "certificate mail: loaded: "));
	assert_true(is_new(stage));
	assert_int_equal(renew_ask(stage->control.renew, "none", on_told, &told), -ENOENT);
	assert_int_equal(told.times, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(what_has_changed_is_loaded_within_the_minute),
		CASE(what_is_half_written_has_another_look),
		CASE(what_stays_bad_is_a_trouble_until_it_is_mended),
		CASE(a_file_that_is_gone_leaves_what_was_loaded),
		CASE(an_end_is_told_once_at_each_mark),
		CASE(who_asks_is_told_at_once),
#undef CASE
	};

	log_init("test", true, POLICY_LOG_ERROR);
	for (size_t i = 0; i < 4; i++)
		tls_issue(&some[i], &(struct tls_wish){.names = "DNS:mail.example"});
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < 4; i++)
		tls_issued_free(&some[i]);
	return failed;
}
