/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/failed.h"

#include <string.h>

void failed_ports_init(struct failed_ports *f, struct loop *loop, loop_fn *fn,
		       void *arg)
{
	*f = (struct failed_ports){ .loop = loop };
	loop_call_init(&f->call, fn, arg);
	pthread_mutex_init(&f->lock, NULL);
}

void failed_ports_fini(struct failed_ports *f)
{
	loop_call_cancel(f->loop, &f->call);
	pthread_mutex_destroy(&f->lock);
	free(f->at);
}

void failed_ports_add(struct failed_ports *f, uint32_t port, int error)
{
	pthread_mutex_lock(&f->lock);
	if (f->n == f->room) {
		f->room = f->room ? 2 * f->room : 8;
		f->at = xrealloc(f->at, f->room * sizeof(*f->at));
	}
	f->at[f->n++] = (struct failed_port){ port, error };
	pthread_mutex_unlock(&f->lock);
	loop_wake(f->loop, &f->call);
}

bool failed_ports_take(struct failed_ports *f, struct failed_port *out)
{
	bool some;

	pthread_mutex_lock(&f->lock);
	some = f->n;
	if (some) {
		*out = f->at[0];
		memmove(f->at, f->at + 1, --f->n * sizeof(*f->at));
	}
	pthread_mutex_unlock(&f->lock);
	return some;
}
