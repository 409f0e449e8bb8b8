//! `kinglet check`: is a file sound, supported, and within a budget?

use kinglet::Options;
use serde_json::json;

use crate::args::{Check, Mode};
use crate::failure::{Failure, Kind, Result};
use crate::model::{self, ModelFile, Planning};
use crate::output::{Output, thousands};
use crate::survey;

pub(crate) fn execute(args: &Check, output: &Output) -> Result<bool> {
    let file = ModelFile::read(&args.model)?;
    let graph = file.graph()?;
    // That the file is damaged counts for more than that it is not supported: this tells the one first.
    let ops = survey::ops(&graph).map_err(|error| file.explain(error))?;
    // The file is looked at as a device would load it.
    let planning = Planning { mode: Mode::Static, options: Options::default(), slim: false };
    let compiled = model::compile(&file, &planning)?;
    let (arena, macs) = (compiled.arena_bytes as u64, survey::total_macs(&ops));
    for (what, needed, most) in
        [("arena bytes", arena, args.max_arena), ("multiply-accumulates", macs, args.max_macs)]
    {
        if let Some(most) = most.filter(|&most| needed > most) {
            let message = format!("the model needs {needed} {what}; the budget is {most}");
            return Err(Failure::new(Kind::Budget, "model", message).in_file(file.path()));
        }
    }
    output.line(format_args!(
        "{}: ok: sound and supported; {} bytes of arena, {} multiply-accumulates",
        args.model.display(),
        thousands(arena),
        thousands(macs),
    ))?;
    output.object(&json!({ "ok": true, "error": null, "arena_bytes": arena, "macs": macs }))?;
    Ok(true)
}
