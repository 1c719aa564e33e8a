/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions that another program tells of: who opens, goes on and ends, for how long, beside logins
 * and devices, and what is on the disk. */
#include "daemon/control/session/sources.h"
#include "daemon/control/session/source_watch.h"

#include "daemon/base/worker.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/peers/flow_carrier.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/session/end_passed.h"
#include "daemon/control/session/live_flows.h"
#include "daemon/control/session/login.h"
#include "daemon/control/session/passed.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/store/session_store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "test/lib/policy_text.h"

#define MAC1    "02:00:5e:00:53:01"
#define MAC2    "02:00:5e:00:53:02"
#define MAC3    "02:00:5e:00:53:03"
#define HOUR_MS 3600000ull

static const char policy_text[] =
	"zone guest { interface br0 network 192.0.2.0/24, 2001:db8::/64 reauthenticate 24h\n"
	"    limit sessions 2 per user }\n"
	"zone dorm { interface br1 limit sessions 2 per user { over replace } }\n"
	"zone core { interface br2 identity address network 198.51.100.0/24 }\n"
	"device till { zone guest mac " MAC3 " user till }\n"
	"device desk { zone core address 198.51.100.64/26 user desk }\n";

static struct control control;
static char dir[64];

/* What was told of sessions that are over. */
static struct {
	unsigned n;
	uint64_t session;
	enum source_gone how;
} gone;

static void on_gone(void *context, uint64_t id, enum source_gone how)
{
	(void)context;
	gone.n++;
	gone.session = id;
	gone.how = how;
}

static void open_store(uint64_t *last_id)
{
	assert_int_equal(session_store_open(control.loop, dir, control.table, control.lists,
				 control.blocks, clock_now_ms(&control), last_id, &control.store),
		0);
}

/* No process is there to say anything. */
static const struct peer_face face;

static void on_peer_left(struct control *of)
{
	(void)of;
}

/* Nor does the kernel carry anything. */
static void on_kill(struct flow_carrier *carrier, const struct ipc_kill *order)
{
	(void)carrier;
	(void)order;
}

static void on_kill_unknown(
	struct flow_carrier *carrier, const struct session *session, enum ending ending)
{
	(void)carrier;
	(void)session;
	(void)ending;
}

static const struct flow_carrier_face carrier_face = {
	.kill = on_kill, .kill_unknown = on_kill_unknown};
static struct flow_carrier carrier = {.face = &carrier_face};

static int set_up(void **state)
{
	uint64_t last_id;
	(void)state;
	control = (struct control){.loop = loop_new(),
		.table = session_table_new(),
		.lists = lists_new(),
		.blocks = blocks_new(),
		.policy = policy_of_text(policy_text, NULL)};
	memset(&gone, 0, sizeof(gone));
	strcpy(dir, "/tmp/sources.XXXXXX");
	assert_non_null(mkdtemp(dir));
	control.start.options.state_dir = dir;
	control.disk = worker_open(control.loop);
	questions_init(&control.keeper_asks, control.loop, NULL);
	control.entries = entries_new(&control);
	control.flow_peers = flow_peers_new(&control, &face, on_peer_left);
	control.flow_carrier = &carrier;
	control.end_passed = end_passed_new(&control);
	control.live_flows = live_flows_new();
	control.sessions = sessions_new(&control);
	control.source_watch = source_watch_new();
	open_store(&last_id);
	control.passed = passed_open(&control, last_id);
	sessions_loaded(control.sessions, last_id);
	assert_int_equal(
		session_table_set_devices(control.table, control.policy, control.lists), 0);
	source_watch_gone(&control, on_gone, NULL);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	(void)state;
	session_store_close(control.store);
	sessions_free(control.sessions);
	source_watch_free(control.source_watch);
	end_passed_free(control.end_passed);
	worker_close(control.disk);
	passed_free(control.passed);
	live_flows_free(control.live_flows);
	flow_peers_close(control.flow_peers);
	flow_peers_free(control.flow_peers);
	entries_free(control.entries);
	session_table_free(control.table);
	blocks_free(control.blocks);
	lists_free(control.lists);
	policy_unref(control.policy);
	loop_free(control.loop);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* ---- what is told ---- */

static struct gather gather;
static bool stored;

static void on_stored(struct gather *all)
{
	stored = true;
	assert_int_equal(all->status, 0);
}

static void begin(void)
{
	stored = false;
	gather_init(&gather, on_stored);
}

static void all_is_stored(void)
{
	gather_end(&gather, 0, NULL);
	session_store_settle(control.store);
	assert_true(stored);
}

static uint64_t last; /* the session that was told of */

/* addresses: by blanks; NULL: none. */
static enum source_outcome put(uint64_t id, const char *zone, const char *user, const char *mac,
	const char *addresses, uint64_t lease_ms)
{
	struct source_order order = {.source = SESSION_SOURCE_RADIUS,
		.via = "wlc",
		.nas = "ap1",
		.user = user,
		.zone = zone,
		.groups = {"people"},
		.ngroups = 1,
		.lease_ms = lease_ms};
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &order.mac), 0);
	for (const char *at = addresses; at && *at;) {
		size_t len = strcspn(at, " ");
		assert_int_equal(prefix_parse(at, len, &order.addresses[order.naddresses++]), 0);
		at += len + (at[len] == ' ');
	}
	begin();
	enum source_outcome outcome = source_put(&control, id, &order, &gather, &last);
	all_is_stored();
	return outcome;
}

static const struct session *find(uint64_t id)
{
	return session_table_find(control.table, id);
}

/* Whose session a client has: "" for none. */
static const char *user_of(const char *zone, const char *mac, const char *address)
{
	ptrdiff_t index = policy_find_zone(control.policy, zone);
	struct mac m = {0};
	struct addr addr;
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &m), 0);
	assert_int_equal(addr_parse(address, strlen(address), &addr), 0);
	const struct session *session = session_table_identify(
		control.table, zone, control.policy->zones[index].identity, &m, &addr);
	return session ? session->user.text : "";
}

static enum login_outcome login_outcome;

static void on_login(void *context, enum login_outcome outcome, uint64_t id, const char *text)
{
	(void)context;
	(void)text;
	login_outcome = outcome;
	last = id;
}

static enum login_outcome log_in(
	const char *zone, const char *user, const char *mac, const char *address)
{
	struct login_order order = {0};
	strcpy(order.zone, zone);
	strcpy(order.user, user);
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &order.mac), 0);
	if (address)
		assert_int_equal(prefix_parse(address, strlen(address),
					 &order.addresses[order.naddresses++]),
			0);
	login_begin(&control, &order, on_login, NULL);
	session_store_settle(control.store);
	return login_outcome;
}

/* Time goes on, and what is over by then ends. */
static void pass(uint64_t ms)
{
	control.steady.offset_ms += (int64_t)ms;
	sessions_arm(control.sessions);
	sessions_end_due(control.sessions);
	session_store_settle(control.store);
}

static void end(uint64_t id)
{
	begin();
	source_end(&control, id, &gather);
	all_is_stored();
}

/* ---- the cases ---- */

static void a_zone_takes_what_its_identity_needs(void **state)
{
	static const struct {
		const char *zone, *mac, *addresses;
		enum source_outcome outcome;
	} cases[] = {
		{"guest", MAC1, NULL, SOURCE_OPENED},
		{"guest", MAC1, "192.0.2.1 2001:db8::1", SOURCE_OPENED},
		{"guest", MAC1, "192.0.2.1 203.0.113.1", SOURCE_OUTSIDE},
		{"guest", MAC1, "0.0.0.0/0", SOURCE_OUTSIDE},
		{"guest", NULL, "192.0.2.1", SOURCE_NO_MAC},
		{"guest", "01:00:5e:00:00:01", NULL, SOURCE_NO_MAC},
		{"guest", NULL, "192.0.2.64/28", SOURCE_OPENED}, /* behind a router */
		{"core", NULL, "198.51.100.1", SOURCE_OPENED},
		{"core", MAC1, NULL, SOURCE_NO_ADDRESS},
		{"core", NULL, "192.0.2.1", SOURCE_OUTSIDE},
		{"dorm", MAC1, "::1", SOURCE_OUTSIDE},
		{"lobby", MAC1, NULL, SOURCE_NO_ZONE},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum source_outcome outcome =
			put(0, cases[i].zone, "ann", cases[i].mac, cases[i].addresses, HOUR_MS);
		if (outcome != cases[i].outcome)
			fail_msg("case %zu: %s", i, source_outcome_names[outcome]);
		end(last);
	}
	assert_int_equal(session_table_count(control.table), 0);
}

static void a_session_is_renewed_and_its_addresses_are_what_was_told_last(void **state)
{
	(void)state;
	assert_int_equal(put(0, "guest", "ann", MAC1, NULL, HOUR_MS), SOURCE_OPENED);
	uint64_t id = last;
	assert_string_equal(user_of("guest", MAC1, "192.0.2.1"), "ann");
	assert_int_equal(put(id, "guest", "ann", MAC1, "192.0.2.1", HOUR_MS), SOURCE_RENEWED);
	assert_int_equal(put(id, "guest", "ann", NULL, NULL, HOUR_MS), SOURCE_RENEWED);
	assert_int_equal(find(id)->naddresses, 1); /* an update that names none takes none away */
	assert_int_equal(put(id, "guest", "ann", MAC1, "192.0.2.2 2001:db8::2", 2 * HOUR_MS),
		SOURCE_RENEWED);
	assert_int_equal(last, id);
	assert_int_equal(find(id)->naddresses, 2);
	assert_int_equal(find(id)->lease_end_ms, clock_now_ms(&control) + 2 * HOUR_MS);
	char source[SESSION_SOURCE_TEXT_SIZE];
	assert_string_equal(session_format_source(find(id), source), "radius wlc");
	assert_string_equal(find(id)->nas.text, "ap1");
	assert_string_equal(find(id)->groups[0].text, "people");
	end(id);
	assert_null(find(id));
	end(id); /* again is nothing */
	assert_int_equal(gone.n, 0);
}

static void who_roams_goes_on_and_another_user_ends_him(void **state)
{
	(void)state;
	put(0, "guest", "ann", MAC1, "192.0.2.1", HOUR_MS);
	uint64_t id = last;
	assert_int_equal(put(0, "guest", "ann", MAC1, "192.0.2.9", HOUR_MS), SOURCE_RENEWED);
	assert_int_equal(last, id);
	assert_int_equal(put(0, "guest", "bob", MAC1, NULL, HOUR_MS), SOURCE_OPENED);
	assert_true(last != id);
	assert_null(find(id));
	assert_int_equal(gone.session, id);
	assert_int_equal(gone.how, SOURCE_GONE_REPLACED);
	/* an address that is another MAC's now is taken from who had it */
	put(last, "guest", "bob", MAC1, "192.0.2.1 2001:db8::1", HOUR_MS);
	id = last;
	put(0, "guest", "cid", MAC2, "192.0.2.1", HOUR_MS);
	assert_int_equal(find(id)->naddresses, 1);
	/* the number was used again, by another user */
	assert_int_equal(put(id, "guest", "dan", MAC1, NULL, HOUR_MS), SOURCE_OPENED);
	assert_null(find(id));
	assert_string_equal(user_of("guest", MAC1, "192.0.2.77"), "dan");
	/* and one that is over is opened */
	assert_int_equal(put(id, "core", "eve", NULL, "198.51.100.1", HOUR_MS), SOURCE_OPENED);
	assert_true(last > id);
}

static void a_login_and_a_device_stay_what_they_are(void **state)
{
	(void)state;
	assert_int_equal(log_in("guest", "ann", MAC1, "192.0.2.1"), LOGIN_NEW);
	uint64_t id = last;
	assert_int_equal(put(0, "guest", "ann", MAC1, NULL, HOUR_MS), SOURCE_TAKEN);
	assert_int_equal(put(0, "guest", "bob", MAC1, NULL, HOUR_MS), SOURCE_TAKEN);
	assert_int_equal(put(0, "guest", "bob", MAC2, "192.0.2.1", HOUR_MS), SOURCE_TAKEN);
	assert_int_equal(put(id, "guest", "ann", MAC1, NULL, HOUR_MS), SOURCE_TAKEN);
	end(id);
	assert_int_equal(find(id)->source, SESSION_SOURCE_CLI);
	assert_int_equal(find(id)->lease_end_ms, find(id)->hard_end_ms);

	assert_int_equal(put(0, "guest", "bob", MAC2, NULL, HOUR_MS), SOURCE_OPENED);
	uint64_t told = last;
	assert_int_equal(log_in("guest", "bob", MAC2, NULL), LOGIN_RENEWED);
	assert_int_equal(last, told);
	assert_int_equal(find(told)->source, SESSION_SOURCE_CLI);
	assert_int_equal(gone.how, SOURCE_GONE_REPLACED);
	assert_int_equal(gone.n, 1);
	end(told); /* a late end is none of a login's */
	assert_non_null(find(told));

	assert_int_equal(put(0, "guest", "eve", MAC3, NULL, HOUR_MS), SOURCE_OPENED);
	assert_string_equal(user_of("guest", MAC3, "192.0.2.3"), "till");
	assert_int_equal(put(0, "core", "eve", NULL, "198.51.100.70", HOUR_MS), SOURCE_OPENED);
	assert_string_equal(user_of("core", NULL, "198.51.100.70"), "desk");
	/* while a login there is as it was */
	assert_int_equal(log_in("core", "ann", NULL, "198.51.100.71"), LOGIN_NEW);
	assert_string_equal(user_of("core", NULL, "198.51.100.71"), "ann");
}

static void no_renewal_moves_the_hard_end(void **state)
{
	(void)state;
	put(0, "guest", "ann", MAC1, NULL, 8 * HOUR_MS);
	uint64_t id = last, hard_end_ms = clock_now_ms(&control) + 24 * HOUR_MS;
	for (unsigned hour = 0; hour < 24; hour += 6) {
		assert_int_equal(find(id)->hard_end_ms, hard_end_ms);
		assert_true(find(id)->lease_end_ms <= hard_end_ms);
		pass(6 * HOUR_MS - 1000);
		put(id, "guest", "ann", MAC1, NULL, 8 * HOUR_MS);
		assert_int_equal(last, id);
	}
	assert_int_equal(find(id)->lease_end_ms, hard_end_ms);
	/* over a restart, too */
	uint64_t last_id;
	session_store_close(control.store);
	session_table_free(control.table);
	control.table = session_table_new();
	open_store(&last_id);
	assert_int_equal(find(id)->hard_end_ms, hard_end_ms);
	assert_string_equal(find(id)->via.text, "wlc");
	assert_string_equal(find(id)->nas.text, "ap1");
	pass(5000);
	assert_null(find(id));
	assert_int_equal(gone.how, SOURCE_GONE_OUT);

	/* a new number at the access server is a new login */
	put(0, "guest", "ann", MAC1, NULL, 8 * HOUR_MS);
	id = last;
	pass(7 * HOUR_MS);
	put(0, "guest", "ann", MAC1, NULL, 8 * HOUR_MS);
	assert_int_equal(last, id);
	assert_int_equal(find(id)->hard_end_ms, clock_now_ms(&control) + 24 * HOUR_MS);

	/* what renews nothing ends by its lease, and may be told of again */
	pass(8 * HOUR_MS);
	assert_null(find(id));
	assert_int_equal(gone.how, SOURCE_GONE_AGAIN);
}

static void a_login_that_renews_does_not_move_it_either(void **state)
{
	(void)state;
	log_in("guest", "ann", MAC1, NULL);
	uint64_t id = last, hard_end_ms = find(id)->hard_end_ms;
	assert_int_equal(hard_end_ms, clock_now_ms(&control) + 24 * HOUR_MS);
	pass(23 * HOUR_MS);
	assert_int_equal(log_in("guest", "ann", MAC1, NULL), LOGIN_RENEWED);
	assert_int_equal(find(id)->hard_end_ms, hard_end_ms);
	login_renew(&control, id, true, 8 * HOUR_MS, on_login, NULL);
	session_store_settle(control.store);
	assert_int_equal(find(id)->lease_end_ms, hard_end_ms);
	pass(HOUR_MS + 1000);
	assert_null(find(id));
}

static void one_too_many_is_refused_or_takes_the_oldest_place(void **state)
{
	uint64_t first;
	char mac[MAC_TEXT_SIZE];
	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		snprintf(mac, sizeof(mac), "02:00:5e:00:53:%02x", 0x20 + i);
		assert_int_equal(put(0, "guest", "ann", mac, NULL, HOUR_MS), SOURCE_OPENED);
		assert_int_equal(put(last, "guest", "ann", mac, NULL, HOUR_MS), SOURCE_RENEWED);
	}
	assert_int_equal(put(0, "guest", "ann", MAC1, NULL, HOUR_MS), SOURCE_OVER_LIMIT);
	assert_int_equal(put(0, "guest", "Ann", MAC1, NULL, HOUR_MS), SOURCE_OPENED);

	put(0, "dorm", "ann", MAC1, NULL, HOUR_MS);
	first = last;
	pass(1000);
	put(0, "dorm", "ann", MAC2, NULL, HOUR_MS);
	uint64_t second = last;
	pass(1000);
	put(first, "dorm", "ann", MAC1, NULL, HOUR_MS); /* renewed, and the oldest still */
	assert_int_equal(put(0, "dorm", "ann", MAC3, NULL, HOUR_MS), SOURCE_OPENED);
	assert_null(find(first));
	assert_non_null(find(second));
	assert_int_equal(gone.session, first);
	assert_int_equal(gone.how, SOURCE_GONE_OUT);
	/* by a login, too */
	assert_int_equal(log_in("dorm", "ann", MAC1, NULL), LOGIN_REPLACED);
	assert_null(find(second));
	assert_int_equal(session_table_count_user(control.table, "dorm", "ann"), 2);
	assert_int_equal(session_table_count_user(control.table, "guest", "ann"), 2);
}

/* A device that changes its address all the time is one session, and bounded. */
static void a_flapping_address_is_one_session(void **state)
{
	char address[64];
	(void)state;
	put(0, "guest", "ann", MAC1, "192.0.2.1", HOUR_MS);
	uint64_t id = last;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u 2001:db8::%x", 1 + i % 250, i);
		put(i % 3 ? id : 0, "guest", "ann", MAC1, address, HOUR_MS);
		assert_int_equal(last, id);
	}
	assert_int_equal(find(id)->naddresses, 2);
	assert_int_equal(session_table_count(control.table), 1);
	assert_int_equal(gone.n, 0);
}

/* Ten thousand at once wait for the disk together. */
static void a_burst_is_one_gather(void **state)
{
	struct source_order order = {.source = SESSION_SOURCE_RADIUS,
		.via = "wlc",
		.nas = "ap1",
		.zone = "guest",
		.lease_ms = HOUR_MS};
	char user[32];
	uint64_t id;
	(void)state;
	begin();
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		order.user = user;
		order.mac = (struct mac){{0x02, 0, 0x5e, 0x10, (uint8_t)(i >> 8), (uint8_t)i}};
		assert_int_equal(source_put(&control, 0, &order, &gather, &id), SOURCE_OPENED);
		assert_false(stored);
	}
	all_is_stored();
	assert_int_equal(session_table_count(control.table), 10000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_zone_takes_what_its_identity_needs),
		CASE(a_session_is_renewed_and_its_addresses_are_what_was_told_last),
		CASE(who_roams_goes_on_and_another_user_ends_him),
		CASE(a_login_and_a_device_stay_what_they_are),
		CASE(no_renewal_moves_the_hard_end),
		CASE(a_login_that_renews_does_not_move_it_either),
		CASE(one_too_many_is_refused_or_takes_the_oldest_place),
		CASE(a_flapping_address_is_one_session),
		CASE(a_burst_is_one_gather),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
