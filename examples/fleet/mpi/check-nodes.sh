#!/bin/sh
# Checks every node that mpiexec reaches, once each however many ranks it starts, and says which of them differ.
#
#   ./check-nodes.sh /shared/reports /path/of/the/environment -n 48 --hostfile nodes         (Open MPI)
#   ./check-nodes.sh /shared/reports /path/of/the/environment -n 48 -f nodes                 (Intel MPI, MPICH)
#
# Everything behind the environment goes to mpiexec; MPIEXEC and XPU_DOCTOR name the programs where they are not on PATH. Each run has a
# folder of its own within /shared/reports, so that no report of an earlier run stands for a node that is down now.
#
# Expected are the nodes of the host file or the list of hosts among the options, else those of the Slurm or PBS job. EXPECT_NODES names
# others, as a list or a file: for example where the host file has the names of another network. Empty, it expects none.
# SECONDS_AT_MOST (600) ends mpiexec.
set -eu
reports=$1
environment=$2
shift 2
doctor=${XPU_DOCTOR:-xpu-doctor}
mkdir -p "$reports"
reports=$reports/$(date -u +%Y%m%dT%H%M%SZ)-$$
mkdir "$reports"
echo "The reports of this run: $reports" >&2

named() { # the nodes that options of mpiexec name, one a line
    while [ $# -gt 1 ]; do
        case $1 in
        -f | -hostfile | --hostfile | -machinefile | --machinefile | -machine | --default-hostfile)
            sed 's/#.*//; s/^[[:space:]]*//; s/[[:space:]:].*//; s/.*@//' "$2"
            ;;
        -H | -host | --host | -hosts | --hosts)
            printf '%s\n' "$2" | tr ',' '\n' | sed 's/:.*//'
            ;;
        esac
        shift
    done
}

if [ -n "${EXPECT_NODES+given}" ]; then
    expected=$EXPECT_NODES
else
    expected=$reports/.expected
    named "$@" > "$expected"
    if [ ! -s "$expected" ]; then
        if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
            scontrol show hostnames "$SLURM_JOB_NODELIST" > "$expected"
        elif [ -n "${PBS_NODEFILE:-}" ]; then
            sort -u "$PBS_NODEFILE" > "$expected"
        else
            expected=
        fi
    fi
fi

# A rank that ends with another code than 0 makes mpiexec end the others: findings (1) and what could not be judged (3) are for the
# comparison.
# MPICH may wait on and on for a node that it cannot reach: the comparison comes nevertheless.
launched=0
timeout "${SECONDS_AT_MOST:-600}" "${MPIEXEC:-mpiexec}" "$@" sh -c '"$@"; case $? in 0 | 1 | 3) ;; *) exit ;; esac' sh \
    "$doctor" check --python "$environment" --once-per-node --host-name keep \
    --deadline 300 --jitter 10 --quiet -o "$reports/{host}.json" || launched=$?
[ "$launched" -eq 0 ] || echo "mpiexec: exit code $launched; the reports that there are follow" >&2

code=0
"$doctor" fleet "$reports" ${expected:+--expect-nodes "$expected"} || code=$?
[ "$launched" -eq 0 ] || [ "$code" -ne 0 ] || code=3
exit "$code"
