/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/capture.h"

/* One program: Wireshark calls it by another name. */
int main(int argc, char **argv)
{
	const char *name = argc ? strrchr(argv[0], '/') : NULL;

	name = name ? name + 1 : argc ? argv[0] : "";
	if (!strcmp(name, "weft-extcap"))
		return extcap_main(argc, (const char *const *)argv);
	return cli_main(argc, (const char *const *)argv);
}
