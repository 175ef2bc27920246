"""OpenFlow on one host, by Debian's ovs-ofctl in each version.

        host
    c1 --1--+
    c2 --2--+--- bridge br0, programmed
    c3 --3--+
"""
import os
import random
import shutil
import socket

from lib import Skipped, must, run, scene, until

NET = """
weft: 1
bridges:
  br0: {openflow: true}
ports:
  c1: {type: veth, bridge: br0, namespace: @c1@, addresses: [198.51.100.1/24], mac: 02:00:00:00:00:01}
  c2: {type: veth, bridge: br0, namespace: @c2@, addresses: [198.51.100.2/24], mac: 02:00:00:00:00:02}
  c3: {type: veth, bridge: br0, namespace: @c3@, addresses: [198.51.100.3/24], mac: 02:00:00:00:00:03}
"""
VERSIONS = range(10, 16)


class Bridge:
    """br0 of a host, spoken to by ovs-ofctl."""

    def __init__(self, host, version=None):
        if not shutil.which("ovs-ofctl"):
            raise Skipped("there is no ovs-ofctl")
        self.host = host
        self.version = version

    def words(self, *words, name="br0.mgmt"):
        """Options, command, what it wants after the bridge."""
        n = next(i for i, w in enumerate(words) if not w.startswith("-"))
        version = ["-O", "OpenFlow%d" % self.version] if self.version else []
        return ["ovs-ofctl", *version, *words[:n + 1], "unix:" + os.path.join(
            self.host.folder, "run", name), *words[n + 1:]]

    def __call__(self, *words, check=True):
        return run(*self.words(*words), check=check).stdout

    def rules(self):
        """The dump without what time changes."""
        said = []
        for line in self("dump-flows").splitlines():
            if "actions=" not in line:
                continue
            words = [w for w in line.strip().replace(", ", ",").split(",")
                     if not w.startswith(("duration=", "n_packets=", "n_bytes=",
                                          "idle_age=", "hard_age="))]
            said.append(",".join(words))
        return sorted(said)


def hears(ns, address):
    """One question that is answered at once, or is not."""
    return ns.run("ping", "-n", "-c", "1", "-W", "0.3", address,
                  check=False).returncode == 0


def watch(s, words, f):
    """ovs-ofctl that stays; it wants a folder for a socket of its own."""
    return s.popen(*words, stdout=f, stderr=f,
                   env=dict(os.environ, OVS_RUNDIR=s.folder))


def three(s):
    h = s.host("h")
    spaces = [s.netns("c%d" % i) for i in (1, 2, 3)]
    h.apply(NET)
    return (h, *spaces)


@scene
def a_programmed_bridge_begins_as_a_bridge(s):
    h, c1, c2, c3 = three(s)
    br = Bridge(h)
    must(br.rules() == ["cookie=0x0,table=0,priority=0 actions=NORMAL"],
         "one rule, not %s" % br.rules())
    c1.must_reach("198.51.100.2")
    show = br("show")
    for word in ("n_tables:254", " 1(c1): addr:", " 3(c3): addr:", "LINK_DOWN"):
        must((word in show) == (word != "LINK_DOWN"), "%s in %s" % (word, show))


@scene
def packets_follow_the_rules(s):
    follow_rules(s, [13])


@scene(long=True)
def packets_follow_the_rules_of_every_version(s):
    follow_rules(s, VERSIONS)


def follow_rules(s, versions):
    h, c1, c2, c3 = three(s)
    for version in versions:
        br = Bridge(h, version)
        br("del-flows")
        must(br.rules() == [], "no rule is left")
        must(not hears(c1, "198.51.100.2"), "nothing passes")
        br("add-flow", "in_port=1,actions=output:2")
        br("add-flow", "in_port=2,actions=output:1")
        c1.must_reach("198.51.100.2")
        must(len(br.rules()) == 2, "two rules: %s" % br.rules())
        br("add-flow", "priority=40000,icmp,in_port=1,nw_dst=198.51.100.2,"
           "actions=drop")
        must(not hears(c1, "198.51.100.2"), "the drop comes first")
        br("--strict", "del-flows", "priority=40000,icmp,in_port=1,"
           "nw_dst=198.51.100.2")
        c1.must_reach("198.51.100.2")
        br("mod-flows", "in_port=1,actions=output:3")
        must(not hears(c1, "198.51.100.2"), "to another port by now")
        br("del-flows", "in_port=1")
        must(len(br.rules()) == 1, "one rule: %s" % br.rules())


@scene
def what_passed_is_counted_by_its_rule(s):
    h, c1, c2, c3 = three(s)
    br = Bridge(h, 13)
    br("del-flows")
    br("add-flow", "cookie=0x7,in_port=1,ip,actions=output:2")
    br("add-flow", "priority=1,actions=normal")
    c1.must_reach("198.51.100.2")
    c1.ping("198.51.100.2", 9)
    until("ten packets are counted", lambda: "n_packets=10," in
          br("dump-flows", "cookie=0x7/-1"))
    must("flow_count=2" in br("dump-aggregate"), "two rules in all")
    must("rx pkts=" in br("dump-ports", "1"), "the port counts too")


@scene
def what_is_refused_is_said_in_the_words_of_the_version(s):
    h, c1, c2, c3 = three(s)
    for version in VERSIONS:
        br = Bridge(h, version)
        must("OFPFMFC_OVERLAP" in br("add-flow", "check_overlap,priority=0,udp,"
                                     "actions=drop", check=False),
             "it overlaps the rule that is there")
        if version >= 11:
            must("OFPBAC_BAD_OUT_GROUP" in br(
                "add-flow", "actions=group:9", check=False), "no such group")
        must(len(br.rules()) == 1, "nothing was done")


@scene
def groups_spread_fail_over_and_show(s):
    h, c1, c2, c3 = three(s)
    for version in range(11, 16):
        br = Bridge(h, version)
        br("del-flows")
        br("del-groups")
        br("add-flow", "priority=1,actions=normal")
        br("add-group", "group_id=7,type=all,bucket=output:2,bucket=output:3")
        br("add-flow", "in_port=1,arp,actions=group:7")
        c1.ip("neigh", "flush", "all")
        c1.must_reach("198.51.100.3")
        c1.must_reach("198.51.100.2")
        said = br("dump-groups")
        must("group_id=7,type=all,bucket=" in said, said)
        br("mod-group", "group_id=7,type=ff,bucket=watch_port:2,output:2,"
           "bucket=watch_port:3,output:3")
        must("type=ff" in br("dump-groups"), "it is another group by now")
        must("group_id=7" in br("dump-group-stats"), "it counts")
        br("del-groups", "group_id=7")
        must("group:7" not in br("dump-flows"), "its rule went with it")


@scene
def bundles_are_made_whole_or_not_at_all(s):
    h, c1, c2, c3 = three(s)
    good = "".join("priority=%d,in_port=1,tcp,tp_dst=%d,actions=drop\n" % (i, i)
                   for i in range(1, 200))
    path = os.path.join(s.folder, "flows")
    for version in (13, 14, 15):
        br = Bridge(h, version)
        br("del-flows")
        with open(path, "w") as f:
            f.write(good)
        br("--bundle", "add-flows", path)
        must(len(br.rules()) == 199, "all of them")
        with open(path, "w") as f:
            f.write("delete\nadd priority=7,actions=drop\n"
                    "add actions=group:77\n")
        must("OFPBAC_BAD_OUT_GROUP" in br("--bundle", "add-flows", path,
                                          check=False), "the last is wrong")
        must(len(br.rules()) == 199, "so nothing was done")
        with open(path, "w") as f:
            f.write("priority=5,in_port=1,actions=drop\n")
        br("replace-flows", path)
        must(len(br.rules()) == 1, "replaced by one")


@scene
def packets_go_to_who_listens_and_come_back(s):
    go_and_come_back(s, [10, 14])


@scene(long=True)
def packets_go_to_who_listens_in_every_version(s):
    go_and_come_back(s, VERSIONS)


def go_and_come_back(s, versions):
    h, c1, c2, c3 = three(s)
    for version in versions:
        br = Bridge(h, version)
        br("del-flows")
        br("add-flow", "cookie=0x77,in_port=1,arp,actions=controller:60")
        said = os.path.join(s.folder, "said%d" % version)
        with open(said, "w") as f:
            p = watch(s, br.words("monitor", "65534"), f)
        until("an ARP question is told", lambda: (
            hears(c1, "198.51.100.2"), "arp_tpa=198.51.100.2" in open(said)
            .read())[1])
        p.terminate()
        must("PACKET_IN" in open(said).read(), open(said).read())
    seen = os.path.join(s.folder, "seen")
    with open(seen, "w") as f:
        c3.popen("tcpdump", "-l", "-n", "-e", "-i", "eth0", "udp", stdout=f)
    packet = ("020000000003020000000001080045000020000000004011aeca" "c6336401"
              "c633640300070007000c" "0000" "77656674")

    def arrived():
        for version in versions:
            Bridge(h, version)("packet-out", "in_port=controller, packet=%s, "
                               "actions=output:3" % packet)
        return open(seen).read().count("198.51.100.1.7 >") >= len(versions)
    until("packets of each version arrive", arrived)


@scene
def whoever_snoops_hears_what_is_said(s):
    h, c1, c2, c3 = three(s)
    br = Bridge(h, 13)
    said = os.path.join(s.folder, "snooped")
    with open(said, "w") as f:
        watch(s, br.words("snoop", name="br0.snoop"), f)
    until("the change is heard", lambda: (
        br("add-flow", "udp,actions=drop"), "FLOW_MOD" in open(said).read())[1])


@scene
def a_controller_hears_of_links_and_of_rules_that_end(s):
    h, c1, c2, c3 = three(s)
    br = Bridge(h, 14)
    said = os.path.join(s.folder, "said")
    with open(said, "w") as f:
        watch(s, br.words("monitor", "100"), f)
    priority = iter(range(10, 60000))
    until("it listens", lambda: (
        br("add-flow", "priority=%d,hard_timeout=1,send_flow_rem,udp,"
           "actions=drop" % next(priority)),
        "FLOW_REMOVED" in open(said).read())[1])
    must("reason=hard" in open(said).read(), open(said).read())
    c3.ip("link", "set", "eth0", "down")
    until("the link is told of", lambda: "PORT_STATUS" in open(said).read()
          and "LINK_DOWN" in open(said).read())
    br("add-group", "group_id=1,type=ff,bucket=watch_port:3,output:3,"
       "bucket=watch_port:2,output:2")
    br("add-flow", "priority=9,in_port=1,actions=group:1")
    c1.must_reach("198.51.100.2")
    c3.ip("link", "set", "eth0", "up")
    until("the first bucket is taken again",
          lambda: not hears(c1, "198.51.100.2"))


@scene
def explain_tells_the_rule_of_the_controller(s):
    h, c1, c2, c3 = three(s)
    br = Bridge(h, 13)
    br("add-flow", "cookie=0x77,priority=5,table=0,arp,actions=goto_table:4")
    br("add-flow", "cookie=0x78,priority=6,table=4,actions=output:3")
    said = str(h.rpc("explain", **{"from": "c1", "to": "c2"}))
    must("table" in said, said)


@scene
def the_hosts_own_device_is_local(s):
    h, c1 = s.host("h"), s.netns("c1")
    for name in ("c2", "c3"):
        s.netns(name)
    h.apply(NET.replace("openflow: true", "openflow: true, host: {addresses: "
                        "[198.51.100.254/24]}"))
    br = Bridge(h, 10)
    must(" LOCAL(br0): addr:" in br("show"), br("show"))
    br("del-flows")
    br("add-flow", "in_port=1,actions=LOCAL")
    br("add-flow", "in_port=LOCAL,actions=output:1")
    c1.must_reach("198.51.100.254")


@scene
def who_says_nonsense_is_let_go_and_others_are_not(s):
    h, c1, c2, c3 = three(s)
    path = os.path.join(h.folder, "run", "br0.mgmt")
    rng = random.Random(7)
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(path)
        for _ in range(20):
            with socket.socket(socket.AF_UNIX) as w:
                w.settimeout(10)
                w.connect(path)
                w.sendall(bytes([4, 7, 0, 8]) + rng.randbytes(500))
                got = b"more"
                while got:
                    try:
                        got = w.recv(4096)
                    except ConnectionResetError:
                        got = b""
        must(Bridge(h, 13).rules(), "the others are served")
        c1.must_reach("198.51.100.2")
    h.apply(NET.replace("br0: {openflow: true}", "br0: {}"))
    must(not os.path.exists(path), "no socket of a bridge that is a bridge")
    c1.must_reach("198.51.100.2")
