/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/packet_crew.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/thread.h"

static struct {
	pthread_mutex_t lock;
	uint64_t netns; /* what the stock belongs to */
	int stock[PACKET_CREW_STOCK];
	unsigned n_stock, n_making;
	int closing[PACKET_CREW_CLOSING];
	unsigned n_closing;
	struct thread threads[PACKET_CREW_THREADS];
	bool busy[PACKET_CREW_THREADS]; /* that thread is there */
	unsigned n_threads;
	bool refused; /* a socket could not be made: no more ahead */
} crew = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The calling thread's namespace. */
static uint64_t crew_netns(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* --- the threads' work; called with the lock, returned with it ------------ */
static void crew_close_one(void)
{
	int fd = crew.closing[--crew.n_closing];

	pthread_mutex_unlock(&crew.lock);
	close(fd);
	pthread_mutex_lock(&crew.lock);
}

static void crew_make_one(uint64_t netns)
{
	int fd;

	crew.n_making++;
	pthread_mutex_unlock(&crew.lock);
	fd = packet_ring_make(false);
	pthread_mutex_lock(&crew.lock);
	crew.n_making--;
	if (fd < 0)
		crew.refused = true;
	else if (netns == crew.netns && crew.n_stock < PACKET_CREW_STOCK)
		crew.stock[crew.n_stock++] = fd;
	else if (crew.n_closing < PACKET_CREW_CLOSING)
		crew.closing[crew.n_closing++] = fd;
	else
		close(fd);
}

static bool crew_wants_stock(uint64_t netns)
{
	return netns == crew.netns && !crew.refused &&
	       crew.n_stock + crew.n_making < PACKET_CREW_STOCK;
}

static void crew_run(void *arg)
{
	bool *busy = arg;
	uint64_t netns = crew_netns();

	pthread_mutex_lock(&crew.lock);
	for (;;) {
		if (crew_wants_stock(netns))
			crew_make_one(netns);
		else if (crew.n_closing)
			crew_close_one();
		else
			break;
	}
	crew.n_threads--;
	*busy = false;
	pthread_mutex_unlock(&crew.lock);
}

/* With the lock. One thread more, unless there are enough for the work; the
 * callers come once for each piece of work, so enough will be. */
static void crew_call(unsigned work)
{
	unsigned i = 0;

	if (crew.n_threads >= MIN(work, PACKET_CREW_THREADS))
		return;
	while (crew.busy[i])
		i++;
	if (thread_start(&crew.threads[i], "weft-rings", THREAD_ANY_CPU,
			 crew_run, &crew.busy[i]))
		return;
	pthread_detach(crew.threads[i].id);
	crew.busy[i] = true;
	crew.n_threads++;
}

/* --- asked from outside --------------------------------------------------- */
/* With the lock: what is in stock is of another namespace. */
static void crew_move(uint64_t netns)
{
	if (crew.netns == netns)
		return;
	while (crew.n_stock && crew.n_closing < PACKET_CREW_CLOSING)
		crew.closing[crew.n_closing++] = crew.stock[--crew.n_stock];
	while (crew.n_stock)
		close(crew.stock[--crew.n_stock]);
	crew.netns = netns;
}

int packet_crew_take(void)
{
	uint64_t netns = crew_netns();
	int fd = -1;

	pthread_mutex_lock(&crew.lock);
	crew_move(netns);
	crew.refused = false;
	if (crew.n_stock)
		fd = crew.stock[--crew.n_stock];
	for (unsigned i = crew.n_stock; i < PACKET_CREW_STOCK; i++)
		crew_call(PACKET_CREW_STOCK - crew.n_stock);
	pthread_mutex_unlock(&crew.lock);
	return fd >= 0 ? fd : packet_ring_make(false);
}

void packet_crew_close(int fd)
{
	bool queued = false;

	pthread_mutex_lock(&crew.lock);
	if (crew.n_closing < PACKET_CREW_CLOSING) {
		crew.closing[crew.n_closing++] = fd;
		crew_call(crew.n_closing);
		queued = crew.n_threads;
		if (!queued)
			crew.n_closing--;
	}
	pthread_mutex_unlock(&crew.lock);
	if (!queued)
		close(fd);
}

void packet_crew_settle(void)
{
	pthread_mutex_lock(&crew.lock);
	crew_move(0);
	for (unsigned i = 0; i < PACKET_CREW_THREADS; i++)
		crew_call(crew.n_closing);
	while (crew.n_threads) {
		pthread_mutex_unlock(&crew.lock);
		usleep(1000);
		pthread_mutex_lock(&crew.lock);
	}
	pthread_mutex_unlock(&crew.lock);
}
