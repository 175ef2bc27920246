"""Changes: refused, undone, durable; devices that are not ours."""
import json
import os
import pty
import time

from lib import WEFT, RpcError, must, run, scene, until

ONE = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, network: blue, namespace: @c2@, addresses: [198.51.100.2/24]}
"""


def one(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply(ONE)
    c1.must_reach("198.51.100.2")
    return h, c1, c2


@scene
def a_wrong_file_is_refused_with_its_place_and_changes_nothing(s):
    h, c1, c2 = one(s)
    e = h.refuse(ONE.replace("subnets", "subents"), "subents", "subnets")
    must(e["line"] == 4 and e["file"] == "net.yaml", "the place: %s" % e)
    h.refuse(ONE.replace("198.51.100.2/24", "198.51.100.1/24"), "198.51.100.1")
    h.refuse(ONE.replace("network: blue", "network: bleu", 1), "blue")
    h.refuse(ONE + "  c3: {type: vteh, network: blue}\n", "veth")
    c1.must_reach("198.51.100.2")


@scene
def a_step_that_fails_undoes_the_steps_before_it(s):
    h, c1, c2 = one(s)
    h.ip("link", "add", "taken", "type", "veth", "peer", "name", "taken2")
    c3 = s.netns("c3")
    before = h.rpc("model")["text"]
    e = h.refuse(ONE + """
  c3: {type: veth, network: blue, namespace: @c3@, addresses: [198.51.100.3/24]}
  bad: {type: tap, network: blue, device: taken}
""", "bad")
    must("step " in e["text"] and " of 4, port bad: " in e["text"] and
         e["text"].endswith("what was done before it is undone"),
         "step, cause and undo are told: " + e["text"])
    must("eth0" not in c3.ip("link").stdout, "c3 is not left behind")
    must(h.port("c3") is None, "nor is its port")
    must(h.rpc("model")["text"] == before, "the applied model is as before")
    c1.must_reach("198.51.100.2")


@scene
def kill_9_loses_nothing_that_was_acknowledged(s):
    h, c1, c2 = one(s)
    c3 = s.netns("c3")
    more = ONE + "  c3: {type: veth, network: blue, namespace: @c3@, " \
                 "addresses: [198.51.100.3/24]}\n"
    for i in range(6):
        h.apply(more if i % 2 == 0 else ONE)
        h.kill()
        h.start()
        must((h.port("c3") is not None) == (i % 2 == 0),
             "round %d: exactly the last acknowledged state" % i)
        c1.must_reach("198.51.100.2")
    h.apply(more)
    c1.must_reach("198.51.100.3")


@scene
def kill_9_in_the_middle_of_an_apply_gives_one_state_or_the_other(s):
    h, c1, c2 = one(s)
    s.netns("far")
    ports = "".join("  d%d: {type: veth, network: blue, namespace: @far@, "
                    "device: f%d}\n" % (i, i) for i in range(60))
    seen = set()
    for delay in (0.0, 0.03, 0.08, 0.15, 1.5):
        p = s.popen("python3", "-c", """
import sys; sys.path.insert(0, %r); import lib
lib.rpc(%r, "apply", {"text": %r, "file": "x"})
""" % (os.path.dirname(os.path.abspath(__file__)), h.socket,
            s.names(ONE + ports)))
        time.sleep(0.1 + delay)
        h.kill()
        p.wait(20)
        h.start()
        n = len([x for x in h.show("ports") if x["name"].startswith("d")])
        must(n in (0, 60), "all or nothing, not %d of 60" % n)
        seen.add(n)
        c1.must_reach("198.51.100.2")
        h.apply(ONE)
        must("d1@" not in h.ip("-br", "link").stdout, "all gone again")
    must(60 in seen, "with time enough it is applied")


@scene
def a_full_disk_refuses_the_change_and_heals(s):
    h, c1, c2 = one(s)
    state = os.path.join(h.folder, "state")
    big = os.path.join(h.folder, "full")
    os.makedirs(big)
    run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", big)
    try:
        h.kill()
        run("cp", "-a", state + "/.", big)
        run("rm", "-rf", state)
        os.symlink(big, state)
        h.start()
        run("dd", "if=/dev/zero", "of=" + big + "/ballast", "bs=4k",
            check=False)
        refused, last = None, 0
        for i in range(10, 40):  # a page that is there already may have room
            try:
                h.apply(ONE.replace("198.51.100.2/24", "198.51.100.%d/24" % i))
                last = i
            except RpcError as e:
                refused = str(e)
                break
        must(refused, "a change was acknowledged that is not on the disk")
        must("space" in refused.lower(), "it says why: " + refused)
        c1.must_reach("198.51.100.%d" % last if last else "198.51.100.2")
        os.unlink(big + "/ballast")
        h.apply(ONE.replace("198.51.100.2/24", "198.51.100.9/24"))
        c1.must_reach("198.51.100.9")
    finally:
        h.kill()
        run("umount", "-l", big)


@scene
def a_nic_is_adopted_and_given_back_under_a_living_connection(s):
    h, world = s.host("h"), s.netns("world")
    s.link(h, "nic0", world, "w0")
    h.ip("addr", "add", "198.51.100.1/24", "dev", "nic0")
    h.ip("route", "add", "default", "via", "198.51.100.9")
    world.ip("addr", "add", "198.51.100.9/24", "dev", "w0")
    world.must_reach("198.51.100.1")
    server = h.popen("python3", "-c", """
import socket
l = socket.create_server(("198.51.100.1", 5050))
s, _ = l.accept()
while True:
    b = s.recv(100)
    if not b: break
    s.sendall(b)
""")
    time.sleep(0.5)
    client = world.popen("python3", "-c", """
import socket, sys, time
s = socket.create_connection(("198.51.100.1", 5050), 10)
s.settimeout(8)
worst = 0
for i in range(120):
    t = time.time()
    s.sendall(b"x%d" % i)
    s.recv(100)
    worst = max(worst, time.time() - t)
    time.sleep(0.05)
print("alive %.2f" % worst)
""", stdout=-1)
    time.sleep(0.5)
    routes = h.ip("route").stdout
    addrs = h.ip("-br", "addr", "show", "nic0").stdout.split()[2:]
    adopt = """
weft: 1
bridges: {br0: }
ports:
  nic0: {type: nic, bridge: br0, adopt: true}
"""
    h.apply(adopt)
    must("198.51.100.1/24" in h.ip("addr", "show", "br0").stdout,
         "the address is on br0")
    must("dev br0" in h.ip("route", "show", "default").stdout,
         "the default route too")
    must("198.51.100.1" not in h.ip("addr", "show", "nic0").stdout,
         "and not on the NIC any more")
    time.sleep(2)
    h.apply("weft: 1\n")
    out = client.communicate(timeout=40)[0].decode()
    must("alive" in out, "the connection lived through both: " + out)
    must(h.ip("-br", "addr", "show", "nic0").stdout.split()[2:] == addrs,
         "addresses are as before")
    must(sorted(h.ip("route").stdout.split("\n")) ==
         sorted(routes.split("\n")), "routes are as before")
    world.must_reach("198.51.100.1")
    server.terminate()


@scene
def an_adopted_nic_is_given_back_after_kill_9(s):
    h, world = s.host("h"), s.netns("world")
    s.link(h, "nic0", world, "w0")
    h.ip("addr", "add", "198.51.100.1/24", "dev", "nic0")
    world.ip("addr", "add", "198.51.100.9/24", "dev", "w0")
    h.apply("weft: 1\nbridges: {br0: }\nports:\n"
            "  nic0: {type: nic, bridge: br0, adopt: true}\n")
    world.must_reach("198.51.100.1")
    h.kill()
    h.start()
    world.must_reach("198.51.100.1")
    h.apply("weft: 1\n")
    world.must_reach("198.51.100.1")
    must("198.51.100.1/24" in h.ip("addr", "show", "nic0").stdout,
         "the address is back")


@scene
def down_leaves_nothing_behind(s):
    h, c1, c2 = one(s)
    h.rpc("down")
    names = [l.split()[0].split("@")[0] for l in
             h.ip("-br", "link").stdout.splitlines()]
    must(names == ["lo"], "only lo is left, not %s" % names)
    must(h.kill(15) == 0, "the daemon ends well")


@scene
def idle_costs_nothing(s):
    h, c1, c2 = one(s)
    for c in (c1, c2):
        c.run("sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1")
    time.sleep(13)  # flows expire, timers of the start are over

    def ticks():
        with open("/proc/%d/stat" % h.daemon.pid) as f:
            words = f.read().rsplit(")", 1)[1].split()
        return int(words[11]) + int(words[12])
    before = ticks()
    time.sleep(3)
    used = ticks() - before
    must(used <= 1, "%d ms of CPU in 3 s of nothing" % (used * 10))


@scene
def without_descriptors_the_change_is_refused_and_heals(s):
    h, c1, c2 = one(s)
    far = s.netns("far")
    many = ONE + "".join(
        "  m%d: {type: veth, network: blue, namespace: @far@, device: f%d}\n" %
        (i, i) for i in range(60))
    limit = lambda n: run("prlimit", "--pid", str(h.daemon.pid),  # noqa: E731
                          "--nofile=%d:" % n)
    open_now = len(os.listdir("/proc/%d/fd" % h.daemon.pid))
    before = h.rpc("model")["text"]
    limit(open_now + 20)
    h.refuse(many, "Too many open files")
    must(h.rpc("model")["text"] == before, "nothing was changed")
    must("f0" not in far.ip("-br", "link").stdout, "nothing is left behind")
    c1.must_reach("198.51.100.2")
    limit(4096)
    h.apply(many)
    must(h.port("m59")["state"] == "up", "with descriptors it works")
    c1.must_reach("198.51.100.2")


def weft(h, *words, status=0, **more):
    p = h.run(WEFT, "--socket", h.socket, *words, check=False, **more)
    must(p.returncode == status, "weft %s: %d\n%s" % (
        " ".join(words), p.returncode, p.stdout))
    return p.stdout


def folder(s, **files):
    path = os.path.join(s.folder, "net.d")
    os.makedirs(path, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(path, name.replace("_", "-") + ".yaml"),
                  "w") as f:
            f.write(s.names(text))
    return path


@scene
def a_folder_of_fragments_is_one_file(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    port = "ports: {%s: {type: veth, network: blue, namespace: @%s@, " \
           "addresses: [198.51.100.%d/24]}}\n"
    path = folder(s, n10_net="weft: 1\nnetworks:\n  blue: {}\n",
                  n20_c1="\n" + port % ("c1", "c1", 1),
                  n30_c2="\n\n" + port % ("c2", "c2", 2))
    with open(path + "/.#n30-c2.yaml", "w") as f:
        f.write("an editor's")
    with open(path + "/README", "w") as f:
        f.write("not read")
    out = weft(h, "plan", path, status=2)
    must("port c1:" in out and "# %s/n20-c1.yaml:2" % path in out, out)
    weft(h, "apply", path + "/")
    c1.must_reach("198.51.100.2")
    must("nothing to change" in weft(h, "plan", path), "all is applied")
    h.kill()
    h.start()
    c2 = h.port("c2")
    must(c2["file"] == path + "/n30-c2.yaml" and c2["line"] == 3,
         "the place outlives the daemon: %s" % c2)
    out = json.loads(weft(h, "explain", "--json", "c1", "c2"))
    must("n10-net.yaml" in json.dumps(out), "explain names the fragment")
    folder(s, n40_more=port % ("c2", "c2", 3))
    out = weft(h, "plan", path, status=1)
    must("%s/n40-more.yaml:1:9: \"c2\" is defined twice; first in "
         "%s/n30-c2.yaml, line 3" % (path, path) in out, out)
    os.rename(path + "/n40-more.yaml", path + "/n40-more.yaml.off")
    # as one text, over the standard input
    with open(path + "/n10-net.yaml") as f:
        out = weft(h, "plan", "-", status=2, stdin=f.read())
    must("- port c1" in out, out)
    os.makedirs(path + "/empty")
    out = weft(h, "apply", path + "/empty", status=1)
    must("no *.yaml in this folder" in out, out)
    c1.must_reach("198.51.100.2")


def many(s, n):
    path = os.path.join(s.folder, "many.yaml")
    with open(path, "w") as f:
        f.write(s.names("weft: 1\nnetworks: {blue: {}}\nports:\n") + "".join(
            "  m%d: {type: veth, network: blue, namespace: %s, device: f%d}\n"
            % (i, s.names("@far@"), i) for i in range(n)))
    return path


class Slowed:
    """The daemon's calls of the kernel take their time, on any machine."""

    def __init__(self, s, h, ms=15):
        self.status = "/proc/%d/status" % h.daemon.pid
        self.strace = s.popen(
            "strace", "-f", "-q", "-p", str(h.daemon.pid), "-e",
            "trace=sendto,sendmsg", "-e",
            "inject=sendto,sendmsg:delay_enter=%d" % (1000 * ms), "-o",
            "/dev/null")

    def is_traced(self):
        with open(self.status) as f:
            return "TracerPid:\t0\n" not in f.read()

    def __enter__(self):
        until("strace is there", self.is_traced)

    def __exit__(self, *_):
        self.strace.terminate()
        self.strace.wait(20)


def on_terminal(h, *words):
    ours, theirs = pty.openpty()
    p = h.popen(WEFT, "--socket", h.socket, *words, stdout=theirs,
                stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:  # as a terminal's end says that nobody is there
        pass
    os.close(ours)
    must(p.wait(30) == 0, said)
    return said


@scene
def what_takes_long_says_at_which_step_it_is(s):
    h = s.host("h")
    s.netns("far")
    path = many(s, 12)
    with Slowed(s, h):
        out = weft(h, "apply", path)
    must("weft: step " in out and " of 12: port m" in out, out)
    with Slowed(s, h, 50):  # which asks the kernel for little
        out = weft(h, "down")
    must("weft: step " in out and " of 12: removal of port m" in out, out)
    with Slowed(s, h):
        out = weft(h, "apply", "--quiet", path)
    must("step" not in out, out)
    weft(h, "down")
    with Slowed(s, h):
        said = on_terminal(h, "apply", path)
    must(b"\rstep " in said, said)
    must(b"\n" not in said[said.index(b"\rstep "):said.rindex(b"\rstep ")],
         "one line, written anew: %r" % said)
