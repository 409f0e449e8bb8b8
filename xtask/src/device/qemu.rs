//! The emulator, and the plugin that counts in it.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::{target::Target, work_dir};

/// An emulator that runs this long hangs.
const TIME_LIMIT: Duration = Duration::from_secs(900);

/// The emulator's version.
pub(crate) fn version(program: &str) -> Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("{program} is not installed"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Builds the counting plugin, if it is older than its source.
pub(crate) fn plugin() -> Result<PathBuf> {
    let source = crate::models::root().join("tools/qemu-cycles/qemu_cycles.c");
    let library = work_dir().join("libqemu_cycles.so");
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    let source_changed = changed(&source).with_context(|| source.display().to_string())?;
    if changed(&library).is_ok_and(|built| built > source_changed) {
        return Ok(library);
    }
    fs::create_dir_all(work_dir())?;
    let half = library.with_extension(format!("{}.part", std::process::id()));
    let output = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&half, &source])
        .output()
        .context("no C compiler (cc)")?;
    ensure!(
        output.status.success(),
        "cc can't build the plugin: {}",
        String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default()
    );
    fs::rename(&half, &library)?;
    Ok(library)
}

/// One run of a firmware.
pub(crate) struct Run {
    /// What it printed: `key value` lines.
    pub(crate) lines: Vec<(String, String)>,
    /// What the plugin printed.
    pub(crate) counts: String,
}

/// Runs a firmware to its end. `arguments` is its command line; with a plugin, what
/// lies between the markers is counted.
///
/// # Errors
/// When the emulator can't be started, or the firmware ends with anything but 0.
pub(crate) fn run(
    target: &Target,
    elf: &Path,
    arguments: Option<&str>,
    plugin: Option<&Path>,
) -> Result<Run> {
    let mut semihosting = "enable=on,target=native".to_owned();
    if let Some(arguments) = arguments {
        semihosting += &format!(",arg=kinglet,arg={}", arguments.replace(',', ",,"));
    }
    let mut command = Command::new(target.qemu);
    command
        .args(["-M", target.machine, "-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-semihosting-config", &semihosting, "-kernel"])
        .arg(elf);
    if target.machine == "virt" {
        command.args(["-bios", "none"]);
    }
    let log = elf.with_extension(format!("{}.log", std::process::id()));
    if let Some(plugin) = plugin {
        command
            .arg("-plugin")
            .arg(format!("{},top=1000", plugin.display()))
            .args(["-d", "plugin", "-D"])
            .arg(&log);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} is not installed", target.qemu))?;
    let mut stdout = child.stdout.take().context("piped")?;
    let mut stderr = child.stderr.take().context("piped")?;
    let printed = thread::spawn(move || read(&mut stdout));
    let complaints = thread::spawn(move || read(&mut stderr));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > TIME_LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("the firmware did not end within {} s", TIME_LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(2));
    };
    let printed = printed.join().unwrap_or_default();
    let complaints = complaints.join().unwrap_or_default();
    let counts = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(&log);
    if let Some(why) = printed.lines().find_map(|line| line.strip_prefix("error ")) {
        bail!("{why}");
    }
    ensure!(
        status.success(),
        "the firmware ended with {status}: {}",
        complaints.lines().next().unwrap_or("no message")
    );
    let lines = printed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Ok(Run { lines, counts })
}

fn read(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Run {
    /// The value after `key`, which the firmware prints once.
    pub(crate) fn text(&self, key: &str) -> Result<&str> {
        self.lines
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
            .with_context(|| format!("the firmware did not print {key}"))
    }

    /// The number after `key`.
    pub(crate) fn number(&self, key: &str) -> Result<u64> {
        Ok(u64::from_str_radix(self.text(key)?, 16)?)
    }

    /// The checksums of operators' outputs, in the order in which they ran.
    pub(crate) fn op_crcs(&self) -> Vec<String> {
        let crcs = self.lines.iter().filter(|(key, _)| key == "op_crc32");
        crcs.map(|(_, value)| value.clone()).collect()
    }

    /// What the plugin counted in the measured region; `None` without a plugin.
    pub(crate) fn region(&self) -> Option<Region> {
        let line = self.counts.lines().find(|line| line.starts_with("region "))?;
        let count = |key: &str| {
            let value = line.split(' ').find_map(|field| field.strip_prefix(key))?;
            value.parse().ok()
        };
        let functions = self.counts.lines().filter_map(function).collect();
        Some(Region { instructions: count("instructions=")?, cycles_m4: count("cycles_m4=")?, functions })
    }
}

/// The measured region.
pub(crate) struct Region {
    pub(crate) instructions: u64,
    pub(crate) cycles_m4: u64,
    /// Cycles and instructions by function, most cycles first.
    pub(crate) functions: Vec<(u64, u64, String)>,
}

/// Reads `  CYCLES cycles INSTRUCTIONS instructions  NAME`.
fn function(line: &str) -> Option<(u64, u64, String)> {
    let mut words = line.split_whitespace();
    let cycles = words.next()?.parse().ok()?;
    (words.next()? == "cycles").then_some(())?;
    let instructions = words.next()?.parse().ok()?;
    (words.next()? == "instructions").then_some(())?;
    Some((cycles, instructions, words.collect::<Vec<_>>().join(" ")))
}
