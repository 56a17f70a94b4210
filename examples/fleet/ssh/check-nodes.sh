#!/bin/sh
# Checks nodes through ssh with ClusterShell's clush or with pdsh, and says which of them differ.
#
#   ./check-nodes.sh 'node[001-200]' reports /path/of/the/environment
#
# No shared folder is needed: each node prints its report, and the lines come back through ssh. Behind the environment options of clush
# or pdsh may follow; PARALLEL_SHELL=pdsh takes pdsh, and XPU_DOCTOR names the program on the nodes. Each run has a folder of its own
# within `reports`, so that no report of an earlier run stands for a node that is down now. A node is called as ssh calls it, whatever it
# calls itself.
set -eu
nodes=$1
reports=$2
environment=$3
shift 3
doctor=${XPU_DOCTOR:-xpu-doctor}
own=${OWN_XPU_DOCTOR:-xpu-doctor}
here=$(dirname "$0")
mkdir -p "$reports"
reports=$reports/$(date -u +%Y%m%dT%H%M%SZ)-$$
mkdir "$reports"
echo "The reports of this run: $reports" >&2

check="$doctor check --python '$environment' --deadline 300 --jitter 10 --json"
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
