//! Every file of every corpus through its decoder: what once broke one, and what fuzzing found worth keeping, stays decoded for ever.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fenghuo_decoders::DECODERS;

/// A file takes no longer, unoptimised, on a busy machine.
const LONGEST: Duration = Duration::from_secs(5);

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_corpus_file_is_decoded_as_it_should() {
    for decoder in DECODERS {
        let (mut accepted, mut refused) = (0, 0);
        for path in files(&corpus().join(decoder.name)) {
            let bytes = std::fs::read(&path).unwrap();
            println!("{}", path.display()); // shown only when the decoder panics
            let started = Instant::now();
            match (decoder.decode)(&bytes) {
                true => accepted += 1,
                false => refused += 1,
            }
            assert!(started.elapsed() < LONGEST, "{} took {:?}", path.display(), started.elapsed());
        }
        // A decoder that took everything, or nothing, would show nothing.
        assert!(accepted > 0 && refused > 0, "{}: {accepted} accepted, {refused} refused", decoder.name);
    }
}

#[test]
fn every_decoder_takes_its_fresh_samples_and_survives_their_fragments() {
    for decoder in DECODERS {
        let seeds = (decoder.seeds)();
        assert!((decoder.decode)(&seeds[0].1), "{} refuses its own sample {}", decoder.name, seeds[0].0);
        for (_, bytes) in seeds {
            let step = (bytes.len() / 50).max(1);
            for at in (0..bytes.len()).step_by(step) {
                (decoder.decode)(&bytes[..at]);
                let mut turned = bytes.clone();
                turned[at] ^= 0x41;
                (decoder.decode)(&turned);
            }
        }
    }
}

#[test]
fn every_corpus_has_a_decoder_and_a_fuzz_target() {
    let names: Vec<&str> = DECODERS.iter().map(|decoder| decoder.name).collect();
    let stems = |dir: &str| -> Vec<String> {
        files(&corpus().join("..").join(dir)).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(stems("corpus"), names);
    assert_eq!(stems("fuzz_targets"), names);
}
