#!/bin/sh
# Looks at the GPU before a job may begin; where it cannot work, Slurm drains the node and puts the job back into the queue.
#
#   slurm.conf:  Prolog=/etc/slurm/prolog.sh
#                PrologFlags=Alloc
#
# A job waits for its prolog, so nothing is imported here, and 20 seconds are enough. Slurm itself only says that the prolog failed, so this
# file drains first, with the cause as the reason; a reason that is there is not replaced. Its mark is not that of health-check.sh, which
# so does not take the node back: you do, by `scontrol update NodeName=... State=RESUME`.
# Only an error that is more than possible stops a job.
set -u
doctor=${XPU_DOCTOR:-/usr/local/bin/xpu-doctor}
scontrol=${SCONTROL:-scontrol}
node=${SLURMD_NODENAME:-$(uname -n | cut -d. -f1)}
report=${XPU_DOCTOR_REPORT:-/var/log/xpu-doctor-prolog.json}
mark="xpu-doctor prolog:"

said=$("$doctor" check --only device,kernel,access --deadline 20 --format json -o "$report" 2>&1)
[ $? -eq 1 ] || exit 0
# `check` ends with 1 for what is only possible as well; `fleet` counts that as a warning.
"$doctor" fleet "$report" --fail-on error >/dev/null 2>&1
[ $? -eq 1 ] || exit 0
cause=$(printf '%s\n' "$said" | tail -n 2 | head -n 1 | tr -d '"' | cut -c 1-160)
state=$("$scontrol" --oneliner show node "$node") || exit 1
flags=${state#* State=}
case ${flags%% *} in
*DRAIN*) ;;
*) "$scontrol" update NodeName="$node" State=DRAIN Reason="$mark $cause" ;;
esac
exit 1
