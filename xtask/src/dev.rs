//! `cargo xtask dev`: the whole product on this machine, with the site's files watched.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::repo::Repo;
use crate::server::{self, Server};
use crate::site::{self, Checked, Site};
use crate::{build, say};

/// How long a saved file waits at most until it is seen. Four small files are read each time: no event of the file
/// system is needed, and editors that save by renaming are no special case.
const WATCH_EVERY: Duration = Duration::from_millis(150);
/// How often an open page looks for a new program: so soon does it follow a file that was saved.
const CONFIG_REFRESH_MS: u32 = 1_000;

/// What the command line gives.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// Where state is kept.
    pub data: PathBuf,
    /// The folder with the site's YAML.
    pub site: PathBuf,
}

/// Sets up, builds, serves, and publishes every saved change until it is told to stop.
///
/// # Errors
/// When something cannot be set up or built, the port is taken, or the worker ends by itself.
pub fn run(repo: &Repo, options: &Options) -> Result<()> {
    let site = Site::at(options.site.clone())?;
    port_is_free(options.port)?;
    build::everything(repo)?;
    let stop = stop_signal()?;
    let mut seen = site.read()?;
    let checked = site::check(&seen);
    let mut server = start(repo, options, &checked)?;
    publish(&mut server, checked);
    announce(repo, &server, options);
    while stop.recv_timeout(WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
        server.ensure_running()?;
        // A file that is being replaced may be missing for a moment: the next look finds it.
        if let Ok(now) = site.read()
            && now != seen
        {
            publish(&mut server, site::check(&now));
            seen = now;
        }
    }
    server.kill();
    println!("stopped; state is kept in {}", shown(repo, &options.data));
    Ok(())
}

fn start(repo: &Repo, options: &Options, checked: &Checked) -> Result<Server> {
    let secrets = checked.program.as_ref().map(site::secrets).unwrap_or_default();
    let bindings = [("CONFIG_REFRESH_MS", CONFIG_REFRESH_MS.to_string()), ("DEV_LOOPBACK", "1".to_string())];
    let bindings = bindings.map(|(name, value)| (name.to_string(), value)).into();
    Server::start(
        repo,
        server::Options { port: options.port, data: options.data.clone(), bindings, secrets, kv: None },
    )
}

/// Publishes what was compiled, and says so. A broken site leaves the old program in force.
fn publish(server: &mut Server, checked: Checked) {
    if !checked.report.is_empty() {
        eprintln!("{}", checked.report);
    }
    let Some(program) = checked.program else {
        eprintln!("not published: the program before stays in force");
        return;
    };
    match server.publish(&program) {
        Ok(done) => {
            let short: String = done.program.chars().take(4).collect();
            println!("published #{} {short}.. ({})", done.publish, say::duration(checked.start.elapsed()));
        }
        Err(problem) => eprintln!("not published: {problem:#}"),
    }
}

fn shown(repo: &Repo, path: &Path) -> String {
    path.strip_prefix(&repo.root).unwrap_or(path).display().to_string()
}

fn announce(repo: &Repo, server: &Server, options: &Options) {
    let url = server.url();
    let token = server.admin_token();
    println!("ready {url}");
    println!("  shop     {url}/");
    println!("  console  {url}/console/#token={token}");
    println!("  log      curl -N -H 'authorization: Bearer {token}' '{url}/v1/log?live=1'");
    println!("  rules    {}/rules.yaml (save to publish)", shown(repo, &options.site));
    println!("  state    {} (its workerd.log has the worker's own messages)", shown(repo, &options.data));
    println!("  sends    destinations on this machine are allowed here (DEV_LOOPBACK=1)");
    println!("admin token {token}");
    println!("Ctrl-C stops");
}

fn port_is_free(port: u16) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(problem) if problem.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {port} is taken by another program: stop it (`ss -ltnp 'sport = :{port}'` names it), \
             or choose another with `cargo xtask dev --port {}`",
            port.checked_add(1).unwrap_or(8787)
        ),
        Err(problem) => Err(problem).context(format!("cannot use port {port}")),
    }
}

/// Hears SIGINT, SIGTERM and SIGHUP.
fn stop_signal() -> Result<Receiver<()>> {
    let (send, receive) = channel();
    ctrlc::set_handler(move || {
        let _ = send.send(());
    })?;
    Ok(receive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_with_its_fix() -> Result<()> {
        let holder = TcpListener::bind(("127.0.0.1", 0))?;
        let port = holder.local_addr()?.port();
        let sentence = port_is_free(port).err().map(|problem| problem.to_string()).unwrap_or_default();
        assert!(sentence.contains("is taken") && sentence.contains("--port"), "{sentence}");
        drop(holder);
        port_is_free(port)
    }
}
