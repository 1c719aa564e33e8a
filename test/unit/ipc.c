/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "lib/ipc/auth.h"
#include "lib/ipc/credential.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/hand.h"
#include "lib/ipc/health.h"
#include "lib/ipc/kernel.h"
#include "lib/ipc/radius.h"
#include "lib/ipc/replica.h"
#include "lib/ipc/scan.h"
#include "lib/ipc/web.h"
#include "lib/policy/element.h"
#include "lib/policy/level.h"
#include "lib/policy/session.h"
#include "lib/portal/tries.h"
#include "lib/tls/certificate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static union {
	struct ipc_header header;
	struct ipc_reply reply;
	struct ipc_link link;
	struct ipc_admit admit;
	struct ipc_verdict verdict;
	struct ipc_entries entries;
	struct ipc_event event;
	struct ipc_sessions sessions;
	struct ipc_list_entries list;
	struct ipc_targets targets;
	struct ipc_counters counters;
	struct ipc_kill kill;
	struct ipc_cut cut;
	struct ipc_host host;
	struct ipc_flow_ids ids;
	struct ipc_drain drain;
	struct ipc_sockets_get sockets_get;
	struct ipc_metrics_listen metrics_listen;
	struct ipc_metrics_state metrics_state;
	struct ipc_portal_login portal_login;
	struct ipc_portal_wrong portal_wrong;
	struct ipc_portal_client portal_client;
	struct ipc_portal_shown portal_shown;
	struct ipc_portal_state portal_state;
	struct ipc_test test;
	struct ipc_tested tested;
	struct ipc_host_tls host_tls;
	struct ipc_lookup lookup;
	struct ipc_resolve resolve;
	struct ipc_resolved resolved;
	struct ipc_looked_up looked_up;
	struct ipc_load load;
	struct ipc_client_side side;
	struct ipc_socket socket;
	struct ipc_credential credential;
	struct ipc_auth_ask ask;
	struct ipc_auth_verdict login;
	struct ipc_scan_test scan_test;
	struct ipc_scan_change scan_change;
	struct ipc_scan_tested scan_tested;
	struct ipc_radius_event radius_event;
	struct ipc_radius_done radius_done;
	struct ipc_radius_sender radius_sender;
	uint8_t bytes[IPC_BYTES_MAX + 1];
} m;

static const struct addr documentation4 = {{192, 0, 2, 7}, ADDR_IP4};

static int check(void)
{
	return ipc_check(&m, m.header.bytes);
}

static void fill_entry(struct ipc_entry *entry, uint8_t add)
{
	*entry = (struct ipc_entry){.add = add,
		.mark = add ? MARK_RELAY : MARK_NONE,
		.timeout_ms = add ? 1000 : 0,
		.source = documentation4};
	strcpy(entry->ifname, "guest0");
}

static void every_type_has_a_name_and_its_own_length(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned type = 0; type < 70000; type++) {
		if (strcmp(ipc_name(type), "unknown") == 0) {
			ipc_init(&m, type, sizeof(m.header));
			if (type <= UINT16_MAX)
				assert_int_equal(check(), -EBADMSG);
			continue;
		}
		n++;
		assert_true(type > 0 && type < IPC_TYPES);
		/* one byte more than anything of the type could be, or one less than a header */
		ipc_init(&m, type, sizeof(m.header) - 1);
		assert_int_equal(check(), -EBADMSG);
		ipc_init(&m, type, IPC_BYTES_MAX + 1);
		assert_int_equal(check(), -EBADMSG);
	}
	assert_int_equal(n, IPC_CORE_END - IPC_PING + IPC_KERNEL_END - IPC_LINK + IPC_PICTURE_END -
				    IPC_POLICY + IPC_FLOW_END - IPC_FLOW_IDS + IPC_HEALTH_END -
				    IPC_PROBE_NOW + IPC_WEB_END - IPC_METRICS_LISTEN +
				    IPC_HAND_END - IPC_HAND + IPC_CREDENTIAL_END - IPC_CREDENTIAL +
				    IPC_AUTH_END - IPC_AUTH_ASK + IPC_SCAN_END - IPC_SCAN_STATE +
				    IPC_RADIUS_END - IPC_RADIUS_EVENT);
}

static void names_are_of_one_type_each(void **state)
{
	(void)state;
	for (unsigned type = 1; type < IPC_TYPES; type++)
		for (unsigned other = 1; other < type; other++)
			if (strcmp(ipc_name(type), "unknown") != 0)
				assert_string_not_equal(ipc_name(type), ipc_name(other));
}

static void headers_are_checked(void **state)
{
	(void)state;
	ipc_init(&m, IPC_PING, sizeof(struct ipc_plain));
	assert_int_equal(check(), 0);
	assert_int_equal(ipc_check(&m, m.header.bytes - 1), -EBADMSG);
	assert_int_equal(ipc_check(&m, m.header.bytes + 1), -EBADMSG);
	m.header.version++;
	assert_int_equal(check(), -EBADMSG);
	m.header.version--;
	m.header.reserved = 1;
	assert_int_equal(check(), -EBADMSG);
	m.header.reserved = 0;
	assert_int_equal(check(), 0);
}

static void texts_end_and_hold_no_control_characters(void **state)
{
	(void)state;
	ipc_init(&m, IPC_REPLY, sizeof(m.reply));
	m.header.seq = 1;
	strcpy(m.reply.text, "gr\xc3\xbc\xc3\x9f dich");
	assert_int_equal(check(), 0);
	m.reply.text[2] = '\n';
	assert_int_equal(check(), -EBADMSG);
	memset(m.reply.text, 'a', sizeof(m.reply.text));
	assert_int_equal(check(), -EBADMSG);
	m.reply.text[sizeof(m.reply.text) - 1] = 0;
	assert_int_equal(check(), 0);
	m.reply.status = 1;
	assert_int_equal(check(), -EBADMSG);
	m.reply.status = -ENOENT;
	m.header.seq = 0;
	assert_int_equal(check(), -EBADMSG);
}

static void fill_credential(uint32_t kind, uint32_t file_bytes, uint32_t key_bytes)
{
	ipc_init(&m, IPC_CREDENTIAL, sizeof(m.credential) + file_bytes + key_bytes);
	m.credential.kind = kind;
	m.credential.file_bytes = file_bytes;
	m.credential.key_bytes = key_bytes;
	strcpy(m.credential.file, "/etc/postern/mail.pem");
	if (kind == CREDENTIAL_CERTIFICATE) {
		strcpy(m.credential.name, "mail");
		strcpy(m.credential.key, "/etc/postern/mail.key");
	}
}

static void credentials_have_the_parts_of_their_kind(void **state)
{
	(void)state;
	fill_credential(
		CREDENTIAL_CERTIFICATE, CERTIFICATE_CHAIN_BYTES_MAX, CERTIFICATE_KEY_BYTES_MAX);
	assert_int_equal(check(), 0);
	m.credential.file_bytes--;
	assert_int_equal(check(), -EBADMSG);
	m.credential.file_bytes += UINT32_MAX;
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_CERTIFICATE, CERTIFICATE_CHAIN_BYTES_MAX + 1, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_CERTIFICATE, 1, CERTIFICATE_KEY_BYTES_MAX + 1);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_CERTIFICATE, 1, 0);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_CERTIFICATE, 0, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_CERTIFICATE, 1, 1);
	m.credential.name[0] = '\0';
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_SECRET, CREDENTIAL_SECRET_BYTES_MAX, 0);
	assert_int_equal(check(), 0);
	strcpy(m.credential.key, "/etc/postern/mail.key");
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_SECRET, CREDENTIAL_SECRET_BYTES_MAX + 1, 0);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_SECRET, 0, 0);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_SECRET, 1, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_TRUST, 0, 0);
	assert_int_equal(check(), 0);
	memset(m.credential.file, 'a', sizeof(m.credential.file));
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_TRUST, 1, 0);
	assert_int_equal(check(), -EBADMSG);
	fill_credential(CREDENTIAL_KINDS, 0, 0);
	assert_int_equal(check(), -EBADMSG);
}

static void connections_fill_their_ipc(void **state)
{
	static const uint8_t message[13] = {1, 2, 3};
	struct ipc_connections *rows = (struct ipc_connections *)&m;
	const struct ipc_connection *one;
	size_t at = 0;

	(void)state;
	ipc_init(rows, IPC_CONNECTIONS, sizeof(*rows));
	assert_true(ipc_connections_put(rows, 7, message, sizeof(message)));
	assert_true(ipc_connections_put(rows, 8, NULL, 0));
	assert_int_equal(check(), 0);
	one = ipc_connections_next(rows, &at);
	assert_int_equal(one->index, 7);
	assert_int_equal(one->len, sizeof(message));
	assert_memory_equal(one + 1, message, sizeof(message));
	struct ipc_connection *second = (struct ipc_connection *)(rows->data + at);
	one = ipc_connections_next(rows, &at);
	assert_int_equal(one->index, 8);
	assert_null(ipc_connections_next(rows, &at));
	/* one that says that it is longer than what is left */
	second->len = 1;
	assert_int_equal(check(), -EBADMSG);
	second->len = UINT32_MAX;
	assert_int_equal(check(), -EBADMSG);
}

static void what_holds_a_secret_says_so(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 2 * IPC_TYPES; type++)
		assert_int_equal(ipc_is_secret(type),
			type == IPC_CREDENTIAL || type == IPC_TEST || type == IPC_AUTH_ASK ||
				type == IPC_AUTH_RESPONSE || type == IPC_AUTH_TEST ||
				type == IPC_AUTH_KEY);
}

static void fill_ask(uint16_t bytes, uint8_t given)
{
	ipc_init(&m, IPC_AUTH_ASK, sizeof(m.ask) + bytes);
	m.ask.client = m.ask.server = (struct endpoint){documentation4, 587};
	strcpy(m.ask.listener, "submission");
	strcpy(m.ask.mechanism, "PLAIN");
	m.ask.given = given;
	m.ask.bytes = bytes;
}

static void logins_have_the_parts_of_their_kind(void **state)
{
	(void)state;
	fill_ask(AUTH_BYTES_MAX, 1);
	assert_int_equal(check(), 0);
	m.ask.bytes--;
	assert_int_equal(check(), -EBADMSG);
	fill_ask(AUTH_BYTES_MAX + 1, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_ask(0, 0);
	assert_int_equal(check(), 0);
	fill_ask(1, 0);
	assert_int_equal(check(), -EBADMSG);
	fill_ask(0, 1);
	m.ask.listener[0] = '\0';
	assert_int_equal(check(), -EBADMSG);
	ipc_init(&m, IPC_AUTH_VERDICT, sizeof(m.login));
	m.login.verdict = AUTH_REFUSED;
	assert_int_equal(check(), 0);
	m.login.verdict = AUTH_OK;
	assert_int_equal(check(), -EBADMSG);
	m.login.verdict = AUTH_VERDICTS;
	assert_int_equal(check(), -EBADMSG);
	ipc_init(&m, IPC_AUTH_VERDICT, sizeof(m.login) + 1);
	m.login.session_bytes = 1;
	m.login.verdict = AUTH_OK;
	assert_int_equal(check(), 0);
	m.login.verdict = AUTH_LATER;
	assert_int_equal(check(), -EBADMSG);
}

static void sockets_are_asked_for_in_bounds(void **state)
{
	(void)state;
	ipc_init(&m, IPC_SOCKETS_GET, sizeof(m.sockets_get));
	assert_int_equal(check(), -EBADMSG); /* none */
	m.sockets_get.n = IPC_SOCKETS_MAX;
	m.sockets_get.ip6 = 1;
	assert_int_equal(check(), 0);
	m.sockets_get.n++;
	assert_int_equal(check(), -EBADMSG);
	m.sockets_get.n = 1;
	m.sockets_get.ip6 = 2;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_SOCKET, sizeof(m.socket));
	assert_int_equal(check(), 0);
	m.socket.status = -EMFILE;
	assert_int_equal(check(), 0);
	m.socket.status = 1;
	assert_int_equal(check(), -EBADMSG);
}

static void metrics_listen_somewhere_and_say_how_it_went(void **state)
{
	(void)state;
	ipc_init(&m, IPC_METRICS_LISTEN, sizeof(m.metrics_listen));
	m.metrics_listen.at.port = 9225;
	assert_int_equal(check(), -EBADMSG); /* no address */
	m.metrics_listen.at.addr = documentation4;
	assert_int_equal(check(), 0);
	m.metrics_listen.at.port = 0;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_METRICS_STATE, sizeof(m.metrics_state));
	m.metrics_state.at.addr = documentation4;
	m.metrics_state.status = -EADDRINUSE;
	assert_int_equal(check(), 0);
	m.metrics_state.status = 1;
	assert_int_equal(check(), -EBADMSG);
}

static void fill_radius_event(const char *groups, size_t bytes, uint32_t n)
{
	ipc_init(&m, IPC_RADIUS_EVENT, sizeof(m.radius_event));
	m.header.bytes += (uint32_t)bytes;
	strcpy(m.radius_event.radius, "wlc");
	strcpy(m.radius_event.nas, "192.0.2.5");
	strcpy(m.radius_event.user, "anna");
	strcpy(m.radius_event.zone, "guest");
	m.radius_event.source = documentation4;
	m.radius_event.whole = 1;
	m.radius_event.ngroups = n;
	m.radius_event.groups_bytes = (uint32_t)bytes;
	memcpy(m.bytes + sizeof(m.radius_event), groups, bytes);
}

static void what_accounting_tells_is_bounded(void **state)
{
	(void)state;
	fill_radius_event("staff\0guests", 13, 2);
	assert_int_equal(check(), 0);
	m.radius_event.ngroups = 1;
	assert_int_equal(check(), -EBADMSG);
	fill_radius_event("staff\0guests", 12, 2); /* the last has no end */
	assert_int_equal(check(), -EBADMSG);
	fill_radius_event("\0", 1, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_radius_event("a\nb", 4, 1);
	assert_int_equal(check(), -EBADMSG);

	fill_radius_event("", 0, 0);
	m.radius_event.user[0] = '\0'; /* of a Start */
	assert_int_equal(check(), -EBADMSG);
	m.radius_event.status = RADIUS_STATUS_STOP;
	assert_int_equal(check(), 0);
	m.radius_event.status = RADIUS_STATUS_OTHER;
	assert_int_equal(check(), -EBADMSG);
	fill_radius_event("", 0, 0);
	m.radius_event.zone[0] = '\0'; /* and yet whole */
	assert_int_equal(check(), -EBADMSG);
	m.radius_event.whole = 0;
	assert_int_equal(check(), 0);
	m.radius_event.session_len = IPC_RADIUS_SESSION_MAX + 1;
	assert_int_equal(check(), -EBADMSG);
	m.radius_event.session_len = IPC_RADIUS_SESSION_MAX;
	m.radius_event.naddresses = 1; /* of no family */
	assert_int_equal(check(), -EBADMSG);
	m.radius_event.addresses[0] = prefix_of(&documentation4);
	assert_int_equal(check(), 0);
	m.radius_event.addresses[0].len = 0;
	assert_int_equal(check(), -EBADMSG);
	m.radius_event.naddresses = RADIUS_ADDRESSES_MAX + 1;
	assert_int_equal(check(), -EBADMSG);
	m.radius_event.naddresses = 0;
	m.radius_event.mac.bytes[0] = 1;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_RADIUS_DONE, sizeof(m.radius_done) + 2 * sizeof(uint64_t));
	m.radius_done.n = 2;
	assert_int_equal(check(), 0);
	m.radius_done.n = 3;
	assert_int_equal(check(), -EBADMSG);
	ipc_init(&m, IPC_RADIUS_SENDER, sizeof(m.radius_sender));
	strcpy(m.radius_sender.radius, "wlc");
	assert_int_equal(check(), -EBADMSG);
	m.radius_sender.source = documentation4;
	assert_int_equal(check(), 0);
	m.radius_sender.verdict = RADIUS_VERDICTS;
	assert_int_equal(check(), -EBADMSG);
}

static void fill_change(uint32_t name_bytes, uint32_t value_bytes)
{
	ipc_init(&m, IPC_SCAN_CHANGE, sizeof(m.scan_change) + name_bytes + value_bytes);
	m.scan_change.kind = MILTER_CHANGE_SET;
	m.scan_change.name_bytes = name_bytes;
	m.scan_change.value_bytes = value_bytes;
}

static void a_mail_that_is_judged_injects_nothing(void **state)
{
	(void)state;
	ipc_init(&m, IPC_SCAN_TEST, sizeof(m.scan_test));
	strcpy(m.scan_test.scan, "virus");
	strcpy(m.scan_test.to, "test@example.org");
	assert_int_equal(check(), -EBADMSG); /* no client */
	m.scan_test.client = documentation4;
	assert_int_equal(check(), 0);
	strcpy(m.scan_test.from, "a@example.org");
	assert_int_equal(check(), 0);
	m.scan_test.bounce = 1;
	assert_int_equal(check(), -EBADMSG);
	m.scan_test.from[0] = '\0';
	assert_int_equal(check(), 0);
	strcpy(m.scan_test.to, "a@b> <x");
	assert_int_equal(check(), -EBADMSG);
	m.scan_test.to[0] = '\0';
	assert_int_equal(check(), -EBADMSG);

	fill_change(998, SCAN_TEST_VALUE_MAX);
	assert_int_equal(check(), 0);
	m.scan_change.value_bytes--;
	assert_int_equal(check(), -EBADMSG);
	m.scan_change.value_bytes += UINT32_MAX;
	assert_int_equal(check(), -EBADMSG);
	fill_change(0, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_change(999, 1);
	assert_int_equal(check(), -EBADMSG);
	fill_change(1, SCAN_TEST_VALUE_MAX + 1);
	assert_int_equal(check(), -EBADMSG);
	fill_change(1, 0);
	m.scan_change.kind++;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_SCAN_TESTED, sizeof(m.scan_tested));
	assert_int_equal(check(), -EBADMSG); /* nowhere */
	strcpy(m.scan_tested.place, "/run/clamd");
	assert_int_equal(check(), 0);
	m.scan_tested.code = 250;
	assert_int_equal(check(), -EBADMSG);
	m.scan_tested.code = 550;
	strcpy(m.scan_tested.words, "no\r\n250 yes");
	assert_int_equal(check(), -EBADMSG);
	strcpy(m.scan_tested.words, "no");
	m.scan_tested.verdict = SCAN_TEST_VERDICTS;
	assert_int_equal(check(), -EBADMSG);
}

static void a_test_injects_nothing(void **state)
{
	(void)state;
	ipc_init(&m, IPC_TEST, sizeof(m.test));
	strcpy(m.test.server, "relay");
	assert_int_equal(check(), 0);
	strcpy(m.test.to, "test@example.org");
	assert_int_equal(check(), 0);
	strcpy(m.test.to, "test@example.org> <x");
	assert_int_equal(check(), -EBADMSG);
	m.test.to[0] = '\0';
	strcpy(m.test.user, "a\r\nDATA");
	assert_int_equal(check(), -EBADMSG);
	m.test.user[0] = '\0';
	m.test.nobody = 2;
	assert_int_equal(check(), -EBADMSG);
	m.test.nobody = 0;
	m.test.secret_bytes = 6;
	assert_int_equal(check(), -EBADMSG);
	m.header.bytes += 6;
	assert_int_equal(check(), 0);
	m.header.bytes += CREDENTIAL_SECRET_BYTES_MAX - 5;
	m.test.secret_bytes = CREDENTIAL_SECRET_BYTES_MAX + 1;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_TESTED, sizeof(m.tested));
	assert_int_equal(check(), -EBADMSG); /* no name */
	strcpy(m.tested.name, "203.0.113.10");
	assert_int_equal(check(), 0);
	m.tested.verdict = TRIAL_VERDICTS;
	assert_int_equal(check(), -EBADMSG);
	m.tested.verdict = 0;
	m.tested.kind = IPC_TESTED_VERDICT + 1;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_HOST_TLS, sizeof(m.host_tls));
	strcpy(m.host_tls.server, "relay");
	strcpy(m.host_tls.name, "mx.example.net");
	assert_int_equal(check(), -EBADMSG); /* no address */
	m.host_tls.host.addr = documentation4;
	strcpy(m.host_tls.tls.names, "mx.example.net, *.example.net");
	assert_int_equal(check(), 0);
	m.host_tls.mode = POLICY_SERVER_TLS_MODES;
	assert_int_equal(check(), -EBADMSG);
	m.host_tls.mode = POLICY_SERVER_TLS_PIN;
	m.host_tls.tls.version = TLS_VERSIONS;
	assert_int_equal(check(), -EBADMSG);
	m.host_tls.tls.version = TLS_VERSION_1_3;
	m.host_tls.tls.reason = TLS_REASONS;
	assert_int_equal(check(), -EBADMSG);
	m.host_tls.tls.reason = TLS_REASON_NAME;
	strcpy(m.host_tls.tls.why, "a\r\n250 ok");
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_LOOKUP, sizeof(m.lookup));
	assert_int_equal(check(), -EBADMSG); /* no address */
	m.lookup.addr = documentation4;
	assert_int_equal(check(), 0);

	/* what it holds is foreign, and goes into decisions and to servers */
	char *const name = (char *)m.bytes + sizeof(m.looked_up);
	ipc_init(&m, IPC_LOOKED_UP, sizeof(m.looked_up) + DNS_NAME_SIZE);
	m.looked_up.n = 1;
	m.looked_up.known = CLIENT_NAMES_PARTIAL;
	m.looked_up.addr = documentation4;
	assert_int_equal(check(), -EBADMSG); /* no name */
	strcpy(name, "mx_1.example.net");
	assert_int_equal(check(), 0);
	m.looked_up.known = CLIENT_NAMES_PENDING;
	assert_int_equal(check(), -EBADMSG);
	m.looked_up.known = CLIENT_NAMES_PARTIAL + 1;
	assert_int_equal(check(), -EBADMSG);
	m.looked_up.known = CLIENT_NAMES_KNOWN;
	strcpy(m.looked_up.reverse, "a b");
	assert_int_equal(check(), -EBADMSG);
	strcpy(m.looked_up.reverse, "a.example");
	assert_int_equal(check(), 0);
	strcpy(name, "mx\r\n.example.net");
	assert_int_equal(check(), -EBADMSG);
	memset(name, 'a', DNS_NAME_SIZE);
	assert_int_equal(check(), -EBADMSG);
	strcpy(name, "mx.example.net");
	m.looked_up.n = 2;
	assert_int_equal(check(), -EBADMSG); /* one more than it has */
	ipc_init(&m, IPC_LOOKED_UP,
		sizeof(m.looked_up) + (CLIENT_NAMES_MAX + 1) * (size_t)DNS_NAME_SIZE);
	m.looked_up.n = CLIENT_NAMES_MAX + 1;
	m.looked_up.known = CLIENT_NAMES_KNOWN;
	m.looked_up.addr = documentation4;
	for (size_t i = 0; i < m.looked_up.n; i++)
		strcpy(name + i * DNS_NAME_SIZE, "mx.example.net");
	assert_int_equal(check(), -EBADMSG); /* more than there may be */
	m.looked_up.n--;
	m.header.bytes -= DNS_NAME_SIZE;
	assert_int_equal(check(), 0);

	ipc_init(&m, IPC_RESOLVE, sizeof(m.resolve));
	assert_int_equal(check(), -EBADMSG); /* no name */
	strcpy(m.resolve.name, "ldap.hotel.example");
	assert_int_equal(check(), 0);
	strcpy(m.resolve.name, "ldap hotel");
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_RESOLVED, sizeof(m.resolved));
	assert_int_equal(check(), -EBADMSG);
	strcpy(m.resolved.name, "ldap.hotel.example");
	assert_int_equal(check(), -EBADMSG); /* it has no address, and why? */
	m.resolved.status = DNS_STATUSES;
	assert_int_equal(check(), -EBADMSG);
	m.resolved.status = DNS_NO_NAME;
	assert_int_equal(check(), 0);
	m.resolved.n = 1;
	m.resolved.addresses[0] = documentation4;
	assert_int_equal(check(), -EBADMSG);
	m.resolved.status = DNS_GOOD;
	m.resolved.addresses[0] = (struct addr){0};
	assert_int_equal(check(), -EBADMSG);
	m.resolved.addresses[0] = documentation4;
	assert_int_equal(check(), 0);
	m.resolved.n = RESOLVED_MAX + 1;
	assert_int_equal(check(), -EBADMSG);
	m.resolved.n = 0; /* one more than it says */
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_LOAD, sizeof(m.load));
	strcpy(m.load.server, "relay");
	assert_int_equal(check(), -EBADMSG); /* no host */
	m.load.host.addr = documentation4;
	assert_int_equal(check(), 0);
	m.load.server[0] = '\0';
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_CLIENT_SIDE, sizeof(m.side));
	assert_int_equal(check(), 0);
	m.side.ip4 = documentation4;
	assert_int_equal(check(), 0);
	m.side.ip6 = documentation4;
	assert_int_equal(check(), -EBADMSG);
}

static void a_login_page_speaks_of_one_client(void **state)
{
	(void)state;
	ipc_init(&m, IPC_PORTAL_LOGIN, sizeof(m.portal_login));
	strcpy(m.portal_login.portal, "hotel");
	strcpy(m.portal_login.client.zone, "guest");
	assert_int_equal(check(), -EBADMSG); /* no address */
	m.portal_login.client.address = documentation4;
	assert_int_equal(check(), 0);
	strcpy(m.portal_login.terms, "0123\n");
	assert_int_equal(check(), -EBADMSG);
	strcpy(m.portal_login.terms, "0123456789abcdef");
	assert_int_equal(check(), 0);
	m.portal_login.session_bytes = 1; /* more than there is */
	assert_int_equal(check(), -EBADMSG);
	m.header.bytes++;
	assert_int_equal(check(), 0);
	m.portal_login.session_bytes = SESSION_ENCODED_MAX + 1;
	m.header.bytes += SESSION_ENCODED_MAX;
	assert_int_equal(check(), -EBADMSG);
	ipc_init(&m, IPC_PORTAL_LOGIN, sizeof(m.portal_login));
	memset(m.portal_login.terms, 'x', sizeof(m.portal_login.terms));
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_PORTAL_WRONG, sizeof(m.portal_wrong));
	strcpy(m.portal_wrong.portal, "hotel");
	m.portal_wrong.client.address = documentation4;
	assert_int_equal(check(), -EBADMSG); /* no zone */
	strcpy(m.portal_wrong.client.zone, "guest");
	assert_int_equal(check(), 0);
	memset(m.portal_wrong.user, 'x', sizeof(m.portal_wrong.user));
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_PORTAL_SHOW, sizeof(m.portal_client));
	m.portal_client.client.address = documentation4;
	strcpy(m.portal_client.portal, "hotel");
	assert_int_equal(check(), -EBADMSG); /* no zone */
	strcpy(m.portal_client.client.zone, "guest");
	assert_int_equal(check(), 0);
	m.portal_client.portal[0] = '\n';
	assert_int_equal(check(), -EBADMSG);
}

static void a_login_page_is_told_what_can_be_shown(void **state)
{
	(void)state;
	ipc_init(&m, IPC_PORTAL_SHOWN, sizeof(m.portal_shown));
	strcpy(m.portal_shown.user, "anna");
	m.portal_shown.nmails = PORTAL_MAILS_MAX;
	assert_int_equal(check(), 0);
	m.portal_shown.mails[PORTAL_MAILS_MAX - 1].reply[0] = '\x1b';
	assert_int_equal(check(), -EBADMSG);
	m.portal_shown.nmails--;
	assert_int_equal(check(), 0);
	m.portal_shown.nmails = PORTAL_MAILS_MAX + 1;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_PORTAL_STATE, sizeof(m.portal_state));
	assert_int_equal(check(), -EBADMSG); /* of no portal */
	strcpy(m.portal_state.portal, "hotel");
	assert_int_equal(check(), 0);
	m.portal_state.nrows = 1;
	assert_int_equal(check(), -EBADMSG); /* a row that says nothing */
	m.portal_state.rows[0].what = PORTAL_TRY_DEVICE;
	assert_int_equal(check(), 0);
	m.portal_state.nrows = PORTAL_LOCKED_MAX + 1;
	assert_int_equal(check(), -EBADMSG);
}

static void addresses_are_whole(void **state)
{
	(void)state;
	ipc_init(&m, IPC_ADMIT, sizeof(m.admit));
	strcpy(m.admit.ifname, "guest0");
	assert_int_equal(check(), -EBADMSG); /* no address */
	m.admit.source.addr = m.admit.original.addr = documentation4;
	assert_int_equal(check(), 0);
	m.admit.source.addr.bytes[4] = 1;
	assert_int_equal(check(), -EBADMSG);
	m.admit.source.addr.family = ADDR_IP6; /* of another family than the original */
	assert_int_equal(check(), -EBADMSG);
	m.admit.source.addr.family = 5;
	assert_int_equal(check(), -EBADMSG);
	m.admit.source.addr = documentation4;
	m.admit.ifname[0] = 0;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_CUT, sizeof(m.cut));
	m.cut.source = (struct prefix){.addr = documentation4, .len = 32};
	assert_int_equal(check(), 0);
	m.cut.source.len = 33;
	assert_int_equal(check(), -EBADMSG);
	m.cut.source.len = 24; /* bits behind it are set */
	assert_int_equal(check(), -EBADMSG);
	m.cut.source.addr.bytes[3] = 0;
	assert_int_equal(check(), 0);
}

static void a_verdict_brings_only_sound_entries(void **state)
{
	(void)state;
	ipc_init(&m, IPC_VERDICT, sizeof(m.verdict));
	assert_int_equal(check(), -EBADMSG); /* none is no verdict */
	m.verdict.mark = MARK_DROP + 1;
	assert_int_equal(check(), -EBADMSG);
	m.verdict.mark = MARK_DROP;
	assert_int_equal(check(), 0); /* nothing cached: the entries are not looked at */
	m.verdict.cache = 1;
	assert_int_equal(check(), -EBADMSG);
	fill_entry(&m.verdict.entry, 1);
	assert_int_equal(check(), 0);
	m.verdict.entry.timeout_ms = 0;
	assert_int_equal(check(), -EBADMSG);
	fill_entry(&m.verdict.entry, 1);
	m.verdict.entry.mark = MARK_NONE;
	assert_int_equal(check(), -EBADMSG);
	m.verdict.entry.mark = MARK_KILL;
	assert_int_equal(check(), -EBADMSG);
	fill_entry(&m.verdict.entry, 1);
	m.verdict.entry.has_mac = 1; /* but it is all zero */
	assert_int_equal(check(), -EBADMSG);
	m.verdict.entry.mac.bytes[5] = 7;
	assert_int_equal(check(), 0);
	m.verdict.forget = 1;
	assert_int_equal(check(), -EBADMSG);
	fill_entry(&m.verdict.forgotten, 1); /* forgetting is not adding */
	assert_int_equal(check(), -EBADMSG);
	fill_entry(&m.verdict.forgotten, 0);
	assert_int_equal(check(), 0);
}

static void counts_fill_the_ipc_exactly(void **state)
{
	size_t base = sizeof(struct ipc_entries), one = sizeof(struct ipc_entry);

	(void)state;
	ipc_init(&m, IPC_ENTRIES, base + 2 * one);
	m.entries.n = 2;
	fill_entry(&m.entries.v[0], 1);
	fill_entry(&m.entries.v[1], 0);
	assert_int_equal(check(), 0);
	m.entries.n = 1;
	assert_int_equal(check(), -EBADMSG);
	m.entries.n = 3;
	assert_int_equal(check(), -EBADMSG);
	m.entries.n = UINT32_MAX;
	assert_int_equal(check(), -EBADMSG);
	ipc_init(&m, IPC_ENTRIES, base + (IPC_ENTRIES_MAX + 1) * one);
	m.entries.n = IPC_ENTRIES_MAX + 1;
	for (unsigned i = 0; i < m.entries.n && m.header.bytes <= IPC_BYTES_MAX; i++)
		fill_entry(&m.entries.v[i], 0);
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_SESSIONS, sizeof(struct ipc_sessions) + 10);
	m.sessions.n = 1;
	m.sessions.bytes = 10;
	assert_int_equal(check(), 0);
	m.sessions.bytes = 11;
	assert_int_equal(check(), -EBADMSG);
	m.sessions.bytes = 10;
	m.sessions.n = 11;
	assert_int_equal(check(), -EBADMSG);
}

static struct ipc_targets *fill_targets(uint32_t flows)
{
	struct ipc_targets *targets = &m.targets;

	ipc_init(targets, IPC_TARGETS, sizeof(*targets) + sizeof(targets->v[0]));
	strcpy(targets->server, "relay");
	targets->flows = flows;
	targets->n = 1;
	struct ipc_target *target = &targets->v[0];
	strcpy(target->name, "mx.example.net");
	strcpy(target->text, "offers XCLIENT to the gateway");
	target->port = 25;
	target->state = TARGET_NEVER;
	target->naddresses = 1;
	target->addresses[0] = target->addresses[1] = (struct addr){{192, 0, 2, 1}, ADDR_IP4};
	target->read = (struct ipc_target_read){.text = "IPv4 clients only",
		.since_ms = 7,
		.state = TARGET_UP,
		.client_families = TARGET_CLIENTS_IP4,
		.naddresses = 2};
	return targets;
}

static void a_host_is_told_as_each_kind_of_flow_finds_it(void **state)
{
	struct ipc_targets *targets = fill_targets(LEVEL_FLOWS_ALL);
	struct ipc_target *target = &targets->v[0], views[2];

	(void)state;
	assert_int_equal(check(), 0);
	assert_int_equal(ipc_target_addresses(target), 2);
	struct ipc_target seen = ipc_target_seen(target, false);
	assert_memory_equal(&seen, target, sizeof(seen));
	seen = ipc_target_seen(target, true);
	assert_int_equal(seen.state, TARGET_UP);
	assert_int_equal(seen.naddresses, 2);
	assert_int_equal(seen.since_ms, 7);
	assert_int_equal(seen.client_families, TARGET_CLIENTS_IP4);
	assert_string_equal(seen.text, "IPv4 clients only");
	assert_int_equal(ipc_target_views(targets->flows, target, views), 2);
	assert_int_equal(views[0].state, TARGET_NEVER);
	assert_int_equal(views[1].state, TARGET_UP);
	/* only where both come, and find different things */
	targets->flows = LEVEL_FLOWS_PLAIN;
	assert_int_equal(ipc_target_views(targets->flows, target, views), 1);
	assert_int_equal(views[0].state, TARGET_NEVER);
	targets->flows = LEVEL_FLOWS_READ;
	assert_int_equal(ipc_target_views(targets->flows, target, views), 1);
	assert_int_equal(views[0].state, TARGET_UP);
	targets->flows = 0;
	assert_int_equal(ipc_target_views(targets->flows, target, views), 1);
	assert_int_equal(views[0].state, TARGET_NEVER);
	targets->flows = LEVEL_FLOWS_ALL;
	target->read.state = TARGET_NEVER;
	assert_int_equal(ipc_target_views(targets->flows, target, views), 1);
	assert_string_equal(ipc_target_level(0, 1), "");
	assert_string_equal(ipc_target_level(1, 2), " at message level");
}

static void what_read_flows_find_is_in_bounds(void **state)
{
	(void)state;
	fill_targets(LEVEL_FLOWS_ALL + 1);
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].read.state = TARGET_STATES;
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].read.client_families = TARGET_CLIENTS_ALL + 1;
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].read.failing = 2;
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].read.naddresses = TARGET_ADDRESSES_MAX + 1;
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].read.naddresses = 3; /* the third is none */
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].asked = 2; /* the second is not plain flows' */
	assert_int_equal(check(), -EBADMSG);
	fill_targets(0)->v[0].lost = 2;
	assert_int_equal(check(), -EBADMSG);
	memset(fill_targets(0)->v[0].read.text, 'x', TARGET_TEXT_SIZE);
	assert_int_equal(check(), -EBADMSG);
	strcpy(fill_targets(0)->v[0].read.text, "a\nb");
	assert_int_equal(check(), -EBADMSG);
}

static void numbers_of_words_are_in_range(void **state)
{
	(void)state;
	ipc_init(&m, IPC_EVENT, sizeof(m.event));
	m.event.kind = IPC_EVENTS - 1;
	assert_int_equal(check(), 0);
	m.event.kind = IPC_EVENTS;
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_KILL, sizeof(m.kill));
	m.kill.ending = ENDINGS;
	assert_int_equal(check(), -EBADMSG);
	m.kill.ending = ENDINGS - 1;
	assert_int_equal(check(), 0);

	ipc_init(&m, IPC_COUNTERS, sizeof(m.counters));
	assert_int_equal(check(), -EBADMSG);
	m.counters.n = COUNTERS;
	assert_int_equal(check(), 0);

	ipc_init(&m, IPC_FLOW_IDS, sizeof(m.ids));
	assert_int_equal(check(), -EBADMSG);
	m.ids.first = 5;
	m.ids.last = 4;
	assert_int_equal(check(), -EBADMSG);
	m.ids.last = 5;
	assert_int_equal(check(), 0);
}

static void random_bytes_are_refused_or_harmless(void **state)
{
	(void)state;
	srand(7);
	for (unsigned round = 0; round < 20000; round++) {
		size_t len = sizeof(m.header) + (size_t)rand() % 4000;
		for (size_t i = 0; i < len; i++)
			m.bytes[i] = (uint8_t)rand();
		m.header.type = (uint16_t)(rand() % (IPC_TYPES + 1));
		m.header.version = IPC_VERSION;
		m.header.bytes = (uint32_t)len;
		m.header.reserved = 0;
		ipc_check(&m, len);
	}
}

static void put_element(enum policy_list_holds holds, const char *text, uint64_t end_ms)
{
	struct ipc_list_entry entry = {.add = end_ms != 0, .end_ms = end_ms};
	assert_null(element_parse(holds, text, strlen(text), &entry.elem));
	assert_true(ipc_list_put(&m.list, IPC_BYTES_MAX, &entry));
}

static void elements_of_every_kind_travel(void **state)
{
	static const char *const texts[] = {"192.0.2.0/24", "2001:db8::1-2001:db8::9",
		"02-00-5e-00-53-07", "Anna@hotel.example", "@.partner.example",
		"mx.partner.example"};
	static const enum policy_list_holds holds[] = {POLICY_HOLDS_ADDRESSES,
		POLICY_HOLDS_ADDRESSES, POLICY_HOLDS_ADDRESSES, POLICY_HOLDS_MAIL,
		POLICY_HOLDS_MAIL, POLICY_HOLDS_HOSTS};
	struct ipc_list_entry entry;
	char text[ELEMENT_TEXT_SIZE];
	uint32_t at = 0;

	(void)state;
	ipc_init(&m, IPC_LIST_ENTRIES, sizeof(struct ipc_list_entries));
	strcpy(m.list.name, "blocked");
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		put_element(holds[i], texts[i], i);
	assert_int_equal(check(), 0);
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_true(ipc_list_next(&m.list, &at, &entry));
		assert_string_equal(element_format(&entry.elem, text), texts[i]);
		assert_int_equal(entry.end_ms, i);
		assert_int_equal(entry.add, i != 0);
	}
	assert_false(ipc_list_next(&m.list, &at, &entry));
}

static void elements_of_a_list_are_checked(void **state)
{
	struct ipc_list_entry entry = {.add = true};

	(void)state;
	ipc_init(&m, IPC_LIST_ENTRIES, sizeof(struct ipc_list_entries));
	strcpy(m.list.name, "blocked");
	put_element(POLICY_HOLDS_MAIL, "anna@hotel.example", 1);
	assert_int_equal(check(), 0);
	uint32_t whole = m.header.bytes;
	for (uint32_t less = 1; less <= m.list.bytes; less++) { /* cut anywhere */
		m.header.bytes = whole - less;
		assert_int_equal(check(), -EBADMSG);
	}
	m.header.bytes = whole;
	m.list.n = 2;
	assert_int_equal(check(), -EBADMSG);
	m.list.n = 1;
	m.header.type = IPC_LIST_CLEAR;
	assert_int_equal(check(), -EBADMSG);
	m.header.type = IPC_LIST_ENTRIES;
	m.list.data[sizeof(uint64_t)] = 2; /* neither added nor taken away */
	assert_int_equal(check(), -EBADMSG);
	m.list.data[sizeof(uint64_t)] = 1;
	m.list.data[m.list.bytes - 1] = '\n';
	assert_int_equal(check(), -EBADMSG);

	ipc_init(&m, IPC_LIST_ENTRIES, sizeof(struct ipc_list_entries));
	strcpy(m.list.name, "blocked");
	assert_null(element_parse(POLICY_HOLDS_ADDRESSES, "192.0.2.1", 9, &entry.elem));
	while (ipc_list_put(&m.list, IPC_BYTES_MAX, &entry))
		;
	assert_true(m.list.n > 1000 && m.header.bytes <= IPC_BYTES_MAX);
	assert_int_equal(check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_name_and_its_own_length),
		cmocka_unit_test(names_are_of_one_type_each),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(texts_end_and_hold_no_control_characters),
		cmocka_unit_test(sockets_are_asked_for_in_bounds),
		cmocka_unit_test(credentials_have_the_parts_of_their_kind),
		cmocka_unit_test(logins_have_the_parts_of_their_kind),
		cmocka_unit_test(connections_fill_their_ipc),
		cmocka_unit_test(what_holds_a_secret_says_so),
		cmocka_unit_test(metrics_listen_somewhere_and_say_how_it_went),
		cmocka_unit_test(a_login_page_speaks_of_one_client),
		cmocka_unit_test(a_login_page_is_told_what_can_be_shown),
		cmocka_unit_test(a_test_injects_nothing),
		cmocka_unit_test(what_accounting_tells_is_bounded),
		cmocka_unit_test(a_mail_that_is_judged_injects_nothing),
		cmocka_unit_test(addresses_are_whole),
		cmocka_unit_test(a_verdict_brings_only_sound_entries),
		cmocka_unit_test(counts_fill_the_ipc_exactly),
		cmocka_unit_test(elements_of_every_kind_travel),
		cmocka_unit_test(elements_of_a_list_are_checked),
		cmocka_unit_test(a_host_is_told_as_each_kind_of_flow_finds_it),
		cmocka_unit_test(what_read_flows_find_is_in_bounds),
		cmocka_unit_test(numbers_of_words_are_in_range),
		cmocka_unit_test(random_bytes_are_refused_or_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
