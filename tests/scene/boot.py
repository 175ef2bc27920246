"""A machine that boots, made of namespaces: systemd as process 1 of its own.

Its root is this machine's, seen through an overlay that keeps every change in
memory; its units are only systemd's journal and what a scene puts there. So the
unit file, the packages and the order of a start are tried for real, in seconds and
without an image. It can be started anew: its disk stays, all else is gone, and
/root/hardware, if there, is run first, to plug its cards in. The scene's machine is
not touched.
"""
import os
import signal
import subprocess
import time

import lib

# Makes its disk, and powers it on, again while that is wished.
POWER = r"""
set -e
place=$1
start=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$place"
mkdir "$place"/root "$place"/upper "$place"/work
mount -t overlay overlay "$place"/root \
	-o lowerdir=/,upperdir="$place"/upper,workdir="$place"/work
cd "$place"/root
: >etc/fstab
: >etc/machine-id
rm -rf etc/systemd/system/* etc/systemd/*.d usr/sbin/policy-rc.d \
	usr/lib/systemd/system-generators/* etc/systemd/system-generators \
	var/log/journal var/lib/weft
find usr/lib/systemd/system -path '*.wants/*' ! -name '*journald*' -delete
mkdir -p mnt/host
while
	setpriv --pdeathsig KILL unshare --fork --pid --mount --cgroup --net \
		--uts --ipc --kill-child bash -c "$start" start || true
	[ -e "$place".again ]
do
	rm "$place".again
done
exit 1
"""

START = r"""
set -e
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null ||
	mount -t tmpfs tmpfs sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mount -t tmpfs tmpfs tmp
for d in null zero full random urandom tty; do
	touch dev/$d
	mount --bind /dev/$d dev/$d
done
# Each start is one of its own, by its number.
cat proc/sys/kernel/random/uuid >run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
mkdir dev/net dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mknod -m 666 dev/net/tun c 10 200 # as udev leaves it
pivot_root . mnt/host
mount --make-rshared /
ip link set lo up
hostname wboot
if [ -e /root/hardware ]; then sh /root/hardware; fi
exec env -i container=weft PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --log-target=journal --show-status=0 \
	--unit=multi-user.target
"""


def cgroup2():
    """Where the machine's groups hang, or None."""
    with open("/proc/mounts") as f:
        for line in f:
            words = line.split()
            if words[2] == "cgroup2":
                return words[1]
    return None


def child_of(pid):
    with open("/proc/%s/task/%s/children" % (pid, pid)) as f:
        return f.read().split()[0]


class Boot:
    """with Boot(s) as b: b.run("systemctl", ...)."""

    def __init__(self, scene):
        self.scene = scene
        self.process = self.pid = None
        top = cgroup2()
        if not top:
            raise lib.Skipped("no cgroup2 is mounted")
        if not os.path.exists("/lib/systemd/systemd"):
            raise lib.Skipped("systemd is not installed")
        self.group = os.path.join(top, "weft-boot-" + scene.id)
        self.place = os.path.join(scene.folder, "boot")

    def __enter__(self):
        os.mkdir(self.group)
        os.mkdir(self.place)
        join = os.path.join(self.group, "cgroup.procs")
        self.process = self.scene.popen(
            "bash", "-c", 'echo $$ >"$0"; exec unshare --mount '
            'bash -c "$1" power "$2" "$3"', join, POWER, self.place, START,
            stderr=subprocess.PIPE)
        self.wait()
        return self

    def wait(self):
        lib.until("the machine has a process 1", self.find_first, 20)
        lib.until("the machine has started", self.is_started, 60)

    def find_first(self):
        if self.process.poll() is not None:
            raise lib.Failed("it does not boot: %s" %
                             self.process.stderr.read().decode())
        try:
            first = child_of(child_of(str(self.process.pid)))
            with open("/proc/%s/comm" % first) as f:
                if f.read().strip() != "systemd" or first == self.pid:
                    return False
        except (OSError, IndexError):
            return False
        self.pid = first
        return True

    def reboot(self):
        """As when the power is cut and comes back: its disk stays."""
        open(self.place + ".again", "w").close()
        os.kill(int(self.pid), signal.SIGKILL)
        self.wait()

    def is_started(self):
        return self.run("systemctl", "is-system-running",
                        check=False).stdout.strip() in ("running", "degraded")

    def run(self, *words, **more):
        return lib.run("nsenter", "-t", self.pid, "-a", "env", "-i",
                       "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                       "DEBIAN_FRONTEND=noninteractive", *words, **more)

    def sh(self, text, **more):
        return self.run("sh", "-c", text, **more).stdout.strip()

    def popen(self, *words, **more):
        return self.scene.popen("nsenter", "-t", self.pid, "-a", *words, **more)

    def write(self, path, text):
        self.run("sh", "-c", 'mkdir -p "$(dirname "$0")" && cat >"$0"', path,
                 stdin=text)

    def host(self, path):
        """Where a file of the scene's machine is seen inside."""
        return "/mnt/host" + os.path.abspath(path)

    def __exit__(self, kind, value, tb):
        if kind and self.pid:
            said = self.run("journalctl", "-u", "weftd", "-n", "15", "-o",
                            "cat", "--no-pager", check=False).stdout
            self.scene.logs += ["journal: " + x for x in said.splitlines()]
        if self.process:
            self.process.kill()
            self.process.wait()
        end = time.monotonic() + 20
        for folder, _, _ in os.walk(self.group, topdown=False):
            while time.monotonic() < end:
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.02)
        return False
