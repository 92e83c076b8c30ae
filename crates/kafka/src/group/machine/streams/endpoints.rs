//! Where the state of an application can be asked for (interactive queries).
//!
//! Owns: the table of endpoints and its version. **Invariant**: the version follows from the table, so it needs no record: members ask
//! whether it is another than theirs, not whether it is later.

use super::StreamsGroup;
use crate::group::machine::fnv::Fnv1a;
use crate::group::name::TopicName;
use crate::group::record::TaskSet;
use crate::group::streams::EndpointPartitions;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl StreamsGroup {
    /// The version of the table; 0 while no member has an endpoint.
    pub(super) fn endpoints_epoch(&self) -> i32 {
        let mut hash = Fnv1a::default();
        let mut any = false;
        for (id, member) in &self.state.members {
            let Some((host, port)) = &member.endpoint else {
                continue;
            };
            any = true;
            hash.add(host.as_bytes());
            hash.add(&port.to_le_bytes());
            let current = self.current(id);
            for (role, tasks) in [(1_u8, &current.assigned.active), (2, &current.assigned.standby)] {
                for task in tasks {
                    hash.add(&[role]);
                    hash.add(task.subtopology.as_str().as_bytes());
                    hash.add(&task.partition.to_le_bytes());
                }
            }
        }
        if !any {
            return 0;
        }
        // Partition counts show in the table, too.
        hash.add(&self.state.epoch.map_or(0, |epoch| epoch.topics).to_le_bytes());
        let [a, b, c, d, ..] = hash.finish().to_le_bytes();
        // Neither 0 nor below it.
        (i32::from_le_bytes([a, b, c, d]) & i32::MAX).max(1)
    }

    /// What can be asked for where: one row an endpoint, whose process may have many members.
    pub(super) fn endpoints(&self) -> Vec<EndpointPartitions> {
        let mut rows: BTreeMap<(Arc<str>, u16), EndpointPartitions> = BTreeMap::new();
        for (id, member) in &self.state.members {
            let Some(endpoint) = &member.endpoint else {
                continue;
            };
            let row = rows
                .entry(endpoint.clone())
                .or_insert_with(|| EndpointPartitions {
                    endpoint: endpoint.clone(),
                    active: BTreeMap::new(),
                    standby: BTreeMap::new(),
                });
            let current = self.current(id);
            self.add_partitions(&current.assigned.active, &mut row.active);
            self.add_partitions(&current.assigned.standby, &mut row.standby);
        }
        rows.into_values().collect()
    }

    /// The partitions of the sources that tasks read.
    fn add_partitions(&self, tasks: &TaskSet, partitions: &mut BTreeMap<TopicName, BTreeSet<i32>>) {
        let Some((topology, laid)) = self.state.topology.as_ref().zip(self.laid.as_ref()) else {
            return;
        };
        for task in tasks {
            let Some(part) = topology.subtopologies.get(&task.subtopology) else {
                continue;
            };
            for name in part.sources.iter().chain(part.repartition_sources.keys()) {
                let count = laid.partitions.get(name).copied().unwrap_or(0);
                if u32::try_from(task.partition).is_ok_and(|partition| partition < count) {
                    partitions.entry(name.clone()).or_default().insert(task.partition);
                }
            }
        }
    }
}
