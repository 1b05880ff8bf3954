//! A server that ends with this program, however this program ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// What every script begins with: ctrl-c reaches the whole group of processes, and must not end who cleans up.
const PRELUDE: &str = "trap '' INT TERM HUP QUIT\n";

/// A shell that waits for this process to end and then cleans up.
///
/// It reads from a pipe whose other end only this process holds. The pipe closes when the keeper is dropped, and also when
/// this process is killed: then nothing here could run, but the shell goes on.
pub(crate) struct Keeper {
    shell: Child,
}

impl Keeper {
    /// Starts `script` in `folder` as `user` (`None`: as oneself). `read -r _` in the script waits for the end; what stands
    /// behind it is done then. `arguments` are `$1`, `$2` and so on.
    pub(crate) fn start(
        script: &str,
        user: Option<&str>,
        folder: &Path,
        arguments: &[&str],
    ) -> Result<Keeper> {
        let mut command = as_user(user, "sh");
        command
            .args(["-c", &format!("{PRELUDE}{script}"), "keeper"])
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let shell = command.spawn().context("cannot start `sh`")?;
        Ok(Keeper { shell })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // A script that fails has said why; nobody is left to be told more.
        let _ = self.shell.wait();
    }
}

/// A command that is run as `user`, which only root may ask for.
pub(crate) fn as_user(user: Option<&str>, program: impl AsRef<std::ffi::OsStr>) -> Command {
    match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program);
            command
        }
    }
}

/// A new folder for a server's files, which only its owner may look into. Whoever keeps the server removes it.
pub(crate) fn folder(purpose: &str) -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("alnager-{purpose}-{}", random()?));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(&path)
        .with_context(|| format!("cannot make the folder `{}`", path.display()))?;
    Ok(path)
}

/// 32 random hexadecimal digits.
pub(crate) fn random() -> Result<String> {
    use std::io::Read as _;

    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read random bytes from `/dev/urandom`")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A port of the loopback interface that nothing listened on a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    let address = listener.and_then(|listener| listener.local_addr());
    Ok(address.context("no port of 127.0.0.1 is free")?.port())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_script_goes_on_when_the_keeper_is_gone() {
        let folder = folder("keeper").unwrap();
        let script = "touch started\nread -r _\ntouch ended\nmv \"$1\" \"$1-gone\"";
        let path = folder.to_str().unwrap();
        let keeper = Keeper::start(script, None, &folder, &[path]).unwrap();
        while !folder.join("started").exists() {
            std::thread::yield_now();
        }
        assert!(!folder.join("ended").exists());
        drop(keeper);
        let gone = PathBuf::from(format!("{path}-gone"));
        assert!(gone.join("ended").exists() && !folder.exists());
        std::fs::remove_dir_all(&gone).unwrap();
    }
}
