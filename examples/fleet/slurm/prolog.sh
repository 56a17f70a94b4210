#!/bin/sh
# Looks at the GPU before a job may begin; where it cannot work, Slurm drains the node and puts the job back into the queue.
#
#   slurm.conf:  Prolog=/etc/slurm/prolog.sh
#                PrologFlags=Alloc
#
# A job waits for its prolog, so nothing is imported here, and 20 seconds are enough. The health check beside this file drains with the
# cause as the reason; Slurm itself only says that the prolog failed, so this one says it first.
set -u
doctor=${XPU_DOCTOR:-/usr/local/bin/xpu-doctor}
scontrol=${SCONTROL:-scontrol}
node=${SLURMD_NODENAME:-$(uname -n | cut -d. -f1)}
report=${XPU_DOCTOR_REPORT:-/var/log/xpu-doctor-prolog.json}

said=$("$doctor" check --only device,kernel,access --deadline 20 -o "$report" 2>&1)
[ $? -eq 1 ] || exit 0
cause=$(printf '%s\n' "$said" | tail -n 2 | head -n 1 | tr -d '"' | cut -c 1-160)
"$scontrol" update NodeName="$node" State=DRAIN Reason="xpu-doctor: $cause"
exit 1
