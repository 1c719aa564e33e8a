/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of messages at a rate, into control as it runs, with logins and first pages of questions
 * beside them: what all of them cost.
 *
 *	bench-message-load RATE SECONDS [RECIPIENTS [BEFORE]]
 *
 * BEFORE messages are told first, as fast as control takes them. Keeper and relay are played here.
 * Fails when a record was lost.
 */
#include "test/lib/control_world.h"

#include "lib/ipc/record.h"
#include "lib/record/message_record.h"

#include <fcntl.h>
#include <time.h>

#define TELL_MS   10
#define LOGIN_MS  20
#define PAGE_MS   250
#define REST_S    30
#define TIMES_MAX 100000

/* What is asked for while records come, one after the other. */
static const char *const pages[] = {"message show", "message show queue 4Xnone",
	"message show user user777", "message show recipient somebody777@example.org",
	"message show message-id 9e37.1@laptop.example",
	"message show sender user777@hotel1.example since 5m"};
#define PAGES (sizeof(pages) / sizeof(*pages))

/* How long each of them took. */
struct times {
	double ms[TIMES_MAX];
	size_t n;
};

static _Alignas(16) uint8_t ipc[IPC_BYTES_MAX];
static uint32_t serial;
static uint64_t told, logins;
static struct times logins_took, page_took[PAGES];
static unsigned recipients = 1;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct message_text text(const char *words)
{
	return (struct message_text){words, strlen(words)};
}

static size_t encode(uint8_t *bytes, size_t room)
{
	static char to[100][48];
	static struct message_recipient list[100];
	char user[32], sender[64], queue[32], id[64], reply[64];
	uint64_t i = ++told;
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	snprintf(user, sizeof(user), "user%u", (unsigned)(i * 7919 % 5000));
	snprintf(sender, sizeof(sender), "%s@hotel%u.example", user, (unsigned)(i % 3));
	snprintf(queue, sizeof(queue), "4X%09llxZ",
		(unsigned long long)(i * 2654435761u & 0xfffffffff));
	snprintf(reply, sizeof(reply), "250 2.0.0 Ok: queued as %s", queue);
	snprintf(id, sizeof(id), "%llx.%llu@laptop.example", (unsigned long long)(i * 40503),
		(unsigned long long)i);
	struct message_record record = {.flow = 1000 + i / 2,
		.number = 1 + i % 2,
		.source = MESSAGE_SOURCE_SESSION,
		.session = i % 5000 + 1,
		.end_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000,
		.size_bytes = 4096,
		.client = {.addr = {.family = ADDR_IP4, .bytes = {192, 0, 2, 7}}, .port = 40000},
		.user = text(user),
		.zone = text("guest"),
		.helo = text("laptop"),
		.sender = text(sender),
		.server = text("relay"),
		.reply = text(reply),
		.queue_id = text(queue),
		.message_id = text(id)};
	record.start_ms = record.end_ms - 50;
	for (unsigned j = 0; j < recipients; j++) {
		snprintf(to[j], sizeof(to[j]), "somebody%u@example.org",
			(unsigned)((i * 31 + j * 7) * 2654435761u % 100000));
		list[j] = (struct message_recipient){.address = text(to[j]),
			.rule = text("guests"),
			.reply = text("250 2.1.5 Ok")};
	}
	return message_record_encode(&record, list, recipients, bytes, room);
}

/* As many as there are in one datagram. */
static void tell(uint64_t n)
{
	struct ipc_records *records = (struct ipc_records *)ipc;
	uint8_t bytes[32768];

	while (n > 0) {
		ipc_init(records, IPC_RECORDS, sizeof(*records));
		while (n > 0 && records->header.bytes < IPC_BYTES_MAX - sizeof(bytes)) {
			size_t len = encode(bytes, sizeof(bytes));
			const struct ipc_part part = {.serial = serial++,
				.whole = (uint32_t)len,
				.bytes = (uint32_t)len,
				.kind = IPC_RECORD_MESSAGE};
			memcpy(ipc + records->header.bytes, &part, sizeof(part));
			memcpy(ipc + records->header.bytes + sizeof(part), bytes, len);
			records->header.bytes += (uint32_t)(sizeof(part) + len);
			n--;
		}
		send_to(world.relay, ipc, -1);
	}
}

/* What control says meanwhile to those that are played here. */
static void listen_to_it(void)
{
	while (receive(world.relay, 0, NULL))
		;
	while (receive(world.keeper, 0, NULL))
		if (in.header.seq && in.header.type != IPC_REPLY)
			answer(world.keeper, 0, "");
}

static void note(struct times *times, double begin)
{
	if (times->n < TIMES_MAX)
		times->ms[times->n++] = (now_s() - begin) * 1e3;
}

static void log_in(void)
{
	char words[160];
	double begin = now_s();
	uint64_t i = logins++;

	snprintf(words, sizeof(words),
		"session login guest%u zone guest mac 02:00:%02x:%02x:%02x:%02x", (unsigned)i,
		(unsigned)(i >> 24 & 0xff), (unsigned)(i >> 16 & 0xff), (unsigned)(i >> 8 & 0xff),
		(unsigned)(i & 0xff));
	finish(ask_at(world.session_path, words, NULL), 0);
	note(&logins_took, begin);
}

static void ask_page(size_t page)
{
	double begin = now_s();
	struct asked *asked = ask(pages[page], NULL);

	while (!read_answer(asked, 20))
		listen_to_it();
	finish(asked, asked->status);
	note(&page_took[page], begin);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* They begin anew. */
static void show(const char *what, struct times *times)
{
	qsort(times->ms, times->n, sizeof(times->ms[0]), compare);
	if (times->n)
		printf("%-52s %6zu: p50 %.2f ms, p99 %.2f ms, worst %.2f ms\n", what, times->n,
			times->ms[times->n / 2], times->ms[times->n * 99 / 100],
			times->ms[times->n - 1]);
	times->n = 0;
}

/* Of all its threads. */
static double cpu_s(void)
{
	char path[64], stat[1024];
	unsigned long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)world.pid);
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(stat, 1, sizeof(stat) - 1, file) : 0;
	if (file)
		fclose(file);
	stat[n] = '\0';
	const char *at = strrchr(stat, ')');
	if (at)
		sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			&system);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long counter(const char *name)
{
	struct asked *asked = ask("counters", NULL);
	char words[64];

	while (!read_answer(asked, 20))
		listen_to_it();
	snprintf(words, sizeof(words), "\"counter\":\"%s\",\"value\":", name);
	const char *at = strstr(asked->rows, words);
	long value = at ? strtol(at + strlen(words), NULL, 10) : -1;
	finish(asked, 0);
	return value;
}

static void await_written(void)
{
	while (counter("audit-written") + counter("audit-lost") < (long)told)
		usleep(100000);
}

/* `rate` messages a second. A login in each LOGIN_MS or so; and while messages come a page in each
 * PAGE_MS. */
static void run(double seconds, double rate)
{
	double begin = now_s(), next_tell = begin, next_login = begin, next_page = begin, late = 0;
	double now, until;
	uint64_t first = told;

	while ((now = now_s()) - begin < seconds) {
		if (now >= next_tell) {
			late = now - next_tell > late ? now - next_tell : late;
			tell((uint64_t)((now - begin) * rate) - (told - first));
			next_tell = now + TELL_MS / 1e3;
		}
		listen_to_it();
		if (now >= next_login) {
			log_in();
			/* 0.5 to 1.5 of the pause: at no fixed time behind the records */
			next_login = now + LOGIN_MS * (500 + random() % 1000) / 1e6;
		}
		if (rate > 0 && now >= next_page) {
			ask_page((size_t)random() % PAGES);
			next_page = now + PAGE_MS / 1e3;
		}
		until = next_tell < next_login ? next_tell : next_login;
		if (until > now_s())
			usleep((useconds_t)((until - now_s()) * 1e6));
	}
	if (late > 0.1)
		printf("the load itself was late by up to %.0f ms\n", late * 1e3);
}

/* As fast as it takes them. */
static void fill(uint64_t n)
{
	while (n > 0) {
		uint64_t some = n < 1000 ? n : 1000;
		tell(some);
		listen_to_it();
		n -= some;
		if (told % 5000 == 0)
			await_written();
	}
	await_written();
}

static void load(double seconds, double rate)
{
	uint64_t first = told;
	double cpu = cpu_s(), begin = now_s();

	run(seconds, rate);
	await_written();
	double took = now_s() - begin;
	printf("%llu messages of %u recipients in %.1f s: %.1f us CPU each in control, logins and "
	       "pages included\n",
		(unsigned long long)(told - first), recipients, took,
		(cpu_s() - cpu) * 1e6 / (double)(told - first));
}

int main(int argc, char **argv)
{
	void *state;

	if (argc < 3) {
		fprintf(stderr, "usage: %s RATE SECONDS [RECIPIENTS [BEFORE]]\n", argv[0]);
		return 2;
	}
	double rate = atof(argv[1]), seconds = atof(argv[2]);
	recipients = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	if (recipients > 100)
		recipients = 100;
	if (set_up(&state) < 0)
		return 1;
	greet_control();
	add_relay();
	fcntl(world.relay, F_SETFL, fcntl(world.relay, F_GETFL) & ~O_NONBLOCK);
	fill(argc > 4 ? strtoull(argv[4], NULL, 10) : 0);
	run(REST_S, 0);
	show("logins before", &logins_took);
	load(seconds, rate);
	show("logins beside messages", &logins_took);
	for (size_t i = 0; i < PAGES; i++)
		show(pages[i], &page_took[i]);
	run(REST_S, 0);
	show("logins behind", &logins_took);
	long lost = counter("audit-lost");
	printf("told %llu, written %ld, lost %ld\n", (unsigned long long)told,
		counter("audit-written"), lost);
	return tear_down(&state) == 0 && lost == 0 ? 0 : 1;
}
