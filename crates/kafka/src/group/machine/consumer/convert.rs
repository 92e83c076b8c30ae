//! From a classic group to a consumer group and back, while members work (KIP-848, migration).
//!
//! Owns: what becomes of members, generation and shares. Never: whether to convert (`machine/group.rs` asks).
//!
//! **Invariant**: both kinds change in one write: a stream holds the one group or the other. Offsets stay where they are.

use super::ConsumerGroup;
use super::classic_member::{PROTOCOL_TYPE, decode_assignment, encode_assignment};
use crate::group::assignor::Assignment;
use crate::group::machine::Turn;
use crate::group::machine::base::Base;
use crate::group::machine::classic::{ClassicGroup, ClassicState, Member};
use crate::group::name::{MemberId, TopicName};
use crate::group::record::{
    ClassicTraits, ConsumerMember, ConsumerRecord, Current, GroupEpoch, MemberState, Record, Subscription,
};
use crate::group::request::Protocol;
use millstream_kafka_wire::consumer_protocol::{ConsumerProtocolSubscription, decode_versioned};
use std::sync::Arc;
use std::time::Duration;

/// A member of a classic group, as a consumer group would have it.
pub(in crate::group::machine) struct Upgraded {
    id: MemberId,
    member: ConsumerMember,
    assigned: Assignment,
}

/// The members of a classic group as those of a consumer group; `None`: it must stay what it is.
pub(in crate::group::machine) fn upgradable(
    classic: &ClassicGroup,
    turn: &Turn<'_>,
) -> Option<Vec<Upgraded>> {
    let consumer = &turn.config.consumer;
    if classic.members.is_empty() {
        return Some(Vec::new());
    }
    let allowed = consumer.migration.upgrades() && classic.members.len() <= consumer.size_max;
    if !allowed || !classic.is_consumer_group() {
        return None;
    }
    classic
        .members
        .values()
        .map(|member| upgraded(classic, member, turn))
        .collect()
}

fn upgraded(classic: &ClassicGroup, member: &Member, turn: &Turn<'_>) -> Option<Upgraded> {
    // Before the first generation no protocol is selected; then all of them tell the same.
    let metadata = match &classic.protocol {
        Some(protocol) => member.metadata(Some(protocol)),
        None => member.protocols.first()?.metadata.clone(),
    };
    let (_, subscription) = decode_versioned::<ConsumerProtocolSubscription>(&metadata).ok()?;
    let ms = |timeout: Duration| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let names = subscription
        .topics
        .iter()
        .map(|name| TopicName::from(name.as_str()));
    Some(Upgraded {
        id: member.id.clone(),
        assigned: decode_assignment(&member.assignment, turn)?,
        member: ConsumerMember {
            instance: member.instance.clone(),
            rack: subscription.rack_id.as_deref().map(Arc::from),
            client: member.client.clone(),
            rebalance_timeout_ms: ms(member.rebalance_timeout),
            assignor: None,
            subscription: Arc::new(Subscription {
                names: names.collect(),
                pattern: None,
                reader: None,
            }),
            classic: Some(ClassicTraits {
                session_timeout_ms: ms(member.session_timeout),
                protocols: member.protocols.clone(),
            }),
        },
    })
}

impl ConsumerGroup {
    /// The consumer group that a classic one becomes. Whoever waits there has been answered.
    pub fn upgraded(
        base: Base,
        generation: i32,
        members: Vec<Upgraded>,
        records: &mut Vec<Record>,
        turn: &Turn<'_>,
    ) -> Self {
        records.push(Record::Group(base.id.clone(), None));
        let mut group = Self::new(base);
        let mut held = std::collections::BTreeSet::new();
        for Upgraded { id, member, assigned } in members {
            group.emit(
                ConsumerRecord::Member(id.clone(), Some(Arc::new(member))),
                records,
                turn.facts,
            );
            // A leader may have given one partition to two members; here it has one owner.
            let mut own = Assignment::new();
            for (topic, partitions) in assigned {
                let free: std::collections::BTreeSet<i32> = partitions
                    .into_iter()
                    .filter(|partition| held.insert((topic, *partition)))
                    .collect();
                if !free.is_empty() {
                    own.insert(topic, free);
                }
            }
            let own = Arc::new(own);
            group.emit(
                ConsumerRecord::Target(id.clone(), Some(own.clone())),
                records,
                turn.facts,
            );
            let current = Current {
                epoch: generation,
                previous_epoch: generation,
                state: MemberState::Stable,
                assigned: Assignment::clone(&own),
                revoking: Assignment::new(),
            };
            group.emit(
                ConsumerRecord::Current(id.clone(), Some(Arc::new(current))),
                records,
                turn.facts,
            );
            group.renew_session(&id, turn);
        }
        if generation > 0 {
            group.emit(ConsumerRecord::TargetEpoch(Some(generation)), records, turn.facts);
        }
        let epoch = GroupEpoch {
            epoch: generation,
            topics: group.hash_of_topics(turn),
        };
        group.emit(ConsumerRecord::Epoch(Some(epoch)), records, turn.facts);
        group
    }

    /// Whether a member has just gone and only members of the classic protocol are left.
    pub fn take_downgradable(&mut self, turn: &Turn<'_>) -> bool {
        let has_lost = std::mem::take(&mut self.has_lost);
        let count = self.member_count();
        has_lost
            && count > 0
            && self.classic_members == count
            && count <= turn.config.group_size_max
            && turn.config.consumer.migration.downgrades()
    }

    /// Everything that is stored of it goes.
    pub fn dissolve(&self, records: &mut Vec<Record>) {
        records.extend(self.state.tombstones(&self.base.id));
    }

    /// The classic group of its members, all of which speak the classic protocol: stable, with the shares they were to have. It
    /// has no base yet.
    pub fn downgraded(&self, records: &mut Vec<Record>, turn: &Turn<'_>) -> ClassicGroup {
        self.dissolve(records);
        let base = Base::new(
            self.base.id.clone(),
            crate::group::durable::DurableGroup::default(),
        );
        let mut group = ClassicGroup::new(base, turn.now.wall_ms);
        group.generation = self.epoch();
        for (id, member) in &self.state.members {
            group.insert_member(self.downgraded_member(id, member, turn), &PROTOCOL_TYPE.into());
        }
        group.protocol = group.select_protocol();
        group.subscribed = group.read_subscriptions();
        group.state = ClassicState::Stable;
        records.push(group.metadata_record(|member| member.assignment.clone()));
        group
    }

    fn downgraded_member(&self, id: &MemberId, member: &ConsumerMember, turn: &Turn<'_>) -> Member {
        let ms = |ms: u32| Duration::from_millis(u64::from(ms));
        // All of them have these traits: that was asked before.
        let classic = member.classic.as_ref();
        let session_timeout = ms(classic.map_or(0, |classic| classic.session_timeout_ms));
        let protocols: Vec<Protocol> = classic
            .map(|classic| classic.protocols.clone())
            .unwrap_or_default();
        Member {
            id: id.clone(),
            instance: member.instance.clone(),
            client: member.client.clone(),
            session_timeout,
            rebalance_timeout: ms(member.rebalance_timeout_ms),
            assignment: encode_assignment(&self.target(id), protocols.first(), turn),
            protocols,
            is_new: false,
            awaiting_join: None,
            awaiting_sync: None,
            deadline: Some(turn.now.monotonic + session_timeout),
        }
    }
}
