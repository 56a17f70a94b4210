#!/bin/sh
# Checks nodes through ssh with ClusterShell's clush or with pdsh, and says which of them differ.
#
#   ./check-nodes.sh 'node[001-200]' reports /path/of/the/environment
#
# No shared folder is needed: each node prints its report as one line, and the lines come back through ssh. Behind the environment
# options of clush or pdsh may follow; PARALLEL_SHELL=pdsh takes pdsh, and XPU_DOCTOR names the program on the nodes.
set -eu
nodes=$1
reports=$2
environment=$3
shift 3
doctor=${XPU_DOCTOR:-xpu-doctor}
own=${OWN_XPU_DOCTOR:-xpu-doctor}
here=$(dirname "$0")
mkdir -p "$reports"

check="$doctor check --python '$environment' --host-name keep --deadline 300 --jitter 10 --json"
case ${PARALLEL_SHELL:-clush} in
pdsh)
    pdsh -R exec -w "$nodes" echo %h | sed 's/.*: //' > "$reports/.expected"
    pdsh -w "$nodes" "$@" "$check 2>/dev/null" </dev/null
    ;;
*)
    nodeset -e -S '\n' "$nodes" > "$reports/.expected"
    clush -w "$nodes" "$@" "$check 2>/dev/null" </dev/null
    ;;
esac | python3 "$here/split-reports.py" "$reports"

exec "$own" fleet "$reports" --expect-nodes "$reports/.expected"
