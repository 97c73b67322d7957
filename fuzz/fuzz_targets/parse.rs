#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pdl_fuzz::parse(bytes));
