#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code)] // each program takes one
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::decode(bytes));
