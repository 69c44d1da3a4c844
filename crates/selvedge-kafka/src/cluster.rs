//! Who leads which partition, and why we may have to wait or stop instead.

use std::collections::BTreeMap;

use crate::answer::Metadata;
use crate::code::{self, Meaning};
use crate::settings::Address;

/// Why nothing could be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// It passes: try again later.
    Again(String),
    /// It does not pass by itself.
    Pause(String),
}

impl Stop {
    /// What a code means where no batch is at stake. `what` was asked.
    #[must_use]
    pub fn by_code(what: &str, code: i16, meaning: Meaning) -> Stop {
        let why = format!("{what}: {} ({code})", code::name(code));
        if matches!(meaning, Meaning::Resend { .. }) { Stop::Again(why) } else { Stop::Pause(why) }
    }
}

/// The cluster as of the last metadata.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cluster {
    /// Its own name.
    pub id: String,
    nodes: Vec<(i32, Address)>,
    leaders: BTreeMap<i32, i32>,
}

impl Cluster {
    /// What the metadata says of a topic.
    ///
    /// # Errors
    /// Where the topic is not there, or not for us.
    pub fn of(metadata: Metadata, topic: &str) -> Result<Cluster, Stop> {
        if metadata.code != 0 {
            let what = format!("the topic `{topic}`");
            return Err(Stop::by_code(&what, metadata.code, code::meaning(metadata.code)));
        }
        let address = |node: crate::answer::Node| (node.id, Address { host: node.host, port: node.port });
        let nodes = metadata.nodes.into_iter().map(address).collect();
        let mut cluster = Cluster { id: metadata.cluster_id, nodes, leaders: BTreeMap::new() };
        for (partition, leader) in metadata.leaders {
            cluster.leaders.insert(partition, leader);
        }
        let is_whole = (0..).zip(cluster.leaders.keys()).all(|(expected, partition)| expected == *partition);
        if cluster.leaders.is_empty() || !is_whole {
            return Err(Stop::Again(format!(
                "the brokers do not name every partition of the topic `{topic}`"
            )));
        }
        Ok(cluster)
    }

    /// How many partitions the topic has.
    #[must_use]
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.leaders.len()).unwrap_or(u32::MAX)
    }

    /// The broker that leads a partition, where there is one now.
    #[must_use]
    pub fn leader(&self, partition: i32) -> Option<i32> {
        self.leaders.get(&partition).copied().filter(|node| self.address(*node).is_some())
    }

    /// Where a broker listens.
    #[must_use]
    pub fn address(&self, node: i32) -> Option<&Address> {
        self.nodes.iter().find(|(known, _)| *known == node).map(|(_, address)| address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Node;

    fn metadata(code: i16, leaders: &[(i32, i32)]) -> Metadata {
        let node = Node { id: 1, host: "kafka.example".into(), port: 9092 };
        Metadata { nodes: vec![node], cluster_id: "here".into(), code, leaders: leaders.to_vec() }
    }

    #[test]
    fn a_partition_without_a_leader_we_can_reach_has_none() {
        let cluster = Cluster::of(metadata(0, &[(0, 1), (1, -1), (2, 9)]), "shop").unwrap();
        assert_eq!([0, 1, 2, 3].map(|partition| cluster.leader(partition)), [Some(1), None, None, None]);
        assert_eq!(cluster.partitions(), 3);
    }

    #[test]
    fn a_topic_that_is_missing_is_waited_for_and_one_that_is_forbidden_pauses() {
        assert!(matches!(Cluster::of(metadata(3, &[]), "shop"), Err(Stop::Again(_))));
        let Err(Stop::Pause(why)) = Cluster::of(metadata(29, &[]), "shop") else { unreachable!("it pauses") };
        assert_eq!(why, "the topic `shop`: TOPIC_AUTHORIZATION_FAILED (29)");
        for holes in [&[][..], &[(1, 1)], &[(0, 1), (2, 1)]] {
            assert!(matches!(Cluster::of(metadata(0, holes), "shop"), Err(Stop::Again(_))));
        }
    }
}
