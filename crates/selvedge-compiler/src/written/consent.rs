//! The consent policy of site.yaml: what no answer means, and which platforms of the page are heard.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Elsewhere, Fields};
use crate::literal::DURATION_MS_MAX;
use crate::written::destinations::Destination;
use crate::written::stretch::duration;
use crate::yaml::{Node, Value};
use selvedge_core::consent::tcf::Asked;
use selvedge_core::consent::{Mode, Purposes, Signals};
use selvedge_core::wire::program::{Requires, Way};
use serde::Serialize;

/// How long a page waits for platforms that say nothing, where the site does not say.
const WAIT_MS: u64 = 3_000;
const WAIT_MS_MAX: u64 = 60_000;
/// The purposes of the IAB's framework.
const IAB_PURPOSES: i64 = 11;
/// 25 months: how long the CNIL lets measured data be kept. Nothing can be written that is longer.
const EXEMPT_KEEP_MS_MAX: u64 = 760 * 24 * 3_600_000;
const _: () = assert!(DURATION_MS_MAX <= EXEMPT_KEEP_MS_MAX);
/// Bytes of an expression or a name that a platform is read by.
const TEXT_BYTES_MAX: usize = 200;
/// What a mapping may name for one purpose.
const NAMES_MAX: usize = 16;

const MODES: [(&str, Mode); 3] = [("opt-in", Mode::OptIn), ("opt-out", Mode::OptOut), ("cnil", Mode::Exempt)];

/// The consent policy as written.
#[derive(Debug)]
pub(crate) struct Consent {
    pub mode: Mode,
    pub policy_version: u16,
    pub regions: Vec<(String, Mode)>,
    /// What a page is told of the platforms that it reads; `None` where it reads none.
    pub sources: Option<Sources>,
    /// The profile of the CNIL holds, somewhere.
    is_exempt: bool,
}

impl Default for Consent {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            policy_version: 1,
            regions: Vec::new(),
            sources: None,
            is_exempt: false,
        }
    }
}

/// The platforms that a page reads, as its config says it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Sources {
    /// Bits of [`Signals`].
    read: u8,
    wait: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<[u32; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tell: bool,
}

impl Sources {
    fn hear(&mut self, source: Signals) {
        self.read |= source.0;
    }

    /// The JSON of a page's config.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How a consent platform is read.
#[derive(Debug, Default, Clone, Serialize)]
struct Platform {
    /// Events of the window, or calls that take a callback: `OneTrust.OnConsentChanged()`.
    listen: Vec<String>,
    /// Where the answer stands.
    read: String,
    /// Whether there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    answered: String,
    /// What has to be there for analytics, personalization, advertising.
    map: [Vec<String>; 3],
}

/// A platform that is known: what is listened to, read, and found there.
struct Preset {
    listen: &'static [&'static str],
    read: &'static str,
    answered: &'static str,
    map: [&'static [&'static str]; 3],
}

const PRESETS: [(&str, Preset); 5] = [
    (
        "onetrust",
        Preset {
            listen: &["OneTrustGroupsUpdated", "OneTrust.OnConsentChanged()"],
            read: "OnetrustActiveGroups",
            answered: "OneTrust.IsAlertBoxClosed()",
            map: [&["C0002"], &["C0003"], &["C0004"]],
        },
    ),
    (
        "cookiebot",
        Preset {
            listen: &["CookiebotOnConsentReady", "CookiebotOnAccept", "CookiebotOnDecline"],
            read: "Cookiebot.consent",
            answered: "Cookiebot.hasResponse",
            map: [&["statistics"], &["preferences"], &["marketing"]],
        },
    ),
    (
        "didomi",
        Preset {
            listen: &["Didomi.on(consent.changed)"],
            read: "Didomi.getCurrentUserStatus().purposes",
            answered: "!Didomi.shouldUserStatusBeCollected()",
            map: [
                &[
                    "measure_content_performance.enabled",
                    "market_research.enabled",
                    "improve_products.enabled",
                ],
                &["create_content_profile.enabled", "select_personalized_content.enabled"],
                &["create_ads_profile.enabled", "select_personalized_ads.enabled"],
            ],
        },
    ),
    (
        "usercentrics",
        Preset {
            listen: &["UC_UI_INITIALIZED", "UC_UI_CMP_EVENT", "UC_CONSENT"],
            read: "__ucCmp.getConsentDetails()",
            answered: ".consent.type=EXPLICIT",
            map: [
                &["categories.functional.state=ALL_ACCEPTED"],
                &["categories.functional.state=ALL_ACCEPTED"],
                &["categories.marketing.state=ALL_ACCEPTED"],
            ],
        },
    ),
    (
        "klaro",
        Preset {
            listen: &["klaro.getManager().watch({update})"],
            read: "klaro.getManager().consents",
            answered: "klaro.getManager().confirmed",
            map: [&["analytics"], &["personalization"], &["advertising"]],
        },
    ),
];

/// Names of the platforms that are known.
pub(crate) const PRESET_NAMES: [&str; 5] = ["onetrust", "cookiebot", "didomi", "usercentrics", "klaro"];

pub(super) fn read_consent(node: &Node, report: &mut Report) -> Consent {
    const ELSEWHERE: [Elsewhere; 2] = [
        ("cmp", "the consent platforms of the page stand under `sources`", "write `sources: [...]`"),
        (
            "purposes",
            "the purposes are always necessary, analytics, personalization and advertising",
            "remove it; events and rules name their purposes themselves",
        ),
    ];
    let Some(mut fields) = Fields::of(node, report) else { return Consent::default() };
    let mode = fields.required("mode").and_then(|node| fields::word(node, &MODES, &[], report));
    let version = fields
        .optional("policy_version")
        .and_then(|node| fields::whole(node, 1, i64::from(u16::MAX), report));
    let regions = fields.optional("regions").map(|node| read_regions(node, report)).unwrap_or_default();
    let mut sources = Sources::default();
    if let Some(node) = fields.optional("sources") {
        read_sources(node, &mut sources, report);
    }
    if fields.optional("dnt").and_then(|node| fields::flag(node, report)) == Some(true) {
        sources.hear(Signals::DNT);
    }
    if let Some(node) = fields.optional("tell_consent_mode") {
        sources.tell = fields::flag(node, report) == Some(true);
        if sources.tell && sources.read & Signals::CONSENT_MODE.0 != 0 {
            let help = "remove `consent_mode` from the `sources`, or `tell_consent_mode`".to_owned();
            let message = "Consent Mode would be read, and told what was read";
            report.add_help(Code::E0873, node.span, message, help);
        }
    }
    let wait = fields.optional("wait").and_then(|node| duration(node, WAIT_MS_MAX, report));
    sources.wait = wait.unwrap_or(WAIT_MS);
    fields.finish(&ELSEWHERE, report);
    let is_exempt = mode == Some(Mode::Exempt) || regions.iter().any(|(_, mode)| *mode == Mode::Exempt);
    Consent {
        mode: mode.unwrap_or_default(),
        policy_version: version.and_then(|version| u16::try_from(version).ok()).unwrap_or(1),
        regions,
        sources: (sources.read != 0 || sources.tell).then_some(sources),
        is_exempt,
    }
}

fn read_regions(node: &Node, report: &mut Report) -> Vec<(String, Mode)> {
    let Some(map) = fields::map(node, report) else { return Vec::new() };
    let mut regions = Vec::new();
    for entry in &map.entries {
        if entry.key.len() != 2 || !entry.key.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let message = format!("`{}` is not a country: two capital letters of ISO 3166", entry.key);
            report.add_help(Code::E0015, entry.key_span, message, "write for example `US`".to_owned());
        } else if let Some(mode) = fields::word(&entry.value, &MODES, &[], report) {
            regions.push((entry.key.clone(), mode));
        }
    }
    regions.sort_by(|(a, _), (b, _)| a.cmp(b));
    regions
}

fn read_sources(node: &Node, sources: &mut Sources, report: &mut Report) {
    let Some(mut fields) = Fields::of(node, report) else { return };
    if let Some(node) = fields.optional("tcf") {
        read_tcf(node, sources, report);
    }
    for (key, source) in [("gpp", Signals::GPP), ("consent_mode", Signals::CONSENT_MODE)] {
        if fields.optional(key).and_then(|node| fields::flag(node, report)) == Some(true) {
            sources.hear(source);
        }
    }
    if let Some(node) = fields.optional("platform") {
        sources.platform = read_platform(node, report);
        if sources.platform.is_some() {
            sources.hear(Signals::PLATFORM);
        }
    }
    fields.finish(&[], report);
}

fn read_tcf(node: &Node, sources: &mut Sources, report: &mut Report) {
    if let Value::Scalar(_) = node.value {
        if fields::flag(node, report) == Some(true) {
            sources.hear(Signals::TCF);
        }
        return;
    }
    let Some(mut fields) = Fields::of(node, report) else { return };
    let vendor =
        fields.optional("vendor").and_then(|node| fields::whole(node, 1, i64::from(u16::MAX), report));
    sources.vendor = vendor.and_then(|vendor| u16::try_from(vendor).ok());
    if let Some(node) = fields.optional("purposes") {
        sources.asked = Some(read_asked(node, report));
    }
    fields.finish(&[], report);
    sources.hear(Signals::TCF);
}

/// Which purposes of the framework each of ours asks for, as bits.
fn read_asked(node: &Node, report: &mut Report) -> [u32; 3] {
    let mut asked = Asked::default().0;
    for (at, items) in by_purpose(node, report) {
        let bits = items.iter().filter_map(|item| iab_purpose(item, report));
        asked[at] = bits.fold(0, |sum, bit| sum | bit);
    }
    asked
}

fn iab_purpose(node: &Node, report: &mut Report) -> Option<u32> {
    let scalar = fields::scalar(node, "a purpose of the framework", report)?;
    match scalar.text.parse::<i64>() {
        Ok(number) if (1..=IAB_PURPOSES).contains(&number) => Some(1 << (number - 1)),
        _ => {
            let message = format!("`{}` is not a purpose of the framework: 1 to {IAB_PURPOSES}", scalar.text);
            let help =
                "1 is storage; 8, 9 and 10 measure; 5 and 6 personalize content; 2, 3, 4 and 7 advertise";
            report.add_help(Code::E0871, node.span, message, help.to_owned());
            None
        }
    }
}

/// The entries of a mapping from our purposes: which of the three that are asked for, and what stands there.
fn by_purpose<'a>(node: &'a Node, report: &mut Report) -> Vec<(usize, &'a [Node])> {
    const OURS: [&str; 3] = ["analytics", "personalization", "advertising"];
    let Some(mut fields) = Fields::of(node, report) else { return Vec::new() };
    let found = OURS.into_iter().enumerate();
    let found: Vec<_> =
        found.filter_map(|(at, name)| Some((at, fields::items(fields.optional(name)?)))).collect();
    fields.finish(&[], report);
    found
}

fn read_platform(node: &Node, report: &mut Report) -> Option<Platform> {
    if let Value::Scalar(_) = node.value {
        return preset(node, report);
    }
    let mut fields = Fields::of(node, report)?;
    let known = fields.optional("preset").map(|node| preset(node, report));
    let mut platform = match known {
        Some(known) => known?,
        None => Platform::default(),
    };
    if let Some(node) = fields.optional("listen") {
        let items = fields::items(node).iter();
        platform.listen = items.filter_map(|item| expression(item, is_listened, report)).collect();
    }
    let is_known = !platform.read.is_empty();
    let read = if is_known { fields.optional("read") } else { fields.required("read") };
    if let Some(read) = read {
        platform.read = expression(read, is_path, report)?;
    }
    if let Some(node) = fields.optional("answered") {
        platform.answered = expression(node, is_answered, report)?;
    }
    let map = if is_known { fields.optional("map") } else { fields.required("map") };
    for (at, items) in map.map(|node| by_purpose(node, report)).unwrap_or_default() {
        let names = items.iter().take(NAMES_MAX);
        platform.map[at] = names.filter_map(|item| Some(fields::text(item, report)?.value)).collect();
    }
    fields.finish(&[], report);
    (!platform.read.is_empty()).then_some(platform)
}

fn preset(node: &Node, report: &mut Report) -> Option<Platform> {
    let places: Vec<(&'static str, usize)> =
        PRESETS.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let at = fields::word(node, &places, &[], report)?;
    let (_, Preset { listen, read, answered, map }) = &PRESETS[at];
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Some(Platform {
        listen: owned(listen),
        read: (*read).to_owned(),
        answered: (*answered).to_owned(),
        map: map.map(owned),
    })
}

/// A text that the page follows by itself, and never runs.
fn expression(node: &Node, is_good: impl Fn(&str) -> bool, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    if text.value.len() <= TEXT_BYTES_MAX && is_good(&text.value) {
        return Some(text.value);
    }
    let message = format!("`{}` is not a path: names joined by dots, `()` behind what is called", text.value);
    let help = "write for example `Cookiebot.consent` or `OneTrust.IsAlertBoxClosed()`".to_owned();
    report.add_help(Code::E0870, text.span, message, help);
    None
}

/// `a.b().c`: names, each perhaps called without arguments.
fn is_path(text: &str) -> bool {
    text.split('.').all(|part| is_name(part.strip_suffix("()").unwrap_or(part)))
}

/// A path, perhaps turned round; or, behind a dot, one that begins at what was read, perhaps with the word at its end.
fn is_answered(text: &str) -> bool {
    match text.strip_prefix('.') {
        Some(inside) => is_path(inside.split_once('=').map_or(inside, |(path, _)| path)),
        None => is_path(text.strip_prefix('!').unwrap_or(text)),
    }
}

/// The name of an event of the window, or a path that is called with a callback.
fn is_listened(text: &str) -> bool {
    let Some((path, argument)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) else {
        return !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'(');
    };
    let argument = argument.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(argument);
    is_path(path) && (argument.is_empty() || argument.split('.').all(is_name))
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
    !text.is_empty() && text.bytes().all(is_letter)
}

/// Under the profile of the CNIL what nobody was asked for reaches no third party.
pub(super) fn check_exemption(consent: &Consent, destinations: &[Destination], report: &mut Report) {
    if !consent.is_exempt {
        return;
    }
    for destination in destinations {
        let Destination { name, purposes, requires, way, .. } = destination;
        let unasked = Purposes::NECESSARY.or(Purposes::ANALYTICS);
        let is_open = match requires {
            Requires::All => unasked.holds(*purposes),
            Requires::Any => true,
        };
        if is_open && purposes.holds(Purposes::ANALYTICS) && !matches!(way, Way::Log) {
            let message =
                format!("under the profile `cnil`, `{}` would be told what nobody was asked for", name.value);
            let help = "add a purpose that is asked for, such as `personalization`, or make it a `log`";
            report.add_help(Code::E0872, name.span, message, help.to_owned());
        }
    }
}
