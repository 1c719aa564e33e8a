/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/scan/clamd_conf.h"

#include <string.h>
#include <strings.h>

#define MIB (1024u * 1024u)

struct word {
	const char *text;
	size_t len;
};

static bool is(const struct word *word, const char *name)
{
	return word->len == strlen(name) && memcmp(word->text, name, word->len) == 0;
}

/* "yes", "true", "1" in any case; false: it is none of what it may be. */
static bool read_switch(const struct word *value, bool *on)
{
	static const struct {
		const char *text;
		bool on;
	} words[] = {{"yes", true}, {"true", true}, {"1", true}, {"no", false}, {"false", false},
		{"0", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (value->len == strlen(words[i].text) &&
			strncasecmp(value->text, words[i].text, value->len) == 0) {
			*on = words[i].on;
			return true;
		}
	return false;
}

static bool read_number(const struct word *value, uint64_t max, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < value->len; i++) {
		unsigned digit = (unsigned)(unsigned char)value->text[i] - '0';
		if (digit > 9 || *number > (max - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return value->len > 0;
}

/* "25M", "1024k", "5G", "0". */
static bool read_size(const struct word *value, uint64_t *bytes)
{
	static const char units[] = "kKmMgG";
	const char *unit = value->len > 0 && value->text[value->len - 1]
				   ? strchr(units, value->text[value->len - 1])
				   : NULL;
	const struct word digits = {value->text, value->len - (unit != NULL)};
	const unsigned shift = unit ? 10 * (unsigned)((unit - units) / 2 + 1) : 0;
	uint64_t number;

	if (!read_number(&digits, UINT64_MAX >> 32, &number))
		return false;
	*bytes = number ? number << shift : UINT64_MAX;
	return true;
}

static bool read_path(const struct word *value, char path[static CLAMD_CONF_SOCKET_SIZE])
{
	struct word bare = *value;

	if (bare.len >= 2 && bare.text[0] == '"' && bare.text[bare.len - 1] == '"') {
		bare.text++;
		bare.len -= 2;
	}
	if (bare.len == 0 || bare.len >= CLAMD_CONF_SOCKET_SIZE || memchr(bare.text, 0, bare.len))
		return false;
	memcpy(path, bare.text, bare.len);
	path[bare.len] = '\0';
	return true;
}

/* Which options were there: the first of each counts. */
struct seen {
	bool socket, port, alerts, stream, scan, file;
};

static void take(struct clamd_conf *conf, struct seen *seen, const struct word *name,
	const struct word *value)
{
	uint64_t port;
	bool on;

	if (is(name, "LocalSocket") && !seen->socket) {
		seen->socket = read_path(value, conf->socket);
	} else if (is(name, "TCPSocket") && !seen->port) {
		seen->port = read_number(value, UINT16_MAX, &port);
		if (seen->port)
			conf->port = (uint16_t)port;
	} else if (is(name, "AlertExceedsMax") && !seen->alerts) {
		seen->alerts = read_switch(value, &on);
		conf->alerts = conf->alerts || (seen->alerts && on);
	} else if (is(name, "BlockMax")) { /* as it was called before 0.101 */
		conf->alerts = conf->alerts || (read_switch(value, &on) && on);
	} else if (is(name, "StreamMaxLength") && !seen->stream) {
		seen->stream = read_size(value, &conf->stream_bytes);
	} else if (is(name, "MaxScanSize") && !seen->scan) {
		seen->scan = read_size(value, &conf->scan_bytes);
	} else if (is(name, "MaxFileSize") && !seen->file) {
		seen->file = read_size(value, &conf->file_bytes);
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "NAME VALUE", with blanks around. */
static void read_line(struct clamd_conf *conf, struct seen *seen, const char *line, const char *end)
{
	while (line < end && is_blank(*line))
		line++;
	while (end > line && is_blank(end[-1]))
		end--;
	if (line == end || *line == '#')
		return;
	const char *at = line;
	while (at < end && !is_blank(*at))
		at++;
	const struct word name = {line, (size_t)(at - line)};
	while (at < end && is_blank(*at))
		at++;
	take(conf, seen, &name, &(struct word){at, (size_t)(end - at)});
}

void clamd_conf_read(struct clamd_conf *conf, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	struct seen seen = {0};

	*conf = (struct clamd_conf){
		.stream_bytes = 100 * MIB, .scan_bytes = 400 * MIB, .file_bytes = 100 * MIB};
	for (const char *line = bytes; line < end;) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		read_line(conf, &seen, line, lf ? lf : end);
		line = lf ? lf + 1 : end;
	}
}
