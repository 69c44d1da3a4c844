//! Names of time zones.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::suggest::nearest;

/// The name of a time zone.
pub(super) fn zone_name(text: Spanned<String>, report: &mut Report) -> Option<String> {
    if jiff::tz::TimeZone::get(&text.value).is_ok() {
        return Some(text.value);
    }
    let message = format!("`{}` is not the name of a time zone", text.value);
    let known = jiff::tz::db().available().map(|name| name.to_string()).collect::<Vec<_>>();
    let near = nearest(&text.value, known.iter().map(String::as_str)).unwrap_or("Europe/Berlin");
    let help = format!("write for example `{near}`");
    report.add_help(Code::E0015, text.span, message, help);
    None
}
