/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of commands and options. */
#include "cli/cli.h"

#define EDIT_MORE                                                              \
	"KEY and VALUE are those of the file (weft help file); a key inside "  \
	"another is written with a dot, as storm.broadcast=1000. KEY= with "   \
	"nothing behind it goes back to the default. The same checks as for "  \
	"a "                                                                   \
	"file are made, and the result is kept as the applied state."

const struct cli_command cli_commands[] = {
	{ .name = "",
	  .args = "",
	  .run = cli_status,
	  .help = "Show everything on one screen.",
	  .more = "The topology with the state of each port, tunnels to other "
		  "hosts, what is missing, and what was dropped." },
	{ .name = "apply",
	  .args = "FILE|DIR",
	  .min_args = 1,
	  .max_args = 1,
	  .options = CLI_DRY_RUN | CLI_CHANGE | CLI_QUIET,
	  .run = cli_apply,
	  .help = "Make the network what the file says.",
	  .more = "Only what differs is touched, in an order in which each "
		  "change finds what it stands on; when one fails, all are "
		  "undone. The file may be - for the standard input, or a "
		  "folder, whose *.yaml are read in the order of their names "
		  "as one: sections merge, and what is defined twice is "
		  "refused. What takes longer than a second says at which "
		  "step it is. With "
		  "--confirm the change is undone by itself unless weft "
		  "confirm comes in time, and at once when it cuts "
		  "somebody off: the connection one is logged in over "
		  "(SSH_CONNECTION) gets stuck or loses its address, the "
		  "default route goes, its gateway or the host one is "
		  "logged in from worked before and stops answering. Then "
		  "weft says whether all is as it was. A restart of the "
		  "daemon changes nothing about the time.",
	  .example = "weft apply --confirm 60s net.yaml" },
	{ .name = "confirm",
	  .args = "",
	  .run = cli_confirm,
	  .help = "Keep the change that apply --confirm made.",
	  .example = "weft confirm" },
	{ .name = "history",
	  .args = "",
	  .run = cli_history,
	  .help = "Show what was applied, when and by whom.",
	  .more = "The newest 32 to 256 states are kept.",
	  .example = "weft history" },
	{ .name = "diff",
	  .args = "N [M]",
	  .min_args = 1,
	  .max_args = 2,
	  .run = cli_diff,
	  .help = "Show what changed from state N to state M, or to now.",
	  .more = "Exits with 2 when there is a difference.",
	  .example = "weft diff 3 5" },
	{ .name = "rollback",
	  .args = "[N]",
	  .max_args = 1,
	  .options = CLI_QUIET,
	  .run = cli_rollback,
	  .help = "Go back to state N, or to the one before the last.",
	  .more = "That is an apply like any other, and a new state. While a "
		  "change waits for its confirmation, it is undone.",
	  .example = "weft rollback" },
	{ .name = "plan",
	  .args = "FILE|DIR",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cli_plan,
	  .help = "Show what apply would change, and change nothing.",
	  .more = "Exits with 2 when there is something to change.",
	  .example = "weft plan net.yaml" },
	{ .name = "check",
	  .args = "FILE|DIR",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cli_check,
	  .help = "Say what is wrong with a file; needs no daemon.",
	  .example = "weft check net.yaml" },
	{ .name = "show",
	  .args = "KIND",
	  .max_args = 1,
	  .run = cli_show,
	  .help = "Show the ports, networks, bridges, routers, neighbours, "
		  "macs, flows, tunnels or drops.",
	  .example = "weft show ports" },
	{ .name = "graph",
	  .args = "[text|mermaid|dot|svg]",
	  .max_args = 1,
	  .run = cli_graph,
	  .help = "Draw the network.",
	  .more = "mermaid goes into Markdown, dot into Graphviz, svg into a "
		  "browser.",
	  .example = "weft graph svg > net.svg",
	  .words = "text mermaid dot svg" },
	{ .name = "drops",
	  .args = "",
	  .run = cli_drops,
	  .help = "Show who drops what and why, since when, and the last "
		  "packet of each kind.",
	  .more = "SINCE and LAST are of what the datapath noted: one packet a "
		  "millisecond and kind. A port's own refusals (its queue was "
		  "full) are counted without a packet." },
	{ .name = "watch",
	  .args = "[KIND ...]",
	  .max_args = 8,
	  .options = CLI_ONCE,
	  .run = cli_watch,
	  .help = "Tell what happens, as it happens.",
	  .more = "KIND is port, station, flap, neighbour, conflict, loop or "
		  "apply; all without. What happened lately comes first. "
		  "With --json, an object a line.",
	  .example = "weft watch loop conflict",
	  .words = "port station flap neighbour conflict loop apply" },
	{ .name = "top",
	  .args = "[ports|flows|talkers|drops]",
	  .max_args = 1,
	  .options = CLI_ONCE | CLI_LOOK,
	  .run = cli_top,
	  .help = "Show who moves how much, now.",
	  .more = "On a terminal: TAB or p, f, t, d choose the view, s the "
		  "order, / a filter, SPACE stops, q ends. Elsewhere tables "
		  "follow each other.",
	  .example = "weft top talkers",
	  .words = "ports flows talkers drops" },
	{ .name = "bundle",
	  .args = "[FILE|-]",
	  .max_args = 1,
	  .run = cli_bundle,
	  .help = "Collect what a bug report needs into one .tar.gz.",
	  .more = "Values whose names say that they are secret are left out, "
		  "and what dropped packets carried; names and addresses are "
		  "in it. The file must not exist yet and is readable by its "
		  "owner only.",
	  .example = "weft bundle" },
	{ .name = "metrics",
	  .args = "",
	  .run = cli_metrics,
	  .help = "Print all counters as Prometheus reads them.",
	  .more = "The daemon serves the same as GET /metrics on metrics.sock "
		  "in its folder of sockets, and on a loopback address when "
		  "started with --metrics; docs/grafana-dashboard.json shows "
		  "it." },
	{ .name = "doctor",
	  .args = "",
	  .run = cli_doctor,
	  .help = "Look for everything that is known to break networks.",
	  .more = "Each finding has its evidence and the line that mends it. "
		  "Other hosts are asked by pings; one frame is sent through "
		  "each veth port; nothing is changed. Exits with 2 when "
		  "something is wrong; notes alone are no reason.",
	  .example = "weft doctor" },
	{ .name = "explain",
	  .args = "FROM [->] TO[:PORT]",
	  .max_args = 6,
	  .options = CLI_UDP,
	  .run = cli_explain,
	  .help = "Tell the way a packet would take, and what decides at each "
		  "step.",
	  .more = "FROM and TO are ports by name or addresses. With :PORT the "
		  "packet is TCP (--udp: UDP), else a ping. The answer comes "
		  "from the very function that forwards, with the place in the "
		  "file that decides, what was changed in the packet, which "
		  "cache holds it, and what would let a dropped one pass. "
		  "Where "
		  "it goes into a tunnel, the host behind it is asked, through "
		  "that tunnel, and goes on; one that does not answer within a "
		  "second is named. --packet gives the packet in full instead.",
	  .example = "weft explain vm1 -> 10.2.0.7:80" },
	{ .name = "capture",
	  .args = "[PORT ...] [in|out|both] [-w FILE|-] [-c N] [-s BYTES] "
		  "[FILTER]",
	  .max_args = CLI_MAX_ARGS,
	  .options = CLI_INNER | CLI_OUTER | CLI_DROPS | CLI_WIRE | CLI_TEXT,
	  .run = cli_capture,
	  .help = "Show packets as they pass ports, or write them to a file.",
	  .more = "No PORT means all; br0 is the bridge's own port, tunnel "
		  "what goes to other hosts, and a host's name what goes to "
		  "that one. FILTER is tcpdump's language "
		  "(pcap-filter(7)). To a terminal a line a packet is "
		  "written, else pcapng: pipe it to wireshark -k -i -. With "
		  "--drops only what is dropped is shown, with the reason, "
		  "unless in, out or both is said, too. Large frames and "
		  "unfinished checksums are shown as they pass, with a note; "
		  "--wire shows what a wire would have. Interrupt it to end; "
		  "what was lost on the way is said then.",
	  .example = "weft capture vm1 in tcp port 80" },
	{ .name = "trace",
	  .args = "live [PORT ...] [-c N] [FILTER]",
	  .min_args = 1,
	  .max_args = CLI_MAX_ARGS,
	  .run = cli_trace,
	  .help = "Follow real packets, rule by rule, as they come in.",
	  .more = "Each is told as explain does; when more come than can be "
		  "told (20 a second) the others are counted.",
	  .example = "weft trace live vm1 icmp" },
	{ .name = "port",
	  .args = "add|set|del NAME [KEY=VALUE ...]",
	  .min_args = 2,
	  .max_args = CLI_MAX_ARGS,
	  .options = CLI_QUIET,
	  .run = cli_edit,
	  .help = "Add, change or delete a port without a file.",
	  .more = EDIT_MORE,
	  .example = "weft port add vm1 type=tap network=blue" },
	{ .name = "network",
	  .args = "add|set|del NAME [KEY=VALUE ...]",
	  .min_args = 2,
	  .max_args = CLI_MAX_ARGS,
	  .options = CLI_QUIET,
	  .run = cli_edit,
	  .help = "Add, change or delete a network without a file.",
	  .more = EDIT_MORE,
	  .example = "weft network add blue subnets=10.1.0.0/24" },
	{ .name = "bridge",
	  .args = "add|set|del NAME [KEY=VALUE ...]",
	  .min_args = 2,
	  .max_args = CLI_MAX_ARGS,
	  .options = CLI_QUIET,
	  .run = cli_edit,
	  .help = "Add, change or delete a bridge without a file.",
	  .more = EDIT_MORE,
	  .example = "weft bridge set br0 mac_ageing=10m" },
	{ .name = "router",
	  .args = "add|set|del NAME [KEY=VALUE ...]",
	  .min_args = 2,
	  .max_args = CLI_MAX_ARGS,
	  .options = CLI_QUIET,
	  .run = cli_edit,
	  .help = "Add, change or delete a router without a file.",
	  .more = EDIT_MORE,
	  .example = "weft router add r1 "
		     "networks.blue.addresses=10.1.0.1/24" },
	{ .name = "export",
	  .args = "",
	  .run = cli_export,
	  .help = "Print the applied state as a file.",
	  .example = "weft export > net.yaml" },
	{ .name = "down",
	  .args = "",
	  .options = CLI_QUIET,
	  .run = cli_down,
	  .help = "Take everything down: apply the empty file.",
	  .more = "Devices that weft made go; adopted cards get their "
		  "addresses "
		  "and routes back." },
	{ .name = "version",
	  .args = "",
	  .run = cli_version,
	  .help = "Show the version of the command and of the daemon." },
	{ .name = "help",
	  .args = "[COMMAND|file]",
	  .max_args = 1,
	  .run = cli_help,
	  .help = "Show help: of a command, or of all keys of the file." },
	{ .name = "completion",
	  .args = "bash|zsh|fish",
	  .min_args = 1,
	  .max_args = 1,
	  .run = cli_completion,
	  .help = "Print the completion script of a shell.",
	  .example = "source <(weft completion bash)" },
};

const unsigned cli_n_commands = ARRAY_SIZE(cli_commands);

const struct cli_option_row cli_options[] = {
	{ "--json", NULL, CLI_JSON, "Answer in JSON, as docs/rpc.md has it.",
	  true },
	{ "--run", "DIR", 0,
	  "The daemon's folder of sockets (default: $WEFT_RUN, or the own "
	  "daemon's of a user who has one, or /run/weft).",
	  true },
	{ "--socket", "PATH", 0,
	  "The daemon's socket (default: weft.sock in the folder above).",
	  true },
	{ "--host", "NAME", 0,
	  "Whose ports and bridges port and bridge mean (default: the "
	  "daemon's).",
	  true },
	{ "--no-color", NULL, CLI_NO_COLOUR,
	  "No colours; also when NO_COLOR is set or the output is no terminal.",
	  true },
	{ "--dry-run", NULL, CLI_DRY_RUN,
	  "apply: show what would be done, and do nothing.", false },
	{ "--confirm", "TIME", CLI_CHANGE,
	  "apply: undo it unless weft confirm comes within TIME (60s, 5m).",
	  false },
	{ "--comment", "TEXT", CLI_CHANGE, "apply: what to say in the history.",
	  false },
	{ "--quiet", NULL, CLI_QUIET, "changes: say nothing of the steps.",
	  false },
	{ "--udp", NULL, CLI_UDP, "explain: the packet is UDP.", false },
	{ "--packet", "KEY", 0,
	  "explain: the packet in full, as "
	  "\"in_port=vm1,tcp,ip_dst=10.2.0.7,tp_dst=80\"; what is left out "
	  "is what the station behind FROM (or in_port) would send.",
	  false },
	{ "--pcap", "FILE", 0,
	  "explain: the packet is the first of a capture file, or number N "
	  "with -n N; only FROM is needed then.",
	  false },
	{ "--inner", NULL, CLI_INNER,
	  "capture: what is inside of tunnels (the default).", false },
	{ "--outer", NULL, CLI_OUTER,
	  "capture: tunnels from outside, with the headers that carry.",
	  false },
	{ "--drops", NULL, CLI_DROPS, "capture: what is dropped, and why.",
	  false },
	{ "--wire", NULL, CLI_WIRE,
	  "capture: large frames cut, checksums finished.", false },
	{ "--text", NULL, CLI_TEXT,
	  "capture: a line a packet, whatever the output is.", false },
	{ "--once", NULL, CLI_ONCE, "top, watch: show once, and end.", false },
	{ "--sort", "KEY", CLI_LOOK,
	  "top: bits, packets, rx, tx, drops, total or name.", false },
	{ "--filter", "TEXT", CLI_LOOK, "top: only rows with this text.",
	  false },
	{ "--interval", "S", CLI_LOOK,
	  "top: seconds between two looks (default: 1).", false },
	{ "--help", NULL, CLI_HELP, "Show help.", true },
	{ "--version", NULL, CLI_VERSION, "Show the version.", true },
};

const unsigned cli_n_options = ARRAY_SIZE(cli_options);

const char *const cli_kinds[] = { "ports",   "networks",   "bridges",
				  "routers", "neighbours", "macs",
				  "flows",   "tunnels",    "drops",
				  NULL };
