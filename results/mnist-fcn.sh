#!/usr/bin/env bash
# MNIST, fcn, all defaults of `tikitaka train`: four cases × three seeds, two at a time.
# usage: results/mnist-fcn.sh DATA OUT     (DATA: folder of data sets; OUT: a JSON line per run goes to OUT)
set -euo pipefail
data=$1 out=$2
run() {
    name=$1 seed=$2
    shift 2
    tikitaka train --net fcn --data mnist --data-dir "$data" --seed "$seed" --threads 1 --json "$@" |
        sed "s/^{/{\"case\": \"$name\", /"
}
export -f run
export data
cases() {
    for seed in 1 2 3; do
        echo "ttv2-full $seed --rule ttv2 --periphery full"
        echo "ttv2 $seed --rule ttv2"
        echo "sgd $seed --rule sgd"
        echo "float $seed --rule float"
    done
}
cases | xargs -P 2 -I {} bash -euo pipefail -c 'run {}' >"$out"
