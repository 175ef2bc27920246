/* Replay: run a fuzz target over its committed corpus, without a fuzzer.
 *
 * What      each argument is a file or a folder of files; every file's bytes go
 *           through LLVMFuzzerTestOneInput once, in a heap block of exactly
 *           their length, so that the sanitizers see one byte too many.
 * Why so    every find of the fuzzer is a test case from then on, on any
 *           machine and with any compiler.
 * Refs      libFuzzer's interface: https://llvm.org/docs/LibFuzzer.html */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_LIMIT 4096
#define FILE_LIMIT (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int n_replayed;

static int replay_stream(FILE *f, const char *path, size_t len)
{
	uint8_t *buf = malloc(len ? len : 1);
	size_t got;

	if (!buf)
		return -1;
	got = fread(buf, 1, len, f);
	if (got != len) {
		fprintf(stderr, "%s: read %zu of %zu bytes\n", path, got, len);
		free(buf);
		return -1;
	}
	LLVMFuzzerTestOneInput(buf, len);
	free(buf);
	n_replayed++;
	return 0;
}

static int replay_file(const char *path, off_t size)
{
	FILE *f;
	int err;

	if (size > (off_t)FILE_LIMIT) {
		fprintf(stderr, "%s: longer than %u bytes\n", path, FILE_LIMIT);
		return -1;
	}
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return -1;
	}
	err = replay_stream(f, path, (size_t)size);
	fclose(f);
	return err;
}

static int replay_path(const char *path);

static int replay_dir(const char *path)
{
	char child[PATH_LIMIT];
	struct dirent *e;
	DIR *d = opendir(path);
	int err = 0;

	if (!d) {
		perror(path);
		return -1;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, e->d_name) >=
		    (int)sizeof(child))
			err = -1;
		else if (replay_path(child))
			err = -1;
	}
	closedir(d);
	return err;
}

static int replay_path(const char *path)
{
	struct stat st;

	if (stat(path, &st)) {
		perror(path);
		return -1;
	}
	return S_ISDIR(st.st_mode) ? replay_dir(path) :
				     replay_file(path, st.st_size);
}

int main(int argc, char **argv)
{
	int err = 0;

	for (int i = 1; i < argc; i++)
		if (replay_path(argv[i]))
			err = 1;
	printf("%u inputs replayed\n", n_replayed);
	if (!n_replayed) {
		fprintf(stderr, "no seed corpus: put files into the folder\n");
		err = 1;
	}
	return err;
}
