"""Documents typed in: every command of a page, as its reader would.

A page is Markdown. Of each part (a `##` heading) the fenced blocks are typed in
order: `sh` blocks (and blocks without a language) as commands, `yaml`, `xml` and
`conf` blocks into the file whose name, in backquotes, is the last in the text
before. What only the test needs stands in comments that a reader does not see:

    <!-- hosts: alpha 192.0.2.1, beta 192.0.2.2 -->   two machines, one wire
    <!-- on: beta -->             the next block is typed there
    <!-- before: ... -->          commands that make what the reader has already
    <!-- user: anna -->           the reader is an ordinary user, without any right
    <!-- guest: WORDS -->         for the kernel of its virtual machine (of the one
                                  called N, when `weft.name=N` is among them)
    <!-- in: vm1 -->              the next block is typed in that virtual machine
    <!-- shows: REGEX -->         what the last block has to have said
    <!-- not typed: WHY -->       the next block is not

A machine is a set of namespaces (network, mount, process, host name) with /run,
/etc and /var/lib of its own; everything in it ends with the test.
"""
import os
import re
import subprocess
import tempfile
import time

from lib import BUILD, TOP, Failed, Scene, run, until

LIMIT_S = 90
# Sees to processes that lost their parent, as libvirt's probing ones.
INIT = "while :; do sleep 3600 & wait; done"

# What differs from a reader's machine: sudo is not needed, what never ends by
# itself is interrupted, the daemon is waited for, QEMU boots the tests' guest.
SHIMS = r"""
export PATH=$TYPED_BIN:$PATH TERM=dumb
sudo() { "$@"; }
weft() {
	for i in $(seq 200); do
		[ -S "${WEFT_RUN:-${USER_RUN:-/run/weft}}/weft.sock" ] && break
		sleep 0.05
	done
	case "$*" in
	*" -w "*) ;;
	capture*) set -- "$@" --text ;;
	esac
	case "$1" in
	top | watch | capture | trace)
		timeout -s INT 2 weft "$@" || [ $? = 124 ] ;;
	plan | diff | doctor)
		command weft "$@" || [ $? = 2 ] ;;
	*)
		command weft "$@" ;;
	esac
}
weftd() { command weftd "$@" >>"$TYPED_HOME/weftd.log" 2>&1; }
ip() {
	case "$*" in
	*" -c "*) command ip "$@" ;;
	*" ping "*) command ip "$@" -c 3 -i 0.2 ;;
	*" iperf3 -s"*) command ip "$@" >/dev/null 2>&1 ;;
	*) command ip "$@" ;;
	esac
}
shopt -s expand_aliases
"""

QEMU = """#!/bin/bash
# The reader's virtual machine, with the tests' guest in the place of its disk.
case " $* " in
*" -machine none"*) exec /usr/bin/qemu-system-x86_64 "$@" ;; # asked what it can
esac
words=() name=machine
while [ $# -gt 0 ]; do
	case "$1" in
	-name) name=${2#guest=} name=${name%%,*}; shift ;;
	-drive | -hda | -cdrom | -accel | -cpu) shift ;;
	-enable-kvm | -nodefaults) ;;
	*) words+=("$1") ;;
	esac
	shift
done
mkdir -p %(home)s/$name
at=%(home)s/guest
[ ! -e $at.$name ] || at=$at.$name
exec /usr/bin/qemu-system-x86_64 -name $name -pidfile %(home)s/$name/pid -accel tcg -cpu max -nodefaults -display none \\
	-kernel %(guest)s/vmlinuz -initrd %(guest)s/initramfs.gz \\
	-append "console=ttyS0 quiet net.ifnames=0 mitigations=off $(cat $at)" \\
	-serial "file:%(home)s/guest.$$.log" \\
	-serial unix:%(home)s/$name/cmd.sock,server=on,wait=off "${words[@]}" \\
	>>%(home)s/qemu.log 2>&1 </dev/null
"""


def parts_of(page):
    """[(heading, [piece])] of a page; a piece is (kind, text, file name)."""
    parts, name = [], ""
    text = open(os.path.join(TOP, page)).read()
    token = re.compile(r"^## (?P<head>[^\n]*)$|<!-- (?P<key>[a-z ]+):\s"
                       r"(?P<value>.*?)\s?-->|^```(?P<lang>\w*)\n"
                       r"(?P<body>.*?)^```$|`(?P<file>[\w./-]+\.\w+)`",
                       re.M | re.S)
    for m in token.finditer(text):
        if m["head"] is not None:
            parts.append((m["head"], []))
        elif m["file"]:
            name = m["file"]
        elif not parts:
            continue
        elif m["key"]:
            parts[-1][1].append((m["key"], m["value"].strip(), ""))
        elif m["lang"] in ("", "sh"):
            parts[-1][1].append(("type", m["body"], ""))
        else:
            parts[-1][1].append(("file", m["body"], name))
    return parts


class Machine:
    """Namespaces of its own; `type` is a reader at its prompt."""

    def __init__(self, name, home):
        self.name = self.short = name
        self.home = home
        os.makedirs(home)
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork",
             "--kill-child", "--mount-proc", "bash", "-c", INIT],
            stdin=subprocess.DEVNULL)
        self.pid = self.inner_pid()
        self.environment = dict(
            os.environ, HOME=home, TYPED_HOME=home,
            TYPED_BIN=os.path.join(home, "bin"),
            BASH_ENV=os.path.join(home, "shims"))
        self.user, self.guests = None, []
        self.furnish()

    def inner_pid(self):
        path = "/proc/%d/task/%d/children" % (self.holder.pid, self.holder.pid)
        for _ in range(200):
            try:
                with open(path) as f:
                    inner = f.read().split()
                with open("/proc/%s/cmdline" % inner[0]) as f:
                    if f.read().startswith("bash"):
                        return int(inner[0])
            except (OSError, IndexError):
                pass
            time.sleep(0.02)
        raise Failed("no machine came up")

    def furnish(self):
        bins = os.path.join(self.home, "bin")
        os.makedirs(bins)
        for program in ("weft", "weftd"):
            os.symlink(os.path.join(BUILD, "src", program),
                       os.path.join(bins, program))
        qemu = os.path.join(bins, "qemu-system-x86_64")
        with open(qemu, "w") as f:
            f.write(QEMU % {"home": self.home, "guest": os.path.join(
                TOP, "build", "guest")})
        os.chmod(qemu, 0o755)
        with open(os.path.join(self.home, "shims"), "w") as f:
            f.write(SHIMS)
        self.must_type("""
mount -t sysfs sysfs /sys; mount -t bpf bpf /sys/fs/bpf || true
for d in /run /var/lib /var/log /var/cache; do mount -t tmpfs tmpfs $d; done
mkdir -p /run/netns /run/etc /run/etc.work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc.work /etc
hostname %(name)s; ip link set lo up
""" % {"name": self.name})

    def become(self, name, uid=4242):
        """From now on nothing is typed by root, nor with any capability."""
        run = "/run/user/%d" % uid
        self.must_type("""
echo "%(name)s:x:%(uid)d:%(uid)d::%(home)s:/bin/bash" >>/etc/passwd
echo "%(name)s:x:%(uid)d:" >>/etc/group
mkdir -p %(run)s
cp -r --remove-destination -L %(guest)s guests
for p in weft weftd; do
	cp --remove-destination -L bin/$p bin/$p.own
	mv bin/$p.own bin/$p
done
sed -i 's|-kernel [^ ]*/vmlinuz|-kernel %(home)s/guests/vmlinuz|
	s|-initrd [^ ]*/initramfs|-initrd %(home)s/guests/initramfs|' \
	bin/qemu-system-x86_64
chown -R %(uid)d:%(uid)d "$HOME" %(run)s
chmod 700 %(run)s
""" % {"name": name, "uid": uid, "run": run, "home": self.home,
       "guest": os.path.join(TOP, "build", "guest")})
        os.chmod(os.path.dirname(self.home), 0o711)
        self.environment.update(USER=name, LOGNAME=name, XDG_RUNTIME_DIR=run,
                                USER_RUN=run + "/weft")
        self.user = uid

    def prompt(self, root=False):
        words = ["nsenter", "-t", str(self.pid), "-m", "-n", "-p", "-u"]
        if self.user and not root:
            words += ["setpriv", "--reuid", str(self.user), "--regid",
                      str(self.user), "--clear-groups", "--inh-caps=-all",
                      "--bounding-set=-all", "--no-new-privs"]
        return words

    def guest(self, verb, name, *words):
        return run(*self.prompt(root=True), os.path.join(TOP, "tools", "guest"),
                   verb, os.path.join(self.home, name), *words,
                   seconds=LIMIT_S).stdout

    def ask_guest(self, name, text):
        """In a virtual machine, once all are up, command by command."""
        for started in self.guests:
            until("%s is started" % started, lambda n=started: os.path.exists(
                os.path.join(self.home, n, "cmd.sock")))
            self.guest("wait", started, "--seconds", str(LIMIT_S))
        return "".join(self.guest("run", name, line)
                       for line in text.strip().splitlines())

    def type(self, text):
        """(exit status, what was said); what it leaves running goes on."""
        with tempfile.TemporaryFile("w+", errors="replace") as out:
            p = subprocess.Popen(
                [*self.prompt(), "bash", "-c", "set -e; cd \"$HOME\"\n" + text],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT)
            try:
                rc = p.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                p.kill()
                rc = p.wait()
            out.seek(0)
            return rc, out.read()

    def must_type(self, text):
        rc, said = self.type(text)
        if rc:
            raise Failed("on %s, exit status %d of:\n%s\nit said:\n%s%s" %
                         (self.name, rc, text.strip(), said, self.said()))
        return said

    def said(self):
        path = os.path.join(self.home, "weftd.log")
        if not os.path.exists(path):
            return ""
        with open(path) as f:
            return f.read()

    def end(self):
        """Everything in it is told to end, then the machine."""
        self.type("kill -TERM -1; for i in $(seq 100); do "
                  "pidof weftd weftd >/dev/null || break; sleep 0.1; done")
        self.holder.kill()
        self.holder.wait(20)


class Reader:
    """A context manager; reads one part of a page."""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        for m in self.machines.values():
            m.end()
            if kind is None and Scene.reports(m):
                raise Failed("; ".join(Scene.reports(m)))

    def __init__(self, s):
        self.s, self.machines, self.at, self.said = s, {}, None, ""

    def machine(self):
        if not self.machines:
            self.hosts("here")
        return self.at or next(iter(self.machines.values()))

    def make(self, name):
        m = Machine(name, os.path.join(self.s.folder, name))
        self.machines[name] = m
        return m

    def hosts(self, text):
        """`NAME [ADDRESS], ...`: addresses are on eth0, all on one wire."""
        for item in text.split(","):
            name, *address = item.split()
            m = self.make(name)
            if address:
                m.must_type("ip link add eth0 type veth peer name wire\n"
                            "ip addr add %s/24 dev eth0\n"
                            "ip link set eth0 up" % address[0])
        wired = [m for m in self.machines.values()
                 if not m.type("ip link show wire")[0]]
        if wired:
            self.wire(wired)

    def wire(self, machines):
        hub = self.make("wire")
        hub.must_type("ip link add name hub type bridge && "
                      "ip link set hub up")
        for m in machines:
            subprocess.run(["nsenter", "-t", str(m.pid), "-n", "ip", "link",
                            "set", "wire", "netns", str(hub.pid)], check=True)
            hub.must_type("ip link set wire name %s master hub up" % m.name)

    def read(self, pieces):
        skip, self.at, guest = False, None, None
        for kind, text, name in pieces:
            if kind == "hosts":
                self.hosts(text)
            elif kind == "on":
                self.at = self.machines[text]
            elif kind == "guest":
                self.guest(text)
            elif kind == "user":
                self.machine().become(text)
            elif kind == "in":
                guest = text
            elif kind == "before":
                self.machine().must_type(text)
                self.at = None
            elif kind == "not typed":
                skip = True
            elif kind == "shows":
                self.must_show(text)
            elif skip:
                skip = False
            elif kind == "file":
                self.write(name, text)
            elif kind == "type" and guest:
                self.said = self.machine().ask_guest(guest, text)
                guest = None
            elif kind == "type":
                self.said = self.machine().must_type(text)
                self.at = None
            else:
                raise Failed("a comment that means nothing: %s" % kind)

    def guest(self, words):
        name = re.search(r"weft\.name=(\S+)", words)
        if name:
            self.machine().guests.append(name[1])
        for end in ["", "." + name[1]] if name else [""]:
            with open(os.path.join(self.machine().home, "guest" + end),
                      "w") as f:
                f.write(words)

    def must_show(self, regex):
        if not re.search(regex, self.said, re.S):
            raise Failed("nothing like '%s' in:\n%s" % (regex, self.said))

    def write(self, name, text):
        for m in [self.at] if self.at else [self.machine(),
                                            *self.machines.values()]:
            rc, said = m.type("mkdir -p $(dirname %s) && cat > %s <<'TYPED'\n"
                              "%sTYPED\n" % (name, name, text))
            if rc:
                raise Failed(said)
        self.at = None
