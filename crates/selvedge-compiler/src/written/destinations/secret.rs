//! Secrets stand in the deployment; a site names them.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Spanned};
use crate::yaml::Node;

/// The name of a secret; what may be the secret itself is reported.
pub(super) fn secret(node: &Node, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    if is_binding(&text.value) {
        return Some(text.value);
    }
    let help = "write the name of an environment variable: `MAIL_TOKEN`".to_owned();
    report.add_help(Code::E0803, text.span, "a secret is named here, never written", help);
    None
}

/// The name of a binding of the deployment.
pub(super) fn binding(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let text = fields::text(node, report)?;
    if is_binding(&text.value) {
        return Some(text);
    }
    let message = format!("`{}` is not the name of a binding: capital letters, digits and `_`", text.value);
    report.add_help(Code::E0014, text.span, message, "write for example `ORDERS_QUEUE`".to_owned());
    None
}

fn is_binding(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(is_inner)
}
