//! OffsetCommit, OffsetFetch, OffsetDelete.
//!
//! Owns: who may commit what, and what a fetch shows. **Invariant**: a fetch shows durable offsets only; a commit is answered
//! after its records are durable.

use super::base::Base;
use super::group::Group;
use super::turn::Then;
use super::{Now, Shard, Turn};
use crate::group::answer::{Answer, CommittedTopic, FetchedOffset, FetchedTopic, GroupState, Output};
use crate::group::durable::DurableGroup;
use crate::group::error::{GroupError, PersistError};
use crate::group::name::{TopicId, TopicName};
use crate::group::record::{CommittedOffset, Record};
use crate::group::request::{CommitRequest, DeleteOffsetsRequest, FetchRequest, FetchTopic};
use crate::state::RequestId;
use std::collections::BTreeMap;

fn commit_failed(error: PersistError) -> Answer {
    Answer::Commit(Err(error.for_commit()))
}

fn delete_failed(error: PersistError) -> Answer {
    Answer::DeleteOffsets(Err(error.for_group()))
}

impl Shard {
    pub(super) fn commit(&mut self, id: RequestId, commit: CommitRequest, now: Now, out: &mut Vec<Output>) {
        // A committer without generation needs no members: the group comes into being with its first offset.
        let created = self.ensure_group(&commit.group, commit.generation < 0, now);
        match created {
            Ok(()) => {
                if let Some(producer) = commit.transaction
                    && let Err(error) = self.transactions.admit(producer, &commit.group)
                {
                    // A group that came into being just now goes again.
                    self.with_group(&commit.group, now, out, |_, _| {});
                    return out.push(Output::Reply(id, Answer::Commit(Err(error))));
                }
                let transactions = match self.transactions.are_open() {
                    true => OpenTransactions::MayBeOpen,
                    false => OpenTransactions::None,
                };
                self.with_group(&commit.group.clone(), now, out, |group, turn| {
                    group.commit(id, commit, transactions, turn)
                });
            }
            Err(error) => {
                let told = match error {
                    GroupError::GroupIdNotFound if !commit.group_not_found_supported => {
                        GroupError::IllegalGeneration
                    }
                    other => other,
                };
                out.push(Output::Reply(id, Answer::Commit(Err(told))));
            }
        }
    }

    /// Of a group that is not there nothing is committed; that is no error. A fetch that asks for stability also waits for
    /// the writes that were there before it, so that it sees what the same connection committed just before.
    pub(super) fn fetch(&mut self, id: RequestId, fetch: FetchRequest, now: Now, out: &mut Vec<Output>) {
        let Some(group) = self.groups.get(&fetch.group) else {
            let nothing = read_offsets(&DurableGroup::default(), &fetch);
            return out.push(Output::Reply(id, Answer::Fetch(Ok(nothing))));
        };
        if let Err(error) = group.admit_fetch(&fetch) {
            return out.push(Output::Reply(id, Answer::Fetch(Err(error))));
        }
        let base = group.base();
        if !fetch.require_stable || base.writes_in_flight == 0 {
            let offsets = read_offsets(&base.durable, &fetch);
            return out.push(Output::Reply(id, Answer::Fetch(Ok(offsets))));
        }
        self.with_group(&fetch.group.clone(), now, out, |group, turn| {
            group.base_mut().persist(Vec::new(), Then::Fetch(id, fetch), turn);
        });
    }
}

/// Whether any transaction may hold offsets in the shard: it spares the commits of the others a look at what is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenTransactions {
    None,
    MayBeOpen,
}

/// What is durable of what is asked for.
pub(super) fn read_offsets(durable: &DurableGroup, fetch: &FetchRequest) -> Vec<FetchedTopic> {
    let Some(topics) = &fetch.topics else {
        let all = durable.offsets.iter();
        return all
            .map(|(topic, offsets)| all_of_topic(durable, fetch, topic, offsets))
            .collect();
    };
    let one = |asked: &FetchTopic| {
        let read = |&partition: &i32| {
            (
                partition,
                read_offset(durable, fetch, &asked.topic, asked.topic_id, partition),
            )
        };
        FetchedTopic {
            topic: asked.topic.clone(),
            topic_id: asked.topic_id,
            partitions: asked.partitions.iter().map(read).collect(),
        }
    };
    topics.iter().map(one).collect()
}

fn read_offset(
    durable: &DurableGroup,
    fetch: &FetchRequest,
    topic: &TopicName,
    topic_id: TopicId,
    partition: i32,
) -> Result<Option<FetchedOffset>, GroupError> {
    if fetch.require_stable && durable.is_unstable(topic, partition) {
        return Err(GroupError::UnstableOffsetCommit);
    }
    Ok(durable
        .offset(topic, topic_id, partition)
        .map(|stored| FetchedOffset {
            offset: stored.offset,
            leader_epoch: stored.leader_epoch,
            metadata: stored.metadata.clone(),
        }))
}

fn all_of_topic(
    durable: &DurableGroup,
    fetch: &FetchRequest,
    topic: &TopicName,
    offsets: &BTreeMap<i32, CommittedOffset>,
) -> FetchedTopic {
    let known = offsets.values().map(|offset| offset.topic_id);
    // All ids of one name are the same, except for a moment after a topic was deleted and made anew: then the latest wins.
    let topic_id = known.max().unwrap_or_default();
    let partitions = offsets.keys().map(|&partition| {
        let offset = read_offset(durable, fetch, topic, TopicId::UNKNOWN, partition);
        (partition, offset)
    });
    FetchedTopic {
        topic: topic.clone(),
        topic_id,
        partitions: partitions.collect(),
    }
}

impl Group {
    fn commit(
        &mut self,
        request: RequestId,
        commit: CommitRequest,
        transactions: OpenTransactions,
        turn: &mut Turn<'_>,
    ) {
        if let Err(error) = self.admit_commit(&commit, turn) {
            return turn.reply(request, Answer::Commit(Err(error)));
        }
        let overtakes = commit.transaction.is_none() && transactions == OpenTransactions::MayBeOpen;
        let (mut records, topics) = self.commit_records(commit, turn);
        if overtakes {
            let overtaken = self.base().overtaken(&records, turn);
            records.extend(overtaken);
        }
        let ok = Answer::Commit(Ok(topics));
        if records.is_empty() {
            return turn.reply(request, ok);
        }
        let then = Then::Answer {
            request,
            ok,
            failed: commit_failed,
        };
        self.base_mut().persist(records, then, turn);
    }

    fn commit_records(&self, commit: CommitRequest, turn: &Turn<'_>) -> (Vec<Record>, Vec<CommittedTopic>) {
        let committed_ms = turn.now.wall_ms;
        let expires_ms = commit.retention_ms.map(|kept| committed_ms.saturating_add(kept));
        let mut records = Vec::new();
        let mut answers = Vec::with_capacity(commit.topics.len());
        for topic in commit.topics {
            let mut results = Vec::with_capacity(topic.partitions.len());
            for asked in topic.partitions {
                if asked.metadata.len() > turn.config.offset_metadata_bytes_max {
                    results.push((asked.partition, Err(GroupError::OffsetMetadataTooLarge)));
                    continue;
                }
                results.push((asked.partition, Ok(())));
                let offset = CommittedOffset {
                    offset: asked.offset,
                    leader_epoch: asked.leader_epoch,
                    committed_ms,
                    expires_ms,
                    topic_id: topic.topic_id,
                    metadata: asked.metadata,
                };
                let (group, name) = (self.base().id.clone(), topic.topic.clone());
                records.push(match commit.transaction {
                    None => Record::Offset(group, name, asked.partition, Some(offset)),
                    Some(producer) => {
                        Record::TransactionalOffset(group, producer.id, name, asked.partition, Some(offset))
                    }
                });
            }
            answers.push(CommittedTopic {
                topic: topic.topic,
                topic_id: topic.topic_id,
                partitions: results,
            });
        }
        (records, answers)
    }

    pub(super) fn delete_offsets(
        &mut self,
        request: RequestId,
        delete: DeleteOffsetsRequest,
        turn: &mut Turn<'_>,
    ) {
        let refusal = match self.state() {
            GroupState::Dead => Some(GroupError::GroupIdNotFound),
            GroupState::Empty => None,
            // Of such groups nobody can tell what their members use.
            _ if !self.knows_its_topics() => Some(GroupError::NonEmptyGroup),
            _ => None,
        };
        if let Some(error) = refusal {
            return turn.reply(request, Answer::DeleteOffsets(Err(error)));
        }
        let mut records = Vec::new();
        let mut answers = Vec::with_capacity(delete.topics.len());
        for (topic, partitions) in delete.topics {
            let consumed = self.consumes(&topic);
            let outcome = if consumed {
                Err(GroupError::GroupSubscribedToTopic)
            } else {
                Ok(())
            };
            if !consumed {
                let base = self.base();
                let held = partitions
                    .iter()
                    .filter(|&&partition| base.holds_offset(&topic, partition, turn));
                records.extend(
                    held.map(|&partition| Record::Offset(base.id.clone(), topic.clone(), partition, None)),
                );
            }
            answers.push(CommittedTopic {
                topic,
                topic_id: TopicId::UNKNOWN,
                partitions: partitions
                    .into_iter()
                    .map(|partition| (partition, outcome))
                    .collect(),
            });
        }
        let ok = Answer::DeleteOffsets(Ok(answers));
        if records.is_empty() {
            return turn.reply(request, ok);
        }
        let then = Then::Answer {
            request,
            ok,
            failed: delete_failed,
        };
        self.base_mut().persist(records, then, turn);
    }
}

impl Base {
    /// Whether the partition has an offset, or will have one when the writes under way are durable.
    fn holds_offset(&self, topic: &TopicName, partition: i32, turn: &Turn<'_>) -> bool {
        let durable = self.durable.offsets.get(topic);
        durable.is_some_and(|partitions| partitions.contains_key(&partition))
            || self.writes_offset(topic, partition, turn)
    }

    /// Whether an offset of the partition is being written. Looked up among the writes under way, which are few, and only
    /// by rare operations: an index would cost every commit.
    pub(super) fn writes_offset(&self, topic: &TopicName, partition: i32, turn: &Turn<'_>) -> bool {
        let writes = |record: &Record| matches!(record, Record::Offset(_, name, index, Some(_)) if name == topic && *index == partition);
        self.writes_in_flight > 0
            && turn
                .pending
                .iter()
                .filter(|pending| pending.group == self.id)
                .any(|pending| pending.records.iter().any(writes))
    }
}
