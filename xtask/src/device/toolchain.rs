//! Which compiler builds for a device, and from which `core`.
//!
//! The active toolchain, if it has the target (`rustup target add`). Otherwise any
//! toolchain that has the source of the standard library, as rustup's `rust-src`
//! and Debian's `rust-src` packages install it: `core` is then built once into
//! `target/device/sysroot`, and everything after that is an ordinary build on
//! stable Rust.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use super::work_dir;

/// How to call cargo so that it builds for a device.
pub(crate) struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    /// It is the toolchain of whoever called us.
    active: bool,
    /// The sysroot made here, where the toolchain's own lacks the target.
    sysroot: Option<PathBuf>,
    /// The linker, where the toolchain has none for devices.
    linker: Option<&'static str>,
    /// Names this toolchain's folder of build products.
    key: String,
}

impl Toolchain {
    /// The toolchain for a target.
    ///
    /// # Errors
    /// When there is none that could build for it.
    pub(crate) fn find(triple: &str) -> Result<Self> {
        let mut reasons = Vec::new();
        for mut toolchain in Self::candidates() {
            if triple.starts_with("riscv") && toolchain.linker.is_some() {
                toolchain.linker = Some("ld.lld");
            }
            if toolchain.active && has_core(&toolchain.target_libdir(triple)?) {
                return Ok(toolchain);
            }
            match toolchain.build_sysroot(triple) {
                Ok(sysroot) => {
                    toolchain.sysroot = Some(sysroot);
                    return Ok(toolchain);
                }
                Err(error) => reasons.push(format!("{}: {error:#}", toolchain.rustc.display())),
            }
        }
        bail!(
            "nothing here can build for {triple}: `cargo xtask device setup` or `rustup target add {triple}` ({})",
            reasons.join("; ")
        )
    }

    /// The active toolchain, then the distribution's.
    fn candidates() -> Vec<Self> {
        let mut all = Vec::new();
        for (cargo, rustc, active) in [("cargo", "rustc", true), ("/usr/bin/cargo", "/usr/bin/rustc", false)]
        {
            let mut toolchain = Self {
                cargo: cargo.into(),
                rustc: rustc.into(),
                active,
                sysroot: None,
                linker: None,
                key: String::new(),
            };
            let Ok(version) = toolchain.ask(&["-vV"]) else {
                continue;
            };
            let field = |key: &str| {
                let line = version.lines().find_map(|line| line.strip_prefix(key));
                line.unwrap_or_default().trim().to_owned()
            };
            let hash = field("commit-hash:");
            let hash = hash.get(..9).unwrap_or("unknown");
            let origin = if active { "" } else { "-dist" };
            toolchain.key = format!("{}-{hash}{origin}", field("release:"));
            let rust_lld = toolchain
                .own_sysroot()
                .map(|root| root.join("lib/rustlib").join(field("host:")).join("bin/rust-lld"));
            if !rust_lld.is_ok_and(|path| path.is_file()) {
                toolchain.linker = Some("arm-none-eabi-ld");
            }
            all.push(toolchain);
        }
        all
    }

    /// One answer of the compiler's.
    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.rustc);
        if !self.active {
            command.env_remove("RUSTUP_TOOLCHAIN");
        }
        let output = command.args(arguments).output()?;
        ensure!(output.status.success(), "{} {}", self.rustc.display(), arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    fn own_sysroot(&self) -> Result<PathBuf> {
        Ok(self.ask(&["--print", "sysroot"])?.into())
    }

    fn target_libdir(&self, triple: &str) -> Result<PathBuf> {
        Ok(self.ask(&["--print", "target-libdir", "--target", triple])?.into())
    }

    /// Which compiler it is: figures depend on it.
    pub(crate) fn name(&self) -> &str {
        &self.key
    }

    /// What is said about it.
    fn describe(&self) -> String {
        match &self.sysroot {
            None => format!("rustc {}, with its own core", self.key),
            Some(_) => format!("rustc {}, with core built from source", self.key),
        }
    }

    /// `cargo` with this toolchain, in the environment of whoever called us.
    fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            command.env_remove(variable);
        }
        if !self.active {
            command.env_remove("RUSTUP_TOOLCHAIN").env("RUSTC", &self.rustc);
        }
        command
    }

    /// `cargo build` for a device.
    pub(crate) fn build(&self, triple: &str, rustflags: &[&str]) -> Command {
        let mut flags: Vec<OsString> = rustflags.iter().map(OsString::from).collect();
        if let Some(sysroot) = &self.sysroot {
            flags.extend(["--sysroot".into(), sysroot.into()]);
        }
        if let Some(linker) = self.linker {
            flags.push(format!("-Clinker={linker}").into());
            let flavor = if linker == "ld.lld" { "ld.lld" } else { "ld" };
            flags.push(format!("-Clinker-flavor={flavor}").into());
        }
        let mut command = self.cargo();
        command
            .arg("build")
            .args(["--release", "--target", triple, "--target-dir"])
            .arg(work_dir().join("build").join(&self.key))
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join(&OsString::from("\x1f")));
        command
    }

    /// Builds `core` for a target from the toolchain's own source, once.
    fn build_sysroot(&self, triple: &str) -> Result<PathBuf> {
        let source = self.own_sysroot()?.join("lib/rustlib/src/rust/library/core");
        ensure!(source.is_dir(), "no target {triple} and no source of core");
        if let Some(linker) = self.linker {
            let linker = Command::new(linker).arg("--version").output();
            ensure!(
                linker.is_ok(),
                "no rust-lld, and no linker for the target (binutils-arm-none-eabi, lld)"
            );
        }
        let sysroot = work_dir().join("sysroot").join(format!("{}-{triple}", self.key));
        let libraries = sysroot.join("lib/rustlib").join(triple).join("lib");
        if has_core(&libraries) {
            return Ok(sysroot);
        }
        eprintln!("building core for {triple} (once)");
        let work = sysroot.with_extension("build");
        write(&work.join("Cargo.toml"), SYSROOT_MANIFEST)?;
        write(&work.join("src/lib.rs"), "#![no_std]\n")?;
        let status = self
            .cargo()
            .args(["build", "--release", "--quiet", "--target", triple])
            .args(["-Zbuild-std=core", "-Zbuild-std-features=compiler-builtins-mem"])
            .arg("--target-dir")
            .arg(work.join("target"))
            .arg("--manifest-path")
            .arg(work.join("Cargo.toml"))
            .env("RUSTC_BOOTSTRAP", "1")
            // Machine code and bitcode, as in the libraries that rustup installs.
            .env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes")
            .status()
            .context("cargo")?;
        ensure!(status.success(), "building core for {triple} failed");
        // Complete or absent: the folder gets its name when everything is in it.
        let half = sysroot.with_extension(format!("{}.part", std::process::id()));
        let half_libraries = half.join("lib/rustlib").join(triple).join("lib");
        fs::create_dir_all(&half_libraries)?;
        for entry in fs::read_dir(work.join("target").join(triple).join("release/deps"))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if (name.starts_with("libcore-") || name.starts_with("libcompiler_builtins-"))
                && name.ends_with(".rlib")
            {
                fs::copy(&path, half_libraries.join(name))?;
            }
        }
        ensure!(has_core(&half_libraries), "cargo built no core for {triple}");
        if fs::rename(&half, &sysroot).is_err() {
            // Another process was quicker.
            fs::remove_dir_all(&half)?;
            ensure!(has_core(&libraries), "{} can't be written", sysroot.display());
        }
        fs::remove_dir_all(&work)?;
        Ok(sysroot)
    }
}

const SYSROOT_MANIFEST: &str = r#"[package]
name = "sysroot"
edition = "2024"

[profile.release]
panic = "abort"

[workspace]
"#;

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn has_core(libraries: &Path) -> bool {
    let Ok(entries) = fs::read_dir(libraries) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with("libcore-") && name.ends_with(".rlib"))
    })
}

/// Makes sure that a target can be built for, with rustup where it can install it;
/// returns how it will be built.
pub(crate) fn install(triple: &str) -> Result<String> {
    let active = Toolchain::candidates().into_iter().find(|toolchain| toolchain.active);
    if let Some(toolchain) = active
        && env::var_os("RUSTUP_TOOLCHAIN").is_some()
        && !has_core(&toolchain.target_libdir(triple)?)
    {
        let added = Command::new("rustup").args(["target", "add", triple]).output();
        if !added.is_ok_and(|output| output.status.success()) {
            eprintln!("`rustup target add {triple}` failed; looking for the source of core");
        }
    }
    Ok(Toolchain::find(triple)?.describe())
}
