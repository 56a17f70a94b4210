#!/bin/bash
#SBATCH --job-name=xpu-doctor
#SBATCH --ntasks-per-node=1
#SBATCH --time=00:15:00
# Checks every node of a job at once, and says which of them differ.
#
#   sbatch --nodes=200 --exclusive check-nodes.sh /shared/reports /path/of/the/environment
#
# Add what your site needs to get the GPUs, such as --gres=gpu:1 or --partition=gpu. Everything behind the environment goes to
# `xpu-doctor check`. The reports lie in a folder of the job, one for each node; XPU_DOCTOR names the program where it is not on PATH.
set -eu
reports=$1/$SLURM_JOB_ID${SLURM_RESTART_COUNT:+-$SLURM_RESTART_COUNT} # a job that begins again has none of its first reports
environment=$2
shift 2
doctor=${XPU_DOCTOR:-xpu-doctor}
mkdir -p "$reports"

# Findings of one node must not end the others (-K0), nor the job: the comparison is still to come.
srun -K0 --wait=0 --ntasks-per-node=1 "$doctor" check --python "$environment" --once-per-node --host-name keep \
    --deadline 300 --jitter 10 --quiet -o "$reports/{host}.json" "$@" || echo "srun: exit code $? is that of the worst node"

scontrol show hostnames "$SLURM_JOB_NODELIST" > "$reports/.expected"
exec "$doctor" fleet "$reports" --expect-nodes "$reports/.expected"
