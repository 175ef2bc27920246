/* SPDX-License-Identifier: Apache-2.0 */
/* A file of any bytes opens, takes a state, and has it at the next start. */
#include "store/store.h"

#include "sys/disk_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store *open_db(struct disk *d)
{
	struct err e = ERR_INIT;
	struct store *s;
	char *said;

	s = store_open("/s", d, &said, &e);
	free(said);
	err_fini(&e);
	must(s);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_state st = { .text = "state" };
	struct disk *d = disk_test_create(1);
	struct err e = ERR_INIT;
	struct disk_file *f;
	struct store *s;

	must(!disk_mkdir(d, "/s", 0700));
	must(!disk_open(d, "/s/weft.db", DISK_WRITE | DISK_CREATE, 0600, &f));
	if (size)
		must(disk_pwrite(f, data, size, 0) == (ssize_t)size);
	disk_close(f);
	s = open_db(d);
	for (unsigned i = 0; i < store_n_states(s); i++) {
		struct store_state got;

		must(!store_get(s, i, &got, &e));
		store_state_fini(&got);
	}
	must(!store_put(s, &st, 1, &e));
	store_close(s);
	s = open_db(d);
	must(!strcmp(store_last(s)->text, "state"));
	store_close(s);
	disk_test_destroy(d);
	return 0;
}
