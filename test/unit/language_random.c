/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 20,000 random policies that together hold every statement and option of the language. Each is
 * written here in canonical form by code of its own, so the printer must give it back byte for
 * byte; and what is parsed from the print must equal what was parsed first. */
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/language_same.h"

#define POLICIES 20000

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static bool maybe(void)
{
	return below(2);
}

static char text[1 << 16];
static size_t at;

static void out(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void out(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	at += (size_t)vsnprintf(text + at, sizeof(text) - at, format, arguments);
	va_end(arguments);
	assert_true(at < sizeof(text) - 1);
}

static const char *pick(const char *const *words, unsigned n)
{
	return words[below(n)];
}
#define PICK(...)                                \
	pick((const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* --- values */

static void out_string(unsigned least)
{
	static const char *const pieces[] = {
		"a",
		"Z",
		"0",
		" ",
		"\\\"",
		"\\\\",
		"\xc3\xbc",
		"\xe2\x82\xac",
		"\xf0\x9f\x93\xa7",
		"#",
		"{",
		"}",
		";",
		",",
		"$",
		"any",
		"192.0.2.1",
		"'",
		"%",
		"*",
	};

	out("\"");
	for (unsigned n = least + below(6); n > 0; n--)
		out("%s", pieces[below(20)]);
	out("\"");
}

static void out_strings(const char *word, unsigned most)
{
	for (unsigned i = 0, n = 1 + below(most); i < n; i++) {
		out("%s", i == 0 ? word : ", ");
		out_string(1);
	}
}

/* One way only to write each time, as the printer does. */
static void out_duration(bool whole)
{
	switch (below(whole ? 5 : 6)) {
	case 0:
		out("%us", 1 + below(59));
		break;
	case 1:
		out("%um", 1 + below(59));
		break;
	case 2:
		out("%uh", 1 + below(23));
		break;
	case 3:
		out("%ud", 1 + below(6));
		break;
	case 4:
		out("%uw", 1 + below(6));
		break;
	case 5:
		out("%ums", 1 + below(999));
		break;
	}
}

static void out_address(void)
{
	if (maybe())
		out("%s.%u", PICK("192.0.2", "198.51.100", "203.0.113"), 1 + below(254));
	else
		out("2001:db8::%x", 1 + below(0xfffe));
}

static void out_mac(void)
{
	static unsigned last; /* none twice */

	last = (last + 1 + below(200)) % 65536;
	out("02:00:5e:00:%02x:%02x", last >> 8, last & 255);
}

static void out_prefix(void)
{
	switch (below(4)) {
	case 0:
		out_address();
		break;
	case 1:
		out("198.51.100.%u/%u", below(16) * 16, 28 + below(4));
		break;
	case 2:
		out("2001:db8:%x::/%u", 1 + below(0xfffe), 48 + below(60));
		break;
	case 3:
		out("203.0.113.0/24");
		break;
	}
}

static void out_elem(void)
{
	if (below(4) == 0)
		out_mac();
	else
		out_prefix();
}

/* Names are keywords now and then. They are made distinct by a number. */
static void out_name(const char *kind, unsigned i)
{
	static const char *const names[] = {
		"zone", "server", "mac", "mon-fri", "user", "x.y_z-", "A", "always"};

	(void)kind;
	out("%s%s", names[i % 8], i < 8 ? "" : "9");
}

static void out_names(const char *word, unsigned n)
{
	unsigned first = below(n), count = 1 + below(n - first);

	for (unsigned i = 0; i < count; i++) {
		out("%s", i == 0 ? word : ", ");
		out_name("", first + i);
	}
}

static void out_answer(void)
{
	out("answer %s", PICK("", "421 ", "554 "));
	out_string(1);
}

static void out_act(void)
{
	switch (below(5)) {
	case 0:
		out("pass");
		break;
	case 1:
		out("reject");
		break;
	case 2:
		out("drop");
		break;
	default:
		out_answer();
	}
}

static bool reads; /* its flows are read: then verdicts are answers, and all is one server's */
static bool asks;  /* all zones ask clients for certificates */

static void out_ports(const char *word)
{
	/* nobody logs in where messages are read, and none is read at 465 but in TLS */
	unsigned ports[] = {25, reads ? 465 : 587, 26, 2525, 1, 65535}, n = 1 + below(6);

	if (!asks && n > 1)
		ports[1] = reads ? 24 : 587;

	for (unsigned i = 0; i < n; i++)
		out("%s%u", i == 0 ? word : ", ", ports[i]);
}

/* --- statements */

static unsigned zones, lists, mails, certificates, auths, servers, scans, listeners, domains;

static void out_top(void)
{
	if (maybe())
		out("language 1\n");
	if (maybe())
		out("hostname \"%s\"\n", PICK("gw", "gw.example.net", "a-b.c"));
	if (maybe())
		out("on-failure %s\n", PICK("open", "closed"));
	if (maybe()) {
		out("drain ");
		out_duration(true);
		out("\n");
	}
	if (maybe())
		out("limit flows %u\n", 1 + below(100000));
	unsigned audit = below(8);
	if (audit) {
		out("audit {");
		if (audit & 1) {
			out(" keep ");
			out_duration(true);
		}
		if (audit & 2)
			out(" size %u%s", 1 + below(1023), PICK("k", "m", "g"));
		if (audit & 4)
			out(" names %s", PICK("plain", "none"));
		out(" }\n");
	}
	if (maybe())
		out("log level %s\n", PICK("error", "warning", "info", "debug"));
	if (maybe()) {
		out("metrics listen ");
		out_address();
		out(" port %u\n", 1 + below(400));
	}
}

/* Of the message level. */
static void out_message_limits(const char *before, const char *behind)
{
	static const char *const per[] = {"", " per client", " per user", " per sender"};

	for (unsigned i = 0; i < 8; i++)
		if (below(4) == 0)
			out("%slimit %s %u/%s%s%s%s", before, i < 4 ? "messages" : "recipients",
				1 + below(1000), PICK("second", "minute", "hour", "day"),
				per[i % 4],
				(i % 4 == 1 || i % 4 == 2) && maybe() ? " { block 2h }" : "",
				behind);
	if (below(4) == 0)
		out("%slimit messages %u per flow%s", before, 1 + below(99), behind);
	if (below(4) == 0)
		out("%slimit recipients %u per message%s", before, 1 + below(99), behind);
	if (below(4) == 0)
		out("%slimit size %u%s%s", before, 1 + below(1023), PICK("k", "m"), behind);
}

static void out_limits(void)
{
	static const char *const per[] = {"", " per client", " per user"};

	for (unsigned i = 0; i < 3; i++) {
		if (maybe())
			out("    limit flows %u%s\n", 1 + below(1000), per[i]);
		if (maybe())
			out("    limit rate %u/%s%s%s\n", 1 + below(1000),
				PICK("second", "minute", "hour", "day"), per[i],
				i > 0 && maybe() ? PICK(" { block 90s }", " { block 2h }") : "");
	}
	if (maybe())
		out("    limit sessions %u per user%s\n", 1 + below(9),
			PICK("", " { over refuse }", " { over replace }"));
	if (reads)
		out_message_limits("    ", "\n");
}

/* Of a zone: with `asks` of all. */
static void out_client_tls(void)
{
	if (!asks && maybe()) {
		out("    tls none\n");
		return;
	}
	bool offer = maybe();
	out("    tls %s {", offer ? "offer" : PICK("require", "immediate"));
	out_names(" certificate ", certificates);
	if (asks) {
		out(" client %s",
			offer ? PICK("request", "check") : PICK("request", "check", "require"));
		if (maybe()) {
			out(" ca ");
			out_string(1);
		}
	} else if (maybe()) {
		out(" client none");
	}
	out("%s }\n", maybe() ? " legacy" : "");
}

static void out_zone(unsigned i)
{
	out("zone ");
	out_name("zone", i);
	out(" {\n    interface \"eth%u%s\"", i, maybe() ? "*" : "");
	if (maybe())
		out(", \"br-%u\"", i);
	out("\n");
	if (maybe())
		out("    network 192.0.2.%u/28, 2001:db8:%x::/64\n", i * 16, i + 1);
	if (maybe()) {
		out_ports("    port ");
		out("\n");
	}
	if (maybe())
		out("    identity %s\n", PICK("mac", "address", "mac+address"));
	if (maybe())
		out("    on-failure %s\n", PICK("open", "closed"));
	if (maybe()) {
		out("    lease ");
		maybe() ? out_duration(true) : out("none");
		out("\n");
	}
	if (maybe()) {
		out("    idle ");
		maybe() ? out_duration(true) : out("none");
		out("\n");
	}
	if (maybe()) {
		out("    reauthenticate ");
		maybe() ? out_duration(true) : out("none");
		out("\n");
	}
	if (maybe())
		out("    on-logout %s\n", PICK("kill", "keep"));
	if (maybe())
		out("    on-link-down %s\n", PICK("keep", "end"));
	if (maybe())
		out("    level %s\n", reads ? PICK("auto", "message") : PICK("auto", "connection"));
	if (reads && maybe())
		out("    newline %s\n", PICK("strict", "repair"));
	if (certificates > 0 && (asks || maybe()))
		out_client_tls();
	else if (maybe())
		out("    tls none\n");
	out_limits();
	if (maybe()) {
		out("    unauthenticated ");
		out_act();
		out("\n");
	}
	if (maybe()) {
		out("    unmatched ");
		reads ? out_answer() : out_act();
		out("\n");
	}
	if (maybe()) {
		out("    comment ");
		out_string(0);
		out("\n");
	}
	out("}\n");
}

static void out_list(unsigned i)
{
	size_t from = at;

	out("list ");
	out_name("list", i);
	switch (below(4)) {
	case 0:
		out(" dynamic\n");
		return;
	case 1:
		out(" file ");
		out_string(1);
		out("\n");
		return;
	}
	out(" {");
	for (unsigned j = 0, n = below(4); j < n; j++) {
		out(j > 0 ? ", " : " ");
		out_elem();
	}
	out(" }\n");
	if (at - from > 100) { /* would be broken into lines */
		at = from;
		out("list ");
		out_name("list", i);
		out(" { }\n");
	}
}

static void out_mail_list(unsigned i)
{
	if (i == 0 && lists == 0)
		out(at > 0 ? "\n" : "");
	out("list mails%u mail ", i);
	out("%s\n", PICK("dynamic", "{ }", "{ \"a@b.example\", \"@.c.example\" }", "file \"/x\""));
}

static void out_certificate(unsigned i)
{
	out("certificate ");
	out_name("certificate", i);
	out(" { file ");
	out_string(1);
	out(" key ");
	out_string(1);
	out(" }\n");
}

static void out_pin(void)
{
	out("\"sha256:");
	for (unsigned i = 0; i < 64; i++)
		out("%c", "0123456789abcdefABCDEF"[below(22)]);
	out("\"");
}

static void out_server_tls_options(bool ca)
{
	unsigned which = below(16) & (ca ? 15 : 13);

	if (certificates == 0)
		which &= 11;
	out(which ? " {" : "");
	out(which & 1 ? " immediate" : "");
	if (which & 2) {
		out(" ca ");
		out_string(1);
	}
	if (which & 4) {
		out(" certificate ");
		out_name("", below(certificates));
	}
	out(which & 8 ? " legacy" : "");
	out(which ? " }" : "");
}

/* secure: with whom an account can be used. named: it has a name to be compared with. */
static void out_server_tls(bool secure, bool named)
{
	unsigned which = secure ? 3 + below(2) : below(5);

	switch (which) {
	case 0:
		out("tls none");
		return;
	case 1:
		out("tls offer");
		return;
	case 2:
		out("tls require");
		break;
	case 3:
		out("tls verify");
		if (!named || maybe())
			out(" \"%s\"", PICK("mx.example.org", "a", "_x.b-c.d\", \"e.f"));
		break;
	case 4:
		out("tls pin ");
		out_pin();
		if (maybe()) {
			out(", ");
			out_pin();
		}
		break;
	}
	out_server_tls_options(which == 3);
}

static void out_account(bool insecure)
{
	out("    account ");
	out_string(1);
	out(" { secret file ");
	out_string(1);
	out("%s", PICK("", " sender keep", " sender \"guests@hotel.example\""));
	out("%s }\n", insecure ? " insecure" : "");
}

/* Who logs in at a listener and who does in a zone are not to be told alike. */
static const char *logins(void)
{
	return auths > 0 ? PICK(" { login off }", " { login tagged }")
			 : PICK("", " { login on }", " { login off }", " { login tagged }");
}

/* No host stands twice. One more than there are is for the kernel, and no rule that is on leads
 * there. */
static void out_server(unsigned i)
{
	bool probe_none = below(4) == 0, kernel = i == servers;

	out("server ");
	out_name("server", i);
	out(" {\n");
	for (unsigned j = 0, n = 1 + below(3); j < n; j++) {
		unsigned options = kernel ? 0 : below(reads ? 4 : 2), form = below(3);
		bool named = form == 1;
		switch (form) {
		case 0:
			out("    host 203.0.113.%u", 1 + 80 * j + below(80));
			break;
		case 1:
			out("    host \"%s%u\"", PICK("mail.example.org.x", "_smtp.a-b.y", "x"), j);
			break;
		case 2:
			out("    mx \"%u.example.org\"", j);
			break;
		}
		if (maybe())
			out(" port %u", 1 + below(options & 2 ? 465 : 464));
		if (maybe())
			out(" preference %u", below(65536));
		if (maybe())
			out(" weight %u", below(65536));
		out(options ? " {" : "");
		if (options & 1)
			out(" limit flows %u", 1 + below(99));
		if (options & 2) {
			out(" ");
			out_server_tls(true, named);
		}
		out(options ? " }\n" : "\n");
	}
	if (maybe())
		out("    bind %s\n", kernel ? PICK("gateway", "client")
					    : PICK("gateway", "client", "198.51.100.1"));
	switch (kernel ? 2 * below(2) : below(probe_none ? 3 : 5)) {
	case 0:
		out("    announce none\n");
		break;
	case 1:
		out("    announce xclient%s\n", logins());
		break;
	case 3:
		out("    announce proxy-v1\n");
		break;
	case 4:
		out("    announce proxy-v2%s\n", logins());
		break;
	}
	if (probe_none) {
		out("    probe none\n");
	} else if (maybe()) {
		out("    probe smtp");
		if (maybe()) {
			out(" every ");
			out_duration(true);
		}
		out("\n");
	}
	unsigned deadlines = below(32);
	static const char *const words[] = {"first", "connect", "greeting", "idle", "command"};
	for (unsigned j = 0, some = 0; j < 5; j++) {
		if (!(deadlines & 1 << j))
			continue;
		out("%s %s ", some++ ? "" : "    deadline", words[j]);
		out_duration(false);
	}
	out(deadlines ? "\n" : "");
	if (!kernel && maybe())
		out("    limit flows %u\n", 1 + below(999));
	if (maybe())
		out("    trace %s\n", PICK("on", "off"));
	if (kernel || maybe())
		out("    path %s\n", kernel ? "kernel" : "relay");
	unsigned account = reads && !kernel ? below(3) : 0;
	if (kernel && maybe()) {
		out("    tls none\n");
	} else if (!kernel && (account || (reads && maybe()))) {
		out("    ");
		out_server_tls(account == 1, false);
		out("\n");
	}
	if (account)
		out_account(account == 2);
	if (maybe()) {
		out("    comment ");
		out_string(0);
		out("\n");
	}
	out("}\n");
}

static void out_device(unsigned i)
{
	unsigned which = 1 + below(7);

	out("device ");
	out_name("device", i);
	out(" { zone ");
	out_name("zone", below(zones));
	if (which & 1) {
		out(" mac ");
		out_mac();
		if (maybe()) {
			out(", ");
			out_mac();
		}
	}
	if (which & 2) {
		out(" address ");
		out_prefix();
	}
	if (which & 4 && lists > 0)
		out_names(which & 2 ? ", " : " address ", lists);
	else if (!(which & 3))
		out(" address 192.0.2.9");
	out(" user ");
	out_string(1);
	if (maybe())
		out_strings(" group ", 3);
	if (maybe()) {
		out(" comment ");
		out_string(1);
	}
	out(" }\n");
}

static void out_where(const char *word, bool mac)
{
	unsigned which = lists > 0 ? below(4) : below(2);

	out(" %s ", word);
	if (which == 0) {
		out("any");
		return;
	}
	out("%s", maybe() ? "not " : "");
	if (which & 1) {
		out_prefix();
		if (mac && maybe()) {
			out(", ");
			out_mac();
		}
	}
	if (which & 2)
		out_names(which & 1 ? ", " : "", lists);
}

static void out_schedule(void)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

	for (unsigned i = 0, n = 1 + below(3); i < n; i++) {
		unsigned which = 1 + below(3), first = below(7), from = below(1440);
		out("%s", i == 0 ? " schedule " : ", ");
		if (which & 1)
			out("%s", days[first]);
		if (which & 1 && maybe())
			out("-%s", days[(first + 1 + below(6)) % 7]);
		if (which & 2) {
			unsigned to = (from + 1 + below(1439)) % 1441;
			to = to == from ? 1440 : to;
			out("%s%02u:%02u-%02u:%02u", which & 1 ? " " : "", from / 60, from % 60,
				to / 60, to % 60);
		}
	}
}

static void out_mails(const char *word, bool none)
{
	static const char *const some[] = {"anna@hotel.example", "Anna+x@Hotel.Example",
		"@hotel.example", "@.hotel.example", "j\xc3\xb6rg@m\xc3\xbcll.example"};
	unsigned n = 0;

	out(" %s %s", word, maybe() ? "not " : "");
	if (none && maybe() && ++n)
		out("none");
	for (unsigned i = 0; i < 5; i++)
		if (below(3) == 0)
			out("%s\"%s\"", n++ ? ", " : "", some[i]);
	for (unsigned i = 0; i < mails; i++)
		if (maybe())
			out("%smails%u", n++ ? ", " : "", i);
	if (n == 0)
		out("\"a@b.example\"");
}

/* What of the rule's limits may stand: those of connections where none is read. */
static void out_rule_limits(void)
{
	if (below(8) == 0) {
		out(" limit none");
		return;
	}
	if (reads)
		out_message_limits(" ", "");
	else if (maybe())
		out(" limit flows %u per client limit rate %u/day per user { block 2h }",
			1 + below(99), 1 + below(99));
}

/* What a listener's rule asks for is not more than what may relay. */
static void out_listener(unsigned i)
{
	out("listener ");
	out_name("listener", i);
	out(" {\n    address 198.51.100.%u", 10 + i);
	if (maybe())
		out(", 2001:db8:%u::1", 1 + i);
	if (maybe())
		out("\n    port %u", 1 + below(464));
	bool logs_in = auths > 0 && maybe();
	if (logs_in)
		out_names("\n    auth ", auths);
	if (maybe())
		out("\n    accept %s", PICK("any", "192.0.2.0/24", "not 192.0.2.1-192.0.2.9",
					       "\"mx.example.net\", \".example.org\"",
					       "not 0.0.0.0/1, \".a-b.example\""));
	if (logs_in)
		out("\n    tls none { insecure }");
	if (maybe())
		out("\n    newline %s", PICK("strict", "repair"));
	if (maybe())
		out("\n    limit flows %u per client", 1 + below(99));
	if (maybe())
		out("\n    limit messages %u/hour per user { block 2h }", 1 + below(99));
	if (maybe())
		out("\n    limit size %uk", 1 + below(1000));
	if (maybe()) {
		out("\n    unmatched ");
		out_answer();
	}
	if (maybe()) {
		out("\n    comment ");
		out_string(0);
	}
	out("\n}\n");
}

static void out_ldap(void)
{
	out("ldap \"%s\"", PICK("ldaps://a.example", "ldaps://192.0.2.1:1636"));
	if (maybe())
		out(", \"ldap://[2001:db8::1]\"");
	out(" { ");
	if (maybe()) {
		out("bind \"%s\"", PICK("uid=%u,dc=x", "cn=100%%,uid=%u"));
	} else {
		out("base \"dc=x\" filter \"%s\"", PICK("(uid=%u)", "(&(a=\\\\2a)(|(b=%u)(c=*)))"));
		if (maybe())
			out(" bind \"cn=x\" secret file \"/s\"");
	}
	if (maybe())
		out(" group \"memberOf\"%s", PICK("", " prefix \"cn=\""));
	if (maybe())
		out(" mail \"mail\"");
	if (maybe())
		out(" ca \"/ca.pem\"");
	out(" }");
}

/* Those that may stand in front of others. */
static void out_auth(unsigned i)
{
	out("auth ");
	out_name("auth", i);
	out(" { ");
	if (maybe())
		out_ldap();
	else
		out("file \"/etc/users\"");
	if (maybe())
		out(" mechanism %s", PICK("PLAIN", "PLAIN, LOGIN", "login"));
	if (maybe())
		out(" domain \"hotel.example\"");
	if (maybe()) {
		out(" comment ");
		out_string(1);
	}
	out(" }\n");
}

static void out_scan(unsigned i)
{
	bool milter = maybe();

	out("scan ");
	out_name("scan", i);
	if (milter)
		out(" { milter \"%s\"", PICK("unix:/run/a filter", "inet:localhost:11332",
						"inet:[2001:db8::1]:8891"));
	else
		out(" { clamav \"%s\"", PICK("/run/clamd.ctl", "192.0.2.1:3310"));
	if (maybe())
		out(" mode %s", PICK("stream", "whole"));
	if (maybe())
		out(" on-failure %s", PICK("tempfail", "accept", "reject"));
	if (maybe())
		out(" deadline %s", PICK("1s", "1500ms", "45s", "4m"));
	if (milter && maybe())
		out(" quarantine %s", PICK("tempfail", "reject"));
	if (maybe()) {
		out(" comment ");
		out_string(1);
	}
	out(" }\n");
}

static void out_rule_scans(void)
{
	if (maybe())
		scans > 0 && maybe() ? out_names(" scan ", scans) : out(" scan none");
}

static void out_radius_zones(void)
{
	for (unsigned i = 0; i < zones; i++) {
		out("\n    zone ");
		out_name("zone", i);
		switch (below(4)) {
		case 0:
			out(" { ssid \"a %u\", \"b %u\" }", i, i);
			break;
		case 1:
			out(" { nas \"wlc%u\" }", i);
			break;
		case 2:
			out(" { wlan 1%u, 2%u }", i, i);
			break;
		default:
			out(" { ssid \"c %u\" nas \"wlc%u\" wlan 3 }", i, i);
		}
	}
}

static void out_radius(unsigned i)
{
	out("radius ");
	out_name("radius", i);
	out(" {\n    listen %s port %u", PICK("127.0.0.1", "192.0.2.1, 2001:db8::1", "::"),
		1813 + i);
	out("\n    from 198.51.100.%u { secret file \"/etc/a secret\" }", i);
	if (maybe())
		out("\n    from 2001:db8:7::/48, 198.51.100.64/26 { secret file \"/etc/b\" }");
	out_radius_zones();
	if (maybe())
		out("\n    user %s", PICK("cui", "user-name, mac", "mac, cui, user-name"));
	if (maybe())
		out("\n    ignore \"anonymous\", \"a b\"");
	if (maybe())
		out("\n    group %s", PICK("class", "filter-id", "class { prefix \"group=\" }"));
	if (maybe())
		out("\n    timeout %s", PICK("1m", "8h", "90s"));
	if (maybe())
		out("\n    skew %s", PICK("1s", "5m"));
	if (maybe())
		out("\n    restart %s", PICK("end", "keep"));
	if (maybe()) {
		out("\n    comment ");
		out_string(1);
	}
	out("\n}\n");
}

/* Each has a zone of its own. */
static void out_portal(unsigned i)
{
	out("portal ");
	out_name("portal", i);
	out(" {\n    zone ");
	out_name("zone", i);
	out("\n    name %s", PICK("\"login.example\"", "\"a.example\", \"B.example\""));
	out("\n    address 192.0.2.%u", i + 1);
	out("%s", PICK("", ", 2001:db8::1"));
	out("\n    port %u", 8443 + i);
	if (i > 0 || maybe())
		out("\n    http %s", PICK("off", "off"));
	certificates > 0 ? out_names("\n    certificate ", certificates)
			 : out("\n    certificate none");
	out_names("\n    auth ", auths);
	if (maybe())
		out("\n    terms file \"/etc/the terms\"");
	if (maybe())
		out("\n    logo file \"/etc/logo.png\"");
	if (maybe())
		out("\n    texts \"/etc/texts\"");
	if (maybe()) {
		out("\n    comment ");
		out_string(1);
	}
	out("\n}\n");
}

static void out_domain(unsigned i)
{
	out("domain ");
	out_name("domain", i);
	out(" { name \"d%u.example\"", i);
	if (maybe())
		out(", \".d%u.example\"", i);
	out(" server ");
	out_name("server", 0);
	if (maybe())
		out(" recipient %s",
			PICK("any", "\"a@d.example\"", "\"a@x.example\", \"@y.example\""));
	if (maybe()) {
		out(" comment ");
		out_string(1);
	}
	out(" }\n");
}

static void out_listener_rule(unsigned i)
{
	bool sends = servers > 0 && maybe();

	out("rule ");
	out_name("rule", i);
	out(" {");
	out_names(maybe() ? " listener " : " listener not ", listeners);
	if (!sends && maybe())
		out(" user %s", PICK("any", "none recipient protected", "\"anna\", \"bert\"",
					"not \"auth:anna\", \"other:bert\""));
	else if (sends || maybe())
		out(" source %s", PICK("192.0.2.0/24", "192.0.2.1, \"mx.example.net\""));
	if (sends) {
		out(" server ");
		out_name("server", 0);
		out_rule_scans();
	} else {
		out(" verdict ");
		out_answer();
	}
	out(" }\n");
}

static void out_rule(unsigned i)
{
	if (listeners > 0 && domains > 0 && below(3) == 0) {
		out_listener_rule(i);
		return;
	}
	out("rule ");
	out_name("rule", i);
	out(" {");
	if (zones > 0 && maybe())
		out_names(" zone ", zones);
	if (maybe())
		maybe() ? out(" user any") : out_strings(maybe() ? " user " : " user not ", 4);
	if (maybe())
		out_strings(maybe() ? " group " : " group not ", 4);
	if (maybe())
		out_ports(" port ");
	if (maybe())
		out_where("source", true);
	if (maybe())
		out_where("destination", false);
	if (maybe())
		out_schedule();
	if (reads && maybe())
		out_mails("sender", true);
	if (reads && maybe())
		out_mails("recipient", false);
	if (reads && maybe()) {
		bool verified = asks && maybe();
		out(" tls %s%s", maybe() ? "not " : "", verified ? "verified" : "any");
		if (verified && maybe())
			out(" \"%s\"", PICK("mx.example.org", "anna@partner.example",
					       "*.example.org\", \"_x.b-c.d", "{;#}$,'%\\\\\\\""));
	}
	if (servers > 0 && maybe()) {
		out(" server ");
		if (reads) {
			out_name("server", 0);
			out_rule_scans();
		} else
			maybe() ? out("original") : out_name("server", below(servers));
	} else {
		out(" verdict ");
		reads ? out_answer() : out_act();
	}
	out_rule_limits();
	if (maybe())
		out(" audit %s", PICK("on", "off"));
	if (below(4) == 0)
		out(" disabled");
	if (maybe()) {
		out(" comment ");
		out_string(1);
	}
	out(" }\n");
}

static void out_group(void (*statement)(unsigned), unsigned n)
{
	if (n > 0 && at > 0)
		out("\n");
	for (unsigned i = 0; i < n; i++)
		statement(i);
}

static void out_policy(uint64_t number)
{
	seed = number * 0x9e3779b97f4a7c15u + 1;
	at = 0;
	text[0] = '\0';
	zones = below(5);
	lists = below(5);
	servers = below(4);
	listeners = below(3) == 0 ? 1 + below(3) : 0;
	domains = servers > 0 && listeners > 0 ? below(3) : 0;
	auths = below(3);
	scans = servers > 0 ? below(4) : 0;
	reads = maybe();
	mails = reads ? below(3) : 0;
	certificates = reads ? below(4) : 0;
	asks = reads && certificates > 0 && maybe();
	out_top();
	out_group(out_zone, zones);
	out_group(out_listener, listeners);
	out_group(out_list, lists);
	for (unsigned i = 0; i < mails; i++)
		out_mail_list(i);
	out_group(out_certificate, certificates);
	out_group(out_auth, auths);
	out_group(out_domain, domains);
	out_group(out_server, servers);
	bool kernel = servers > 0 && maybe();
	if (kernel)
		out_server(servers);
	out_group(out_scan, scans);
	bool tells = maybe(); /* a zone has one source of sessions */
	out_group(out_radius, zones > 0 && !tells ? below(3) : 0);
	out_group(out_portal, zones > 0 && tells && auths > 0 ? 1 : 0);
	out_group(out_device, zones > 0 ? below(4) : 0);
	unsigned rules = below(10);
	out_group(out_rule, rules);
	if (kernel && rules > 0) {
		out("rule kernel { server ");
		out_name("server", servers);
		out("%s%s disabled }\n", maybe() ? " limit flows 5 per client" : "",
			maybe() ? " audit off" : "");
	}
}

static struct policy *parse(const char *source, uint64_t number)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("random", source, strlen(source), NULL, &diagnosis);

	size_t wrong = 0;
	while (!policy && wrong + 1 < diagnosis.n && diagnosis.v[wrong].severity != LANGUAGE_ERROR)
		wrong++;
	if (!policy)
		fail_msg("policy %llu: %s\n%s", (unsigned long long)number, diagnosis.v[wrong].text,
			source);
	language_diagnosis_fini(&diagnosis);
	return policy;
}

static void printed_policies_parse_to_what_they_were(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < POLICIES; i++) {
		out_policy(i);
		struct policy *first = parse(text, i);
		char *print = language_print(first, LANGUAGE_PRINT_CANONICAL, NULL);
		if (strcmp(print, text) != 0)
			fail_msg("policy %llu was\n%s\nand prints as\n%s", (unsigned long long)i,
				text, print);
		struct policy *second = parse(print, i);
		same_policy(first, second);
		free(print);
		policy_unref(second);

		print = language_print(first, LANGUAGE_PRINT_FULL | LANGUAGE_PRINT_RESOLVED, NULL);
		second = parse(print, i);
		char *again =
			language_print(second, LANGUAGE_PRINT_FULL | LANGUAGE_PRINT_RESOLVED, NULL);
		assert_string_equal(print, again);
		free(print);
		free(again);
		policy_unref(second);
		policy_unref(first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printed_policies_parse_to_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
