#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fenghuo_decoders::snapshot::decode(bytes);
});
