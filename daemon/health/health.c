/* The health process: it resolves the names of the servers' hosts, probes the hosts and tells
 * control what it found. DNS and mail hosts are foreign; nothing else is done here. It ends when
 * the keeper asked it to, or when the machine's DNS settings have changed, which only a new process
 * can read. */
#include "daemon/channel.h"
#include "daemon/health/dial.h"
#include "daemon/log.h"
#include "daemon/relay/picture.h"
#include "daemon/process/process.h"
#include "daemon/health/server_test.h"
#include "daemon/health/targets.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS   1000
#define NAME_SIZE 256

struct health {
	const struct process_start *start;
	struct loop *loop;
	struct channel *keeper;
	struct channel *control; /* NULL: gone; a new one comes */
	struct picture_pair pictures;
	struct dials dials;
	struct targets *targets;
	struct targets_face face;
	struct server_tests *tests;
	struct loop_timer tick;     /* once a second */
	struct loop_watch settings; /* inotify: DNS settings and hosts file */
	bool ended;                 /* as asked */
	uint64_t counters[COUNTERS];
	uint64_t counters_sent[COUNTERS];
	char machine[NAME_SIZE];
};

#define HEALTH_OF(pointer, member) \
	((struct health *)(void *)((char *)(pointer)-offsetof(struct health, member)))

static int send_message(struct health *health, const void *message)
{
	int error = health->control ? channel_send(health->control, message, -1) : -EPIPE;
	health->counters[error ? COUNTER_MESSAGES_LOST : COUNTER_MESSAGES_SENT]++;
	return error;
}

static void send_targets(void *context, const struct message_targets *message)
{
	send_message(context, message);
}

static void send_tested(void *context, const void *message)
{
	send_message(context, message);
}

static void send_counters(struct health *health)
{
	struct message_counters message;
	if (memcmp(health->counters, health->counters_sent, sizeof(health->counters)) == 0)
		return;
	message_init(&message, MESSAGE_COUNTERS, sizeof(message));
	message.n = COUNTERS;
	memcpy(message.v, health->counters, sizeof(message.v));
	memcpy(health->counters_sent, health->counters, sizeof(health->counters));
	send_message(health, &message);
	/* sending counted itself: no reason to send again */
	health->counters_sent[COUNTER_MESSAGES_SENT] = health->counters[COUNTER_MESSAGES_SENT];
	health->counters_sent[COUNTER_MESSAGES_LOST] = health->counters[COUNTER_MESSAGES_LOST];
}

static void on_tick(struct loop_timer *timer, uint64_t now_ms)
{
	struct health *health = HEALTH_OF(timer, tick);
	send_counters(health);
	loop_timer_set(health->loop, timer, now_ms + TICK_MS);
}

/* text may be several lines, messages hold none. */
static void reply(
	struct health *health, const struct message_header *request, int status, const char *text)
{
	struct message_reply message;
	if (request->seq == 0)
		return;
	message_init(&message, MESSAGE_REPLY, sizeof(message));
	message.header.seq = request->seq;
	message.status = status;
	snprintf(message.text, sizeof(message.text), "%s", text);
	for (char *at = message.text; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	send_message(health, &message);
}

static void use_policy(struct health *health)
{
	const struct picture *picture = health->pictures.now;
	struct policy *policy = picture->policy;
	if (!policy)
		return;
	log_set_level(policy->log_level);
	log_set_privacy(policy->audit_names_none);
	targets_set_policy(health->targets, policy, picture->number,
		policy->hostname.len > 0 ? policy->hostname.text : health->machine);
}

/* False: not about the policy. */
static bool take_picture(struct health *health, const struct message_header *message, int fd)
{
	char text[MESSAGE_TEXT_SIZE];
	int error = 0;

	switch (picture_take(&health->pictures, message, fd, &error, text)) {
	case PICTURE_NONE:
		return false;
	case PICTURE_CHANGED:
	case PICTURE_BLOCKED:
		break;
	case PICTURE_POLICY:
	case PICTURE_COMPLETE:
		use_policy(health);
		break;
	case PICTURE_FAILED:
		log_error("%s of control was not taken: %s%s%s", message_name(message->type),
			strerror(-error), *text ? ": " : "", text);
		break;
	}
	reply(health, message, error, text);
	return true;
}

static void begin_test(struct health *health, const struct message_test *message)
{
	int error = message->header.seq ? server_tests_begin(health->tests, message) : 0;
	const char *text = error == -ENOENT  ? "no host of it is known yet"
			   : error == -EBUSY ? "other tests are running"
			   : error           ? strerror(-error)
					     : "";
	if (error)
		reply(health, &message->header, error, text);
}

static void on_control_message(void *context, const struct message_header *message, int fd)
{
	struct health *health = context;
	const void *m = message;

	health->counters[COUNTER_MESSAGES_RECEIVED]++;
	if (take_picture(health, message, fd))
		return;
	if (fd >= 0)
		close(fd);
	switch (message->type) {
	case MESSAGE_PING:
	case MESSAGE_PONG:
		break;
	case MESSAGE_HOST:
		targets_on_host(health->targets, m);
		break;
	case MESSAGE_CLIENT_SIDE:
		targets_set_client_side(health->targets, m);
		break;
	case MESSAGE_TARGETS:
		targets_seed(health->targets, m);
		break;
	case MESSAGE_PROBE_NOW:
		targets_probe_now(health->targets, ((const struct message_probe_now *)m)->server);
		reply(health, message, 0, "");
		break;
	case MESSAGE_TEST:
		begin_test(health, m);
		break;
	case MESSAGE_LOG_LEVEL:
		log_set_level(((const struct message_log_level *)m)->level);
		reply(health, message, 0, "");
		break;
	default:
		health->counters[COUNTER_MESSAGES_BAD]++;
		log_warning(
			"control sent %s, which is not for health", message_name(message->type));
		reply(health, message, -EOPNOTSUPP, "not for health");
		break;
	}
}

/* What was learned stays; the keeper brings a new control. */
static void on_control_gone(void *context)
{
	struct health *health = context;
	log_warning("control is gone; going on with what it said");
	channel_free(health->control);
	health->control = NULL;
}

static const struct channel_handler control_handler = {on_control_message, on_control_gone};

static int open_control(struct health *health, int fd)
{
	health->control = channel_open(health->loop, fd, &control_handler, health);
	if (health->control)
		return 0;
	close(fd);
	return -ENOMEM;
}

/* A new control sends the policy again, and is told everything. */
static void take_peer(struct health *health, int fd)
{
	if (fd < 0)
		return;
	channel_free(health->control);
	health->control = NULL;
	server_tests_stop(health->tests);
	if (picture_begin(&health->pictures) < 0 || open_control(health, fd) < 0)
		log_error("no memory for a new control");
	memset(health->counters_sent, 0xff, sizeof(health->counters_sent));
	targets_tell_all(health->targets);
}

static void stop(struct health *health)
{
	health->ended = true;
	loop_stop(health->loop);
}

static void on_keeper_message(void *context, const struct message_header *message, int fd)
{
	struct health *health = context;
	struct message_plain pong;

	health->counters[COUNTER_MESSAGES_RECEIVED]++;
	if (message->type == MESSAGE_PEER) {
		take_peer(health, fd);
		return;
	}
	if (message->type == MESSAGE_SOCKET) {
		dial_on_socket(&health->dials, (const void *)message, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	switch (message->type) {
	case MESSAGE_PING:
		message_init(&pong, MESSAGE_PONG, sizeof(pong));
		pong.header.seq = message->seq;
		channel_send(health->keeper, &pong, -1);
		break;
	case MESSAGE_DRAIN:
		stop(health);
		break;
	case MESSAGE_HAND_OVER: /* control goes, and another comes */
		channel_free(health->control);
		health->control = NULL;
		break;
	case MESSAGE_LINK:
	case MESSAGE_UNLINK:
	case MESSAGE_LINKS_DONE:
		break;
	default:
		health->counters[COUNTER_MESSAGES_BAD]++;
		log_warning(
			"the keeper sent %s, which is not for health", message_name(message->type));
		break;
	}
}

static void on_keeper_gone(void *context)
{
	struct health *health = context;
	log_error("the keeper is gone");
	loop_stop(health->loop);
}

static const struct channel_handler keeper_handler = {on_keeper_message, on_keeper_gone};

static bool is_setting(const char *name)
{
	return strcmp(name, "resolv.conf") == 0 || strcmp(name, "hosts") == 0;
}

/* No file can be opened here, so a new process reads the new settings. Control hands it what this
 * one had learned. */
static void on_settings(struct loop_watch *watch, uint32_t events)
{
	struct health *health = HEALTH_OF(watch, settings);
	_Alignas(struct inotify_event) char bytes[4096];
	ssize_t len = read(watch->fd, bytes, sizeof(bytes));

	(void)events;
	for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= len;) {
		const struct inotify_event *event = (const void *)(bytes + at);
		if (event->len > 0 && is_setting(event->name)) {
			log_info("%s has changed: starting anew with it", event->name);
			stop(health);
			return;
		}
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* Folders, since the files are usually replaced; resolv.conf may be a link to another folder. */
static void watch_settings(struct health *health)
{
	const uint32_t what = IN_CLOSE_WRITE | IN_MOVED_TO;
	char path[PATH_MAX];

	health->settings.on_event = on_settings;
	health->settings.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (health->settings.fd < 0)
		return;
	inotify_add_watch(health->settings.fd, "/etc", what);
	if (realpath("/etc/resolv.conf", path))
		inotify_add_watch(health->settings.fd, dirname(path), what);
	loop_add(health->loop, &health->settings, EPOLLIN);
}

static void sweep(void *context)
{
	targets_run(((struct health *)context)->targets);
}

/* All that needs files, before privileges go. */
static int set_up(struct health *health)
{
	const struct process_start *start = health->start;
	int rc;

	health->settings.fd = -1;
	health->loop = loop_new();
	if (!health->loop)
		return -ENOMEM;
	dial_init(&health->dials, health->loop);
	gethostname(health->machine, sizeof(health->machine) - 1);
	tzset();
	signal(SIGPIPE, SIG_IGN);
	health->face = (struct targets_face){health, send_targets};
	/* before the settings are read: a change in between is then seen */
	watch_settings(health);
	if ((rc = picture_init(&health->pictures, start->options.relay_port)) < 0 ||
		(rc = targets_open(health->loop, health->counters, start->options.relay_port,
			 &health->face, &health->dials, &health->targets)) < 0)
		return rc;
	const struct server_tests_face tests_face = {health, send_tested};
	health->tests =
		server_tests_new(health->loop, health->targets, &tests_face, &health->dials);
	if (!health->tests)
		return -ENOMEM;
	health->keeper = channel_open(health->loop, start->keeper_fd, &keeper_handler, health);
	if (!health->keeper)
		return -ENOMEM;
	health->dials.keeper = health->keeper;
	if (start->control_fd >= 0 && (rc = open_control(health, start->control_fd)) < 0)
		return rc;
	health->tick.on_time = on_tick;
	loop_timer_set(health->loop, &health->tick, loop_now_ms(health->loop) + TICK_MS);
	loop_after_batch(health->loop, sweep, health);
	return 0;
}

static void take_down(struct health *health)
{
	server_tests_free(health->tests);
	targets_close(health->targets);
	dial_fini(&health->dials);
	channel_free(health->control);
	picture_fini(&health->pictures);
	if (health->settings.fd >= 0)
		close(health->settings.fd);
	/* the keeper kills whoever lives on without a channel */
	channel_free(health->keeper);
	if (health->loop)
		loop_free(health->loop);
	free(health);
}

int health_main(const struct process_start *start)
{
	struct health *health = calloc(1, sizeof(*health));
	if (!health)
		return 1;
	health->start = start;
	int rc = set_up(health);
	if (rc < 0)
		log_error("cannot set up: %s", strerror(-rc));
	else if ((rc = privilege_enter(roles[PROCESS_HEALTH].privileges)) < 0)
		log_error("cannot give up privileges: %s", strerror(-rc));
	else if ((rc = loop_run(health->loop)) < 0)
		log_error("cannot wait: %s", strerror(-rc));
	bool ended = health->ended;
	take_down(health);
	return rc == 0 && ended ? 0 : 1;
}
