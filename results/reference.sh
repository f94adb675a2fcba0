#!/usr/bin/env bash
# MNIST, fcn, 20 states, full periphery, all other settings at their defaults: rules with wrong references, three seeds,
# two trainings at a time. A line of JSON for each goes to OUT.
# usage: results/reference.sh DATA OUT     (DATA: folder of data sets)
set -euo pipefail
data=$1 out=$2
run() {
    rule=$1 error=$2 seed=$3
    tikitaka train --net fcn --data mnist --data-dir "$data" --periphery full --rule "$rule" \
        $([ "$rule" = float ] || echo "--reference ideal --reference-error $error") --seed "$seed" --threads 1 --json |
        sed "s/^{/{\"case\": \"$rule $error\", /"
}
export -f run
export data
cases() {
    for seed in 1 2 3; do
        for case in agad\ 0 agad\ 1 cttv2\ 0 cttv2\ 0.25 ttv2\ 0 ttv2\ 0.25 float\ 0; do
            echo "$case $seed"
        done
    done
}
cases | xargs -P "${JOBS:-2}" -I {} bash -euo pipefail -c 'run {}' >>"$out"
