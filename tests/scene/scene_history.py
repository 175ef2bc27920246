"""Safe change: history, going back, and changes that undo themselves."""
import time

from lib import WEFT, RpcError, must, scene, until

BASE = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
"""
MORE = BASE + "  c2: {type: veth, network: blue, namespace: @c2@, " \
              "addresses: [198.51.100.2/24]}\n"

# The host's way out goes through the bridge that has adopted its NIC.
OUT = """
weft: 1
bridges: {br0: }
ports:
  up0: {type: nic, bridge: br0, adopt: true}
"""


def based(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply(BASE)
    return h, c1, c2


def connected(s):
    """A host whose gateway answers, by an adopted NIC."""
    h, gw = s.host("h"), s.netns("gw")
    s.link(h, "up0", gw, "down0")
    h.ip("addr", "add", "192.0.2.2/24", "dev", "up0")
    h.ip("route", "add", "default", "via", "192.0.2.1")
    gw.ip("addr", "add", "192.0.2.1/24", "dev", "down0")
    h.apply(OUT)
    h.must_reach("192.0.2.1")
    return h, gw


def pending(h):
    return h.rpc("status")["confirm"]["pending"]


def outcome(h):
    return h.rpc("status")["confirm"].get("outcome", "")


def cut_off(s, text):
    """The change cuts the host off; it must come back by itself, soon."""
    h, gw = connected(s)
    before = h.rpc("model")["text"]
    h.rpc("apply", text=s.names(text), file="net.yaml", confirm=60)
    must(pending(h), "the change waits")
    until("the change is undone", lambda: not pending(h), 15)
    must("the gateway 192.0.2.1 stopped answering" in outcome(h), outcome(h))
    h.must_reach("192.0.2.1")
    must(h.rpc("model")["text"] == before, "everything is as before")
    until("the undo is verified",
          lambda: "as_before" in h.rpc("status")["confirm"], 30)
    must("; verified: the gateway 192.0.2.1 answers, devices, addresses and "
         "routes are as before" in outcome(h), outcome(h))


@scene
def what_was_applied_is_shown_compared_and_gone_back_to(s):
    h, c1, c2 = based(s)
    first = h.rpc("history")[-1]
    h.rpc("apply", text=s.names(MORE), file="net.yaml", comment="two of them")
    c1.must_reach("198.51.100.2")
    last = h.rpc("history")[-1]
    must(last["why"] == "two of them" and last["current"], str(last))
    must(last["serial"] == first["serial"] + 1, "states are counted")
    d = h.rpc("diff", **{"from": first["serial"], "to": last["serial"]})
    must([c["name"] for c in d["changes"]] == ["c2"], str(d))
    h.rpc("rollback")
    must(h.port("c2") is None, "the state before the last is back")
    must(h.rpc("history")[-1]["why"] == "rollback to %d" % first["serial"],
         "and is a state of its own")
    h.rpc("rollback", serial=last["serial"])
    c1.must_reach("198.51.100.2")
    try:
        h.rpc("rollback", serial=9999)
        must(False, "there is no state 9999")
    except RpcError as e:
        must("no state 9999; kept are" in str(e), str(e))


@scene
def a_change_that_is_not_confirmed_is_undone(s):
    h, c1, c2 = based(s)
    h.rpc("apply", text=s.names(MORE), file="net.yaml", confirm=2)
    must(h.port("c2") is not None and pending(h), "applied, waiting")
    h.refuse(BASE, "waits for its confirmation")
    until("it is undone", lambda: not pending(h), 10)
    must(h.port("c2") is None, "as before")
    must("nobody confirmed it in time" in outcome(h), outcome(h))
    try:
        h.rpc("confirm")
        must(False, "nothing waits")
    except RpcError as e:
        must("nobody confirmed it in time" in str(e), str(e))


@scene
def a_change_that_is_confirmed_stays(s):
    h, c1, c2 = based(s)
    h.rpc("apply", text=s.names(MORE), file="net.yaml", confirm=2)
    h.rpc("confirm")
    time.sleep(3)
    c1.must_reach("198.51.100.2")
    must(not pending(h), "nothing waits")


@scene
def kill_9_does_not_make_an_unconfirmed_change_stay(s):
    h, c1, c2 = based(s)
    h.rpc("apply", text=s.names(MORE), file="net.yaml", confirm=3)
    h.kill()
    h.start()
    must(pending(h) and h.port("c2") is not None, "it goes on waiting")
    h.kill()
    time.sleep(3)
    h.start()
    must(not pending(h) and h.port("c2") is None, "and is undone at the start")


@scene
def a_rule_that_drops_all_undoes_itself(s):
    cut_off(s, OUT.replace("{br0: }",
                           '{br0: {rules: ["priority=1 actions=drop"]}}'))


@scene
def the_command_says_what_was_and_what_waits(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    out = h.run(WEFT, "--socket", h.socket, "history").stdout
    must(out == "nothing was applied yet: weft apply FILE\n", out)
    h.apply(BASE)
    path = s.folder + "/net.yaml"
    with open(path, "w") as f:
        f.write(s.names(MORE))

    def weft(*words, status=0):
        p = h.run(WEFT, "--socket", h.socket, *words, check=False)
        must(p.returncode == status, "weft %s: %d\n%s" % (
            " ".join(words), p.returncode, p.stdout))
        return p.stdout
    out = weft("apply", "--confirm", "60s", "--comment", "more of it", path)
    must("undone in 60s unless" in out, out)
    must("unless you say: weft confirm" in weft(), "the screen says so")
    must("confirmed: it stays" in weft("confirm"), "confirmed")
    out = weft("history")
    must("more of it" in out and "net.yaml" in out, out)
    must("+ port c2" in weft("diff", "1", "2", status=2), "what was added")
    must("nothing to change" in weft("diff", "2"), "2 is now")
    must("1 deleted" in weft("rollback", "1"), "back")
    must("no number of a state" in weft("rollback", "x", status=64), "usage")
    must("a time like 60s" in weft("apply", "--confirm", "soon", path,
                                   status=64), "usage")
