//! StreamsGroupDescribe.
//!
//! Owns: the answer. Never: a change of membership.

use super::StreamsGroup;
use crate::group::record::Topology;
use crate::group::streams::{DescribedStreamsGroup, DescribedStreamsMember};

impl StreamsGroup {
    pub(super) fn describe(&self) -> DescribedStreamsGroup {
        let members = self.state.members.iter().map(|(id, told)| {
            let current = self.current(id);
            DescribedStreamsMember {
                member: id.clone(),
                epoch: current.epoch,
                told: told.clone(),
                assigned: current.assigned.clone(),
                target: self.target(id),
            }
        });
        DescribedStreamsGroup {
            group: self.base.id.clone(),
            state: self.state(),
            epoch: self.epoch(),
            target_epoch: self.state.target_epoch,
            topology: self.described_topology(),
            members: members.collect(),
        }
    }

    /// With the counts that followed from the other topics.
    fn described_topology(&self) -> Option<Topology> {
        let mut topology = Topology::clone(self.state.topology.as_deref()?);
        if let Some(laid) = &self.laid {
            for part in topology.subtopologies.values_mut() {
                let internal = part.repartition_sources.iter_mut().chain(&mut part.changelogs);
                for (name, topic) in internal {
                    topic.partitions = laid.partitions.get(name).copied().unwrap_or(topic.partitions);
                }
            }
        }
        Some(topology)
    }
}
