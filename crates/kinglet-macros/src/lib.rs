//! The `include_model!` macro of [kinglet](https://docs.rs/kinglet).
#![forbid(unsafe_code)]

use proc_macro::{TokenStream, TokenTree};
use std::path::PathBuf;

use kinglet_build::Arguments;

/// Plans a `.tflite` file at build time, and defines a type for it.
///
/// ```ignore
/// kinglet::include_model!("models/wake_word.tflite");            // defines `WakeWord`
/// kinglet::include_model!("models/model.tflite", name = Digits); // defines `Digits`
/// ```
///
/// The path is relative to the crate's manifest. The type has the constants `ARENA_BYTES`,
/// `STATE_BYTES`, `MEMORY_BYTES`, `PLAN_BYTES` and `CONSTANT_BYTES`, and the function
/// `interpreter(memory)`. Further arguments: `reference = tflite` (the default) or `litert`,
/// `slim = off`, `feed = whole`.
///
/// A model that is malformed, or that has an operator that kinglet does not run, is a compile error that
/// says which operator, where and why.
#[proc_macro]
pub fn include_model(input: TokenStream) -> TokenStream {
    let source = expand(input).unwrap_or_else(|error| format!("::core::compile_error!({error:?});"));
    source.parse().unwrap_or_else(|_| {
        "::core::compile_error!(\"include_model!: the name has to be an identifier\");"
            .parse()
            .unwrap_or_default()
    })
}

fn expand(input: TokenStream) -> Result<String, String> {
    let usage =
        "include_model! takes the path of a .tflite file in quotes, then arguments like `name = Digits`";
    // Split at commas; nothing that the macro takes has a comma inside.
    let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
    for token in input {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            _ => {}
        }
    }
    let path = match parts.first().map(Vec::as_slice) {
        Some([TokenTree::Literal(literal)]) => string_value(&literal.to_string()).ok_or(usage)?,
        _ => return Err(usage.to_owned()),
    };
    let path = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join(path);
    let mut name = kinglet_build::type_name(&path);
    let mut arguments = Arguments::default();
    for part in parts.iter().skip(1).filter(|part| !part.is_empty()) {
        let [TokenTree::Ident(key), TokenTree::Punct(equals), value] = part.as_slice() else {
            return Err(usage.to_owned());
        };
        if equals.as_char() != '=' {
            return Err(usage.to_owned());
        }
        match key.to_string().as_str() {
            "name" => name = value.to_string(),
            key => arguments.set(key, &value.to_string())?,
        }
    }
    kinglet_build::generate(&path, &name, &arguments)
}

/// The value of a plain string literal.
fn string_value(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\\\", "\\").replace("\\\"", "\""))
}
