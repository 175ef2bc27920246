/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <sys/stat.h>

#include "port/adopt.h"
#include "sys/file_io.h"

#define ADVICE_FILE_MAX 65536u

/* Clients of DHCP, one process a device: it is among their arguments. */
static const char *const advice_clients[] = { "dhclient", "dhcpcd", "udhcpc",
					      "dhcpcanon", "pump" };

struct advice {
	const char *nic, *target;
	struct str *out;
	ino_t netns; /* ours */
	bool manager_seen;
};

/* /proc/PID/NAME, its zero bytes as spaces; empty when it is gone or hidden. */
static void advice_read(const char *pid, const char *name, struct str *out)
{
	char *path = xasprintf("/proc/%s/%s", pid, name);

	str_clear(out);
	if (file_read(disk_system(), path, ADVICE_FILE_MAX, out, NULL))
		str_clear(out);
	for (size_t i = 0; i < out->len; i++)
		if (!out->s[i] || out->s[i] == '\n')
			out->s[i] = ' ';
	free(path);
}

/* Is `word` one of the words of `text`? */
static bool advice_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at++)
		if ((at == text || isspace((unsigned char)at[-1])) &&
		    (!at[len] || isspace((unsigned char)at[len])))
			return true;
	return false;
}

/* Another namespace's processes do not manage our devices. */
static bool advice_is_here(const struct advice *ad, const char *pid)
{
	char *path = xasprintf("/proc/%s/ns/net", pid);
	struct stat st;
	bool here = stat(path, &st) || st.st_ino == ad->netns;

	free(path);
	return here;
}

static void advice_process(struct advice *ad, const char *pid)
{
	struct str comm = STR_INIT, args = STR_INIT;

	advice_read(pid, "comm", &comm);
	if (!ad->manager_seen &&
	    advice_has_word(str_text(&comm), "NetworkManager") &&
	    advice_is_here(ad, pid)) {
		ad->manager_seen = true;
		str_addf(ad->out,
			 "NetworkManager runs and may put addresses back on "
			 "%s: tell it \"nmcli device set %s managed no\"\n",
			 ad->nic, ad->nic);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(advice_clients); i++) {
		if (!advice_has_word(str_text(&comm), advice_clients[i]))
			continue;
		advice_read(pid, "cmdline", &args);
		if (advice_has_word(str_text(&args), ad->nic) &&
		    advice_is_here(ad, pid))
			str_addf(ad->out,
				 "%s (process %s) renews its lease on %s: "
				 "stop it and run it on %s\n",
				 advice_clients[i], pid, ad->nic, ad->target);
	}
	str_fini(&comm);
	str_fini(&args);
}

/* systemd-networkd notes for each device which file configures it. */
static void advice_networkd(const struct advice *ad)
{
	char *path = xasprintf("/run/systemd/netif/links/%u",
			       if_nametoindex(ad->nic));
	struct str text = STR_INIT;

	if (!file_read(disk_system(), path, ADVICE_FILE_MAX, &text, NULL) &&
	    strstr(str_text(&text), "NETWORK_FILE=/"))
		str_addf(ad->out,
			 "systemd-networkd configures %s and may put its "
			 "addresses back: give it a .network file with "
			 "Unmanaged=yes for %s, and one for %s\n",
			 ad->nic, ad->nic, ad->target);
	str_fini(&text);
	free(path);
}

void adopt_advise(const char *nic, const char *target, struct str *out)
{
	struct advice ad = { .nic = nic, .target = target, .out = out };
	DIR *proc = opendir("/proc");
	struct dirent *d;
	struct stat st;

	if (!stat("/proc/thread-self/ns/net", &st))
		ad.netns = st.st_ino;
	while (proc && (d = readdir(proc)))
		if (isdigit((unsigned char)d->d_name[0]))
			advice_process(&ad, d->d_name);
	if (proc)
		closedir(proc);
	advice_networkd(&ad);
}
