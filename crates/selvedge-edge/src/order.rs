//! What an admin orders besides a publish: rules stopped at once, and a program of before put in force again.

use crate::fault::Fault;
use crate::object::Object;
use crate::site::Site;
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::rules::Orders;
use serde::Serialize;

/// Bytes of an order, at most.
pub const ORDER_BYTES_MAX: usize = 4 * 1024;
/// Stands for every rule in a list of stopped rules.
pub const ALL: &str = "*";

/// `POST /v1/pause`: one rule, or all, is stopped or acts again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// The rule's id; `None` with `all`.
    pub rule: Option<String>,
    /// Every rule of the site.
    pub all: bool,
    /// It acts again.
    pub resume: bool,
}

/// `POST /v1/rollback`: the program of an earlier publish is in force again, as a publish of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Rollback {
    /// Which publish; `None`: the newest one of another program than that in force.
    pub publish: Option<u64>,
}

impl Pause {
    /// The order in `text`.
    ///
    /// # Errors
    /// [`Fault`] 400 for anything that is none, or that names neither one rule nor all.
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        let read = Object::of_bytes(text)?;
        read.only(&["rule", "all", "resume"])?;
        let rule = read.text("rule")?.map(Cow::into_owned);
        let order = Self { rule, all: read.flag("all")?, resume: read.flag("resume")? };
        if order.rule.is_some() == order.all {
            return Err(Fault::unreadable("name one rule, or say `all`"));
        }
        Ok(order)
    }

    /// What is stopped or acts again, as it is listed: a rule's id, or [`ALL`].
    #[must_use]
    pub fn of(&self) -> &str {
        self.rule.as_deref().unwrap_or(ALL)
    }

    /// Whether the site has such a rule. What is gone from it may still be let go.
    ///
    /// # Errors
    /// [`Fault`] 404 for a rule that the site does not have.
    pub fn check(&self, site: &Site) -> Result<(), Fault> {
        let is_known = |id: &String| site.program.rules().iter().any(|rule| rule.id == *id);
        match &self.rule {
            Some(id) if !self.resume && !is_known(id) => {
                Err(Fault::not_found(format!("the site has no rule {id}")))
            }
            _ => Ok(()),
        }
    }
}

impl Rollback {
    /// The order in `text`; nothing at all is one.
    ///
    /// # Errors
    /// [`Fault`] 400 for anything that is none.
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let read = Object::of_bytes(text)?;
        read.only(&["publish"])?;
        Ok(Self { publish: read.number("publish")? })
    }
}

/// The hashes of stopped rules, as [`Orders::paused`] has them.
#[must_use]
pub fn paused(ids: &[String]) -> Vec<u64> {
    ids.iter().map(|id| if id == ALL { Orders::ALL } else { fnv1a_64(id.as_bytes()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_to_pause_names_one_rule_or_all() {
        assert_eq!(Pause::read(br#"{"rule":"hero"}"#).unwrap().of(), "hero");
        let all = Pause::read(br#"{"all":true,"resume":true}"#).unwrap();
        assert_eq!((all.of(), all.resume), (ALL, true));
        for text in ["", "{}", r#"{"rule":"hero","all":true}"#, r#"{"rules":"hero"}"#] {
            assert_eq!(Pause::read(text.as_bytes()).unwrap_err().status, 400, "{text}");
        }
    }

    #[test]
    fn an_order_to_roll_back_may_be_empty() {
        assert_eq!(Rollback::read(b"").unwrap().publish, None);
        assert_eq!(Rollback::read(br#"{"publish":3}"#).unwrap().publish, Some(3));
        assert!(Rollback::read(b"3").is_err());
    }

    #[test]
    fn stopped_rules_are_told_by_the_hashes_of_their_ids() {
        assert_eq!(paused(&["hero".into(), ALL.into()]), [fnv1a_64(b"hero"), Orders::ALL]);
    }
}
