#include "daemon/control/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct disk {
	struct loop_watch watch; /* the eventfd: jobs are done */
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, results; /* a job waits; one is finished */
	struct disk_job *waiting, **waiting_last;
	struct disk_job *finished, **finished_last;
	size_t queued; /* waiting, running or finished */
	bool stop;
};

static struct disk_job *next_job(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	while (!disk->waiting && !disk->stop)
		pthread_cond_wait(&disk->wake, &disk->lock);
	struct disk_job *job = disk->waiting;
	if (job) {
		disk->waiting = job->next;
		if (!disk->waiting)
			disk->waiting_last = &disk->waiting;
	}
	pthread_mutex_unlock(&disk->lock);
	return job;
}

static void *work(void *context)
{
	struct disk *disk = context;
	struct disk_job *job;
	while ((job = next_job(disk))) {
		uint64_t one = 1;
		job->status = job->run(job);
		pthread_mutex_lock(&disk->lock);
		job->next = NULL;
		*disk->finished_last = job;
		disk->finished_last = &job->next;
		pthread_cond_signal(&disk->results);
		pthread_mutex_unlock(&disk->lock);
		if (write(disk->watch.fd, &one, sizeof(one)) < 0)
			continue; /* the counter is full: the loop is awake anyway */
	}
	return NULL;
}

static void finish_jobs(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	struct disk_job *job = disk->finished;
	disk->finished = NULL;
	disk->finished_last = &disk->finished;
	pthread_mutex_unlock(&disk->lock);
	while (job) {
		struct disk_job *next = job->next;
		pthread_mutex_lock(&disk->lock);
		disk->queued--;
		pthread_mutex_unlock(&disk->lock);
		job->done(job);
		job = next;
	}
}

static void on_finished(struct loop_watch *watch, uint32_t events)
{
	uint64_t count;
	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	finish_jobs((struct disk *)watch);
}

struct disk *disk_open(struct loop *loop)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	sigset_t all, old;
	if (!disk)
		return NULL;
	disk->loop = loop;
	disk->waiting_last = &disk->waiting;
	disk->finished_last = &disk->finished;
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->wake, NULL);
	pthread_cond_init(&disk->results, NULL);
	disk->watch.on_event = on_finished;
	disk->watch.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (disk->watch.fd < 0 || loop_add(loop, &disk->watch, EPOLLIN) < 0)
		goto fail;
	/* signals are the loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&disk->thread, NULL, work, disk);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error)
		goto fail;
	return disk;
fail:
	if (disk->watch.fd >= 0)
		close(disk->watch.fd);
	free(disk);
	return NULL;
}

bool disk_settle(struct disk *disk)
{
	bool any = false;
	for (;; any = true) {
		pthread_mutex_lock(&disk->lock);
		bool none = disk->queued == 0;
		while (!none && !disk->finished)
			pthread_cond_wait(&disk->results, &disk->lock);
		pthread_mutex_unlock(&disk->lock);
		if (none)
			return any;
		finish_jobs(disk);
	}
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	disk_settle(disk);
	pthread_mutex_lock(&disk->lock);
	disk->stop = true;
	pthread_cond_signal(&disk->wake);
	pthread_mutex_unlock(&disk->lock);
	pthread_join(disk->thread, NULL);
	loop_del(disk->loop, &disk->watch);
	close(disk->watch.fd);
	pthread_cond_destroy(&disk->wake);
	pthread_cond_destroy(&disk->results);
	pthread_mutex_destroy(&disk->lock);
	free(disk);
}

void disk_submit(struct disk *disk, struct disk_job *job)
{
	pthread_mutex_lock(&disk->lock);
	job->next = NULL;
	*disk->waiting_last = job;
	disk->waiting_last = &job->next;
	disk->queued++;
	pthread_cond_signal(&disk->wake);
	pthread_mutex_unlock(&disk->lock);
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int disk_replace(const char *dir, const char *name, const void *bytes, size_t len)
{
	char temporary[256];
	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	int error = 0;
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0) {
		error = -errno;
		goto close_folder;
	}
	error = write_all(fd, bytes, len);
	close(fd);
	if (!error && renameat(folder, temporary, folder, name) < 0)
		error = -errno;
	if (!error && fsync(folder) < 0)
		error = -errno;
	if (error)
		unlinkat(folder, temporary, 0);
close_folder:
	close(folder);
	return error;
}

static int read_all(int fd, size_t room, size_t max, char **bytes, size_t *len)
{
	size_t used = 0;
	char *text = room <= max + 1 ? malloc(room) : NULL;
	int error = text ? 0 : -EFBIG;
	while (!error) {
		ssize_t n = read(fd, text + used, room - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			error = n < 0 ? -errno : 0;
			break;
		}
		used += (size_t)n;
		if (used + 1 < room)
			continue;
		char *more = used <= max ? realloc(text, 2 * room) : NULL;
		if (!more) {
			error = -EFBIG;
		} else {
			text = more;
			room *= 2;
		}
	}
	if (!error && used > max)
		error = -EFBIG;
	if (error) {
		free(text);
		return error;
	}
	text[used] = '\0';
	*bytes = text;
	*len = used;
	return 0;
}

static int read_file(int fd, const struct stat *st, size_t max, char **bytes, size_t *len)
{
	bool sized = S_ISREG(st->st_mode) && st->st_size > 0;
	return read_all(fd, sized ? (size_t)st->st_size + 1 : 65536, max, bytes, len);
}

/* O_NONBLOCK: opening a FIFO shall not wait for its writer. fd, or -errno. */
static int open_file(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int error = fstat(fd, st) < 0 ? -errno : S_ISDIR(st->st_mode) ? -EISDIR : 0;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int disk_read(const char *path, size_t max, char **bytes, size_t *len)
{
	struct stat st;
	int fd = open_file(path, &st);
	if (fd < 0)
		return fd;
	int error = S_ISREG(st.st_mode) ? read_file(fd, &st, max, bytes, len) : -EINVAL;
	close(fd);
	return error;
}

static bool has_name(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC;
}

int disk_read_given(const char *path, size_t max, char **bytes, size_t *len)
{
	struct stat st;
	if (strcmp(path, "/dev/stdin") == 0)
		return fstat(STDIN_FILENO, &st) < 0 ? -errno
						    : read_file(STDIN_FILENO, &st, max, bytes, len);
	int fd = open_file(path, &st);
	if (fd < 0)
		return fd;
	int error = S_ISFIFO(st.st_mode) && has_name(fd) ? -EINVAL : 0;
	if (!error)
		error = fcntl(fd, F_SETFL, 0) < 0 ? -errno : read_file(fd, &st, max, bytes, len);
	close(fd);
	return error;
}
