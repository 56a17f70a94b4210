#!/bin/sh
# A check for node-problem-detector's custom plug-in monitor: exit code 0 is fine, 1 is a problem, 2 is not known; stdout is the message.
# See node-problem-detector.json beside this file. Only an error that is more than possible is a problem.
set -u
doctor=${XPU_DOCTOR:-xpu-doctor}
report=${XPU_DOCTOR_REPORT:-/tmp/xpu-doctor.json}
said=$("$doctor" check --only device,kernel,access --deadline 20 --format json -o "$report" 2>&1)
code=$?
# With files alone, the last two lines on stderr are what the report comes to, and where it is. A message has at most 80 bytes.
printf '%s\n' "$said" | tail -n 2 | head -n 1 | cut -b 1-80
case $code in
0) exit 0 ;;
1) # `check` ends so for what is only possible as well; `fleet` counts that as a warning
    "$doctor" fleet "$report" --fail-on error >/dev/null 2>&1
    [ $? -eq 1 ] && exit 1
    ;;
esac
exit 2
