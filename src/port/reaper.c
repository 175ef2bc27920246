/* SPDX-License-Identifier: Apache-2.0 */
#include "port/reaper.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "port/port.h"
#include "sys/nl_link.h"
#include "sys/packet_crew.h"
#include "sys/thread.h"

/* "weft": devices on their way out. Whoever else uses it for the same means the
 * same. */
#define REAPER_GROUP 0x77656674u
#define REAPER_TRIES 100u
#define REAPER_WAIT_US 20000u

static struct {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	uint32_t *pending;
	unsigned n, cap;
	struct thread thread;
	bool running;
} reaper = { .lock = PTHREAD_MUTEX_INITIALIZER,
	     .idle = PTHREAD_COND_INITIALIZER };

/* Without a descriptor it waits: those whose devices these are close theirs. */
static int reaper_open(struct nl **nl)
{
	int rc;

	for (unsigned i = 0; i < REAPER_TRIES; i++) {
		rc = nl_open(nl, NL_CURRENT_NS, NULL);
		if (rc != -EMFILE && rc != -ENFILE)
			break;
		usleep(REAPER_WAIT_US);
	}
	return rc;
}

static void reaper_delete(const uint32_t *ifindexes, unsigned n)
{
	struct nl_link_change c = { .set = NL_LINK_GROUP,
				    .group = REAPER_GROUP };
	struct nl *nl;

	if (reaper_open(&nl))
		return;
	/* What fails here fails because the device is gone. */
	for (unsigned i = 0; i < n; i++)
		(void)!nl_link_set(nl, ifindexes[i], &c, NULL);
	(void)!nl_link_del_group(nl, REAPER_GROUP, NULL);
	nl_close(nl);
}

static void reaper_run(void *arg UNUSED)
{
	pthread_mutex_lock(&reaper.lock);
	while (reaper.n) {
		uint32_t *taken = reaper.pending;
		unsigned n = reaper.n;

		reaper.pending = NULL;
		reaper.n = reaper.cap = 0;
		pthread_mutex_unlock(&reaper.lock);
		reaper_delete(taken, n);
		free(taken);
		pthread_mutex_lock(&reaper.lock);
	}
	reaper.running = false;
	pthread_cond_broadcast(&reaper.idle);
	pthread_mutex_unlock(&reaper.lock);
}

static void reaper_push(uint32_t ifindex)
{
	if (reaper.n == reaper.cap) {
		reaper.cap = reaper.cap ? 2 * reaper.cap : 16;
		reaper.pending =
			xrealloc(reaper.pending, reaper.cap * sizeof(uint32_t));
	}
	reaper.pending[reaper.n++] = ifindex;
}

/* With the lock. False: there is no thread to be had. */
static bool reaper_start(void)
{
	if (reaper.running)
		return true;
	if (thread_start(&reaper.thread, "weft-reaper", THREAD_ANY_CPU,
			 reaper_run, NULL))
		return false;
	pthread_detach(reaper.thread.id);
	reaper.running = true;
	return true;
}

void reaper_del(uint32_t ifindex)
{
	bool started;

	pthread_mutex_lock(&reaper.lock);
	started = reaper_start();
	if (started)
		reaper_push(ifindex);
	pthread_mutex_unlock(&reaper.lock);
	if (!started)
		reaper_delete(&ifindex, 1);
}

void reaper_settle(void)
{
	pthread_mutex_lock(&reaper.lock);
	while (reaper.running)
		pthread_cond_wait(&reaper.idle, &reaper.lock);
	pthread_mutex_unlock(&reaper.lock);
}

void port_settle(void)
{
	reaper_settle();
	packet_crew_settle();
}
