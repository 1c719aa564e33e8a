/* Records of messages at a rate, into control as it runs, with logins beside them: what both cost.
 *
 *	bench-message-load RATE SECONDS [RECIPIENTS [BEFORE]]
 *
 * BEFORE messages are told first, as fast as control takes them. Keeper and relay are played here.
 */
#include "test/lib/control_world.h"

#include "lib/ipc/record.h"
#include "lib/smtp/message_record.h"

#include <fcntl.h>
#include <time.h>

#define TICK_MS    10
#define LOGINS_MAX 100000

static _Alignas(16) uint8_t ipc[IPC_BYTES_MAX];
static uint32_t serial;
static uint64_t told, logins;
static double took_ms[LOGINS_MAX];
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

static void log_in(void)
{
	char words[160];
	double begin = now_s();

	snprintf(words, sizeof(words),
		"session login guest%u zone guest mac 02:00:%02x:%02x:%02x:%02x", (unsigned)logins,
		(unsigned)(logins >> 24 & 0xff), (unsigned)(logins >> 16 & 0xff),
		(unsigned)(logins >> 8 & 0xff), (unsigned)(logins & 0xff));
	struct asked *asked = ask_at(world.session_path, words, NULL);
	finish(asked, 0);
	if (logins < LOGINS_MAX)
		took_ms[logins++] = (now_s() - begin) * 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void show_logins(const char *when)
{
	qsort(took_ms, logins, sizeof(took_ms[0]), compare);
	if (logins)
		printf("logins %s: %llu, p50 %.2f ms, p99 %.2f ms, worst %.2f ms\n", when,
			(unsigned long long)logins, took_ms[logins / 2], took_ms[logins * 99 / 100],
			took_ms[logins - 1]);
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

/* One login in each 20 ms, and `rate` messages a second. */
static void run(double seconds, double rate)
{
	double begin = now_s(), next = begin, late = 0;
	uint64_t first = told;

	for (uint64_t tick = 0; now_s() - begin < seconds; tick++) {
		double due = (now_s() - begin) * rate - (double)(told - first);
		if (due > 0)
			tell((uint64_t)due);
		listen_to_it();
		if (tick % 2 == 0)
			log_in();
		next += TICK_MS / 1e3;
		double left = next - now_s();
		if (left > 0)
			usleep((useconds_t)(left * 1e6));
		else if (-left > late)
			late = -left;
	}
	if (late > 0.1)
		printf("the load itself was late by up to %.0f ms\n", late * 1e3);
}

static void show_page(const char *words)
{
	double best = 1e9, worst = 0;

	for (unsigned i = 0; i < 5; i++) {
		double begin = now_s();
		struct asked *asked = ask(words, NULL);
		while (!read_answer(asked, 20))
			listen_to_it();
		finish(asked, asked->status);
		double took = (now_s() - begin) * 1e3;
		best = took < best ? took : best;
		worst = took > worst ? took : worst;
	}
	printf("%-52s %6.2f ms best %6.2f ms worst\n", words, best, worst);
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
	for (uint64_t left = argc > 4 ? strtoull(argv[4], NULL, 10) : 0; left > 0; left -= 1000) {
		tell(left < 1000 ? left : 1000);
		listen_to_it();
		if (left <= 1000)
			break;
		if (told % 5000 == 0)
			await_written();
	}
	await_written();
	run(10, 0);
	show_logins("without messages");
	logins = 0;
	uint64_t first = told;
	double cpu = cpu_s(), begin = now_s();
	run(seconds, rate);
	await_written();
	double took = now_s() - begin;
	printf("%llu messages of %u recipients in %.1f s: %.1f us CPU each in control, logins "
	       "included\n",
		(unsigned long long)(told - first), recipients, took,
		(cpu_s() - cpu) * 1e6 / (double)(told - first));
	show_logins("beside them");
	printf("written %ld, lost %ld\n", counter("audit-written"), counter("audit-lost"));
	show_page("message show");
	show_page("message show queue 4Xnone");
	show_page("message show user user777");
	show_page("message show recipient somebody777@example.org");
	show_page("message show message-id 9e37.1@laptop.example");
	show_page("message show sender user777@hotel1.example since 5m");
	return tear_down(&state) == 0 ? 0 : 1;
}
