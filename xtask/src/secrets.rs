//! The keys of a data folder: made once, kept beside the state, so that a restart changes none of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// The binding that holds the admin token.
pub const ADMIN_TOKEN: &str = "ADMIN_TOKEN";
const RANDOM_BYTES: usize = 24;

/// The value of each of `names`: from the environment variable of that name, else as kept in `data`, else new.
///
/// # Errors
/// When the folder cannot be written.
pub fn of(data: &Path, names: &[String]) -> Result<BTreeMap<String, String>> {
    names.iter().map(|name| Ok((name.clone(), secret(data, name)?))).collect()
}

fn secret(data: &Path, name: &str) -> Result<String> {
    if let Ok(given) = std::env::var(name) {
        return Ok(given);
    }
    let folder = data.join("keys");
    let place = folder.join(name);
    if let Ok(kept) = fs::read_to_string(&place) {
        return Ok(kept.trim().to_string());
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let value = random_hex()?;
    let mut file = fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(&place)?;
    std::io::Write::write_all(&mut file, value.as_bytes())?;
    Ok(value)
}

fn random_hex() -> Result<String> {
    let mut bytes = [0; RANDOM_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let names = ["XTASK_TEST_ONE".to_string(), "XTASK_TEST_TWO".to_string()];
        let first = of(folder.path(), &names)?;
        assert_eq!(first, of(folder.path(), &names)?);
        assert_ne!(first.get("XTASK_TEST_ONE"), first.get("XTASK_TEST_TWO"));
        assert!(first.values().all(|value| value.len() == 2 * RANDOM_BYTES));
        Ok(())
    }
}
