//! A destination that is a topic of a Kafka cluster.

use super::secret::secret;
use super::{check_address, few};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::source::Span;
use crate::yaml::Node;
use selvedge_core::address::{Place, broker};
use selvedge_core::wire::program::{Kafka, Mechanism, Sasl};

const MECHANISMS: [(&str, Mechanism); 3] = [
    ("plain", Mechanism::Plain),
    ("scram-sha-256", Mechanism::ScramSha256),
    ("scram-sha-512", Mechanism::ScramSha512),
];
const COMPRESSIONS: [(&str, bool); 2] = [("none", false), ("gzip", true)];
/// Bytes of a topic's name, as brokers take it.
const TOPIC_BYTES_MAX: usize = 249;

/// Reads `brokers`, `topic`, `tls`, `sasl` and `compression`.
pub(super) fn read(fields: &mut Fields<'_>, report: &mut Report) -> Option<Kafka> {
    let brokers = fields.required("brokers").map(|node| read_brokers(node, report));
    let topic = fields.required("topic").and_then(|node| read_topic(node, report));
    let tls = fields.optional("tls").and_then(|node| fields::flag(node, report)).unwrap_or(true);
    let sasl_span = fields.optional("sasl").map(|node| node.span);
    let sasl = fields.filled("sasl", report).map(|node| read_sasl(node, report));
    let gzip = fields.optional("compression").and_then(|node| fields::word(node, &COMPRESSIONS, &[], report));
    let brokers = brokers?;
    if let Some(span) = sasl_span.filter(|_| !tls) {
        check_open(&brokers, span, report);
    }
    let sasl = match sasl {
        None => None,
        Some(read) => Some(read?),
    };
    let brokers = brokers.into_iter().map(|broker| broker.value).collect();
    Some(Kafka { brokers, topic: topic?, tls, sasl, gzip: gzip.unwrap_or(false) })
}

fn read_brokers(node: &Node, report: &mut Report) -> Vec<Spanned<String>> {
    let items = fields::items(node);
    if items.is_empty() {
        report.add(Code::E0006, node.span, "a cluster is found by at least one of its brokers");
    }
    few(items.len(), node.span, report);
    let brokers: Vec<_> = items.iter().filter_map(|item| fields::text(item, report)).collect();
    for found in &brokers {
        check_address(broker(&found.value).map(|(_, _, place)| place), found.span, report);
    }
    brokers
}

fn read_topic(node: &Node, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_topic = (1..=TOPIC_BYTES_MAX).contains(&text.value.len()) && text.value.bytes().all(is_inner);
    if !is_topic || text.value.bytes().all(|byte| byte == b'.') {
        let message = format!("`{}` is not a topic: letters, digits, `.`, `_` and `-`", text.value);
        report.add(Code::E0014, text.span, message);
        return None;
    }
    Some(text.value)
}

fn read_sasl(node: &Node, report: &mut Report) -> Option<Sasl> {
    let mut fields = Fields::of(node, report)?;
    let mechanism =
        fields.required("mechanism").and_then(|node| fields::word(node, &MECHANISMS, &[], report));
    let user = fields.required("username").and_then(|node| fields::text(node, report));
    let password = fields.required("password").and_then(|node| secret(node, report));
    fields.finish(&[], report);
    Some(Sasl { mechanism: mechanism?, user: user?.value, password: password? })
}

/// Reports a login that would travel for all to read.
fn check_open(brokers: &[Spanned<String>], span: Span, report: &mut Report) {
    let is_public = |found: &Spanned<String>| matches!(broker(&found.value), Ok((_, _, Place::Public)));
    if brokers.iter().any(is_public) {
        let message = "the login would travel unencrypted";
        report.add_help(Code::E0806, span, message, "remove `tls: false`".to_owned());
    }
}
