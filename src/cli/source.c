/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/js.h"
#include "model/fragments.h"
#include "model/model.h"

#define READ_STEP 65536u
#define SUFFIX ".yaml"

static int fail_read(struct cli *c, const char *file, int errnum)
{
	struct err e = ERR_INIT;

	err_set(&e, "cannot read %s: %s", file, err_name(errnum));
	cli_tell(c, &e, 1);
	err_fini(&e);
	return CLI_FAILED;
}

/* One byte more than is allowed is enough to be told so. */
static int read_stream(struct cli *c, FILE *f, const char *name,
		       struct str *out)
{
	char buf[READ_STEP];
	size_t n;

	while (out->len <= MODEL_MAX_BYTES &&
	       (n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add_n(out, buf, n);
	return ferror(f) ? fail_read(c, name, errno) : CLI_OK;
}

static int read_file(struct cli *c, const char *name, struct str *out)
{
	FILE *f;
	int rc;

	if (!strcmp(name, "-"))
		return read_stream(c, stdin, "the standard input", out);
	f = fopen(name, "re");
	if (!f)
		return fail_read(c, name, errno);
	rc = read_stream(c, f, name, out);
	fclose(f);
	return rc;
}

/* --- a folder ------------------------------------------------------------- */

/* Hidden files are an editor's. */
static int is_fragment(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > sizeof(SUFFIX) - 1 &&
	       !strcmp(d->d_name + n - (sizeof(SUFFIX) - 1), SUFFIX);
}

/* The same order in every locale. */
static int name_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int refuse_folder(struct cli *c, const char *folder, const char *why)
{
	struct err e = ERR_INIT;

	err_set(&e, "%s: %s", folder, why);
	cli_tell(c, &e, 1);
	err_fini(&e);
	return CLI_FAILED;
}

static int add_fragment(struct source *s, struct cli *c, const char *file)
{
	size_t n = strlen(s->name);
	struct str one = STR_INIT;
	char *path;
	int rc;

	if (strpbrk(file, "\n\r"))
		return refuse_folder(c, s->name,
				     "a file's name in it has a line break: "
				     "rename that");
	path = xasprintf("%s%s%s", s->name, s->name[n - 1] == '/' ? "" : "/",
			 file);
	rc = read_file(c, path, &one);
	if (!rc)
		fragments_add(&s->text, path, str_text(&one), one.len);
	str_fini(&one);
	free(path);
	return rc;
}

static int read_folder(struct source *s, struct cli *c)
{
	struct dirent **names;
	int n = scandir(s->name, &names, is_fragment, name_order);
	int rc = CLI_OK;

	if (n < 0)
		return fail_read(c, s->name, errno);
	for (int i = 0; i < n; i++) {
		if (!rc && s->text.len <= MODEL_MAX_BYTES)
			rc = add_fragment(s, c, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (!n)
		rc = refuse_folder(c, s->name,
				   "no *" SUFFIX " in this folder; to take "
				   "everything down: weft down");
	return rc;
}

/* --- the doors ------------------------------------------------------------ */

static int check(struct source *s, struct cli *c)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct model *m;

	m = model_parse(str_text(&s->text), s->text.len, s->name, &es);
	if (!m) {
		cli_tell(c, es.items, es.n);
		if (es.n_total > es.n && !(c->flags & CLI_JSON))
			fprintf(stderr, "... and %u more\n", es.n_total - es.n);
	}
	model_errors_fini(&es);
	model_destroy(m);
	return m ? CLI_OK : CLI_FAILED;
}

int source_read(struct source *s, struct cli *c)
{
	const char *arg = c->args[0];
	struct stat st;
	int rc;

	*s = (struct source){ .name = strcmp(arg, "-") ? arg : "stdin" };
	s->is_folder =
		strcmp(arg, "-") && !stat(arg, &st) && S_ISDIR(st.st_mode);
	rc = s->is_folder ? read_folder(s, c) : read_file(c, arg, &s->text);
	return rc ? rc : check(s, c);
}

void source_fini(struct source *s)
{
	str_fini(&s->text);
}

struct json_object *source_params(const struct source *s)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "text",
			       json_object_new_string_len(str_text(&s->text),
							  (int)s->text.len));
	json_object_object_add(p, "file", json_object_new_string(s->name));
	return p;
}
