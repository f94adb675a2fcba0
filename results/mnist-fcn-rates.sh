#!/usr/bin/env bash
# The search for the default rates: trained on 50,000 images, tested on the 10,000 held out of the training set.
# usage: results/mnist-fcn-rates.sh DATA OUT     (DATA: folder of data sets; OUT: a JSON line per run goes to OUT)
set -euo pipefail
data=$1 out=$2
run() {
    seed=$1
    shift
    tikitaka train --net fcn --data mnist --data-dir "$data" --holdout 10000 --seed "$seed" --threads 1 --json "$@"
}
export -f run
export data
cases() {
    for seed in 1 2; do
        for lr in 0.01 0.02 0.05 0.1; do echo "$seed --rule float --lr $lr"; done
        for lr in 0.001 0.003 0.01 0.03 0.1; do echo "$seed --rule sgd --lr $lr"; done
        for rates in "0.2 0.5" "0.2 1" "0.4 1" "0.8 1" "0.8 2"; do
            set -- $rates
            echo "$seed --rule ttv2 --fast-lr $1 --transfer-lr $2"
        done
        for rates in "0.2 1" "0.8 1"; do
            set -- $rates
            echo "$seed --rule ttv2 --periphery full --fast-lr $1 --transfer-lr $2"
        done
    done
}
cases | xargs -P 2 -I {} bash -euo pipefail -c 'run {}' >"$out"
