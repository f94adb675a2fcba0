//! Prints the instruction sets that this machine has kernels for, one a line: what `TIKITAKA_SIMD` may name.

#![allow(clippy::print_stdout)]

fn main() {
    for path in tikitaka::simd::available() {
        println!("{path}");
    }
}
