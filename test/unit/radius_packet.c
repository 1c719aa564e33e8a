/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of accounting, as a second implementation of the RFCs (Python's hashlib and hmac) made
 * them, and as an enemy would. */
#include "daemon/radius/md5.h"
#include "lib/radius/account.h"
#include "lib/radius/attribute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A controller's Interim, with a Message-Authenticator at its end. */
static const char wlc[] =
	"\x04\x02\x01\x2b\x75\xdd\x7e\x9c\xaa\x0f\x15\x77\xf8\xf7\x3e\xab\xb4\xdb\xea\x6e\x01\x05"
	"\x62\x6f\x62\x20\x06\x77\x6c\x63\x31\x04\x06\xc0\x00\x02\x05\x28\x06\x00\x00\x00\x03\x2c"
	"\x1b\x35\x65\x30\x30\x2f\x30\x32\x3a\x30\x30\x3a\x35\x65\x3a\x30\x30\x3a\x35\x33\x3a\x30"
	"\x37\x2f\x31\x32\x1f\x13\x30\x32\x2d\x30\x30\x2d\x35\x65\x2d\x30\x30\x2d\x35\x33\x2d\x30"
	"\x37\x1e\x19\x30\x30\x2d\x33\x61\x2d\x39\x38\x2d\x30\x30\x2d\x30\x30\x2d\x31\x30\x3a\x68"
	"\x6f\x74\x65\x6c\x37\x06\x65\x53\xf1\x00\x2e\x06\x00\x00\x02\x58\x1a\x0c\x00\x00\x37\x63"
	"\x01\x06\x00\x00\x00\x03\x1a\x1b\x00\x00\x00\x09\x01\x15\x61\x75\x64\x69\x74\x2d\x73\x65"
	"\x73\x73\x69\x6f\x6e\x2d\x69\x64\x3d\x30\x35\x1a\x13\x00\x00\x00\x09\x01\x0d\x73\x73\x69"
	"\x64\x3d\x63\x61\x6d\x70\x75\x73\x19\x0d\x67\x72\x6f\x75\x70\x3d\x73\x74\x61\x66\x66\x19"
	"\x04\xff\xfe\x08\x06\xc0\x00\x02\x07\x61\x0c\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x00\x60"
	"\x0a\x00\x00\x5e\xff\xfe\x00\x53\x07\xa8\x12\x20\x01\x0d\xb8\x00\x01\x00\x00\x00\x00\x00"
	"\x00\x00\x00\x00\x07\x7b\x0c\x00\x38\x20\x01\x0d\xb8\x00\x02\xff\x00\x21\x05\x6f\x6e\x65"
	"\x21\x05\x74\x77\x6f\x55\x06\x00\x00\x02\x58\x1b\x06\x00\x00\x1c\x20\x50\x12\xda\xa3\xa8"
	"\xb9\x1f\x77\x6e\x54\x80\xe8\x07\x28\x0e\xe3\x35\x78";
static const char status_server[] =
	"\x0c\x04\x00\x26\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x50\x12"
	"\xa6\x34\x22\x83\x45\x6b\xe1\xa0\xf6\xbc\xa4\xa8\xe5\x5c\xe9\x92";
#define BYTES(array) ((const uint8_t *)(array)), (sizeof(array) - 1)

static const struct radius_octets secret = {BYTES("a-secret-of-the-wlc")};

struct world {
	struct md5 *md5;
	struct radius_digest digest;
};

static int set_up(void **state)
{
	static struct world world;
	world.md5 = md5_new();
	assert_non_null(world.md5);
	world.digest = md5_digest(world.md5);
	*state = &world;
	return 0;
}

static int take_down(void **state)
{
	md5_free(((struct world *)*state)->md5);
	return 0;
}

static enum radius_verdict prove(
	const struct world *world, const uint8_t *bytes, size_t len, const struct radius_octets *by)
{
	struct radius_packet packet;
	enum radius_verdict verdict = radius_packet_read(bytes, len, &packet);
	return verdict == RADIUS_VERDICT_GOOD ? radius_packet_prove(&packet, by, &world->digest)
					      : verdict;
}

static void hmac_is_that_of_its_rfc(void **state)
{
	const struct world *world = *state;
	const uint8_t jefe[] = {0x75, 0x0c, 0x78, 0x3e, 0x6a, 0xb0, 0xb5, 0x03, 0xea, 0xa8, 0x6e,
		0x31, 0x0a, 0x5d, 0xb7, 0x38};
	const uint8_t large[] = {0x6b, 0x1a, 0xb7, 0xfe, 0x4b, 0xd7, 0xbf, 0x8f, 0x0b, 0x62, 0xe6,
		0xce, 0x61, 0xb9, 0xd0, 0xcd};
	const struct radius_octets what[] = {{BYTES("what do ya want ")}, {BYTES("for nothing?")}};
	const struct radius_octets text = {
		BYTES("Test Using Larger Than Block-Size Key - Hash Key First")};
	const struct radius_octets key = {BYTES("Jefe")};
	uint8_t aa[80], sum[RADIUS_MD5_SIZE];
	memset(aa, 0xaa, sizeof(aa));
	const struct radius_octets long_key = {aa, sizeof(aa)};
	assert_true(radius_hmac(&world->digest, &key, what, 2, sum));
	assert_memory_equal(sum, jefe, sizeof(sum));
	assert_true(radius_hmac(&world->digest, &long_key, &text, 1, sum));
	assert_memory_equal(sum, large, sizeof(sum));
}

static void who_knows_the_secret_is_believed(void **state)
{
	const struct radius_octets other = {BYTES("a-secret-of-the-wld")};
	assert_int_equal(prove(*state, BYTES(wlc), &secret), RADIUS_VERDICT_GOOD);
	assert_int_equal(prove(*state, BYTES(status_server), &secret), RADIUS_VERDICT_GOOD);
	assert_int_equal(prove(*state, BYTES(wlc), &other), RADIUS_VERDICT_AUTHENTICATOR);
	assert_int_equal(
		prove(*state, BYTES(status_server), &other), RADIUS_VERDICT_MESSAGE_AUTHENTICATOR);
}

static void no_bit_may_differ(void **state)
{
	uint8_t changed[sizeof(wlc) - 1];
	for (size_t i = 0; i < sizeof(changed) * 8; i++) {
		memcpy(changed, wlc, sizeof(changed));
		changed[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_not_equal(
			prove(*state, changed, sizeof(changed), &secret), RADIUS_VERDICT_GOOD);
	}
}

static void octets_behind_the_length_are_none_of_it(void **state)
{
	uint8_t more[sizeof(wlc) + 7];
	memset(more, 0x1a, sizeof(more));
	memcpy(more, wlc, sizeof(wlc) - 1);
	assert_int_equal(prove(*state, more, sizeof(more), &secret), RADIUS_VERDICT_GOOD);
	for (size_t len = 0; len < sizeof(wlc) - 1; len++)
		assert_int_equal(prove(*state, more, len, &secret), RADIUS_VERDICT_SHORT);
}

static void a_form_that_is_none_is_told_apart(void **state)
{
	uint8_t bytes[64] = {4, 1, 0, 64};
	bytes[20] = 1;
	bytes[21] = 44;
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_AUTHENTICATOR);
	bytes[21] = 43; /* one byte is left over */
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_ATTRIBUTES);
	bytes[21] = 45;
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_ATTRIBUTES);
	bytes[21] = 1;
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_ATTRIBUTES);
	bytes[21] = 0;
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_ATTRIBUTES);
	bytes[3] = 19;
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_LENGTH);
	bytes[2] = 0x10;
	bytes[3] = 1;
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_LENGTH);
	bytes[2] = 0;
	bytes[3] = 20;
	bytes[0] = 1; /* Access-Request */
	assert_int_equal(prove(*state, bytes, 64, &secret), RADIUS_VERDICT_CODE);
}

static void a_status_server_needs_its_message_authenticator(void **state)
{
	uint8_t bytes[sizeof(status_server) - 1];
	memcpy(bytes, status_server, sizeof(bytes));
	bytes[3] = 20;
	assert_int_equal(prove(*state, bytes, sizeof(bytes), &secret), RADIUS_VERDICT_UNSIGNED);
	bytes[3] = 38;
	bytes[20] = 79;
	assert_int_equal(prove(*state, bytes, sizeof(bytes), &secret), RADIUS_VERDICT_UNSIGNED);
}

/* As old NASes sent it. */
static void an_authenticator_of_zeros_is_wrong(void **state)
{
	uint8_t bytes[sizeof(wlc) - 1];
	memcpy(bytes, wlc, sizeof(bytes));
	memset(bytes + 4, 0, 16);
	assert_int_equal(
		prove(*state, bytes, sizeof(bytes), &secret), RADIUS_VERDICT_AUTHENTICATOR);
}

static bool refuse(void *context, const struct radius_octets *pieces, size_t n,
	uint8_t sum[static RADIUS_MD5_SIZE])
{
	(void)context;
	(void)pieces;
	(void)n;
	memset(sum, 0, RADIUS_MD5_SIZE);
	return false;
}

static void without_md5_nobody_is_believed(void **state)
{
	const struct radius_digest none = {.md5 = refuse};
	struct radius_packet packet;
	uint8_t bytes[sizeof(wlc) - 1], out[RADIUS_PACKET_MAX];
	struct radius_question question = {.code = 4};
	(void)state;
	memcpy(bytes, wlc, sizeof(bytes));
	memset(bytes + 4, 0, 16);
	assert_int_equal(radius_packet_read(bytes, sizeof(bytes), &packet), RADIUS_VERDICT_GOOD);
	assert_int_equal(radius_packet_prove(&packet, &secret, &none), RADIUS_VERDICT_NO_MD5);
	assert_int_equal(radius_packet_answer(&question, &secret, &none, out), 0);
}

static void an_answer_has_the_proxy_states_in_their_order(void **state)
{
	const struct world *world = *state;
	const uint8_t expected[] = {5, 2, 0, 30, 0xbc, 0xba, 0xce, 0x59, 0x72, 0x7d, 0xdf, 0xcc,
		0x5e, 0xb9, 0x9d, 0x00, 0x42, 0x4f, 0x4b, 0x97, 33, 5, 'o', 'n', 'e', 33, 5, 't',
		'w', 'o'};
	struct radius_packet packet;
	uint8_t states[64], out[RADIUS_PACKET_MAX];
	assert_int_equal(radius_packet_read(BYTES(wlc), &packet), RADIUS_VERDICT_GOOD);
	struct radius_question question = {.code = packet.code, .id = packet.id};
	memcpy(question.authenticator, packet.authenticator, sizeof(question.authenticator));
	assert_int_equal(radius_proxy_states(&packet, NULL, 0), 10);
	question.proxy_states = states;
	question.proxy_len = radius_proxy_states(&packet, states, sizeof(states));
	size_t len = radius_packet_answer(&question, &secret, &world->digest, out);
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(out, expected, len);
}

/* ---- what it says ---- */

static bool is_text(const struct radius_octets *octets, const char *text)
{
	return octets->len == strlen(text) &&
	       (octets->len == 0 || memcmp(octets->bytes, text, octets->len) == 0);
}

static void a_controller_is_read(void **state)
{
	static const char *const expected[] = {"192.0.2.7", "2001:db8:1:0:0:5eff:fe00:5307",
		"2001:db8:1::7", "2001:db8:2:ff00::/56"};
	struct radius_packet packet;
	struct radius_account account;
	char text[PREFIX_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	(void)state;
	assert_int_equal(radius_packet_read(BYTES(wlc), &packet), RADIUS_VERDICT_GOOD);
	radius_account_read(&packet, &account);
	assert_int_equal(account.status, RADIUS_STATUS_INTERIM);
	assert_true(is_text(&account.user_name, "bob"));
	assert_true(is_text(&account.session, "5e00/02:00:5e:00:53:07/12"));
	assert_true(is_text(&account.nas_identifier, "wlc1"));
	assert_string_equal(mac_format(&account.mac, mac), "02:00:5e:00:53:07");
	assert_true(is_text(&account.ssid, "campus")); /* the vendor's, in front of Called- */
	assert_true(account.has_wlan);
	assert_int_equal(account.wlan, 3);
	assert_int_equal(account.nclasses, 2);
	assert_true(is_text(&account.classes[0], "group=staff"));
	assert_true(account.has_time && account.has_session_time);
	assert_int_equal(account.time_s, 1700000000);
	assert_int_equal(account.session_s, 600);
	assert_int_equal(account.interval_s, 600);
	assert_int_equal(account.timeout_s, 7200);
	assert_int_equal(account.bad, 0);
	assert_int_equal(account.naddresses, 4);
	for (size_t i = 0; i < 4; i++) {
		struct prefix prefix;
		assert_int_equal(prefix_parse(expected[i], strlen(expected[i]), &prefix), 0);
		prefix_format(&prefix, text);
		assert_true(prefix_equal(&account.addresses[i], &prefix));
	}
}

/* One attribute alone. */
static void read_one(uint8_t type, const void *value, size_t len, struct radius_account *account)
{
	static uint8_t bytes[300];
	struct radius_packet packet;
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 4;
	bytes[2] = (uint8_t)((22 + len) >> 8);
	bytes[3] = (uint8_t)(22 + len);
	bytes[20] = type;
	bytes[21] = (uint8_t)(2 + len);
	memcpy(bytes + 22, value, len);
	assert_int_equal(radius_packet_read(bytes, 22 + len, &packet), RADIUS_VERDICT_GOOD);
	radius_account_read(&packet, account);
}

static void macs_are_read_in_all_spellings(void **state)
{
	static const struct {
		const char *text, *mac;
	} cases[] = {
		{"02-00-5e-00-53-07", "02:00:5e:00:53:07"},
		{"02:00:5E:00:53:07", "02:00:5e:00:53:07"},
		{"0200.5e00.5307", "02:00:5e:00:53:07"},
		{"0200-5e00-5307", "02:00:5e:00:53:07"},
		{"02005e005307", "02:00:5e:00:53:07"},
		{"02-00-5e-00-53-07;something", "02:00:5e:00:53:07"},
		{"02-00-5e-00-53-07 more", "02:00:5e:00:53:07"},
		{"02-00-5e-00-53-07x", NULL},
		{"02-00:5e-00:53-07", NULL},
		{"02-00-5e-00-53", NULL},
		{"262011234567890", NULL}, /* an IMSI */
		{"+4930123456", NULL},
		{"ff-ff-ff-ff-ff-ff", NULL},
		{"01-00-5e-00-00-01", NULL},
		{"", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account;
		char mac[MAC_TEXT_SIZE];
		read_one(31, cases[i].text, strlen(cases[i].text), &account);
		assert_int_equal(mac_is_set(&account.mac), cases[i].mac != NULL);
		if (cases[i].mac)
			assert_string_equal(mac_format(&account.mac, mac), cases[i].mac);
	}
}

static void an_ssid_stands_behind_a_whole_mac(void **state)
{
	static const struct {
		const char *text, *ssid;
	} cases[] = {
		{"B4-FB-E4-86-7B-30:FC", "FC"},
		{"b4:fb:e4:86:7b:30:hotel:5g", "hotel:5g"},
		{"b4fbe4867b30:hotel", "hotel"},
		{"b4fb.e486.7b30:hotel", "hotel"},
		{"00:11:22:33:44:55", ""}, /* not "55" */
		{"00-11-22-33-44-55", ""},
		{"00-11-22-33-44-55:", ""},
		{"hotel", ""},
		{"ap7:hotel", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account;
		read_one(30, cases[i].text, strlen(cases[i].text), &account);
		assert_true(is_text(&account.ssid, cases[i].ssid));
	}
}

static void vendors_name_the_network(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *ssid;
	} cases[] = {
#define CASE(bytes, ssid) {bytes, sizeof(bytes) - 1, ssid}
		CASE("\x00\x00\x39\xe7\x05\x07hotel", "hotel"), /* Aruba */
		CASE("\x00\x00\x61\xdd\x03\x07hotel", "hotel"), /* Ruckus */
		CASE("\x00\x00\x00\x09\x01\x0cssid=hotel", "hotel"),
		CASE("\x00\x00\x00\x09\x01\x07ssid=", ""),
		CASE("\x00\x00\x00\x08\x01\x0cssid=hotel", ""),
		CASE("\x00\x00\x39\xe7\x05\x09hotel", ""), /* ends behind its end */
#undef CASE
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account;
		read_one(26, cases[i].bytes, cases[i].len, &account);
		assert_true(is_text(&account.ssid, cases[i].ssid));
	}
}

static void addresses_that_are_none_are_left_out(void **state)
{
	static const struct {
		uint8_t type;
		const char *bytes;
		size_t len;
		const char *address;
		unsigned bad;
	} cases[] = {
#define CASE(type, bytes, address, bad) {type, bytes, sizeof(bytes) - 1, address, bad}
		CASE(8, "\xc0\x00\x02\x07", "192.0.2.7", 0),
		CASE(8, "\xff\xff\xff\xfe", NULL, 0), /* the NAS chooses */
		CASE(8, "\xff\xff\xff\xff", NULL, 0),
		CASE(8, "\x00\x00\x00\x00", NULL, 0),
		CASE(8, "\xa9\xfe\x23\xb2", NULL, 0), /* link-local */
		CASE(8, "\xe0\x00\x00\x01", NULL, 1),
		CASE(8, "\x7f\x00\x00\x01", NULL, 1),
		CASE(8, "\xc0\x00\x02", NULL, 1),
		CASE(8, "\xc0\x00\x02\x07\x07", NULL, 1),
		CASE(168, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", NULL, 0),
		CASE(168, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", NULL, 1),
		CASE(97, "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00\x00", "2001:db8:1::/64", 0),
		CASE(97, "\x00\x40\x20\x01\x0d\xb8\x00\x01\x00", NULL, 1),
		CASE(97, "\x00\x1f\x20\x01\x0d\xb9", NULL, 1), /* bits behind it */
		CASE(97, "\x00\x81\x20\x01\x0d\xb8", NULL, 1),
		CASE(97, "\x00\x00", NULL, 1), /* all the world */
		CASE(97, "\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00", NULL, 0),
		CASE(97, "\x00\x40\xfe\x80\x00\x00\x00\x00\x00\x00", NULL, 0),
		CASE(123, "\x00\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", NULL, 1),
		CASE(123, "\x00\x38\x20\x01\x0d\xb8\x00\x02\xff", "2001:db8:2:ff00::/56", 0),
		CASE(123, "\x00", NULL, 1),
#undef CASE
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account;
		char text[PREFIX_TEXT_SIZE];
		read_one(cases[i].type, cases[i].bytes, cases[i].len, &account);
		assert_int_equal(account.naddresses, cases[i].address != NULL);
		assert_int_equal(account.bad, cases[i].bad);
		if (cases[i].address) {
			prefix_format(&account.addresses[0], text);
			assert_string_equal(text, cases[i].address);
		}
	}
}

static void every_status_is_read(void **state)
{
	static const struct {
		uint8_t number;
		enum radius_status status;
	} cases[] = {{1, RADIUS_STATUS_START}, {2, RADIUS_STATUS_STOP}, {3, RADIUS_STATUS_INTERIM},
		{7, RADIUS_STATUS_ON}, {8, RADIUS_STATUS_OFF}, {15, RADIUS_STATUS_OTHER},
		{0, RADIUS_STATUS_OTHER}, {9, RADIUS_STATUS_OTHER}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account;
		read_one(40, (uint8_t[]){0, 0, 0, cases[i].number}, 4, &account);
		assert_int_equal(account.status, cases[i].status);
		read_one(40, (uint8_t[]){1, 0, 0, cases[i].number}, 4, &account);
		assert_int_equal(account.status, RADIUS_STATUS_OTHER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_is_that_of_its_rfc),
		cmocka_unit_test(who_knows_the_secret_is_believed),
		cmocka_unit_test(no_bit_may_differ),
		cmocka_unit_test(octets_behind_the_length_are_none_of_it),
		cmocka_unit_test(a_form_that_is_none_is_told_apart),
		cmocka_unit_test(a_status_server_needs_its_message_authenticator),
		cmocka_unit_test(an_authenticator_of_zeros_is_wrong),
		cmocka_unit_test(without_md5_nobody_is_believed),
		cmocka_unit_test(an_answer_has_the_proxy_states_in_their_order),
		cmocka_unit_test(a_controller_is_read),
		cmocka_unit_test(macs_are_read_in_all_spellings),
		cmocka_unit_test(an_ssid_stands_behind_a_whole_mac),
		cmocka_unit_test(vendors_name_the_network),
		cmocka_unit_test(addresses_that_are_none_are_left_out),
		cmocka_unit_test(every_status_is_read),
	};
	return cmocka_run_group_tests(tests, set_up, take_down);
}
