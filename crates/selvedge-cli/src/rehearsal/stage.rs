//! A site, ready to be tried: as the edge loads it, and taken apart for people.

use crate::site_files;
use anyhow::{Context, Result, bail};
use selvedge_compiler::cases::GivenTable;
use selvedge_compiler::{Compiled, compile};
use selvedge_core::id::ProgramHash;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::program::{Content, Leaf, Parts, Rule, Timing, with_rows};
use selvedge_edge::site::Site;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// The publish number that states are stepped under here.
const PUBLISH: u64 = 1;

/// A site, ready to be tried.
pub struct Stage {
    /// As the edge loads it.
    pub site: Site,
    /// As the compiler made it.
    pub parts: Parts,
    /// The IANA name of the site's time zone, where the files say it.
    pub timezone: Option<String>,
}

impl Stage {
    /// The stage of a full program's bytes.
    ///
    /// # Errors
    /// Where the bytes are no full program.
    pub fn of_bytes(full: &[u8]) -> Result<Self> {
        let digest: [u8; 32] = Sha256::digest(full).into();
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        let site = Site::load(full, ProgramHash(hash), PUBLISH).context("this is no full program")?;
        let parts = Parts::decode(full).context("this is no full program")?;
        Ok(Self { site, parts, timezone: None })
    }

    /// The stage of a site's folder, or of a program that `selvedge build` wrote.
    ///
    /// # Errors
    /// Where it cannot be read, has errors, or is neither.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let compilation = compile(&site_files::read(path)?);
            let Some(compiled) = &compilation.program else {
                bail!("{} has errors; `selvedge check {0}` says which", path.display());
            };
            return Self::of(compiled);
        }
        let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Self::of_bytes(&bytes).with_context(|| {
            format!(
                "{} is neither a site's folder nor a file `*.full.svp` of `selvedge build`",
                path.display()
            )
        })
    }

    /// The stage of a compiled site.
    ///
    /// # Errors
    /// Where the edge would not take the program.
    pub fn of(compiled: &Compiled) -> Result<Self> {
        let timezone = Some(compiled.timezone.clone());
        Ok(Self { timezone, ..Self::of_bytes(&compiled.full_bytes)? })
    }

    /// The same stage where tables have these rows instead of their own. A table that no rule looks anything up in has no
    /// part in it.
    ///
    /// # Errors
    /// Where the edge would not take the rows.
    pub fn with_tables(&self, tables: &[GivenTable]) -> Result<Self> {
        let placed: Vec<_> = tables
            .iter()
            .filter_map(|table| {
                let at = self.parts.lookups.iter().position(|known| known.name == table.name)?;
                Some((u16::try_from(at).ok()?, table.rows.clone()))
            })
            .collect();
        let full = with_rows(self.site.program.bytes(), &placed).context("the rows cannot be given")?;
        Ok(Self { timezone: self.timezone.clone(), ..Self::of_bytes(&full)? })
    }

    /// Whether a decision can change by time alone.
    #[must_use]
    pub fn has_deadlines(&self) -> bool {
        let is_timed = |rule: &Rule| rule.timing != Timing::default();
        let is_timed = self.parts.rules.iter().any(is_timed);
        is_timed || !self.parts.sequences.is_empty() || self.site.program.moves_with_time()
    }

    /// The rule at this place.
    #[must_use]
    pub fn rule(&self, at: u16) -> Option<&Rule> {
        self.parts.rules.get(usize::from(at))
    }

    /// The id of the rule at this place.
    #[must_use]
    pub fn rule_id(&self, at: u16) -> &str {
        self.rule(at).map_or("", |rule| rule.id.as_str())
    }

    /// The name of the slot at this place.
    #[must_use]
    pub fn slot_name(&self, at: u16) -> &str {
        self.parts.slots.get(usize::from(at)).map_or("", |slot| slot.name.as_str())
    }

    /// The content at this place.
    #[must_use]
    pub fn content_id(&self, at: u16) -> &str {
        self.parts.contents.get(usize::from(at)).map_or("", |content: &Content| content.id.as_str())
    }

    /// Where the test at this place stands in the site's files.
    #[must_use]
    pub fn leaf(&self, at: u16) -> Option<&Leaf> {
        self.parts.edge.as_ref()?.leaves.get(usize::from(at))
    }

    /// A source that enters with this trust.
    #[must_use]
    pub fn source(&self, trust: Trust) -> &str {
        let mut sources = self.site.config.sources.iter();
        sources.find(|source| source.kind.trust() == trust).map_or("rehearsal", |source| source.name.as_str())
    }
}
