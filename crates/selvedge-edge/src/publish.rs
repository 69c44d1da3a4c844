//! What `POST /v1/publish` takes: a version byte, then sections (tag, length, bytes): the full program and the page's.

use crate::fault::Fault;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::id::ProgramHash;
use selvedge_core::limits::PROGRAM_BYTES_MAX;
use selvedge_core::rules::Program;
use selvedge_core::wire::codec::Reader;
use selvedge_core::wire::program::{destinations, edge_config};
use sha2::{Digest, Sha256};

/// The version of the container.
pub const VERSION: u8 = 1;
/// Tag of the full program.
pub const TAG_FULL: u8 = 1;
/// Tag of the page's program.
pub const TAG_PUBLIC: u8 = 2;
/// Bytes of a whole container.
pub const PUBLISH_BYTES_MAX: usize = PROGRAM_BYTES_MAX.saturating_mul(2).saturating_add(64);

/// Both forms of one program, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published<'a> {
    /// The edge's form.
    pub full: &'a [u8],
    /// The page's form.
    pub public: &'a [u8],
    /// The site they are for.
    pub site: String,
    /// The name of both: the first 16 bytes of the SHA-256 of the full form.
    pub hash: ProgramHash,
}

impl<'a> Published<'a> {
    /// Reads and verifies a container.
    ///
    /// # Errors
    /// [`Fault`] 413 above [`PUBLISH_BYTES_MAX`], 422 for anything that is no pair of programs of one site.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.len() > PUBLISH_BYTES_MAX {
            return Err(Fault::too_large(format!("a publish has at most {PUBLISH_BYTES_MAX} bytes")));
        }
        let (full, public) = sections(bytes)?;
        let loaded = load(full, "full")?;
        let page = load(public, "public")?;
        if edge_config(full).ok().flatten().is_none() {
            return Err(Fault::bad_program("the full program lacks what only the edge knows"));
        }
        destinations(full).map_err(|fault| Fault::bad_program(format!("destinations: {fault}")))?;
        let is_told = !matches!(destinations(public).as_deref(), Ok([]));
        if edge_config(public).ok().flatten().is_some() || is_told {
            return Err(Fault::bad_program("the public program holds what only the edge may know"));
        }
        let site = loaded.parts().site.clone();
        if page.parts().site != site {
            return Err(Fault::bad_program("the two programs are of different sites"));
        }
        if !is_site_name(&site) {
            return Err(Fault::bad_program("a site's name is 1 to 64 of a-z, 0-9 and hyphen"));
        }
        Ok(Self { full, public, site, hash: hash_of(full) })
    }
}

/// The hash that names a program, of its full form's bytes.
#[must_use]
pub fn hash_of(full: &[u8]) -> ProgramHash {
    let digest = Sha256::digest(full);
    let mut hash = [0; 16];
    for (place, byte) in hash.iter_mut().zip(digest) {
        *place = byte;
    }
    ProgramHash(hash)
}

/// The container of two programs.
#[must_use]
pub fn pack(full: &[u8], public: &[u8]) -> Vec<u8> {
    let mut out = selvedge_core::wire::codec::Writer::new();
    out.u8(VERSION);
    out.section(TAG_FULL, full);
    out.section(TAG_PUBLIC, public);
    out.into_bytes()
}

/// Whether a text can name a site in addresses and objects.
#[must_use]
pub fn is_site_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

fn sections(bytes: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let malformed = || Fault::bad_program("the body is not version 1 with a full and a public program");
    let mut reader = Reader::new(bytes);
    if reader.u8().ok() != Some(VERSION) {
        return Err(malformed());
    }
    let (mut full, mut public) = (None, None);
    while let Some((tag, content)) = reader.section().map_err(|_| malformed())? {
        match tag {
            TAG_FULL => full = Some(content),
            TAG_PUBLIC => public = Some(content),
            _ => {}
        }
    }
    full.zip(public).ok_or_else(malformed)
}

fn load(bytes: &[u8], which: &str) -> Result<Program, Fault> {
    Program::load(bytes).map_err(|fault| Fault::bad_program(format!("the {which} program: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_container_is_refused() {
        for bytes in [&[][..], &[2, 1, 0, 2, 0], &[1, 1, 9], &[1, 1, 0], &[1, 1, 0, 2, 0]] {
            assert_eq!(Published::read(bytes).unwrap_err().status, 422, "{bytes:?}");
        }
    }

    #[test]
    fn a_program_is_named_by_the_sha_256_of_its_full_form() {
        let hash = format!("{}", hash_of(b"abc"));
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223");
    }

    #[test]
    fn a_site_name_fits_into_an_address() {
        assert!(is_site_name("shop-2"));
        assert!(!is_site_name(""));
        assert!(!is_site_name("a/b"));
        assert!(!is_site_name("Shop"));
    }
}
