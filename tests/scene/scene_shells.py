"""Completion, in the shells themselves."""
import os

from lib import BUILD, must, scene

ONCE = True

WEFT = os.path.join(BUILD, "src", "weft")

BASH = """source <(weft completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { :; }; _weft; printf '%s\\n' "${COMPREPLY[@]}" """

# compadd and _files are zsh's own; here they say what they are given.
ZSH = """compdef() { :; }; source <(weft completion zsh)
compadd() {
	[ "$1" = -S ] && shift 2
	shift
	for w; do [[ $w = ${words[CURRENT]}* ]] && print -r -- $w; done
}
_files() { print -l *; }
words=("$@"); CURRENT=$#; _weft"""

FISH = "weft completion fish | source; complete -C (string join ' ' -- $argv)"

FILE = """weft: 1
networks: {blue: {subnets: [10.1.0.0/24]}}
ports:
  web: {type: veth, network: blue, namespace: @web@, addresses: [10.1.0.1/24]}
  db: {type: veth, network: blue, namespace: @db@, addresses: [10.1.0.2/24]}
"""


def bash(*words):
    return "bash", "-c", BASH, "bash", *words


def zsh(*words):
    return "zsh", "-f", "-c", ZSH, "zsh", *words


def fish(*words):
    return "fish", "--no-config", "-c", FISH, *words


@scene
def each_shell_completes_commands_names_keys_and_files(s):
    a = s.host("a")
    s.netns("web")
    s.netns("db")
    a.apply(FILE)
    path = "PATH=%s:%s" % (os.path.dirname(WEFT), os.environ["PATH"])
    here = os.path.join(s.folder, "here")
    os.makedirs(os.path.join(here, "net.d"))

    for shell in (bash, zsh, fish):
        def complete(*words):
            p = a.run("env", "-C", here, path, "WEFT_RUN=" + os.path.dirname(a.socket),
                      *shell("weft", *words), check=False)
            return [w.split("\t")[0].rstrip("/")
                    for w in p.stdout.splitlines()]

        def must_be(words, found):
            said = complete(*words)
            must(sorted(said) == sorted(found), "%s of %s: %s" % (
                shell.__name__, " ".join(words), said))

        must_be(["doc"], ["doctor"])
        must_be(["graph", ""], ["text", "mermaid", "dot", "svg"])
        must_be(["watch", "lo"], ["loop"])
        must_be(["top", "t"], ["talkers"])
        must_be(["show", "ne"], ["networks", "neighbours"])
        must_be(["explain", ""], ["web", "db"])
        must_be(["capture", "w"], ["web"])
        must_be(["port", "se"], ["set"])
        must_be(["port", "set", "d"], ["db"])
        must_be(["network", "set", ""], ["blue"])
        must_be(["port", "set", "db", "names"], ["namespace="])
        must_be(["rollback", ""], ["1"])
        must_be(["apply", "net"], ["net.d"])
        must("--json" in complete("doctor", "--js"), shell.__name__)
