//! Writes the model that an input of the fuzz target `graphs` stands for: `graph_file INPUT OUTPUT`.

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        eprintln!("usage: graph_file INPUT OUTPUT");
        std::process::exit(2);
    };
    let model = kinglet_tests::drawn_graph(&std::fs::read(input)?);
    std::fs::write(output, model.to_bytes())
}
