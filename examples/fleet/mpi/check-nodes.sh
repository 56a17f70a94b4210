#!/bin/sh
# Checks every node that mpiexec reaches, once each however many ranks it starts, and says which of them differ.
#
#   ./check-nodes.sh /shared/reports /path/of/the/environment -n 48 -hostfile nodes          (Open MPI, Intel MPI)
#   ./check-nodes.sh /shared/reports /path/of/the/environment -n 48 -f nodes                 (MPICH)
#
# Everything behind the environment goes to mpiexec; MPIEXEC and XPU_DOCTOR name the programs where they are not on PATH.
set -eu
reports=$1
environment=$2
shift 2
doctor=${XPU_DOCTOR:-xpu-doctor}
mkdir -p "$reports"

# A rank that ends with another code than 0 makes mpiexec end the others: findings are for the comparison (--fail-on never), and what
# could not be judged (3) is no reason either.
"${MPIEXEC:-mpiexec}" "$@" sh -c '"$@" || [ $? -eq 3 ]' sh \
    "$doctor" check --python "$environment" --once-per-node --host-name keep --fail-on never \
    --deadline 300 --jitter 10 --quiet -o "$reports/{host}.json"

exec "$doctor" fleet "$reports"
