/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A token serves whom it was made for, in its form, for a short time. */
#include "lib/portal/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SLOT_MS (PORTAL_TOKEN_SLOT_S * UINT64_C(1000))
#define START   (1000 * SLOT_MS)

static const uint8_t key[PORTAL_KEY_SIZE] = "0123456789abcdef0123456789abcde";

static struct portal_client client(const char *zone, const char *mac, const char *address)
{
	struct portal_client made;

	memset(&made, 0, sizeof(made));
	strcpy(made.zone, zone);
	if (mac)
		assert_int_equal(mac_parse(mac, strlen(mac), &made.mac), 0);
	assert_int_equal(addr_parse(address, strlen(address), &made.address), 0);
	return made;
}

static const char *make(const struct portal_client *who, uint64_t now_ms)
{
	static char token[PORTAL_TOKEN_SIZE];
	portal_token_make(key, who, PORTAL_FORM_LOGIN, now_ms, token);
	return token;
}

static bool serves(const struct portal_client *who, enum portal_form_kind kind, uint64_t now_ms,
	const char *token)
{
	return portal_token_check(key, who, kind, now_ms, token);
}

static void it_serves_its_device_alone(void **state)
{
	const struct portal_client own = client("guest", "02:00:5e:00:53:01", "192.0.2.7");
	const struct portal_client by_ip6 = client("guest", "02:00:5e:00:53:01", "2001:db8::7");
	const struct portal_client others[] = {
		client("guest", "02:00:5e:00:53:02", "192.0.2.7"),
		client("staff", "02:00:5e:00:53:01", "192.0.2.7"),
		client("guest", NULL, "192.0.2.7"),
	};
	const char *token = make(&own, START);
	(void)state;
	assert_true(serves(&own, PORTAL_FORM_LOGIN, START, token));
	assert_true(serves(&by_ip6, PORTAL_FORM_LOGIN, START, token));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(serves(&others[i], PORTAL_FORM_LOGIN, START, token));
}

static void without_mac_it_serves_its_address(void **state)
{
	const struct portal_client own = client("staff", NULL, "192.0.2.7");
	const struct portal_client other = client("staff", NULL, "192.0.2.8");
	const char *token = make(&own, START);
	(void)state;
	assert_true(serves(&own, PORTAL_FORM_LOGIN, START, token));
	assert_false(serves(&other, PORTAL_FORM_LOGIN, START, token));
}

static void it_serves_its_form(void **state)
{
	const struct portal_client own = client("guest", NULL, "192.0.2.7");
	const char *token = make(&own, START);
	(void)state;
	assert_false(serves(&own, PORTAL_FORM_LOGOUT, START, token));
	assert_false(serves(&own, PORTAL_FORM_RENEW, START, token));
}

static void it_serves_for_a_time(void **state)
{
	const struct portal_client own = client("guest", NULL, "192.0.2.7");
	const char *token = make(&own, START + 1);
	(void)state;
	assert_true(serves(&own, PORTAL_FORM_LOGIN, START + SLOT_MS - 1, token));
	assert_true(serves(&own, PORTAL_FORM_LOGIN, START + SLOT_MS, token));
	assert_true(serves(&own, PORTAL_FORM_LOGIN, START + 2 * SLOT_MS - 1, token));
	assert_false(serves(&own, PORTAL_FORM_LOGIN, START + 2 * SLOT_MS, token));
	assert_false(serves(&own, PORTAL_FORM_LOGIN, START - 1, token)); /* of later */
}

static void what_is_not_one_is_none(void **state)
{
	const struct portal_client own = client("guest", NULL, "192.0.2.7");
	char token[PORTAL_TOKEN_SIZE + 1];
	uint8_t other[PORTAL_KEY_SIZE];
	(void)state;
	strcpy(token, make(&own, START));
	for (size_t i = 0; i + 1 < PORTAL_TOKEN_SIZE; i++) {
		token[i] ^= 1;
		assert_false(serves(&own, PORTAL_FORM_LOGIN, START, token));
		token[i] ^= 1;
	}
	assert_true(serves(&own, PORTAL_FORM_LOGIN, START, token));
	strcat(token, "0");
	assert_false(serves(&own, PORTAL_FORM_LOGIN, START, token));
	token[PORTAL_TOKEN_SIZE - 2] = '\0';
	assert_false(serves(&own, PORTAL_FORM_LOGIN, START, token));
	assert_false(serves(&own, PORTAL_FORM_LOGIN, START, ""));
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	assert_false(portal_token_check(other, &own, PORTAL_FORM_LOGIN, START, make(&own, START)));
}

static void it_differs_in_all(void **state)
{
	char seen[64][PORTAL_TOKEN_SIZE];
	size_t n = 0;
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		struct portal_client who = client(i & 1 ? "guest" : "staff",
			i & 2 ? "02:00:5e:00:53:01" : "02:00:5e:00:53:02", "192.0.2.7");
		enum portal_form_kind kind = i & 4 ? PORTAL_FORM_LOGIN : PORTAL_FORM_LOGOUT;
		portal_token_make(key, &who, kind, START + (i >> 3) * SLOT_MS, seen[n++]);
		for (size_t j = 0; j + 1 < n; j++)
			assert_string_not_equal(seen[j], seen[n - 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_serves_its_device_alone),
		cmocka_unit_test(without_mac_it_serves_its_address),
		cmocka_unit_test(it_serves_its_form),
		cmocka_unit_test(it_serves_for_a_time),
		cmocka_unit_test(what_is_not_one_is_none),
		cmocka_unit_test(it_differs_in_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
