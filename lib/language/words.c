/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/lexer.h"

#include "lib/language/grammar.h"
#include "lib/policy/element.h"

#include <stdlib.h>
#include <string.h>

/* In the order of strcmp. */
static const struct language_word words[] = {
	{"accept", T_ACCEPT},
	{"account", T_ACCOUNT},
	{"address", T_ADDRESS_WORD},
	{"always", T_ALWAYS},
	{"announce", T_ANNOUNCE},
	{"answer", T_ANSWER},
	{"any", T_ANY},
	{"audit", T_AUDIT},
	{"auth", T_AUTH},
	{"auto", T_AUTO},
	{"base", T_BASE},
	{"bind", T_BIND},
	{"block", T_BLOCK},
	{"ca", T_CA},
	{"certificate", T_CERTIFICATE},
	{"check", T_CHECK},
	{"clamav", T_CLAMAV},
	{"class", T_CLASS},
	{"client", T_CLIENT},
	{"closed", T_CLOSED},
	{"command", T_COMMAND},
	{"comment", T_COMMENT},
	{"connect", T_CONNECT},
	{"connection", T_CONNECTION},
	{"cui", T_CUI},
	{"deadline", T_DEADLINE},
	{"debug", T_DEBUG},
	{"define", T_DEFINE},
	{"destination", T_DESTINATION},
	{"device", T_DEVICE},
	{"disabled", T_DISABLED},
	{"domain", T_DOMAIN},
	{"dovecot", T_DOVECOT},
	{"drain", T_DRAIN},
	{"drop", T_DROP},
	{"dynamic", T_DYNAMIC},
	{"end", T_END_WORD},
	{"error", T_ERROR},
	{"every", T_EVERY},
	{"file", T_FILE},
	{"filter", T_FILTER},
	{"filter-id", T_FILTER_ID},
	{"first", T_FIRST},
	{"flow", T_FLOW},
	{"flows", T_FLOWS},
	{"forward", T_FORWARD},
	{"from", T_FROM},
	{"gateway", T_GATEWAY},
	{"greeting", T_GREETING},
	{"group", T_GROUP},
	{"host", T_HOST},
	{"hostname", T_HOSTNAME},
	{"http", T_HTTP},
	{"identity", T_IDENTITY},
	{"idle", T_IDLE},
	{"ignore", T_IGNORE},
	{"immediate", T_IMMEDIATE},
	{"include", T_INCLUDE},
	{"info", T_INFO},
	{"insecure", T_INSECURE},
	{"interface", T_INTERFACE},
	{"keep", T_KEEP},
	{"kernel", T_KERNEL},
	{"key", T_KEY},
	{"kill", T_KILL},
	{"language", T_LANGUAGE},
	{"ldap", T_LDAP},
	{"lease", T_LEASE},
	{"legacy", T_LEGACY},
	{"level", T_LEVEL},
	{"limit", T_LIMIT},
	{"list", T_LIST},
	{"listen", T_LISTEN},
	{"listener", T_LISTENER},
	{"log", T_LOG},
	{"login", T_LOGIN},
	{"logo", T_LOGO},
	{"mac", T_MAC},
	{"mac+address", T_MAC_ADDRESS},
	{"mail", T_MAIL},
	{"mechanism", T_MECHANISM},
	{"message", T_MESSAGE},
	{"messages", T_MESSAGES},
	{"metrics", T_METRICS},
	{"milter", T_MILTER},
	{"mode", T_MODE},
	{"mx", T_MX},
	{"name", T_NAME_WORD},
	{"names", T_NAMES},
	{"nas", T_NAS},
	{"network", T_NETWORK},
	{"newline", T_NEWLINE},
	{"none", T_NONE},
	{"not", T_NOT},
	{"off", T_OFF},
	{"offer", T_OFFER},
	{"on", T_ON},
	{"on-failure", T_ON_FAILURE},
	{"on-link-down", T_ON_LINK_DOWN},
	{"on-logout", T_ON_LOGOUT},
	{"open", T_OPEN},
	{"original", T_ORIGINAL},
	{"over", T_OVER},
	{"own", T_OWN},
	{"pass", T_PASS},
	{"path", T_PATH},
	{"per", T_PER},
	{"pin", T_PIN},
	{"plain", T_PLAIN},
	{"port", T_PORT},
	{"portal", T_PORTAL},
	{"preference", T_PREFERENCE},
	{"prefix", T_PREFIX_WORD},
	{"privacy", T_PRIVACY},
	{"probe", T_PROBE},
	{"protected", T_PROTECTED},
	{"proxy-v1", T_PROXY_V1},
	{"proxy-v2", T_PROXY_V2},
	{"quarantine", T_QUARANTINE},
	{"radius", T_RADIUS},
	{"rate", T_RATE_WORD},
	{"reauthenticate", T_REAUTHENTICATE},
	{"recipient", T_RECIPIENT},
	{"recipients", T_RECIPIENTS},
	{"refuse", T_REFUSE},
	{"reject", T_REJECT},
	{"relay", T_RELAY},
	{"repair", T_REPAIR},
	{"replace", T_REPLACE},
	{"request", T_REQUEST},
	{"require", T_REQUIRE},
	{"restart", T_RESTART},
	{"rule", T_RULE},
	{"scan", T_SCAN},
	{"schedule", T_SCHEDULE},
	{"secret", T_SECRET},
	{"sender", T_SENDER},
	{"server", T_SERVER},
	{"sessions", T_SESSIONS},
	{"size", T_SIZE_WORD},
	{"skew", T_SKEW},
	{"smtp", T_SMTP},
	{"source", T_SOURCE},
	{"ssid", T_SSID},
	{"stream", T_STREAM},
	{"strict", T_STRICT},
	{"tagged", T_TAGGED},
	{"tempfail", T_TEMPFAIL},
	{"terms", T_TERMS},
	{"texts", T_TEXTS},
	{"timeout", T_TIMEOUT},
	{"tls", T_TLS},
	{"trace", T_TRACE},
	{"unauthenticated", T_UNAUTHENTICATED},
	{"unmatched", T_UNMATCHED},
	{"user", T_USER},
	{"user-name", T_USER_NAME},
	{"verdict", T_VERDICT},
	{"verified", T_VERIFIED},
	{"verify", T_VERIFY},
	{"warning", T_WARNING},
	{"weight", T_WEIGHT},
	{"whole", T_WHOLE},
	{"wlan", T_WLAN},
	{"xclient", T_XCLIENT},
	{"zone", T_ZONE},
};

/* Never a name nor a bare string, now and later; the single days are too. */
static const char *const reserved[] = {"any", "client", "define", "file", "gateway", "group",
	"include", "none", "not", "original", "own", "protected", "recipient"};

static const char days[7][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

const struct language_word *language_words(size_t *n)
{
	*n = sizeof(words) / sizeof(*words);
	return words;
}

int language_find_keyword(const char *word, size_t len)
{
	size_t low = 0, high = sizeof(words) / sizeof(*words);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strncmp(words[middle].word, word, len);
		if (order == 0 && words[middle].word[len] != '\0')
			order = 1;
		if (order == 0)
			return words[middle].token;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static int day_of(const char *word)
{
	for (int i = 0; i < 7; i++) {
		if (memcmp(word, days[i], 3) == 0)
			return i;
	}
	return -1;
}

bool language_is_reserved(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (strlen(reserved[i]) == len && memcmp(reserved[i], word, len) == 0)
			return true;
	}
	return len == 3 && day_of(word) >= 0;
}

const char *const *language_statements(enum language_block_kind kind)
{
	static const char *const top[] = {"language", "hostname", "on-failure", "drain", "include",
		"limit", "audit", "log", "metrics", "zone", "listener", "list", "domain",
		"certificate", "auth", "server", "scan", "radius", "portal", "device", "rule",
		NULL};
	static const char *const audit[] = {"keep", "size", "names", "privacy", NULL};
	static const char *const zone[] = {"interface", "network", "port", "identity",
		"unauthenticated", "unmatched", "on-failure", "lease", "idle", "reauthenticate",
		"on-logout", "on-link-down", "level", "newline", "tls", "limit", "comment", NULL};
	static const char *const client_tls[] = {
		"certificate", "client", "ca", "legacy", "insecure", NULL};
	static const char *const certificate[] = {"file", "key", NULL};
	static const char *const auth[] = {
		"ldap", "forward", "dovecot", "file", "mechanism", "domain", "comment", NULL};
	static const char *const ldap[] = {"base", "filter", "bind", "secret", "group", "prefix",
		"mail", "ca", "insecure", NULL};
	static const char *const listener[] = {"address", "port", "accept", "auth", "tls",
		"newline", "unmatched", "limit", "comment", NULL};
	static const char *const domain[] = {"name", "server", "recipient", "comment", NULL};
	static const char *const server[] = {"host", "mx", "bind", "announce", "probe", "deadline",
		"limit", "trace", "path", "tls", "account", "comment", NULL};
	static const char *const host[] = {"limit", "tls", NULL};
	static const char *const server_tls[] = {"immediate", "ca", "certificate", "legacy", NULL};
	static const char *const account[] = {"secret", "sender", "insecure", NULL};
	static const char *const announce[] = {"login", NULL};
	static const char *const limit[] = {"block", NULL};
	static const char *const sessions[] = {"over", NULL};
	static const char *const scan[] = {"milter", "clamav", "mode", "on-failure", "deadline",
		"quarantine", "comment", NULL};
	static const char *const radius[] = {"listen", "from", "zone", "user", "ignore", "group",
		"timeout", "skew", "restart", "comment", NULL};
	static const char *const radius_source[] = {"secret", NULL};
	static const char *const radius_zone[] = {"ssid", "nas", "wlan", NULL};
	static const char *const radius_group[] = {"prefix", NULL};
	static const char *const portal[] = {"zone", "name", "address", "port", "http",
		"certificate", "auth", "terms", "logo", "texts", "comment", NULL};
	static const char *const device[] = {
		"zone", "mac", "address", "user", "group", "comment", NULL};
	static const char *const rule[] = {"zone", "listener", "user", "group", "port", "source",
		"destination", "schedule", "sender", "recipient", "tls", "server", "verdict",
		"scan", "limit", "audit", "disabled", "comment", NULL};
	static const char *const *const blocks[] = {
		[LANGUAGE_BLOCK_TOP] = top,
		[LANGUAGE_BLOCK_AUDIT] = audit,
		[LANGUAGE_BLOCK_ZONE] = zone,
		[LANGUAGE_BLOCK_CLIENT_TLS] = client_tls,
		[LANGUAGE_BLOCK_CERTIFICATE] = certificate,
		[LANGUAGE_BLOCK_AUTH] = auth,
		[LANGUAGE_BLOCK_LDAP] = ldap,
		[LANGUAGE_BLOCK_LISTENER] = listener,
		[LANGUAGE_BLOCK_DOMAIN] = domain,
		[LANGUAGE_BLOCK_SERVER] = server,
		[LANGUAGE_BLOCK_HOST] = host,
		[LANGUAGE_BLOCK_SERVER_TLS] = server_tls,
		[LANGUAGE_BLOCK_ACCOUNT] = account,
		[LANGUAGE_BLOCK_ANNOUNCE] = announce,
		[LANGUAGE_BLOCK_LIMIT] = limit,
		[LANGUAGE_BLOCK_SESSIONS] = sessions,
		[LANGUAGE_BLOCK_SCAN] = scan,
		[LANGUAGE_BLOCK_RADIUS] = radius,
		[LANGUAGE_BLOCK_RADIUS_SOURCE] = radius_source,
		[LANGUAGE_BLOCK_RADIUS_ZONE] = radius_zone,
		[LANGUAGE_BLOCK_RADIUS_GROUP] = radius_group,
		[LANGUAGE_BLOCK_PORTAL] = portal,
		[LANGUAGE_BLOCK_DEVICE] = device,
		[LANGUAGE_BLOCK_RULE] = rule,
	};

	return blocks[kind];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* fri, or mon-fri, or fri-mon, which wraps. */
static int classify_days(struct language *l, const char *word, size_t len)
{
	bool range = len == 7 && word[3] == '-';
	if (len != 3 && !range)
		return 0;
	int first = day_of(word), last = range ? day_of(word + 4) : first;
	if (first < 0 || last < 0)
		return 0;
	l->token.range.days_given = true;
	l->token.range.first_day = (uint8_t)first;
	l->token.range.last_day = (uint8_t)last;
	for (int day = first;; day = (day + 1) % 7) {
		l->token.range.days |= (uint8_t)(1 << day);
		if (day == last)
			break;
	}
	return range ? T_DAYRANGE : T_DAY;
}

/* The minute of "HH:MM", or -1. */
static int minute_of(const char *text)
{
	int hour = (text[0] - '0') * 10 + text[1] - '0';
	int minute = (text[3] - '0') * 10 + text[4] - '0';

	return minute > 59 || hour * 60 + minute > 1440 ? -1 : hour * 60 + minute;
}

static int classify_hours(struct language *l, const char *word, size_t len)
{
	static const char form[] = "00:00-00:00";
	if (len != sizeof(form) - 1)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == '0' ? !is_digit(word[i]) : word[i] != form[i])
			return 0;
	}
	int from = minute_of(word), to = minute_of(word + 6);
	if (from < 0 || from > 1439 || to < 0 || from == to)
		return T_OTHER;
	l->token.range.hours_given = true;
	l->token.range.from = (uint16_t)from;
	l->token.range.to = (uint16_t)to;
	return T_HOURS;
}

static bool in_words(const char *text, size_t len, const char *words_of)
{
	const char *at = words_of;

	for (size_t n; (n = strlen(at)) > 0; at += n + 1) {
		if (n == len && memcmp(at, text, len) == 0)
			return true;
	}
	return false;
}

/* Digits, alone or before a unit. A number too large for 64 bits stays at their end and is then
 * out of every range. */
static int classify_number(struct language *l, const char *word, size_t len)
{
	size_t n = 0;
	uint64_t number = 0;

	for (; n < len && is_digit(word[n]); n++) {
		if (__builtin_mul_overflow(number, 10u, &number) ||
			__builtin_add_overflow(number, (unsigned)(word[n] - '0'), &number))
			number = UINT64_MAX;
	}
	l->token.number = number;
	l->token.unit = word + n;
	l->token.unit_len = len - n;
	if (n == 0)
		return 0;
	if (n == len)
		return T_NUMBER;
	if (in_words(word + n, len - n, "ms\0s\0h\0d\0w\0"))
		return T_DURATION;
	if (in_words(word + n, len - n, "k\0g\0"))
		return T_SIZE;
	if (in_words(word + n, len - n, "m\0"))
		return T_MINUTES;
	if (in_words(word + n, len - n, "/second\0/minute\0/hour\0/day\0"))
		return T_RATE;
	return 0;
}

static int classify_place(struct language *l, const char *word, size_t len)
{
	struct policy_elem *elem = &l->token.elem;
	struct prefix prefix;

	l->token.wrong = element_parse(POLICY_HOLDS_ADDRESSES, word, len, elem);
	switch (elem->kind) {
	case POLICY_ELEM_MAC:
		return T_MACADDR;
	case POLICY_ELEM_RANGE:
		return T_RANGE;
	case POLICY_ELEM_PREFIX:
		if (l->token.wrong)
			break;
		l->token.host_bits = prefix_parse(word, len, &prefix) == -EDOM;
		return memchr(word, '/', len) ? T_PREFIX : T_ADDRESS;
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		break;
	}
	l->token.wrong = NULL;
	return 0;
}

int language_classify(struct language *l, const char *word, size_t len)
{
	int token = language_find_keyword(word, len);

	/* reserved later than the first texts were written; behind `sender` it is no name, and what
	 * is printed has it there alone */
	bool of_sender = l->last == T_SENDER || (l->last == T_NOT && l->before == T_SENDER);
	if (token == T_OWN && l->world->lenient && !of_sender)
		token = 0;
	if (!token && is_letter(word[0]))
		token = classify_days(l, word, len);
	if (!token && is_digit(word[0]))
		token = classify_hours(l, word, len);
	if (!token && is_digit(word[0]))
		token = classify_number(l, word, len);
	if (!token)
		token = classify_place(l, word, len);
	if (token)
		return token;
	if (!is_letter(word[0]))
		return T_OTHER;
	for (size_t i = 1; i < len; i++) {
		if (!is_letter(word[i]) && !is_digit(word[i]) && !strchr("._-", word[i]))
			return T_OTHER;
	}
	return T_WORD;
}
