//! Writes the seeds of the fuzz targets: `seeds FOLDER`, which is `fuzz/seeds` in the repository.

use std::path::Path;

use kinglet_testmodel::random::{self, Choices, Xorshift};
use kinglet_tests::model_file;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: seeds FOLDER");
        std::process::exit(2);
    };
    let (bytes, graphs) = (Path::new(&folder).join("bytes"), Path::new(&folder).join("graphs"));
    std::fs::create_dir_all(&bytes)?;
    std::fs::create_dir_all(&graphs)?;
    for name in ["digits", "hello_sine"] {
        let file = model_file(&format!("{name}/model.tflite"));
        std::fs::write(bytes.join(format!("{name}.tflite")), file.as_slice())?;
    }
    let mut random = Xorshift(1);
    for i in 0..48 {
        let draws = random.bytes(120);
        // Small models make small files, which fuzzers like.
        let file = random::model(&mut Choices::new(&draws), 3).to_bytes();
        if file.len() < 4096 {
            std::fs::write(bytes.join(format!("drawn{i:02}.tflite")), file)?;
        }
        std::fs::write(graphs.join(format!("drawn{i:02}")), draws)?;
    }
    Ok(())
}
