/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision of listeners and of protected domains: who may speak, whose mail goes where, in
 * which direction. */
#include "lib/base/hash.h"
#include "lib/policy/decide/decide.h"

#include "lib/language/language.h"
#include "lib/policy/element.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW UINT64_C(1774659600000)

static struct tm *local(const time_t *time, struct tm *tm)
{
	return gmtime_r(time, tm);
}

struct stage {
	struct policy *policy;
	struct lists *lists;
	struct session_table *sessions;
	struct decide_world world;
};

static struct stage set_up(const char *text)
{
	struct stage stage = {.lists = lists_new(), .sessions = session_table_new()};

	stage.policy = policy_of_text(text, NULL);
	stage.world = (struct decide_world){.policy = stage.policy,
		.lists = stage.lists,
		.sessions = stage.sessions,
		.local = local};
	return stage;
}

static void tear_down(struct stage *stage)
{
	policy_unref(stage->policy);
	lists_free(stage->lists);
	session_table_free(stage->sessions);
}

static void grow(struct stage *stage, const char *list, enum policy_list_holds holds,
	const char *text, uint64_t end_ms)
{
	struct policy_elem elem;
	assert_null(element_parse(holds, text, strlen(text), &elem));
	assert_int_equal(lists_add(stage->lists, list, &elem, end_ms), 0);
}

static struct decide_origin at(const struct stage *stage, const char *name, const char *source)
{
	ptrdiff_t listener = policy_find_listener(stage->policy, name);
	struct decide_origin origin = {.of_listener = listener >= 0};

	if (listener >= 0)
		origin.listener = (size_t)listener;
	else
		origin.zone = (size_t)policy_find_zone(stage->policy, name);
	assert_int_equal(addr_parse(source, strlen(source), &origin.source), 0);
	return origin;
}

static void name(struct decide_origin *origin, size_t n, const char *const *names)
{
	origin->hosts = names;
	origin->nhosts = n;
}

static struct smtp_path path_of(const char *text, unsigned way)
{
	struct smtp_path path;
	size_t used;
	assert_int_equal(smtp_path_parse(&path, way, text, strlen(text), &used), SMTP_PATH_GOOD);
	return path;
}

/* "inside", "550 5.7.1 relaying denied": what a recipient meets; user NULL: none. */
static const char *meets(const struct stage *stage, const struct decide_origin *origin,
	const char *user, const char *sender, const char *recipient)
{
	static char text[256];
	static struct decide_reply reply;
	struct session session = {0};
	struct endpoint original = {.port = 25};
	struct smtp_path from = path_of(sender, 0), to;
	struct decide_envelope envelope = {.original = &original, .sender = &from};

	addr_parse("203.0.113.1", 11, &original.addr);
	if (user) {
		session.user = (struct policy_string){
			user, (uint32_t)strlen(user), hash_bytes(user, strlen(user))};
		envelope.session = &session;
	}
	if (!recipient) {
		decide_sender(&stage->world, origin, &envelope, NOW, &reply);
	} else {
		to = path_of(recipient, SMTP_PATH_RECIPIENT);
		envelope.recipient = &to;
		decide_recipient(&stage->world, origin, &envelope, NOW, &reply);
		assert_int_equal(reply.direction == DECIDE_INCOMING, reply.domain >= 0);
	}
	assert_int_equal(reply.submission, user != NULL);
	if (!reply.permitted)
		snprintf(text, sizeof(text), "%u %s %s", reply.code, reply.status, reply.text);
	else if (!recipient)
		snprintf(text, sizeof(text), "permitted");
	else
		snprintf(text, sizeof(text), "%s%s", stage->policy->servers[reply.server].name.text,
			reply.direction == DECIDE_INCOMING ? " incoming" : " outgoing");
	return text;
}

#define SERVERS                                                                    \
	"server inside { host 192.0.2.140 }\nserver branch { host 192.0.2.141 }\n" \
	"server queue { host 192.0.2.142 }\n"
static const char site[] =
	"zone guest { interface e0 unauthenticated answer 421 \"log in\" }\n"
	"zone later { interface e1 unauthenticated answer 554 \"never\" }\n"
	"listener in { address 203.0.113.1 }\nlistener out { address 203.0.113.1 port 587 }\n"
	"listener few { address 203.0.113.1 port 26 }\n"
	"list office { 192.0.2.0/24, 2001:db8:20::/64 }\nlist grown dynamic\n"
	"list customers host { \"one.example\", \".deep.one.example\" }\nlist more host dynamic\n"
	"list people mail { \"anna@hotel.example\", \"@sub.hotel.example\" }\n" SERVERS
	"domain hotel { name \"hotel.example\", \".hotel.example\" server inside "
	"recipient people, \"desk@hotel.example\" }\n"
	"domain branch { name \"branch.hotel.example\", \".b\xc3\xbc"
	"cher.example\", customers, more server branch }\n"
	"rule no { listener in sender \"@spam.example\" verdict answer 554 \"no spam\" }\n"
	"rule in { listener in recipient protected server protected }\n"
	"rule office { listener in source office, grown server queue }\n"
	"rule staff { listener out user any server queue }\n"
	"rule near { user none recipient protected server protected }\n"
	"rule one { listener out recipient \"only@hotel.example\" verdict answer 554 \"not her\" "
	"}\n"
	"rule nobody { listener in group not \"x\" verdict answer 421 \"not of x\" }\n"
	"rule abuse { listener few source 198.51.100.66 verdict answer 554 \"abuse\" }\n"
	"rule few { listener few group \"few\" server queue }\n"
	"rule guests { zone guest server queue }\n";

static void each_recipient_goes_by_its_domain(void **state)
{
	static const struct {
		const char *recipient, *met;
	} cases[] = {
		{"<anna@hotel.example>", "inside incoming"},
		{"<ANNA@Hotel.Example.>", "inside incoming"},
		{"<anna+lists@hotel.example>", "inside incoming"},
		{"<prvs=1234567890=anna@hotel.example>", "inside incoming"},
		{"<SRS0=abcd=xy=far.example=bob@hotel.example>", "inside incoming"},
		{"<srs1=abcd=far.example==xy=bob@hotel.example>", "inside incoming"},
		{"<desk@hotel.example>", "inside incoming"},
		{"<anybody@sub.hotel.example>", "inside incoming"},
		{"<bob@hotel.example>", "550 5.1.1 no such recipient here"},
		{"<anna@other.hotel.example>", "550 5.1.1 no such recipient here"},
		{"<postmaster>", "inside incoming"},
		{"<Postmaster@hotel.example>", "inside incoming"},
		{"<postmaster@x.hotel.example>", "inside incoming"},
		/* the longest name */
		{"<bob@branch.hotel.example>", "branch incoming"},
		{"<bob@one.example>", "branch incoming"},
		{"<bob@deep.one.example>", "550 5.7.1 relaying denied"},
		{"<bob@x.deep.one.example>", "branch incoming"},
		{"<bob@new.example>", "branch incoming"},
		{"<bob@a.xn--bcher-kva.example>", "branch incoming"},
		{"<bob@xn--bcher-kva.example>", "550 5.7.1 relaying denied"},
		{"<bob@x.new.example>", "550 5.7.1 relaying denied"},
		{"<bob@over.example>", "550 5.7.1 relaying denied"},
		{"<bob@notours.example>", "550 5.7.1 relaying denied"},
		{"<bob@xhotel.example>", "550 5.7.1 relaying denied"},
		{"<bob@example>", "550 5.7.1 relaying denied"},
	};
	struct stage stage = set_up(site);
	struct decide_origin origin = at(&stage, "in", "198.51.100.7");
	(void)state;
	grow(&stage, "more", POLICY_HOLDS_HOSTS, "NEW.example", 0);
	grow(&stage, "more", POLICY_HOLDS_HOSTS, "over.example", NOW - 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *met =
			meets(&stage, &origin, NULL, "<eve@evil.example>", cases[i].recipient);
		if (strcmp(met, cases[i].met) != 0)
			fail_msg("%s: %s", cases[i].recipient, met);
	}
	tear_down(&stage);
}

static void who_sends_from_where_meets_its_rule(void **state)
{
	static const struct {
		const char *origin, *source, *user, *sender, *recipient, *met;
	} cases[] = {
		{"in", "192.0.2.9", NULL, "<a@b.example>", "<x@far.example>", "queue outgoing"},
		{"in", "2001:db8:20::9", NULL, "<>", "<x@far.example>", "queue outgoing"},
		{"in", "198.51.100.7", NULL, "<>", "<x@far.example>", "550 5.7.1 relaying denied"},
		{"in", "198.51.100.66", NULL, "<>", "<x@far.example>", "queue outgoing"},
		{"in", "198.51.100.7", NULL, "<x@spam.example>", "<anna@hotel.example>",
			"550 5.7.1 no spam"},
		{"in", "198.51.100.7", NULL, "<a@b.example>", NULL, "permitted"},
		{"out", "198.51.100.7", NULL, "<a@b.example>", NULL, "530 5.7.0 log in first"},
		/* who could not send if he did is told so by the recipient */
		{"few", "198.51.100.7", NULL, "<a@b.example>", NULL, "530 5.7.0 log in first"},
		{"few", "198.51.100.66", NULL, "<a@b.example>", NULL, "permitted"},
		{"few", "198.51.100.66", NULL, "<a@b.example>", "<x@far.example>",
			"550 5.7.1 abuse"},
		{"out", "198.51.100.7", NULL, "<>", "<anna@hotel.example>",
			"550 5.7.1 relaying denied"},
		{"out", "198.51.100.7", NULL, "<>", "<only@hotel.example>", "550 5.7.1 not her"},
		{"out", "198.51.100.7", "anna", "<a@b.example>", NULL, "permitted"},
		{"out", "198.51.100.7", "anna", "<a@b.example>", "<x@far.example>",
			"queue outgoing"},
		{"out", "198.51.100.7", "anna", "<a@b.example>", "<desk@hotel.example>",
			"queue incoming"},
		{"guest", "198.51.100.7", NULL, "<a@b.example>", NULL, "permitted"},
		{"guest", "198.51.100.7", NULL, "<a@b.example>", "<desk@hotel.example>",
			"inside incoming"},
		{"guest", "198.51.100.7", NULL, "<a@b.example>", "<x@far.example>",
			"450 4.7.1 log in"},
		{"later", "198.51.100.7", NULL, "<a@b.example>", "<x@far.example>",
			"550 5.7.1 never"},
		{"guest", "198.51.100.7", "gast", "<a@b.example>", "<x@far.example>",
			"queue outgoing"},
		/* who is known is not for `user none` */
		{"guest", "198.51.100.7", "gast", "<a@b.example>", "<desk@hotel.example>",
			"queue incoming"},
		{"later", "198.51.100.7", "gast", "<a@b.example>", "<desk@hotel.example>",
			"450 4.7.1 No rule for you here"},
	};
	struct stage stage = set_up(site);
	(void)state;
	grow(&stage, "grown", POLICY_HOLDS_ADDRESSES, "198.51.100.66", 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decide_origin origin = at(&stage, cases[i].origin, cases[i].source);
		const char *met =
			meets(&stage, &origin, cases[i].user, cases[i].sender, cases[i].recipient);
		if (strcmp(met, cases[i].met) != 0)
			fail_msg("%zu: %s, not %s", i, met, cases[i].met);
		/* and without the short forms of the rules */
		const struct decide_summary *summaries = stage.policy->summaries;
		stage.policy->summaries = NULL;
		met = meets(&stage, &origin, cases[i].user, cases[i].sender, cases[i].recipient);
		if (strcmp(met, cases[i].met) != 0)
			fail_msg("%zu, without summaries: %s", i, met);
		stage.policy->summaries = summaries;
	}
	tear_down(&stage);
}

static const char *decided(const struct stage *stage, const struct decide_origin *origin)
{
	struct endpoint original = {.port = 25};
	struct decision decision;
	addr_parse("203.0.113.99", 12, &original.addr);
	decide_connection(&stage->world, origin, &original, NOW, &decision);
	return decide_reason_names[decision.reason];
}

static void a_listener_accepts_whom_it_says(void **state)
{
	struct stage stage =
		set_up("list friends { 192.0.2.0/24 }\nlist hosts host { \".partner.example\" }\n"
		       "list named host dynamic\n"
		       "listener all { address 203.0.113.1 }\n"
		       "listener some { address 203.0.113.2 accept friends, \"mx.one.example\", "
		       "hosts, named }\n"
		       "listener most { address 203.0.113.3 accept not friends }\n");
	static const struct {
		const char *listener, *source, *host, *reason;
	} cases[] = {
		{"all", "198.51.100.7", NULL, "envelope"},
		{"some", "192.0.2.7", NULL, "envelope"},
		{"some", "198.51.100.7", NULL, "not-accepted"},
		{"some", "198.51.100.7", "mx.one.example", "envelope"},
		{"some", "198.51.100.7", "MX.One.example", "envelope"},
		{"some", "198.51.100.7", "x.mx.one.example", "not-accepted"},
		{"some", "198.51.100.7", "a.partner.example", "envelope"},
		{"some", "198.51.100.7", "partner.example", "not-accepted"},
		{"some", "198.51.100.7", "evilpartner.example", "not-accepted"},
		{"some", "198.51.100.7", "grown.example", "envelope"},
		{"most", "192.0.2.7", NULL, "not-accepted"},
		{"most", "198.51.100.7", NULL, "envelope"},
	};
	(void)state;
	grow(&stage, "named", POLICY_HOLDS_HOSTS, "grown.example", 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decide_origin origin = at(&stage, cases[i].listener, cases[i].source);
		name(&origin, cases[i].host != NULL, &cases[i].host);
		if (strcmp(decided(&stage, &origin), cases[i].reason) != 0)
			fail_msg("%zu: %s", i, decided(&stage, &origin));
	}
	assert_false(decide_wants_host(stage.policy, 0));
	assert_true(decide_wants_host(stage.policy, 1));
	assert_false(decide_wants_host(stage.policy, 2));
	tear_down(&stage);
}

static void a_source_may_be_a_name(void **state)
{
	struct stage stage =
		set_up("listener in { address 203.0.113.1 }\n" SERVERS
		       "rule r { listener in source \"mx.one.example\" server queue }");
	struct decide_origin origin = at(&stage, "in", "198.51.100.7");
	(void)state;
	assert_true(decide_wants_host(stage.policy, 0));
	assert_string_equal(
		meets(&stage, &origin, NULL, "<>", "<x@far.example>"), "550 5.7.1 relaying denied");
	name(&origin, 1, (const char *[]){"mx.one.example"});
	assert_string_equal(
		meets(&stage, &origin, NULL, "<>", "<x@far.example>"), "queue outgoing");
	name(&origin, 1, (const char *[]){"mx.one.example.evil.example"});
	assert_string_equal(
		meets(&stage, &origin, NULL, "<>", "<x@far.example>"), "550 5.7.1 relaying denied");
	name(&origin, 2, (const char *[]){"a.far.example", "mx.one.example"});
	assert_string_equal(
		meets(&stage, &origin, NULL, "<>", "<x@far.example>"), "queue outgoing");
	tear_down(&stage);
}

/* Of several names one is enough, in lists too; with `not` one is enough to be out. */
static void each_name_of_a_client_counts(void **state)
{
	struct stage stage = set_up("list named host dynamic\n"
				    "listener some { address 203.0.113.1 accept named, "
				    "\".partner.example\" }\n"
				    "listener most { address 203.0.113.2 accept not "
				    "\".partner.example\" }\n"
				    "listener grown { address 203.0.113.3 accept named }\n");
	static const char *const names[] = {"mx.far.example", "a.partner.example", "grown.example"};
	static const char *const orders[][2] = {
		{"mx.far.example", "grown.example"}, {"grown.example", "mx.far.example"}};
	const uint64_t ends_ms = NOW + 60000;
	struct decision decision;
	(void)state;
	struct decide_origin some = at(&stage, "some", "198.51.100.7");
	struct decide_origin most = at(&stage, "most", "198.51.100.7");
	name(&some, 1, names);
	assert_string_equal(decided(&stage, &some), "not-accepted");
	name(&some, 2, names);
	assert_string_equal(decided(&stage, &some), "envelope");
	name(&most, 1, names);
	assert_string_equal(decided(&stage, &most), "envelope");
	name(&most, 2, names);
	assert_string_equal(decided(&stage, &most), "not-accepted");
	/* by a list, until the last of its names is in it no more */
	const struct endpoint original = {.port = 25};
	struct decide_origin both = at(&stage, "grown", "198.51.100.7");
	grow(&stage, "named", POLICY_HOLDS_HOSTS, "grown.example", ends_ms);
	grow(&stage, "named", POLICY_HOLDS_HOSTS, "mx.far.example", ends_ms - 1);
	for (size_t i = 0; i < 2; i++) {
		name(&both, 2, orders[i]);
		decide_connection(&stage.world, &both, &original, NOW, &decision);
		assert_int_equal(decision.reason, DECIDE_NEEDS_ENVELOPE);
		assert_int_equal(decision.until_ms, ends_ms);
	}
	grow(&stage, "named", POLICY_HOLDS_HOSTS, "mx.far.example", 0);
	decide_connection(&stage.world, &both, &original, NOW, &decision);
	assert_int_equal(decision.until_ms, 0);
	tear_down(&stage);
}

/* DNS is asked, and a client sent away without its answer, only where a name may change something.
 */
static void what_hangs_on_a_name(void **state)
{
	struct stage stage =
		set_up("list friends { 192.0.2.0/24 }\n"
		       "listener some { address 203.0.113.1 accept friends, \"a.example\" }\n"
		       "listener near { address 203.0.113.2 accept friends }\n"
		       "listener most { address 203.0.113.3 accept not \"a.example\" }\n" SERVERS
		       "rule r { listener near source 192.0.2.7, \".b.example\" server queue }\n"
		       "rule s { listener some disabled source \".b.example\" server queue }\n");
	static const struct {
		const char *listener, *source, *host;
		bool hangs;
	} cases[] = {
		{"some", "198.51.100.7", NULL, true}, {"some", "198.51.100.7", "b.example", true},
		{"some", "198.51.100.7", "a.example", false},
		{"some", "192.0.2.8", NULL, false},    /* by its address */
		{"near", "198.51.100.7", NULL, false}, /* it is not accepted anyway */
		{"near", "192.0.2.7", NULL, false},
		{"near", "192.0.2.8", NULL, true}, /* the rule's */
		{"near", "192.0.2.8", "x.b.example", false}, {"most", "198.51.100.7", NULL, true},
		{"most", "198.51.100.7", "b.example", true},
		{"most", "198.51.100.7", "a.example", false}, /* out, whatever else it is called */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decide_origin origin = at(&stage, cases[i].listener, cases[i].source);
		name(&origin, cases[i].host != NULL, &cases[i].host);
		if (decide_hangs_on_host(&stage.world, &origin, NOW) != cases[i].hangs)
			fail_msg("%zu", i);
	}
	tear_down(&stage);
}

/* Neither yes nor no: what a name would say otherwise waits for it, and nothing else does. */
static void what_hangs_on_a_name_that_is_not_known_is_not_decided(void **state)
{
	struct stage stage = set_up(
		"list friends { 192.0.2.0/24 }\n"
		"listener some { address 203.0.113.1 accept friends, \"a.example\" }\n"
		"listener most { address 203.0.113.3 accept not \"a.example\" }\n"
		"listener near { address 203.0.113.2 accept friends }\n" SERVERS
		"domain hotel { name \"hotel.example\" server inside }\n"
		"rule p { listener near recipient protected server protected }\n"
		"rule r { listener near sender \"a@x.example\" source 192.0.2.7, \".b.example\" "
		"server queue }\n"
		"rule n { listener near sender \"b@x.example\" source not \".c.example\" "
		"verdict answer 554 \"not you\" }\n");
	static const struct {
		const char *listener, *source, *host, *reason;
	} greetings[] = {
		{"some", "192.0.2.8", NULL, "envelope"},
		{"some", "198.51.100.7", NULL, "name"},
		{"some", "198.51.100.7", "x.b.example", "name"},
		{"some", "198.51.100.7", "a.example", "envelope"},
		{"most", "198.51.100.7", NULL, "name"},
		{"most", "198.51.100.7", "a.example", "not-accepted"},
		{"near", "198.51.100.7", NULL, "not-accepted"},
		{"near", "192.0.2.8", NULL, "envelope"},
	};
	static const struct {
		const char *source, *host, *sender, *recipient, *met;
	} recipients[] = {
		{"192.0.2.8", NULL, "<a@x.example>", "<x@far.example>",
			"451 4.4.3 your host name cannot be found now"},
		{"192.0.2.8", "x.b.example", "<a@x.example>", "<x@far.example>", "queue outgoing"},
		{"192.0.2.7", NULL, "<a@x.example>", "<x@far.example>", "queue outgoing"},
		{"192.0.2.8", NULL, "<a@x.example>", "<x@hotel.example>", "inside incoming"},
		{"192.0.2.8", NULL, "<c@x.example>", "<x@far.example>",
			"550 5.7.1 relaying denied"},
		{"192.0.2.8", NULL, "<b@x.example>", "<x@far.example>",
			"451 4.4.3 your host name cannot be found now"},
		{"192.0.2.8", "x.c.example", "<b@x.example>", "<x@far.example>",
			"550 5.7.1 relaying denied"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(greetings) / sizeof(*greetings); i++) {
		struct decide_origin origin =
			at(&stage, greetings[i].listener, greetings[i].source);
		name(&origin, greetings[i].host != NULL, &greetings[i].host);
		origin.hosts_open = true;
		if (strcmp(decided(&stage, &origin), greetings[i].reason) != 0)
			fail_msg("%zu: %s", i, decided(&stage, &origin));
	}
	for (size_t i = 0; i < sizeof(recipients) / sizeof(*recipients); i++) {
		struct decide_origin origin = at(&stage, "near", recipients[i].source);
		name(&origin, recipients[i].host != NULL, &recipients[i].host);
		origin.hosts_open = true;
		const char *met =
			meets(&stage, &origin, NULL, recipients[i].sender, recipients[i].recipient);
		if (strcmp(met, recipients[i].met) != 0)
			fail_msg("%zu: %s", i, met);
	}
	tear_down(&stage);
}

/* A flow of who is not logged in is read where `user none` speaks, and answered elsewhere. */
static void a_zone_reads_strangers_only_where_it_is_asked_to(void **state)
{
	struct stage stage =
		set_up("zone guest { interface e0 }\nzone other { interface e1 }\n" SERVERS
		       "domain hotel { name \"hotel.example\" server inside }\n"
		       "rule near { zone guest source 192.0.2.0/24 user none recipient protected "
		       "server inside }\n");
	struct decide_origin origin = at(&stage, "guest", "192.0.2.7");
	(void)state;
	assert_string_equal(decided(&stage, &origin), "envelope");
	origin = at(&stage, "guest", "198.51.100.7");
	assert_string_equal(decided(&stage, &origin), "unauthenticated");
	origin = at(&stage, "other", "192.0.2.7");
	assert_string_equal(decided(&stage, &origin), "unauthenticated");
	/* the kernel sends it to the relay either way */
	enum mark mark;
	uint64_t until_ms;
	assert_true(decide_client(&stage.world, &origin, NOW, &mark, &until_ms, NULL));
	assert_int_equal(mark, MARK_RELAY);
	tear_down(&stage);
}

static bool is_second(void *context, size_t server, const struct addr *addr)
{
	(void)context;
	(void)addr;
	return server == 1;
}

static void a_destination_is_protected_by_its_address(void **state)
{
	struct stage stage =
		set_up("zone guest { interface e0 }\nserver inside { host 203.0.113.99 }\n"
		       "server named { host \"mx.two.example\" }\nserver else { host 192.0.2.1 }\n"
		       "domain hotel { name \"hotel.example\" server inside }\n"
		       "domain two { name \"two.example\" server named }\n"
		       "rule ours { zone guest destination protected server inside }\n"
		       "rule rest { zone guest server else }\n");
	struct decide_origin origin = at(&stage, "guest", "192.0.2.7");
	struct endpoint original = {.port = 25};
	struct session session = {
		.zone = stage.policy->zones[0].name, .kind = SESSION_PORTAL, .id = 1};
	struct decision decision;
	static const char *const wanted[][3] = {
		{"203.0.113.99", "ours", "ours"}, {"198.51.100.1", "rest", "ours"}};
	(void)state;
	session.user = (struct policy_string){"u", 1, hash_bytes("u", 1)};
	session.mac.bytes[5] = origin.mac.bytes[5] = 7;
	session.mac.bytes[0] = origin.mac.bytes[0] = 2;
	assert_int_equal(session_table_put(stage.sessions, &session), 0);
	for (size_t i = 0; i < 4; i++) {
		addr_parse(wanted[i / 2][0], strlen(wanted[i / 2][0]), &original.addr);
		stage.world.is_host = i % 2 ? is_second : NULL;
		decide_connection(&stage.world, &origin, &original, NOW, &decision);
		assert_int_equal(decision.reason, DECIDE_RULE);
		assert_string_equal(
			stage.policy->rules[decision.rule].name.text, wanted[i / 2][1 + i % 2]);
	}
	tear_down(&stage);
}

static void two_thousand_domains_are_told_apart(void **state)
{
	char *text, name[64];
	size_t len;
	FILE *out = open_memstream(&text, &len);
	(void)state;
	fprintf(out, "listener in { address 203.0.113.1 }\n" SERVERS "list names host {");
	for (unsigned i = 0; i < 2000; i++)
		fprintf(out, "%s \"d%u.example\"", i ? "," : "", i);
	fprintf(out, " }\ndomain all { name names server inside }\n"
		     "rule in { listener in recipient protected server protected }\n");
	fclose(out);
	struct stage stage = set_up(text);
	struct decide_origin origin = at(&stage, "in", "198.51.100.7");
	for (unsigned i = 0; i < 2100; i++) {
		snprintf(name, sizeof(name), "<x@d%u.example>", i);
		assert_string_equal(meets(&stage, &origin, NULL, "<>", name),
			i < 2000 ? "inside incoming" : "550 5.7.1 relaying denied");
	}
	free(text);
	tear_down(&stage);
}

/* ---- explain */

static void keep(void *context, const char *text)
{
	strcat(strcat(context, text), "\n");
}

static const char *explained(const struct stage *stage, const struct decide_origin *origin,
	const char *sender, const char *recipient)
{
	static char told[4096];
	struct endpoint original = {.port = 25};
	struct smtp_path from = path_of(sender, 0), to = path_of(recipient, SMTP_PATH_RECIPIENT);
	struct decide_envelope envelope = {
		.original = &original, .sender = &from, .recipient = &to};
	struct decide_reply reply;
	struct decision decision;
	addr_parse("203.0.113.1", 11, &original.addr);
	told[0] = '\0';
	decide_explain(&stage->world, origin, &original, NOW, &decision, keep, told);
	decide_explain_recipient(&stage->world, origin, &envelope, NOW, &reply, keep, told);
	return told;
}

static void it_is_explained_in_words(void **state)
{
	struct stage stage = set_up(site);
	struct decide_origin origin = at(&stage, "in", "198.51.100.7");
	(void)state;
	assert_string_equal(explained(&stage, &origin, "<a@b.example>", "<anna@hotel.example>"),
		"client 198.51.100.7 at listener in\n"
		"verdict: redirect at message level, by its listener: it needs the envelope\n"
		"direction: incoming, <anna@hotel.example> is of domain hotel\n"
		"rule no: no, sender <a@b.example> is not among @spam.example\n"
		"rule in: yes, server protected\n"
		"recipient <anna@hotel.example>: to server inside\n");
	assert_string_equal(explained(&stage, &origin, "<a@b.example>", "<x@far.example>"),
		"client 198.51.100.7 at listener in\n"
		"verdict: redirect at message level, by its listener: it needs the envelope\n"
		"direction: outgoing, <x@far.example> is of no domain\n"
		"rule no: no, sender <a@b.example> is not among @spam.example\n"
		"rule in: no, recipient <x@far.example> is not among protected\n"
		"rule office: no, source 198.51.100.7 is not in list office, list grown\n"
		"rule staff: no, listener in is not among \"out\"\n"
		"rule near: no, it is for zones\n"
		"rule one: no, listener in is not among \"out\"\n"
		"rule nobody: no, nobody is logged in\n"
		"rule abuse: no, listener in is not among \"few\"\n"
		"rule few: no, listener in is not among \"few\"\n"
		"rule guests: no, it is for zones\n"
		"no rule takes it: as listener in says when no rule matches, answer 554 \"relaying "
		"denied\"\n"
		"recipient <x@far.example>: 550 5.7.1 relaying denied\n");
	origin = at(&stage, "out", "198.51.100.7");
	assert_non_null(strstr(explained(&stage, &origin, "<>", "<x@far.example>"),
		"nobody is logged in: 530 5.7.0 at MAIL\n"));
	origin = at(&stage, "guest", "198.51.100.7");
	assert_non_null(strstr(explained(&stage, &origin, "<>", "<x@far.example>"),
		"rule guests: no, nobody is logged in\n"
		"no rule takes it: as zone guest says for unauthenticated clients, answer 421 "
		"\"log in\"\n"));
	tear_down(&stage);

	stage = set_up("listener in { address 203.0.113.1 accept \".a.example\" }\n");
	origin = at(&stage, "in", "198.51.100.7");
	assert_non_null(strstr(explained(&stage, &origin, "<a@b.example>", "<x@far.example>"),
		"client 198.51.100.7 at listener in\nname: none that leads to it and back\n"));
	name(&origin, 2, (const char *[]){"mx.a.example", "mx.b.example"});
	assert_non_null(strstr(explained(&stage, &origin, "<a@b.example>", "<x@far.example>"),
		"client 198.51.100.7 at listener in\nname: mx.a.example, mx.b.example\n"));
	tear_down(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recipient_goes_by_its_domain),
		cmocka_unit_test(who_sends_from_where_meets_its_rule),
		cmocka_unit_test(a_listener_accepts_whom_it_says),
		cmocka_unit_test(a_source_may_be_a_name),
		cmocka_unit_test(each_name_of_a_client_counts),
		cmocka_unit_test(what_hangs_on_a_name),
		cmocka_unit_test(what_hangs_on_a_name_that_is_not_known_is_not_decided),
		cmocka_unit_test(a_zone_reads_strangers_only_where_it_is_asked_to),
		cmocka_unit_test(a_destination_is_protected_by_its_address),
		cmocka_unit_test(two_thousand_domains_are_told_apart),
		cmocka_unit_test(it_is_explained_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
