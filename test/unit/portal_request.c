/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request is done only if it comes to a name of ours, and a post only from a page of ours. */
#include "lib/portal/headers.h"
#include "lib/portal/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FORM         "application/x-www-form-urlencoded"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char first[] = "login.hotel.example", second[] = "192.0.2.1", third[] = "2001:db8::1";
static struct policy_string own[] = {
	{.text = first, .len = sizeof(first) - 1},
	{.text = second, .len = sizeof(second) - 1},
	{.text = third, .len = sizeof(third) - 1},
};
static const struct policy_strings names = {own, COUNT(own)};

static void only_our_names_are_hosts(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		bool ours;
	} cases[] = {
		{"login.hotel.example", 443, true},
		{"LOGIN.Hotel.Example", 443, true},
		{"login.hotel.example.", 443, true},
		{"login.hotel.example:443", 443, true},
		{"login.hotel.example:8443", 8443, true},
		{"192.0.2.1", 443, true},
		{"[2001:db8::1]", 443, true},
		{"[2001:0DB8:0:0::1]:443", 443, true},
		/* the name that an attacker's DNS lets lead here */
		{"evil.example", 443, false},
		{"login.hotel.example.evil.example", 443, false},
		{"xlogin.hotel.example", 443, false},
		{"login.hotel.example..", 443, false},
		{"login.hotel.example:80", 443, false},
		{"login.hotel.example", 8443, false},
		{"login.hotel.example:", 443, false},
		{"login.hotel.example:0443", 443, false},
		{"login.hotel.example:65979", 443, false}, /* 443 and 2^16 */
		{"login.hotel.example:443x", 443, false},
		{"login.hotel.example:4 43", 443, false},
		{"login.hotel.example/", 443, false},
		{"user@login.hotel.example", 443, false},
		{"login.hotel.example evil.example", 443, false},
		{"login.hotel.example,evil.example", 443, false},
		{"192.0.2.2", 443, false},
		{"192.0.2.1.", 443, false},
		{"0300.0.2.1", 443, false},
		{"2001:db8::1", 443, false}, /* a port of 1? */
		{"[2001:db8::2]", 443, false},
		{"[192.0.2.1]", 443, false},
		{"[2001:db8::1", 443, false},
		{"[2001:db8::1]443", 443, false},
		{"[]", 443, false},
		{"[", 443, false},
		{":443", 443, false},
		{".", 443, false},
		{"", 443, false},
		{NULL, 443, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct portal_request request = {
			.method = "GET", .path = "/", .host = cases[i].host};
		enum portal_route route = portal_route(&request, &names, cases[i].port);
		if (route != (cases[i].ours ? PORTAL_HOME : PORTAL_BAD_HOST))
			fail_msg("%s: %u", cases[i].host ? cases[i].host : "none", route);
	}
}

static void a_post_comes_from_our_pages(void **state)
{
	static const struct {
		const char *origin, *site, *referer;
		bool taken;
	} cases[] = {
		{"https://login.hotel.example", "same-origin", NULL, true},
		{"https://login.hotel.example:443", NULL, NULL, true},
		{"https://192.0.2.1", NULL, NULL, true},
		{"https://[2001:db8::1]", "same-origin", NULL, true},
		{NULL, "same-origin", NULL, true},
		{NULL, NULL, "https://login.hotel.example/?done=out", true},
		{NULL, NULL, "https://login.hotel.example", true},
		{NULL, NULL, NULL, true}, /* an old browser has a token and no more */
		{"null", NULL, NULL, false},
		{"null", "same-origin", NULL, false},
		{"", NULL, NULL, false},
		{"https://", NULL, NULL, false},
		{"http://login.hotel.example", NULL, NULL, false},
		{"https://login.hotel.example:8443", NULL, NULL, false},
		{"https://login.hotel.example/", NULL, NULL, false},
		{"https://evil.example", "cross-site", NULL, false},
		{"https://login.hotel.example.evil.example", NULL, NULL, false},
		{"https://login.hotel.example@evil.example", NULL, NULL, false},
		/* either alone is enough to refuse it */
		{"https://login.hotel.example", "cross-site", NULL, false},
		{"https://login.hotel.example", "same-site", NULL, false},
		{"https://login.hotel.example", "none", NULL, false},
		{"https://login.hotel.example", "", NULL, false},
		{"https://evil.example", "same-origin", NULL, false},
		{NULL, "cross-site", "https://login.hotel.example/", false},
		{NULL, NULL, "https://evil.example/", false},
		{NULL, NULL, "https://evil.example/https://login.hotel.example/", false},
		{NULL, NULL, "https://login.hotel.example@evil.example/", false},
		{NULL, NULL, "https://login.hotel.example\\@evil.example/", false},
		{NULL, NULL, "http://login.hotel.example/", false},
		{NULL, NULL, "", false},
	};
	static const char *const paths[] = {"/login", "/renew", "/logout"};
	(void)state;
	for (size_t i = 0; i < COUNT(cases) * COUNT(paths); i++) {
		const struct portal_request request = {"POST", paths[i % COUNT(paths)], first,
			cases[i / 3].origin, cases[i / 3].site, cases[i / 3].referer, FORM, false};
		enum portal_route route = portal_route(&request, &names, 443);
		if ((route != PORTAL_FOREIGN) != cases[i / 3].taken || route == PORTAL_HOME)
			fail_msg("%zu: %u", i / 3, route);
	}
}

static void a_path_has_its_methods(void **state)
{
	static const struct {
		const char *method, *path;
		enum portal_route route;
	} cases[] = {
		{"GET", "/", PORTAL_HOME},
		{"HEAD", "/", PORTAL_HOME},
		{"GET", "/style.css", PORTAL_STYLE},
		{"GET", "/logo", PORTAL_LOGO},
		{"POST", "/login", PORTAL_LOGIN},
		{"POST", "/renew", PORTAL_RENEW},
		{"POST", "/logout", PORTAL_LOGOUT},
		{"POST", "/", PORTAL_BAD_METHOD},
		{"GET", "/login", PORTAL_BAD_METHOD},
		{"GET", "/logout", PORTAL_BAD_METHOD}, /* an <img> of any page */
		{"HEAD", "/renew", PORTAL_BAD_METHOD},
		{"PUT", "/login", PORTAL_BAD_METHOD},
		{"OPTIONS", "/login", PORTAL_BAD_METHOD},
		{"TRACE", "/", PORTAL_BAD_METHOD},
		{"post", "/login", PORTAL_BAD_METHOD},
		{"", "/", PORTAL_BAD_METHOD},
		{"GET", "/metrics", PORTAL_NOT_FOUND},
		{"GET", "/login/", PORTAL_NOT_FOUND},
		{"GET", "//", PORTAL_NOT_FOUND},
		{"GET", "/../etc/passwd", PORTAL_NOT_FOUND},
		{"GET", "*", PORTAL_NOT_FOUND},
		{"GET", "", PORTAL_NOT_FOUND},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct portal_request request = {
			.method = cases[i].method, .path = cases[i].path, .host = first};
		request.content_type = FORM;
		enum portal_route route = portal_route(&request, &names, 443);
		if (route != cases[i].route)
			fail_msg("%s %s: %u", cases[i].method, cases[i].path, route);
		assert_int_equal(portal_route_status(route) == 0, route < PORTAL_BAD_FIELDS);
	}
	assert_string_equal(portal_route_allow("/login"), "POST");
	assert_string_equal(portal_route_allow("/"), "GET, HEAD");
}

static void a_post_is_a_form(void **state)
{
	static const struct {
		const char *type;
		bool taken;
	} cases[] = {
		{FORM, true},
		{FORM ";charset=UTF-8", true},
		{FORM " ; charset=UTF-8", true},
		{"Application/X-WWW-Form-URLencoded", true},
		{FORM "x", false},
		/* what a page of others may send without being asked first */
		{"text/plain", false},
		{"multipart/form-data; boundary=x", false},
		{"application/json", false},
		{"", false},
		{NULL, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct portal_request request = {.method = "POST", .path = "/login", .host = first};
		request.content_type = cases[i].type;
		assert_int_equal(portal_route(&request, &names, 443),
			cases[i].taken ? PORTAL_LOGIN : PORTAL_BAD_TYPE);
	}
}

static void a_field_twice_is_refused(void **state)
{
	const struct portal_request request = {
		.method = "GET", .path = "/", .host = first, .twice = true};
	(void)state;
	assert_int_equal(portal_route(&request, &names, 443), PORTAL_BAD_FIELDS);
}

static const char *value_of(const struct portal_header *v, size_t n, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0) {
			assert_null(value); /* twice */
			value = v[i].value;
		}
	return value;
}

static void every_answer_says_what_a_browser_may(void **state)
{
	static const enum portal_content contents[] = {
		PORTAL_CONTENT_PAGE, PORTAL_CONTENT_STYLE, PORTAL_CONTENT_LOGO};
	struct portal_header v[PORTAL_HEADERS_MAX];
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(contents); i++) {
		enum portal_content content = contents[i / 2];
		size_t n = portal_headers(content, i % 2, v);
		assert_true(n <= PORTAL_HEADERS_MAX);
		const char *csp = value_of(v, n, "Content-Security-Policy");
		assert_non_null(csp);
		assert_non_null(strstr(csp, "default-src 'none'"));
		assert_non_null(strstr(csp, "frame-ancestors 'none'"));
		assert_non_null(strstr(csp, "form-action 'self'"));
		assert_non_null(strstr(csp, "base-uri 'none'"));
		assert_null(strstr(csp, "unsafe"));
		assert_null(strstr(csp, "script"));
		assert_string_equal(value_of(v, n, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(value_of(v, n, "X-Frame-Options"), "DENY");
		assert_string_equal(value_of(v, n, "Referrer-Policy"), "same-origin");
		const char *cache = value_of(v, n, "Cache-Control");
		assert_int_equal(strcmp(cache, "no-store") == 0, content == PORTAL_CONTENT_PAGE);
		assert_int_equal(value_of(v, n, "Strict-Transport-Security") != NULL, i % 2);
		assert_int_equal(
			value_of(v, n, "Content-Type") == NULL, content == PORTAL_CONTENT_LOGO);
		assert_null(value_of(v, n, "Access-Control-Allow-Origin"));
		assert_null(value_of(v, n, "Set-Cookie"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_our_names_are_hosts),
		cmocka_unit_test(a_post_comes_from_our_pages),
		cmocka_unit_test(a_path_has_its_methods),
		cmocka_unit_test(a_post_is_a_form),
		cmocka_unit_test(a_field_twice_is_refused),
		cmocka_unit_test(every_answer_says_what_a_browser_may),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
