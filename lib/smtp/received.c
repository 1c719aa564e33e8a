#include "lib/smtp/received.h"

#include "lib/flowid.h"

#include <stdio.h>
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

static const char *format_literal(const struct addr *addr, char buf[static LITERAL_SIZE])
{
	char text[ADDR_TEXT_SIZE];

	snprintf(buf, LITERAL_SIZE, "[%s%s]", addr->family == ADDR_IP6 ? "IPv6:" : "",
		addr_format(addr, text));
	return buf;
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
static void format_helo(const char *helo, char buf[static NAME_MAX_BYTES + 1])
{
	struct addr addr;
	size_t n = 0;

	if (read_literal(helo, &addr)) {
		format_literal(&addr, buf);
		return;
	}
	for (; helo[n] && n < NAME_MAX_BYTES; n++)
		buf[n] = is_name_byte(helo[n]) ? helo[n] : '?';
	buf[n] = '\0';
	if (n == 0)
		memcpy(buf, "unknown", sizeof("unknown"));
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
#define DATE_SIZE 40

static unsigned days_of_year(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;
}

/* RFC 5322 3.3. Not by gmtime_r(), which reads the environment's time zone. */
static void format_date(int64_t time_s, int offset_min, char buf[static DATE_SIZE])
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
	snprintf(buf, DATE_SIZE, "%s, %u %s %u %02u:%02u:%02u %c%02u%02u", name, day + 1,
		months[month], year, second / 3600, second / 60 % 60, second % 60,
		offset_min < 0 ? '-' : '+', offset / 60, offset % 60);
}

/* One more part of the line, behind a space or a fold. */
static size_t put_part(char *out, size_t n, size_t *column, const char *part)
{
	size_t len = strlen(part);

	if (*column + 1 + len > LINE_MAX_BYTES) {
		memcpy(out + n, "\r\n\t", 3);
		n += 3;
		*column = 8;
	} else {
		out[n++] = ' ';
		*column += 1;
	}
	memcpy(out + n, part, len);
	*column += len;
	return n + len;
}

size_t smtp_received_format(
	const struct smtp_received *received, char out[static SMTP_RECEIVED_MAX])
{
	char helo[NAME_MAX_BYTES + 1], literal[LITERAL_SIZE],
		part[NAME_MAX_BYTES + LITERAL_SIZE + 8];
	char id[FLOWID_TEXT_SIZE], date[DATE_SIZE];
	bool named = received->name && is_host_name(received->name);

	format_helo(received->helo, helo);
	size_t n = (size_t)snprintf(out, SMTP_RECEIVED_MAX, "Received: from %s", helo), column = n;
	snprintf(part, sizeof(part), "(%s%s%s)", named ? received->name : "", named ? " " : "",
		format_literal(&received->client, literal));
	n = put_part(out, n, &column, part);
	snprintf(part, sizeof(part), "by %.255s", received->gateway);
	n = put_part(out, n, &column, part);
	snprintf(part, sizeof(part), "with %s", protocol_of(received->with));
	n = put_part(out, n, &column, part);
	flowid_format(received->flow, id);
	if (received->message > 0)
		snprintf(part, sizeof(part), "id %s.%u;", id, received->message);
	else
		snprintf(part, sizeof(part), "id %s;", id);
	n = put_part(out, n, &column, part);
	format_date(received->time_s, received->offset_min, date);
	n = put_part(out, n, &column, date);
	memcpy(out + n, "\r\n", 2);
	return n + 2;
}
