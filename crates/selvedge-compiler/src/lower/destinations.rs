//! Where records go, for the edge.

use super::parts::Builder;
use selvedge_core::wire::program::Destination;

impl Builder<'_> {
    /// The destinations, their conditions appended to the code. Pages are told of none.
    pub(super) fn destinations(&mut self) -> Vec<Destination> {
        let site = self.site;
        let pairs = site.site.destinations.iter().zip(&site.filters).filter(|_| !self.is_public);
        let pairs: Vec<_> = pairs.collect();
        let mut found = Vec::new();
        for (written, filter) in pairs {
            found.push(Destination {
                name: written.name.value.clone(),
                way: written.way.clone(),
                purposes: written.purposes,
                requires: written.requires,
                on_unknown: written.on_unknown,
                records: written.records,
                filter: filter.as_ref().map(|truth| self.append(truth, &[])),
                sample: written.sample,
                remove: written.remove.iter().map(|path| path.value.clone()).collect(),
                rename: written
                    .rename
                    .iter()
                    .map(|(path, to)| (path.value.clone(), to.value.clone()))
                    .collect(),
                when_full: written.when_full,
                age_ms_max: written.age_ms_max,
                bytes_max: written.bytes_max,
            });
        }
        found
    }
}
