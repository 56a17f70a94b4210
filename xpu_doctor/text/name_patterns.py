"""Where names of people and machines stand in pasted texts: prompts, answers of commands, logs, variables."""

from __future__ import annotations

import re

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.private_patterns import Pattern

_QUOTE = r"^[>\s|│]{0,60}"
_LEAD = rf"{_QUOTE}(?:\([\w. -]{{1,40}}\)\s{{0,3}}){{0,2}}(?:[➜❯╭┌└─]{{1,4}}\s{{0,2}})?\[?"
_USER = r"[a-z_][\w.-]{0,31}"
_HOST = r"[a-z0-9][\w.-]{0,62}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)"
_DONE = r"(?=[\s\"',;)\]}]|$)"


def _asked(command: str) -> str:
    """Return what a line holds that ends in a command at a prompt."""
    return rf"(?:^|[$#%>❯&;|])\s{{0,4}}(?:{command})\s{{0,8}}$"


def _is_a_container(match: re.Match[str], value: str) -> bool:
    """Keep the id of a container, which tells its lines from those of the host."""
    return len(value) == 12 and all(letter in "0123456789abcdef" for letter in value)


def _is_a_scheme(match: re.Match[str], value: str) -> bool:
    return value.lower() in ("http", "https", "file", "ftp", "git", "ssh", "note", "warning", "error")


PROMPTS: tuple[Pattern, ...] = (
    Pattern(
        "prompt-inside",
        rf"(?<=\s)(?P<user>{_USER})@(?P<host>[a-z0-9][\w-]{{0,62}}):~[\w./-]{{0,80}}[$#]\s",
        (":~",),
        sure=True,
    ),
    Pattern("prompt-mac-zsh", rf"{_LEAD}(?P<user>{_USER})@(?P<host>{_HOST}) [\w.~/-]{{1,60}} %\s", ("% ",), sure=True),
    Pattern(
        "prompt",
        rf"{_LEAD}(?P<user>{_USER})@(?P<host>{_HOST}?)"
        rf"(?::[~/]|[ \t]{{1,3}}[~/\w.-]{{1,60}}\][#$%]|[#$%][ \t]|\s{{1,3}}~(?=[\s/>]|$)|"
        r"\s{1,3}[~/]\S{0,80}\s{0,3}[>%#$❯➜]| (?:MINGW|MSYS|UCRT|CLANG)\w{0,6} )",
        ("@",),
        keeps=_is_a_container,
        sure=True,
    ),
    Pattern("prompt-arrow", rf"{_QUOTE}[➜❯]\s{{1,3}}(?P<user>{_USER})@(?P<host>{_HOST})(?=\s)", ("➜", "❯"), sure=True),
    Pattern("prompt-alone", rf"{_QUOTE}(?P<user>{_USER})@(?P<host>[a-z][\w-]{{1,62}})\s{{0,8}}$", ("@",)),
    Pattern("prompt-kali", rf"\((?P<user>{_USER})[㉿@💀](?P<host>{_HOST})\)-\[(?=[~/])", (")-[",), sure=True),
    Pattern(
        "prompt-starship", rf"{_LEAD}(?P<user>{_USER}) in (?:🌐\s?)?(?P<host>{_HOST}) in (?=[~/])", (" in ",), sure=True
    ),
    Pattern("prompt-zsh", rf"{_LEAD}(?P<host>[a-z][\w.-]{{1,62}})%\s{{1,3}}(?=[a-z./]\S)(?!\S{{1,20}}%)", ("%",)),
    Pattern("prompt-csh", rf"{_LEAD}(?P<host>[a-z][\w.-]{{1,62}}):[~/][^\s>]{{0,80}}>\s", (">",), keeps=_is_a_scheme),
    Pattern(
        "prompt-mac",
        rf"{_LEAD}(?P<host>[a-z][\w-]{{1,62}}):[^\s:]{{1,60}} (?P<user>{_USER})\$\s",
        ("$ ",),
        keeps=_is_a_scheme,
    ),
)
COMMANDS: tuple[Pattern, ...] = (
    Pattern(
        "lshw",
        rf"{_QUOTE}(?P<host>{_HOST})\s{{0,8}}$",
        ("lshw",),
        previous=_asked(r"(?:sudo )?lshw(?: -\S{1,20}){0,4}"),
        sure=True,
    ),
    Pattern(
        "acl",
        rf"^[>\s]{{0,60}}(?:# owner: |(?:default:)?user:)(?P<user>{_USER})(?=:[r-][w-][x-]|\s{{0,8}}$)",
        ("# owner:", "user:"),
    ),
    Pattern(
        "fuser",
        rf"^/dev/\S{{1,80}}:\s{{1,30}}(?P<user>{_USER})\s{{1,30}}\d{{1,10}}\s{{1,4}}[A-Za-z.]{{4,8}}\s",
        ("/dev/",),
    ),
    Pattern(
        "user-option",
        r"\b(?:sudo|squeue|sacct|scancel|pkill|pgrep|crontab|ps|runuser)\s(?:-\w{1,20}\s){0,3}(?:-u|--user)[ =]"
        rf"(?P<user>{_USER})(?=\s|$)",
        ("-u ", "--user "),
    ),
    Pattern("no-such-user", rf"[‘'`\"](?P<user>{_USER})[’'`\"]:? no such user", ("no such user",)),
    Pattern(
        "polkit", rf"\bauthenticating as: (?P<user>[^\n(]{{2,60}}?) \((?P<user2>{_USER})\)", ("authenticating as",)
    ),
    Pattern(
        "windows-owner",
        r"\b(?:owner|user(?: ?name)?|account|author|run as user|logged on user)\s{0,30}[:=]\s{0,30}"
        r"(?P<host>(?!nt\b|builtin\b)[A-Za-z][\w-]{1,30})\\{1,2}(?P<user>[\w.-]{1,40})",
        ("\\",),
    ),
    Pattern(
        "whoami",
        rf"{_QUOTE}(?:(?P<host>[\w.-]{{1,30}})\\)?(?P<user>[\w.@-]{{1,40}})\s{{0,8}}$",
        ("whoami", "logname", "id -un", "$user", "%username%", "env:username"),
        previous=_asked(
            r"(?:whoami|logname|id -un|echo [\"']?\$\{?USER(?:NAME)?\}?[\"']?|echo %USERNAME%|(?:echo )?\$env:USERNAME|(?:huggingface-cli|hf auth) whoami)"
        ),
        sure=True,
    ),
    Pattern(
        "hostname",
        rf"{_QUOTE}(?P<host>{_HOST})\s{{0,8}}$",
        ("hostname", "uname -n", "computername"),
        previous=_asked(
            r"(?:hostname(?: -[a-zA-Z]{1,3})?|uname -n|echo \$HOSTNAME|cat /etc/hostname|hostnamectl hostname|echo %COMPUTERNAME%|\$env:COMPUTERNAME)"
        ),
        keeps=_is_a_container,
        sure=True,
    ),
    Pattern("id", r"\buid=\d{1,10}\((?P<user>[\w.-]{1,32})\)", ("uid=",), sure=True),
    Pattern(
        "id-group",
        r"(?<=[=,])[1-9]\d{3,9}\((?P<user>(?!render\b|video\b|docker\b|sudo\b|wheel\b)[\w.-]{1,32})\)",
        ("gid=",),
        sure=True,
    ),
    Pattern("stat", rf"\bUid:\s{{0,4}}\(\s{{0,8}}\d{{1,10}}/\s{{0,8}}(?P<user>{_USER})\)", ("uid:",)),
    Pattern(
        "groups",
        rf"{_QUOTE}(?P<user>{_USER}) : [\w. -]{{1,300}}$",
        ("groups",),
        previous=_asked(r"groups(?: \S{1,40})?"),
    ),
    Pattern(
        "group-file",
        rf"(?<=[:,])(?P<user>{_USER})(?=,|\s{{0,8}}$)",
        ("render:", "video:", "sudo:", "docker:", "wheel:", "adm:"),
        within=r"(?:^|[>\s])(?:render|video|sudo|docker|wheel|adm|input|plugdev):[x*!]?:\d{1,10}:",
    ),
    Pattern(
        "passwd-file",
        rf"{_QUOTE}(?P<user>{_USER}):[x*!]:[1-9]\d{{3,9}}:\d{{1,10}}:(?P<user2>[^:,\n]{{0,60}})[^:\n]{{0,60}}:/",
        (":x:", ":*:", ":!:"),
    ),
    Pattern(
        "group-command",
        rf"\b(?:usermod\s{{1,3}}(?:-{{1,2}}[\w-]{{1,20}}\s{{1,3}}){{1,3}}[\w,]{{1,80}}"
        r"|g?passwd\s{1,3}-a|adduser|addgroup|deluser|loginctl enable-linger)\s{1,3}"
        rf"(?P<user>{_USER})(?=[\s;&|]|$)",
        ("usermod", "passwd -a", "adduser", "addgroup", "deluser", "enable-linger"),
    ),
    Pattern(
        "group-answer", rf"\b(?:adding|removing) user [`'\"]?(?P<user>{_USER})['\"`]? (?:to|from) group", ("ing user",)
    ),
    Pattern(
        "sudo-prompt",
        rf"\[sudo\] (?:password for|Passwort für|Mot de passe de|contraseña para) (?P<user>{_USER}) ?:",
        ("[sudo]",),
        sure=True,
    ),
    Pattern(
        "not-sudoer",
        rf"(?P<user>{_USER}) is not in the sudoers|\buser (?P<user2>{_USER}) is not allowed to (?:execute|run)",
        ("sudoers", "not allowed to"),
    ),
    Pattern("logged-in", rf"{_QUOTE}(?P<user>{_USER})\s{{1,30}}(?:pts/\d|tty\d|:\d)\S{{0,4}}\s", ("pts/", " tty")),
    Pattern(
        "ssh",
        rf"\b(?:ssh|scp|sftp|rsync|sshfs|mosh)\b[^\n@]{{0,200}}?[\s'\"](?P<user>{_USER})@(?P<host>[a-z][\w.-]{{0,62}})",
        ("ssh", "scp", "sftp", "rsync", "mosh"),
    ),
    Pattern(
        "ssh-answer",
        rf"\bconnect to host (?P<host>{_HOST}) port|\bresolve (?:host|hostname) (?P<host2>{_HOST}?)(?=[:\s]|$)",
        ("to host", "resolve host"),
    ),
    Pattern("ping", r"\bPING (?P<host>[a-z][\w.-]{1,62}) ?\(", ("ping ",), exact=False),
    Pattern("chown", rf"\bchown\s{{1,3}}(?:-\S{{1,12}}\s{{1,3}}){{0,3}}(?P<user>{_USER})(?=:)", ("chown",)),
    Pattern(
        "su", rf"(?:[$#]\s|sudo\s|^)su\s{{1,3}}(?:-l?\s{{1,3}}|--login\s{{1,3}})?(?P<user>{_USER})(?=\s|$)", ("su ",)
    ),
    Pattern(
        "owner",
        r"^[>\s]{0,60}(?:\d{1,10} )?[-dlcb][rwxsStT-]{9}[.+@]?\s{1,8}\d{1,8}\s{1,12}(?P<user>[a-z_][\w.-]{0,31})\s{1,12}(?P<user2>[a-z_][\w.-]{0,31})(?=\s|$)",
        ("rw-", "rwx", "rws", "r--", "r-x", "r-s", "-wx", "--x"),
        exact=True,
    ),
    Pattern(
        "uname",
        rf"{_QUOTE}(?:Linux|Darwin) (?!version\b)(?P<host>{_HOST}) \d{{1,2}}\.\d{{1,3}}\.\d",
        ("linux ", "darwin "),
        sure=True,
    ),
    Pattern(
        "hostnamectl",
        r"^[>\s]{0,60}(?:static|pretty|transient) hostname:\s{1,4}(?P<host>\S[^\n]{0,62}?)\s{0,40}$",
        ("hostname:",),
        sure=True,
    ),
    Pattern(
        "docker-info",
        rf"^\s{{0,8}}Name: (?P<host>{_HOST})\s{{0,8}}$",
        ("total memory:",),
        previous=r"^\s*Total Memory:",
    ),
    Pattern("mount", rf"{_QUOTE}(?P<host>[a-z][\w.-]{{1,62}}):/\S{{0,200}} on /\S{{1,200}} type nfs", ("type nfs",)),
    Pattern("mount-share", r"(?:^|[>\s])//(?P<host>[a-z][\w.-]{1,62})/\S{1,100}\s{1,20}(?:\d|on /)", ("//",)),
    Pattern("hosts-file", rf"^[>\s]{{0,60}}127\.0\.1\.1\s{{1,20}}(?P<host>{_HOST})", ("127.0.1.1",)),
    Pattern("kubernetes-node", rf"\bNode(?:-Selectors)?:\s{{1,30}}(?P<host>{_HOST})(?=/\d|\s{{0,8}}$)", ("node:",)),
    Pattern(
        "slurm-node",
        rf"\bNode(?:Name|List|HostName|Addr)=(?P<host>{_HOST})|\bsrun: error: (?P<host2>{_HOST}): task",
        ("node", "srun: error"),
    ),
    Pattern("mpi", rf"\b(?:local|remote|peer) host:\s{{1,20}}(?P<host>{_HOST})\s{{0,8}}$", (" host:",)),
)
LOGS: tuple[Pattern, ...] = (
    Pattern(
        "hostname-set",
        rf"\bhostname (?:set )?to <?(?P<host>{_HOST})(?=>|\s{{0,8}}$)",
        ("hostname ",),
        within=r"\bset\b",
        sure=True,
    ),
    Pattern("console-login", rf"{_QUOTE}(?P<host>{_HOST}) login: ?(?P<user>{_USER})?\s{{0,8}}$", (" login:",)),
    Pattern(
        "mpi-log",
        rf"\[(?:mpiexec|proxy:[\d:]{{1,12}})@(?P<host>{_HOST})\]"
        rf"|\bMPI startup\(\): \d{{1,6}}\s{{1,12}}\d{{1,9}}\s{{1,12}}(?P<host2>{_HOST})\s",
        ("mpiexec@", "proxy:", "mpi startup"),
    ),
    Pattern("metric", rf"\binstance=\"(?P<host>{_HOST}?)(?=:\d{{2,5}}\"|\")", ("instance=",)),
    Pattern(
        "journal",
        rf"^[>\s]{{0,60}}{_MONTH} [ \d]\d \d\d:\d\d:\d\d (?P<host>{_HOST}) [\w.@/()-]{{1,60}}(?:\[\d{{1,10}}\])?:",
        (" kernel:", "]:", " sudo:", "d: "),
        keeps=_is_a_container,
        sure=True,
    ),
    Pattern(
        "journal-localised",
        rf"^[>\s]{{0,60}}\d{{1,2}}\. {_MONTH}\.? \d\d:\d\d:\d\d (?P<host>{_HOST}) [\w.@/()-]{{1,60}}(?:\[\d{{1,10}}\])?:",
        (" kernel:", "]:"),
        sure=True,
    ),
    Pattern(
        "journal-iso",
        rf"^[>\s]{{0,60}}\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d) (?P<host>{_HOST}) [\w.@/()-]{{1,60}}(?:\[\d{{1,10}}\])?:",
        (" kernel:", "]:", " sudo:", "d: "),
        sure=True,
    ),
    Pattern(
        "session",
        rf"\bsession (?:opened|closed) for user (?P<user>{_USER})|\b(?:accepted|failed) \w{{1,30}} for (?:invalid user )?(?P<user2>{_USER}) from"
        rf"|\bsession \S{{1,12}} of user (?P<user3>{_USER}?)(?=\.?(?:\s|$))",
        ("session", " for "),
    ),
    Pattern("sudo-log", rf"\bsudo(?:\[\d{{1,10}}\])?:\s{{1,8}}(?P<user>{_USER}) : ", ("sudo",)),
    Pattern("cron-log", rf"\bCRON\[\d{{1,10}}\]: \((?P<user>{_USER})\) ", ("cron[",)),
    Pattern("audit-log", rf"\bacct=\"?(?P<user>{_USER})\"?", ("acct=",)),
    Pattern("rendezvous", r"\[(?P<host>[a-z][\w-]{0,62}(?:\.[\w-]{1,62}){1,6})\]:\d{2,5}\b", ("]:",)),
    Pattern("rendezvous-host", rf"^\s{{1,8}}host\s{{1,12}}: (?P<host>{_HOST})\s{{0,8}}$", ("host ",)),
    Pattern(
        "mail-name",
        r"^[>\s]{0,60}(?:author|commit|committer|signed-off-by|co-authored-by|reported-by|tested-by|reviewed-by|acked-by):\s{1,8}(?P<user>[^<\n]{2,60}?)\s{0,2}<[^>\n@]{1,64}@",
        ("author", "commit", "-by:"),
    ),
)
VARIABLES: tuple[Pattern, ...] = (
    Pattern(
        "windows-listing",
        r"^[>\s]{0,60}(?:system name|computer name|host name|device name|full device name)\s{0,20}(?:\t|\s:\s?|[ ]{4,40})\s{0,20}"
        r"(?P<host>[A-Za-z][\w.-]{2,62})\s{0,8}$",
        ("system name", "computer name", "host name", "device name"),
    ),
    Pattern(
        "user-variable",
        rf"\b(?:USER|USERNAME|LOGNAME|SUDO_USER|SLURM_JOB_USER|PBS_O_LOGNAME)[\"']?(?:\s{{0,2}}=\s{{0,2}}|\s{{0,2}}:\s{{0,2}}(?=[\"'])|:\s(?=\S{{1,32}}\s{{0,8}}$))[\"']?(?P<user>{_USER})\b",
        ("user", "logname"),
    ),
    Pattern(
        "logged-in-as",
        rf"\b(?:logged in as|whoami)(?:\s?[=:]\s?|\s)[\"']?(?P<user>{_USER})(?=[\s\"',;.]|$)",
        ("logged in as", "whoami"),
    ),
    Pattern("git-name", r"^[>\s]{0,60}user\.name=(?P<user>[^\n]{2,60}?)\s{0,8}$", ("user.name",)),
    Pattern(
        "windows-variable",
        r"^[>\s]{0,60}(?:USERNAME=|(?:USERPROFILE|HOMEPATH)=(?:[a-z]:)?\\users\\)(?P<user>[^\\/\r\n\"':<>|*?=]{2,40}?)\s{0,8}$",
        ("username=", "userprofile=", "homepath="),
    ),
    Pattern(
        "variable-listing",
        rf"^[>\s]{{0,60}}(?:USERNAME|LOGNAME)\s{{4,40}}(?P<user>[\w.-]{{2,40}})\s{{0,8}}$|^[>\s]{{0,60}}COMPUTERNAME\s{{4,40}}(?P<host>{_HOST})\s{{0,8}}$",
        ("username", "logname", "computername"),
    ),
    Pattern(
        "user-domain",
        r"\bUSERDOMAIN(?:_ROAMINGPROFILE)?[\"']?\s{0,30}[=:]?\s{0,30}[\"']?(?P<host>[A-Za-z][\w-]{1,30})(?=[\s\"',]|$)",
        ("userdomain",),
    ),
    Pattern(
        "host-variable",
        r"(?:\b|(?<=[a-z]))(?:hostname|(?:ps)?computername|csname|systemname|machine ?name|computer name|nodename|node_name"
        r"|host name|master_addr|slurmd_nodename"
        r"|slurm_(?:submit_host|launch_node_ipaddr|(?:job_|step_)?nodelist)"
        r"|pbs_o_host|lsb_hosts)"
        r"[\"']?(?:\s?[. ]{0,60}[=:]\s{0,30}|\s?=>\s?)[\"']?(?![\d.]{7,15}\b)(?P<host>[A-Za-z0-9][\w.-]{2,62})[\"']?(?=[\s,;}]|:\s|$)",
        (
            "csname",
            "systemname",
            "machine name",
            "machinename",
            "hostname",
            "computer",
            "nodename",
            "node_name",
            "host name",
            "master_addr",
            "slurm_",
            "pbs_o_host",
            "lsb_hosts",
            "nodelist",
        ),
        keeps=_is_a_container,
    ),
    Pattern(
        "host",
        r"\bhost\s?[=:]\s?[\"']?(?P<host>[A-Za-z0-9][\w-]{2,62})(?=[\"',;]|\s{0,200}$|\s{1,4}(?:kernel|uptime|os)\b)",
        ("host=", "host:", "host =", "host :"),
        keeps=_is_a_container,
    ),
    Pattern(
        "windows-host",
        r"\b(?P<host>(?:DESKTOP|LAPTOP|desktop|laptop)-(?=\w{0,7}\d)[A-Za-z0-9]{7,8}|WIN-[A-Z0-9]{11})\b",
        ("desktop-", "laptop-", "win-"),
        exact=True,
    ),
    Pattern("cloud-host", r"(?<![\w-])ip-\d{1,3}(?:-\d{1,3}){3}(?:\.[\w-]{1,63}){0,6}(?![\w-])", ("ip-",), kind="host"),
    Pattern(
        "address-host",
        r"\bhttps?://(?P<host>[a-z][\w-]{2,62}(?:\.(?:local|lan|home|internal|intra|corp|localdomain))?)(?=:\d{2,5}\b)",
        ("http",),
        learns=False,
    ),
)
NAME_PATTERNS: tuple[Pattern, ...] = (*PROMPTS, *COMMANDS, *LOGS, *VARIABLES)

COLUMNS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "user",
        "USER",
        late_pattern(r"^\s*USER\s+(?:PID|TTY)\b|^\s*PID\s+USER\b|^\s*JOBID\b.*\bUSER\b|^\s*COMMAND\s+PID\b.*\bUSER\b"),
    ),
    ("user", "USER", late_pattern(r"^\s*SESSION\s+UID\s+USER\b")),
    ("user", "UID", late_pattern(r"^\s*UID\s+PID\s+PPID\b")),
    ("host", "NODELIST", late_pattern(r"^\s*(?:PARTITION|JOBID|NODELIST)\b.*\bNODELIST\b|^\s*NODELIST\b")),
    ("host", "NODE", late_pattern(r"^\s*(?:NAMESPACE\s+)?NAME\s+READY\b.*\bNODE\b")),
    ("host", "NAME", late_pattern(r"^\s*NAME\s+STATUS\s+ROLES\b")),
    ("serial", "SERIAL", late_pattern(r"^\s*NAME\b.*\bSERIAL\b")),
)
"""Tables that commands print: what a column holds, its heading, and the line of headings."""
COLUMN_MARKS = ("session", "pid", "tty", "jobid", "nodelist", "ready", "roles", "serial")
MAX_ROWS = 200
