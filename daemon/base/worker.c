/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct worker {
	struct loop_watch watch; /* the eventfd: jobs are done */
	struct loop *loop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, results; /* a job waits; one is finished */
	struct worker_job *waiting, **waiting_last;
	struct worker_job *finished, **finished_last;
	size_t queued; /* waiting, running or finished */
	bool stop;
};

static struct worker_job *next_job(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	while (!worker->waiting && !worker->stop)
		pthread_cond_wait(&worker->wake, &worker->lock);
	struct worker_job *job = worker->waiting;
	if (job) {
		worker->waiting = job->next;
		if (!worker->waiting)
			worker->waiting_last = &worker->waiting;
	}
	pthread_mutex_unlock(&worker->lock);
	return job;
}

static void *work(void *context)
{
	struct worker *worker = context;
	struct worker_job *job;
	while ((job = next_job(worker))) {
		uint64_t one = 1;
		job->status = job->run(job);
		pthread_mutex_lock(&worker->lock);
		job->next = NULL;
		*worker->finished_last = job;
		worker->finished_last = &job->next;
		pthread_cond_signal(&worker->results);
		pthread_mutex_unlock(&worker->lock);
		if (write(worker->watch.fd, &one, sizeof(one)) < 0)
			continue; /* the counter is full: the loop is awake anyway */
	}
	return NULL;
}

static void finish_jobs(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	struct worker_job *job = worker->finished;
	worker->finished = NULL;
	worker->finished_last = &worker->finished;
	pthread_mutex_unlock(&worker->lock);
	while (job) {
		struct worker_job *next = job->next;
		pthread_mutex_lock(&worker->lock);
		worker->queued--;
		pthread_mutex_unlock(&worker->lock);
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
	finish_jobs((struct worker *)watch);
}

struct worker *worker_open(struct loop *loop)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	sigset_t all, old;
	if (!worker)
		return NULL;
	worker->loop = loop;
	worker->waiting_last = &worker->waiting;
	worker->finished_last = &worker->finished;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	pthread_cond_init(&worker->results, NULL);
	worker->watch.on_event = on_finished;
	worker->watch.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->watch.fd < 0 || loop_add(loop, &worker->watch, EPOLLIN) < 0)
		goto fail;
	/* signals are the loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error)
		goto fail;
	return worker;
fail:
	if (worker->watch.fd >= 0)
		close(worker->watch.fd);
	free(worker);
	return NULL;
}

bool worker_settle(struct worker *worker)
{
	bool any = false;
	for (;; any = true) {
		pthread_mutex_lock(&worker->lock);
		bool none = worker->queued == 0;
		while (!none && !worker->finished)
			pthread_cond_wait(&worker->results, &worker->lock);
		pthread_mutex_unlock(&worker->lock);
		if (none)
			return any;
		finish_jobs(worker);
	}
}

void worker_close(struct worker *worker)
{
	if (!worker)
		return;
	worker_settle(worker);
	pthread_mutex_lock(&worker->lock);
	worker->stop = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	loop_del(worker->loop, &worker->watch);
	close(worker->watch.fd);
	pthread_cond_destroy(&worker->wake);
	pthread_cond_destroy(&worker->results);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void worker_submit(struct worker *worker, struct worker_job *job)
{
	pthread_mutex_lock(&worker->lock);
	job->next = NULL;
	*worker->waiting_last = job;
	worker->waiting_last = &job->next;
	worker->queued++;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}
