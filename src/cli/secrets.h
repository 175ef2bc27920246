/* SPDX-License-Identifier: Apache-2.0 */
/* What must not leave the machine in a bug report.
 *
 * What      takes values of secret names out of JSON and of YAML, and what
 *           packets carried out of drops.
 * Why so    who sends a bug report looks at it once, or never.
 * Rule      a name that is, or ends in, password, passphrase, secret, token, psk
 *           or key (also private_key, tls-key) is a secret's; "head" is the
 *           beginning of somebody's packet.
 * Threads   values. */
#ifndef CLI_SECRETS_H
#define CLI_SECRETS_H

#include "base/str.h"

struct json_object;

#define SECRETS_LEFT_OUT "(left out)"
#define SECRETS_DEPTH_MAX 64u

bool secrets_is_name(const char *name, size_t len);
void secrets_clear_json(struct json_object *o);
/* YAML, a line at a time: "key: value" loses its value, and so do the lines
 * below that belong to it. */
void secrets_clear_text(const char *text, struct str *out);

#endif
