//! Contents as the program holds them: what differs from visitor to visitor as templates, and the values that those read.

use super::code::index;
use super::facts::{Dictionaries, Facts};
use super::parts::{Builder, Sources, metrics_of};
use crate::resolved::{Content, Fact, Leaf, Read};
use selvedge_core::consent::Purposes;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::wire::program::{self, FactSource, READS_NOW, Template};

impl Builder<'_> {
    /// What contents show that differs from visitor to visitor, and what that reads.
    pub(super) fn templates(&mut self) -> (Vec<Template>, Vec<program::Fact>) {
        let mut values = Facts::default();
        let contents = self.contents.clone().into_iter().enumerate();
        let shown = contents.filter(|(_, content)| !content.is_plain());
        let templates = shown.map(|(at, content)| self.template(index(at), content, &mut values)).collect();
        (templates, values.facts)
    }

    fn template(&mut self, place: u16, content: &Content, values: &mut Facts) -> Template {
        let mut meaning = format!("{}:{}", content.id.len(), content.id);
        let mut reads = Vec::new();
        for read in &content.reads {
            let at = match read {
                Read::Now => READS_NOW,
                Read::Fact(leaf) => {
                    let source = self.source(leaf, content.purpose, values);
                    meaning.push_str(&format!(" {}", self.meaning_of(leaf, &source, content.purpose)));
                    index(values.place(leaf, source, &Dictionaries::default()).0)
                }
            };
            reads.push(at);
        }
        let meaning = fnv1a_64(meaning.as_bytes());
        Template { content: place, meaning, reads, wordings: content.wordings.clone() }
    }

    /// What a value is in the program; a metric is placed there first.
    fn source(&mut self, leaf: &Leaf, purpose: Purposes, values: &mut Facts) -> FactSource {
        let mut metrics: Vec<(usize, u16)> =
            metrics_of(leaf).map(|at| (at, self.metric(at, purpose))).collect();
        metrics.sort_unstable();
        let Self { facts, attribute_places, item_tests, tables, zones, site, .. } = self;
        let sources =
            Sources { site, attributes: attribute_places, metrics: &metrics, item_tests, tables, zones };
        // What a value is looked up, or counted, by is a fact as any other.
        let facts = if matches!(leaf.fact, Fact::Lookup(_) | Fact::SameCount(..)) { facts } else { values };
        sources.of(&leaf.fact, facts)
    }

    /// What a value means, wherever it stands in the program.
    fn meaning_of(&self, leaf: &Leaf, source: &FactSource, purpose: Purposes) -> String {
        if let Fact::Lookup(found) = &leaf.fact {
            let table = self.site.site.lookups.get(found.table);
            let column = table.and_then(|table| table.columns.get(found.column));
            let (table, column) = (table.map(|table| &table.name), column.map(|column| &column.name));
            return format!("lookup {table:?} {column:?} {:?}", found.key);
        }
        match source {
            FactSource::Metric(at) => {
                let metric = self.metrics.get(usize::from(*at));
                format!("metric {:x}", metric.map_or(0, |metric| metric.meaning))
            }
            FactSource::Attribute(at) => {
                let of_place = self.attribute_places.iter().find(|(_, place)| *place == at);
                let attribute = of_place.and_then(|(at, _)| self.site.attributes.get(*at));
                format!("attribute {}", attribute.map_or("", |attribute| &attribute.name))
            }
            other => format!("{other:?} {}", purpose.0),
        }
    }
}
