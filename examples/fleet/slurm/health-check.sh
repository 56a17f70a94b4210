#!/bin/sh
# Drains a node whose Intel GPU cannot work, with the cause as the reason, and takes it back when it can.
#
#   slurm.conf:  HealthCheckProgram=/etc/slurm/health-check.sh
#                HealthCheckInterval=3600
#                HealthCheckNodeState=IDLE
#
# slurmd ends a health check after 60 seconds, so the check gets 45, and leaves out the timed matmul. It runs as root: name in
# XPU_DOCTOR_PYTHON an environment that belongs to root, or leave it out to check what lies below Python alone.
# Only an error that is more than possible drains. What could not be judged, or is only possible, leaves the node as it is. It takes back
# only what it has drained itself, which the mark at the beginning of the reason tells; that of prolog.sh is another one.
set -u
doctor=${XPU_DOCTOR:-/usr/local/bin/xpu-doctor}
scontrol=${SCONTROL:-scontrol}
node=${SLURMD_NODENAME:-$(uname -n | cut -d. -f1)}
report=${XPU_DOCTOR_REPORT:-/var/log/xpu-doctor.json}
mark="xpu-doctor:"

if [ -n "${XPU_DOCTOR_PYTHON:-}" ]; then
    set -- --python "$XPU_DOCTOR_PYTHON" --skip compute
else
    set -- --only device,kernel,access
fi
# With files alone, the last two lines on stderr are what the report comes to, and where it is.
said=$("$doctor" check "$@" --deadline 45 --format json -o "$report" 2>&1)
code=$?
cause=$(printf '%s\n' "$said" | tail -n 2 | head -n 1 | tr -d '"' | cut -c 1-160)

state=$("$scontrol" --oneliner show node "$node") || exit 0
flags=${state#* State=}
flags=${flags%% *}
case $code in
1)
    # `check` ends with 1 for what is only possible as well; `fleet` counts that as a warning.
    "$doctor" fleet "$report" --fail-on error >/dev/null 2>&1
    [ $? -eq 1 ] || exit 0
    case $flags in
    *DRAIN*) ;; # by whomever: a reason that is there is not replaced
    *) "$scontrol" update NodeName="$node" State=DRAIN Reason="$mark $cause" ;;
    esac
    ;;
0)
    case $flags in
    *DRAIN*)
        case $state in
        *" Reason=$mark"*) "$scontrol" update NodeName="$node" State=RESUME ;;
        esac
        ;;
    esac
    ;;
esac
exit 0
