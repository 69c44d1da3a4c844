//! The terms that rules act under: `holdout`, `suppress`, `experiments` and `caps` of rules.yaml.

use crate::codes::Code;
use crate::condition::Expr;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::source::Span;
use crate::written::caps::read_caps;
use crate::written::condition::read_condition;
use crate::written::entries::{name_of, named};
use crate::yaml::{Entry, Node, Value};
use selvedge_core::limits::{BUCKETS, EXPERIMENTS_MAX, SUPPRESSIONS_MAX, VARIANTS_MAX};
use selvedge_core::wire::program::{Cap, Unit};

/// What rules share of their terms, as written.
#[derive(Debug, Default)]
pub(crate) struct Deciding {
    pub holdout: Option<Holdout>,
    pub suppressions: Vec<Suppression>,
    pub experiments: Vec<Experiment>,
    pub caps: Vec<Cap>,
}

/// Which rules something applies to.
#[derive(Debug, Default)]
pub(crate) struct AppliesTo {
    pub groups: Vec<Spanned<String>>,
    pub rules: Vec<Spanned<String>>,
}

/// A share of the visitors that rules are kept from, as written.
#[derive(Debug)]
pub(crate) struct Holdout {
    /// So many buckets.
    pub share: u16,
    pub unit: Unit,
    pub salt: String,
    /// `None`: every rule.
    pub applies_to: Option<AppliesTo>,
}

/// A condition that keeps rules from acting, as written.
#[derive(Debug)]
pub(crate) struct Suppression {
    pub name: Spanned<String>,
    pub when: Option<Expr>,
    /// Whether it holds where its condition is unknown; `None`: it does not say.
    pub on_unknown: Option<bool>,
    /// `None`: every rule.
    pub applies_to: Option<AppliesTo>,
}

/// An experiment as written.
#[derive(Debug)]
pub(crate) struct Experiment {
    pub name: Spanned<String>,
    pub unit: Unit,
    pub salt: String,
    pub layer: Option<String>,
    /// The first bucket that takes part, and the one behind the last.
    pub traffic: (u16, u16),
    pub span: Span,
    /// The goal it is about.
    pub primary: Option<Spanned<String>>,
    /// Goals that must not suffer.
    pub guardrails: Vec<Spanned<String>>,
    pub variants: Vec<Variant>,
}

/// A variant as written.
#[derive(Debug)]
pub(crate) struct Variant {
    pub name: String,
    /// Its share, against those of the others.
    pub share: u64,
    pub content: Contents,
}

/// What a variant shows.
#[derive(Debug)]
pub(crate) enum Contents {
    /// Nothing: it is a control.
    Nothing,
    /// The same for every rule.
    One(Spanned<String>),
    /// By slot; nothing in the others.
    Slots(Vec<(Spanned<String>, Spanned<String>)>),
}

const UNITS: [(&str, Unit); 2] = [("visitor", Unit::Visitor), ("user_or_visitor", Unit::UserOrVisitor)];

/// Takes the keys of rules.yaml.
pub(super) fn read_deciding(fields: &mut Fields<'_>, source: &str, report: &mut Report) -> Deciding {
    let suppressions = fields.optional("suppress").and_then(|node| fields::list(node, report));
    let suppressions = suppressions.unwrap_or_default();
    bound(suppressions.len(), SUPPRESSIONS_MAX, "suppressions", suppressions.last(), report);
    let experiments = fields.optional("experiments");
    let deciding = Deciding {
        holdout: fields.optional("holdout").and_then(|node| read_holdout(node, report)),
        suppressions: suppressions.iter().filter_map(|node| read_suppression(node, source, report)).collect(),
        experiments: named(experiments, read_experiment, report),
        caps: fields.optional("caps").map(|node| read_caps(node, report)).unwrap_or_default(),
    };
    bound(deciding.experiments.len(), EXPERIMENTS_MAX - 1, "experiments", experiments, report);
    deciding
}

fn bound(found: usize, limit: usize, what: &str, node: Option<&Node>, report: &mut Report) {
    if let Some(node) = node.filter(|_| found > limit) {
        report.add(Code::E0016, node.span, format!("{found} {what}; at most {limit}"));
    }
}

fn read_applies_to(node: &Node, report: &mut Report) -> Option<AppliesTo> {
    let mut fields = Fields::of(node, report)?;
    let mut names = |key: &'static str, fields: &mut Fields<'_>| -> Vec<Spanned<String>> {
        let items = fields.optional(key).map(fields::items).unwrap_or_default();
        items.iter().filter_map(|item| fields::text(item, report)).collect()
    };
    let applies_to = AppliesTo { groups: names("groups", &mut fields), rules: names("rules", &mut fields) };
    fields.finish(&[], report);
    Some(applies_to)
}

fn read_holdout(node: &Node, report: &mut Report) -> Option<Holdout> {
    let mut fields = Fields::of(node, report)?;
    let share = fields.required("share").and_then(|node| read_share(node, report));
    let salt = fields.required("salt").and_then(|node| fields::text(node, report));
    let unit = fields.optional("unit").and_then(|node| fields::word(node, &UNITS, &[], report));
    let applies_to = fields.optional("applies_to").and_then(|node| read_applies_to(node, report));
    fields.finish(&[], report);
    Some(Holdout { share: share?, unit: unit.unwrap_or(Unit::Visitor), salt: salt?.value, applies_to })
}

/// `5%` or `0.5%`, in buckets.
pub(super) fn read_share(node: &Node, report: &mut Report) -> Option<u16> {
    let text = fields::text(node, report)?;
    match percent(&text.value) {
        Some(share) => Some(share),
        None => bad_share(&text, report),
    }
}

fn percent(text: &str) -> Option<u16> {
    let micro = crate::literal::micro(text.trim().strip_suffix('%')?.trim())?;
    let buckets = micro.checked_div(10_000).filter(|_| micro % 10_000 == 0)?;
    u16::try_from(buckets).ok().filter(|buckets| *buckets <= BUCKETS)
}

fn bad_share<T>(text: &Spanned<String>, report: &mut Report) -> Option<T> {
    let message = format!("`{}` is not a share of the visitors", text.value);
    let help = "write for example `5%`, from 0% to 100%, at most two decimals".to_owned();
    report.add_help(Code::E0322, text.span, message, help);
    None
}

fn read_suppression(node: &Node, source: &str, report: &mut Report) -> Option<Suppression> {
    const ON_UNKNOWN: [(&str, bool); 2] = [("suppress", true), ("allow", false)];
    let mut fields = Fields::of(node, report)?;
    let name = fields.required("name").and_then(|node| fields::text(node, report));
    let when = fields.required("when").and_then(|node| read_condition(node, source, report));
    let on_unknown =
        fields.optional("on_unknown").and_then(|node| fields::word(node, &ON_UNKNOWN, &[], report));
    let applies_to = fields.optional("applies_to").and_then(|node| read_applies_to(node, report));
    fields.finish(&[], report);
    let name = name?;
    fields::name(&name.value, name.span, NameKind::Dashed, report);
    Some(Suppression { name, when, on_unknown, applies_to })
}

fn read_experiment(entry: &Entry, report: &mut Report) -> Option<Experiment> {
    let name = name_of(entry, NameKind::Dashed, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let unit = fields.optional("unit").and_then(|node| fields::word(node, &UNITS, &[], report));
    let salt = fields.optional("salt").and_then(|node| fields::text(node, report));
    let layer = fields.optional("layer").and_then(|node| fields::text(node, report));
    let traffic = fields.optional("traffic");
    let primary = fields.optional("primary").and_then(|node| fields::text(node, report));
    let guardrails = fields.optional("guardrails").map(fields::items).unwrap_or_default();
    let guardrails = guardrails.iter().filter_map(|node| fields::text(node, report)).collect();
    let variants = named(fields.required("variants"), read_variant, report);
    fields.finish(&[], report);
    check_variants(&variants, &name, report);
    Some(Experiment {
        salt: salt.map_or_else(|| name.value.clone(), |salt| salt.value),
        unit: unit.unwrap_or(Unit::Visitor),
        layer: layer.map(|layer| layer.value),
        span: traffic.map_or(name.span, |node| node.span),
        traffic: traffic.and_then(|node| read_traffic(node, report)).unwrap_or((0, BUCKETS)),
        primary,
        guardrails,
        variants,
        name,
    })
}

/// `30%`, or the stretch of a layer `30%-60%`.
fn read_traffic(node: &Node, report: &mut Report) -> Option<(u16, u16)> {
    let text = fields::text(node, report)?;
    let stretch = match text.value.split_once('-') {
        None => percent(&text.value).map(|end| (0, end)),
        Some((start, end)) => percent(start).zip(percent(end)).filter(|(start, end)| start <= end),
    };
    if stretch.is_some() { stretch } else { bad_share(&text, report) }
}

fn check_variants(variants: &[Variant], name: &Spanned<String>, report: &mut Report) {
    let total = variants.iter().fold(0, |total: u64, variant| total.saturating_add(variant.share));
    let message = match variants.len() {
        0 | 1 => "an experiment compares at least two variants".to_owned(),
        count if count > VARIANTS_MAX => format!("{count} variants; at most {VARIANTS_MAX}"),
        _ if total == 0 => "the shares of all variants are 0".to_owned(),
        _ => return,
    };
    let help = "write for example `control: {share: 50}` and one with a `content`".to_owned();
    report.add_help(Code::E0323, name.span, message, help);
}

fn read_variant(entry: &Entry, report: &mut Report) -> Option<Variant> {
    /// A share is a weight against the others: no need for more.
    const SHARE_MAX: i64 = 1_000_000;
    let name = name_of(entry, NameKind::Dashed, report).value;
    let mut fields = Fields::of(&entry.value, report)?;
    let share = fields.required("share").and_then(|node| fields::whole(node, 0, SHARE_MAX, report));
    let content = fields.optional("content").and_then(|node| read_contents(node, report));
    fields.finish(&[], report);
    let share = share.and_then(|share| u64::try_from(share).ok()).unwrap_or(0);
    Some(Variant { name, share, content: content.unwrap_or(Contents::Nothing) })
}

fn read_contents(node: &Node, report: &mut Report) -> Option<Contents> {
    let Value::Map(map) = &node.value else { return fields::text(node, report).map(Contents::One) };
    let of_entry = |entry: &Entry| {
        let slot = Spanned { value: entry.key.clone(), span: entry.key_span };
        Some((slot, fields::text(&entry.value, report)?))
    };
    Some(Contents::Slots(map.entries.iter().filter_map(of_entry).collect()))
}
