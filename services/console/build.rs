//! Makes sure that there is something to embed: a checkout without the built browser program still compiles, and says in the
//! browser what is missing.

use std::{fs, io, path::Path};

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"zh-CN\">
<head><meta charset=\"utf-8\"><title>烽火 Fenghuo</title></head>
<body>
<h1>烽火 Fenghuo</h1>
<p>值班台尚未构建。请先运行 <code>npm ci &amp;&amp; npm run build</code>(在 <code>services/console/web</code>),再重新编译。</p>
<p>The duty desk was not built. Run <code>npm ci &amp;&amp; npm run build</code> in <code>services/console/web</code>, then compile again.
The services themselves work without it.</p>
</body>
</html>
";

fn main() -> io::Result<()> {
    let dist = Path::new("web/dist");
    let index = dist.join("index.html");
    if !index.exists() {
        fs::create_dir_all(dist)?;
        fs::write(&index, PLACEHOLDER)?;
    }
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
