//! Tensors in files: raw little-endian bytes, or NumPy's .npy.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use kinglet::TensorInfo;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};

use crate::failure::{Failure, Result};
use crate::output::shape;

/// Reads a tensor that fits `tensor`.
pub(crate) fn read(path: &Path, tensor: &TensorInfo<'_>) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|error| Failure::io(path, error))?;
    let is_npy = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    let refuse = |message: String| Failure::usage(path.display(), message);
    let bytes = if is_npy {
        npy(&bytes, tensor.dtype, tensor.shape.dims(), "the input").map_err(refuse)?.to_vec()
    } else {
        bytes
    };
    if bytes.len() == tensor.bytes {
        return Ok(bytes);
    }
    let message = format!(
        "{} bytes do not fit; the input is {} {}: give {} bytes",
        bytes.len(),
        tensor.dtype,
        shape(tensor.shape.dims()),
        tensor.bytes
    );
    Err(Failure::usage(path.display(), message))
}

/// The data of a .npy file that has to hold a tensor called `what`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn npy<'b>(
    mut bytes: &'b [u8],
    wanted: kinglet::DType,
    dims: &[u32],
    what: &str,
) -> std::result::Result<&'b [u8], String> {
    let header =
        NpyHeader::from_reader(&mut bytes).map_err(|error| format!("this is no .npy file: {error}"))?;

    let dtype = header.dtype();
    let name = match &dtype {
        DType::Plain(plain) => {
            let kind = match plain.type_char() {
                TypeChar::Int => "int",
                TypeChar::Uint => "uint",
                TypeChar::Float => "float",
                TypeChar::Bool => "bool",
                _ => "other",
            };
            match (kind, plain.endianness()) {
                (_, Endianness::Big) => "big-endian".to_owned(),
                ("bool", _) => kind.to_owned(),
                _ => format!("{kind}{}", plain.size_field().saturating_mul(8)),
            }
        }
        _ => "structured".to_owned(),
    };
    if name != wanted.name() {
        return Err(format!(
            "its elements are {name} ({}); {what} is {wanted}: convert it with array.astype(\"{wanted}\")",
            dtype.descr(),
        ));
    }
    if !header.shape().iter().copied().eq(dims.iter().copied().map(u64::from)) {
        let given: Vec<_> = header.shape().iter().map(u64::to_string).collect();
        let wanted: Vec<_> = dims.iter().map(u32::to_string).collect();
        let wanted = wanted.join(", ");
        return Err(format!(
            "its shape is [{}], that of {what} [{wanted}]: convert it with array.reshape({wanted})",
            given.join(", "),
        ));
    }
    if header.order() == Order::Fortran && dims.iter().filter(|&&dim| dim > 1).count() > 1 {
        return Err("it is in Fortran order: save numpy.ascontiguousarray(array)".to_owned());
    }
    Ok(bytes)
}

/// Writes files into `folder` so that none is ever there by half: all are complete before the first gets
/// its name.
pub(crate) fn write_all(folder: &Path, files: &[(String, &[u8])]) -> Result<()> {
    let io = |path: &Path, error| Failure::io(path, error);
    fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
    let parts: Vec<PathBuf> =
        files.iter().map(|(name, _)| folder.join(format!(".{name}.{}.part", std::process::id()))).collect();
    let write = || -> Result<()> {
        for (part, (_, bytes)) in parts.iter().zip(files) {
            fs::write(part, bytes).map_err(|error| io(part, error))?;
        }
        for (part, (name, _)) in parts.iter().zip(files) {
            let path = folder.join(name);
            fs::rename(part, &path).map_err(|error| io(&path, error))?;
        }
        Ok(())
    };
    write().inspect_err(|_| {
        for part in &parts {
            // Those that were renamed or never written are not there.
            let _ = fs::remove_file(part);
        }
    })
}

/// Writes one file so that it is never there by half.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    // A pipe or a terminal is not to be replaced by a file.
    if fs::metadata(path).is_ok_and(|file| !file.is_file()) {
        return fs::write(path, bytes).map_err(|error| Failure::io(path, error));
    }
    let Some(name) = path.file_name() else {
        return Err(Failure::io(path, "this is no file's name"));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    fs::write(&part, bytes).and_then(|()| fs::rename(&part, path)).map_err(|error| {
        // It may never have been there.
        let _ = fs::remove_file(&part);
        Failure::io(path, error)
    })
}

/// Splits `NAME=FILE` where `is_name` says that NAME is one. A file's name may hold "=" too.
pub(crate) fn split_name(argument: &Path, is_name: impl Fn(&str) -> bool) -> Option<(&str, &Path)> {
    let text = argument.to_str()?;
    text.match_indices('=')
        .filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)))
        .find(|(name, _)| is_name(name))
        .map(|(name, file)| (name, Path::new(OsStr::new(file))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_there_is_an_input() {
        let is_name = |name: &str| name == "a" || name == "a=b";
        let split = |text: &'static str| split_name(Path::new(text), is_name);
        assert_eq!(split("a=x.bin"), Some(("a", Path::new("x.bin"))));
        assert_eq!(split("c=x.bin"), None);
        assert_eq!(split("x.bin"), None);
    }
}
