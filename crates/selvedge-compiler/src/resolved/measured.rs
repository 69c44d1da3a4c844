//! What the values of properties and metrics are: found from what is written and the tracking plan alone.

use super::fact::FactType;
use crate::condition::{Class, Metric, Path};
use selvedge_core::tracking_plan::{PlanEvent, PropertyType};

/// What a metric's values are; of one that names something unknown, numbers.
pub(crate) fn fact_type(metric: &Metric, events: &[PlanEvent]) -> FactType {
    match metric.class {
        Class::Count | Class::Distinct | Class::Top => FactType::Count,
        Class::Since => FactType::Duration,
        Class::First | Class::Last | Class::Previous | Class::MostFrequent => {
            match property_of(&metric.path, events) {
                Some((_, _, FactType::Text { one_of, .. })) => FactType::Text { one_of, kept: true },
                Some((_, _, fact_type)) => fact_type,
                None => FactType::Number,
            }
        }
        Class::Score(_) => FactType::Number,
        Class::NoneIn | Class::History(..) => FactType::Count,
        Class::Sequence(_) | Class::Absence => FactType::Bool,
        Class::Sum | Class::Min | Class::Max | Class::Average => {
            property_of(&metric.path, events).map_or(FactType::Number, |(_, _, fact_type)| fact_type)
        }
    }
}

/// The event and the property that a path names, and what the property's values are.
pub(super) fn property_of(path: &Path, events: &[PlanEvent]) -> Option<(String, String, FactType)> {
    let find = |event: &str, property: &str| {
        let found = events.iter().find(|known| known.name == event)?;
        Some((event.to_owned(), property.to_owned(), property_type(found, property)?))
    };
    match &path.property {
        Some(property) => find(&path.name, property),
        None => splits(&path.name).find_map(|(event, property)| find(event, property)),
    }
}

/// A path cut at each of its dots: event and property.
pub(super) fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('.').filter_map(|(at, _)| Some((path.get(..at)?, path.get(at + 1..)?)))
}

/// The type of an event's property.
pub(crate) fn property_type(event: &PlanEvent, name: &str) -> Option<FactType> {
    let property = event.properties.iter().find(|property| property.name == name)?;
    Some(match property.property_type {
        PropertyType::Text => FactType::Text { one_of: property.one_of.clone(), kept: false },
        PropertyType::Number | PropertyType::Integer => FactType::Number,
        PropertyType::Money => FactType::Money,
        PropertyType::Bool => FactType::Bool,
        PropertyType::Time => FactType::Time,
        PropertyType::List => FactType::List,
        PropertyType::Object => FactType::Opaque("an object"),
    })
}
