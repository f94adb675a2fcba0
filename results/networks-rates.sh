#!/usr/bin/env bash
# The search for the rates of lenet and lstm: short trainings, tested on examples held out of the training set.
# usage: results/networks-rates.sh DATA OUT     (DATA: folder of data sets; OUT: a JSON line per run goes to OUT)
set -euo pipefail
data=$1 out=$2
run() {
    net=$1
    shift
    case $net in
    lenet) set -- --examples 20000 --holdout 10000 --epochs 6 "$@" ;;
    lstm) set -- --examples 5200 --holdout 1000 --epochs 3 "$@" ;;
    esac
    tikitaka train --net "$net" --data-dir "$data" --seed 1 --threads 1 --json "$@"
}
export -f run
export data
cases() {
    for lr in 0.0001 0.0003 0.001 0.003; do echo "lenet --rule sgd --lr $lr"; done
    for lr in 0.00003 0.0003 0.003; do echo "lstm --rule sgd --lr $lr"; done
    for lr in 0.01 0.02 0.05; do echo "lenet --rule float --lr $lr"; done
    for lr in 0.001 0.003 0.01; do echo "lstm --rule float --lr $lr"; done
    for rates in "0.1 1" "0.3 1" "0.3 3" "1 1"; do
        set -- $rates
        echo "lenet --rule ttv2 --transfer-unit batch --transfer-every 1 --fast-lr $1 --transfer-lr $2"
    done
    echo "lenet --rule ttv2 --transfer-unit sample --transfer-every 2 --fast-lr 0.1 --transfer-lr 0.1"
    for rates in "0.05 0.3" "0.1 0.15" "0.1 0.3" "0.1 0.6" "0.2 0.3"; do
        set -- $rates
        echo "lstm --rule ttv2 --fast-lr $1 --transfer-lr $2"
    done
}
cases | xargs -P "${JOBS:-2}" -I {} bash -euo pipefail -c 'run {}' >"$out"
