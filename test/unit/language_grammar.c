/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads lib/language/grammar.y itself and compares the sets of words: no word that starts a
 * statement of a block is an option word in the same block. Else a statement added later could
 * change what an old text means. */
#include "lib/language/parse.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYMBOLS_MAX 512
#define RULES_MAX   800
#define RIGHT_MAX   12

static char names[SYMBOLS_MAX][32], words[SYMBOLS_MAX][24]; /* words: the keyword, or empty */
static size_t nsymbols;

static struct {
	size_t left, n, right[RIGHT_MAX];
} rules[RULES_MAX];
static size_t nrules;

static size_t symbol(const char *name, size_t len)
{
	for (size_t i = 0; i < nsymbols; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	}
	assert_true(nsymbols < SYMBOLS_MAX && len < sizeof(names[0]));
	memcpy(names[nsymbols], name, len);
	return nsymbols++;
}

static size_t word_length(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* `ZONE "zone"`: the keyword of a token. Descriptions of other tokens have a space. */
static void read_tokens(const char *p, const char *end)
{
	while (p < end) {
		size_t n = word_length(p);
		if (n == 0) {
			p++;
			continue;
		}
		const char *alias = p + n + 1;
		if (p[n] == ' ' && *alias == '"') {
			size_t len = strcspn(alias + 1, "\"");
			if (!memchr(alias + 1, ' ', len) && len < sizeof(words[0]))
				memcpy(words[symbol(p, n)], alias + 1, len);
		}
		p += n;
	}
}

static const char *skip_action(const char *p)
{
	int depth = 0;

	do {
		depth += *p == '{' ? 1 : *p == '}' ? -1 : 0;
		p += p[0] == '\'' ? 3 : 1;
	} while (depth > 0);
	return p;
}

static const char *skip_comment(const char *p)
{
	return strstr(p, "*/") + 2;
}

static void read_rules(const char *p)
{
	size_t left = 0;
	bool open = false;

	while (*p && strncmp(p, "%%", 2) != 0) {
		size_t n = word_length(p);
		if (strncmp(p, "/*", 2) == 0) {
			p = skip_comment(p);
		} else if (*p == '{') {
			p = skip_action(p);
		} else if (*p == '\'') {
			rules[nrules].right[rules[nrules].n++] = symbol(p, 3);
			p += 3;
		} else if (*p == '%') {
			p += 1 + word_length(p + 1);
		} else if (n > 0 && !open) {
			left = symbol(p, n);
			rules[nrules].left = left;
			p += n;
		} else if (n > 0) {
			assert_true(rules[nrules].n < RIGHT_MAX);
			rules[nrules].right[rules[nrules].n++] = symbol(p, n);
			p += n;
		} else {
			if (*p == ':')
				open = true;
			if (*p == '|' || *p == ';') {
				assert_true(++nrules < RULES_MAX);
				rules[nrules].left = left;
			}
			if (*p == ';')
				open = false;
			p++;
		}
	}
}

static bool is_nonterminal(size_t i)
{
	for (size_t j = 0; j < nrules; j++) {
		if (rules[j].left == i)
			return true;
	}
	return false;
}

/* Names and strings may be any word: what they hold are no option words. */
static bool is_free(size_t i)
{
	return strcmp(names[i], "name") == 0 || strcmp(names[i], "text") == 0 ||
	       strcmp(names[i], "string") == 0;
}

/* What it demands is no option word: it cannot be left out. */
static bool is_per(size_t i)
{
	return strcmp(words[i], "per") == 0;
}

/* All words that a symbol can hold; a block in braces is one of its own and is left out. */
static void collect(size_t i, bool *set, bool *seen)
{
	if (seen[i] || is_free(i))
		return;
	seen[i] = true;
	set[i] = true;
	for (size_t j = 0; j < nrules; j++) {
		if (rules[j].left != i)
			continue;
		for (size_t k = 0; k < rules[j].n; k++) {
			size_t right = rules[j].right[k];
			if (strcmp(names[right], "'{'") == 0)
				break;
			if (k == 0 || !is_per(rules[j].right[k - 1]))
				collect(right, set, seen);
		}
	}
}

static void read_grammar(void)
{
	static char text[1 << 17];
	FILE *file = fopen("lib/language/grammar.y", "rb");

	if (nrules > 0)
		return;
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	char *body = strstr(text, "\n%%\n");
	read_tokens(strstr(text, "%token END"), body);
	read_rules(body + 4);
	assert_true(nrules > 150);
}

static const struct {
	enum language_block_kind kind;
	const char *statement; /* the grammar's symbol */
} blocks[] = {
	{LANGUAGE_BLOCK_TOP, "top_statement"},
	{LANGUAGE_BLOCK_AUDIT, "audit_statement"},
	{LANGUAGE_BLOCK_ZONE, "zone_statement"},
	{LANGUAGE_BLOCK_CLIENT_TLS, "client_tls_option"},
	{LANGUAGE_BLOCK_CERTIFICATE, "certificate_statement"},
	{LANGUAGE_BLOCK_AUTH, "auth_statement"},
	{LANGUAGE_BLOCK_LDAP, "ldap_option"},
	{LANGUAGE_BLOCK_LISTENER, "listener_statement"},
	{LANGUAGE_BLOCK_DOMAIN, "domain_statement"},
	{LANGUAGE_BLOCK_SERVER, "server_statement"},
	{LANGUAGE_BLOCK_HOST, "host_option"},
	{LANGUAGE_BLOCK_SERVER_TLS, "server_tls_option"},
	{LANGUAGE_BLOCK_ACCOUNT, "account_option"},
	{LANGUAGE_BLOCK_ANNOUNCE, "announce_option"},
	{LANGUAGE_BLOCK_LIMIT, "limit_option"},
	{LANGUAGE_BLOCK_SESSIONS, "sessions_option"},
	{LANGUAGE_BLOCK_SCAN, "scan_statement"},
	{LANGUAGE_BLOCK_RADIUS, "radius_statement"},
	{LANGUAGE_BLOCK_RADIUS_SOURCE, "radius_source_option"},
	{LANGUAGE_BLOCK_RADIUS_ZONE, "radius_zone_option"},
	{LANGUAGE_BLOCK_RADIUS_GROUP, "radius_group_option"},
	{LANGUAGE_BLOCK_PORTAL, "portal_statement"},
	{LANGUAGE_BLOCK_DEVICE, "device_statement"},
	{LANGUAGE_BLOCK_RULE, "rule_statement"},
};
#define BLOCKS (sizeof(blocks) / sizeof(*blocks))

static void first_words(const char *statement, bool *first)
{
	size_t left = symbol(statement, strlen(statement));

	for (size_t i = 0; i < nrules; i++) {
		if (rules[i].left != left || rules[i].n == 0)
			continue;
		first[rules[i].right[0]] = true;
		/* statements that several blocks have */
		if (rules[i].n == 1 && is_nonterminal(rules[i].right[0]))
			first_words(names[rules[i].right[0]], first);
	}
}

static void option_words(const char *statement, bool *option)
{
	size_t left = symbol(statement, strlen(statement));
	bool seen[SYMBOLS_MAX] = {false};

	for (size_t i = 0; i < nrules; i++) {
		if (rules[i].left != left)
			continue;
		for (size_t j = 1; j < rules[i].n; j++) {
			if (strcmp(names[rules[i].right[j]], "'{'") == 0)
				break;
			if (!is_per(rules[i].right[j - 1]))
				collect(rules[i].right[j], option, seen);
		}
		if (rules[i].n == 1 && is_nonterminal(rules[i].right[0]))
			option_words(names[rules[i].right[0]], option);
	}
}

static void no_statement_word_is_an_option_word_of_its_block(void **state)
{
	(void)state;
	read_grammar();
	for (size_t i = 0; i < BLOCKS; i++) {
		bool first[SYMBOLS_MAX] = {false}, option[SYMBOLS_MAX] = {false};
		first_words(blocks[i].statement, first);
		option_words(blocks[i].statement, option);
		for (size_t j = 0; j < nsymbols; j++) {
			if (words[j][0] && first[j] && option[j])
				print_message("%s: %s starts a statement and is an option\n",
					blocks[i].statement, words[j]);
			assert_false(words[j][0] && first[j] && option[j]);
		}
		/* the sets are not empty by a mistake of this test */
		if (blocks[i].kind == LANGUAGE_BLOCK_ZONE)
			assert_true(option[symbol("PER", 3)] && option[symbol("ANSWER", 6)]);
		if (blocks[i].kind == LANGUAGE_BLOCK_RULE)
			assert_true(option[symbol("MESSAGES", 8)] && !option[symbol("SENDER", 6)]);
	}
}

static void the_recovery_knows_every_statement_word(void **state)
{
	(void)state;
	read_grammar();
	for (size_t i = 0; i < BLOCKS; i++) {
		const char *const *statements = language_statements(blocks[i].kind);
		bool first[SYMBOLS_MAX] = {false};
		size_t n = 0, listed = 0;
		first_words(blocks[i].statement, first);
		for (size_t j = 0; j < nsymbols; j++) {
			if (!words[j][0] || !first[j])
				continue;
			bool found = false;
			for (size_t k = 0; statements[k]; k++)
				found |= strcmp(statements[k], words[j]) == 0;
			if (!found)
				print_message("%s: %s\n", blocks[i].statement, words[j]);
			assert_true(found);
			n++;
		}
		while (statements[listed])
			listed++;
		assert_int_equal(listed, n);
	}
}

static void after_a_host_only_three_words_follow(void **state)
{
	bool first[SYMBOLS_MAX] = {false};
	size_t n = 0;

	(void)state;
	read_grammar();
	first_words("host_word", first);
	for (size_t i = 0; i < nsymbols; i++) {
		if (!first[i])
			continue;
		n++;
		assert_true(strcmp(words[i], "port") == 0 || strcmp(words[i], "preference") == 0 ||
			    strcmp(words[i], "weight") == 0);
	}
	assert_int_equal(n, 3);
}

static void every_keyword_is_known_to_the_scanner(void **state)
{
	size_t n, known = 0;
	const struct language_word *table = language_words(&n);

	(void)state;
	read_grammar();
	for (size_t i = 0; i < nsymbols; i++) {
		if (!words[i][0])
			continue;
		known++;
		assert_true(language_find_keyword(words[i], strlen(words[i])) > 0);
	}
	assert_int_equal(known, n);
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(table[i - 1].word, table[i].word) < 0);
}

/* Every keyword stands in `word`, so that it may be a name, or is reserved for ever. */
static void a_keyword_is_a_name_or_reserved(void **state)
{
	size_t word = 0;

	(void)state;
	read_grammar();
	word = symbol("word", 4);
	for (size_t i = 0; i < nsymbols; i++) {
		bool is_name = false;
		for (size_t j = 0; j < nrules; j++)
			is_name |=
				rules[j].left == word && rules[j].n == 1 && rules[j].right[0] == i;
		if (words[i][0] && !is_nonterminal(i))
			assert_true(is_name != language_is_reserved(words[i], strlen(words[i])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_statement_word_is_an_option_word_of_its_block),
		cmocka_unit_test(the_recovery_knows_every_statement_word),
		cmocka_unit_test(after_a_host_only_three_words_follow),
		cmocka_unit_test(every_keyword_is_known_to_the_scanner),
		cmocka_unit_test(a_keyword_is_a_name_or_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
