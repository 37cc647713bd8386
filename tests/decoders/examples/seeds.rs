//! Writes the seeds of every decoder into the corpus folders: `cargo run -p fenghuo-decoders --example seeds`. Seeds with keys in them
//! are new each time; what stands there under the name of a seed is replaced.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for decoder in fenghuo_decoders::DECODERS {
        let dir = corpus.join(decoder.name);
        std::fs::create_dir_all(&dir)?;
        for (name, bytes) in (decoder.seeds)() {
            std::fs::write(dir.join(format!("seed-{name}")), bytes)?;
        }
    }
    Ok(())
}
