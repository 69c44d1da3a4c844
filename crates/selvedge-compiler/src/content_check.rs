//! Whether those who show a content know what it reads.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::lower::at_edge;
use crate::resolved::Site;

/// Reports fallbacks, which pages show themselves, that read what only the edge knows.
pub(crate) fn check(site: &Site, report: &mut Report) {
    for content in site.contents.iter().filter(|content| site.is_fallback(content)) {
        for leaf in content.leaves() {
            for reason in at_edge(&leaf.fact, site) {
                let message = format!("the page shows this fallback by itself, and {reason}");
                let help = "show it by a rule: that one runs at the edge".to_owned();
                report.add_help(Code::E0607, leaf.source.span, message, help);
            }
        }
    }
}
