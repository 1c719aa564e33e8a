/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/received.h"

#include "lib/base/words.h"
#include "lib/record/flowid.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 255
#define LINE_MAX_BYTES 78 /* RFC 5322 2.1.1 */
#define LITERAL_SIZE   (ADDR_TEXT_SIZE + 8)

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

static void put_literal(struct words *words, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];

	words_put(words, addr->family == ADDR_IP6 ? "[IPv6:" : "[");
	words_put(words, addr_format(addr, text));
	words_put(words, "]");
}

/* "[10.0.0.5]" is said by many clients; other brackets are a way to look like our own words. */
static bool read_literal(const char *text, struct addr *addr)
{
	size_t len = strlen(text);

	if (len < 3 || text[0] != '[' || text[len - 1] != ']')
		return false;
	text++;
	len -= 2;
	if (len > 5 && strncasecmp(text, "IPv6:", 5) == 0)
		return addr_parse(text + 5, len - 5, addr) == 0;
	return addr_parse(text, len, addr) == 0;
}

/* A comment, a semicolon or a line end in a HELO name would make another header of this one. */
static void put_helo(struct words *words, const char *helo)
{
	char name[NAME_MAX_BYTES];
	struct addr addr;
	size_t n = 0;

	if (read_literal(helo, &addr)) {
		put_literal(words, &addr);
		return;
	}
	for (; helo[n] && n < NAME_MAX_BYTES; n++)
		name[n] = is_name_byte(helo[n]) ? helo[n] : '?';
	if (n > 0)
		words_put_bytes(words, name, n);
	else
		words_put(words, "unknown");
}

static bool is_host_name(const char *name)
{
	size_t n = 0;

	while (name[n] && is_name_byte(name[n]))
		n++;
	return n > 0 && n <= NAME_MAX_BYTES && !name[n] && name[0] != '.' && name[0] != '-';
}

static const char *protocol_of(unsigned with)
{
	static const char *const names[2][4] = {
		{"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"},
		{"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"},
	};
	unsigned way = (with & SMTP_RECEIVED_TLS ? 1 : 0) + (with & SMTP_RECEIVED_AUTH ? 2 : 0);

	if (with & SMTP_RECEIVED_UTF8)
		return names[1][way];
	return way == 0 && !(with & SMTP_RECEIVED_EHLO) ? "SMTP" : names[0][way];
}

#define DAY_S     86400
#define YEAR_9999 253402300799LL

static unsigned days_of_year(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;
}

/* RFC 5322 3.3. Not by gmtime_r(), which reads the environment's time zone. */
static void put_date(struct words *words, int64_t time_s, int offset_min)
{
	static const char names[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t local = time_s + 60 * (int64_t)offset_min;

	local = local < 0 ? 0 : local > YEAR_9999 ? YEAR_9999 : local;
	unsigned day = (unsigned)(local / DAY_S), second = (unsigned)(local % DAY_S);
	const char *name = names[day % 7];
	unsigned year = 1970, month = 0;
	for (; day >= days_of_year(year); year++)
		day -= days_of_year(year);
	for (unsigned days; month < 11; month++, day -= days) {
		days = month_days[month] + (month == 1 && days_of_year(year) == 366);
		if (day < days)
			break;
	}
	unsigned offset = (unsigned)(offset_min < 0 ? -offset_min : offset_min) % 1440;
	words_put(words, name);
	words_put(words, ", ");
	words_put_number(words, day + 1, 1);
	words_put(words, " ");
	words_put(words, months[month]);
	words_put(words, " ");
	words_put_number(words, year, 4);
	words_put(words, " ");
	words_put_number(words, second / 3600, 2);
	words_put(words, ":");
	words_put_number(words, second / 60 % 60, 2);
	words_put(words, ":");
	words_put_number(words, second % 60, 2);
	words_put(words, offset_min < 0 ? " -" : " +");
	words_put_number(words, offset / 60, 2);
	words_put_number(words, offset % 60, 2);
}

/* The part that is at hand goes behind the line, with a space or a fold before it. */
static void end_part(struct words *line, size_t *column, struct words *part)
{
	bool folds = *column + 1 + part->len > LINE_MAX_BYTES;

	words_put(line, folds ? "\r\n\t" : " ");
	words_put_bytes(line, part->text, part->len);
	*column = (folds ? 8 : *column + 1) + part->len;
	part->len = 0;
}

size_t smtp_received_format(
	const struct smtp_received *received, char out[static SMTP_RECEIVED_MAX])
{
	char text[NAME_MAX_BYTES + LITERAL_SIZE + 8], id[FLOWID_TEXT_SIZE];
	struct words line = {out, SMTP_RECEIVED_MAX, 0}, part = {text, sizeof(text), 0};

	words_put(&line, "Received: from ");
	put_helo(&line, received->helo);
	size_t column = line.len;
	words_put(&part, "(");
	if (received->name && is_host_name(received->name)) {
		words_put(&part, received->name);
		words_put(&part, " ");
	}
	put_literal(&part, &received->client);
	words_put(&part, ")");
	end_part(&line, &column, &part);
	words_put(&part, "by ");
	words_put_bytes(&part, received->gateway, strnlen(received->gateway, NAME_MAX_BYTES));
	end_part(&line, &column, &part);
	words_put(&part, "with ");
	words_put(&part, protocol_of(received->with));
	end_part(&line, &column, &part);
	words_put(&part, "id ");
	words_put(&part, flowid_format(received->flow, id));
	if (received->message > 0) {
		words_put(&part, ".");
		words_put_number(&part, received->message, 1);
	}
	words_put(&part, ";");
	end_part(&line, &column, &part);
	put_date(&part, received->time_s, received->offset_min);
	end_part(&line, &column, &part);
	words_put(&line, "\r\n");
	return line.len;
}
