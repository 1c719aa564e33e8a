/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A form of the login page: nothing outside of the body is touched, and what is found in it is text
 * that ends within. */
#include "lib/base/text.h"
#include "lib/portal/form.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_text(const char *body, size_t size, const char *text)
{
	size_t len = strlen(text);

	assert(len == 0 || (text >= body && text + len <= body + size));
	assert(len <= PORTAL_FIELD_MAX);
	for (size_t at = 0, n; at < len; at += n) {
		n = text_character(text + at, len - at);
		assert(n > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = malloc(size + 1); /* a read or write behind the end is seen */
	struct portal_form form;

	if (!body)
		return 0;
	memcpy(body, data, size);
	if (portal_form_parse(body, size, &form) == 0) {
		is_text(body, size, form.user);
		is_text(body, size, form.password);
		is_text(body, size, form.token);
		is_text(body, size, form.terms);
		assert(strspn(form.terms, "0123456789abcdef") == strlen(form.terms));
		size_t len = strlen(form.user);
		assert(len == 0 || (form.user[0] != ' ' && form.user[len - 1] != ' '));
	}
	free(body);
	return 0;
}
