#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| stepwright_fuzz::targets::intrinsic::run(data));
