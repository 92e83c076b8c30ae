//! StreamsGroupHeartbeat (88): joining a streams group with a topology, staying, learning of tasks, and leaving (KIP-1071).
//!
//! Version 0. The client makes the member id. Static members, patterns of source topics and warm-up tasks are refused, as Kafka does.
//!
//! Topics that the application needs and that are not there are made here, with the rights of who asks; then the coordinator is asked
//! again, so that the answer is that of an application whose topics are there.

use crate::access::{Operation, Resource};
use crate::api::streams_topology;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::features;
use crate::group::{
    ClientInfo, EndpointPartitions, GroupError, GroupId, MemberId, MissingTopic, StreamsBeaten,
    StreamsHeartbeat, StreamsStatus, SubtopologyId, Task, TaskSet, Tasks, TopicName, by_subtopology,
};
use crate::node::Kafka;
use crate::throttle::{CanBeTold, QUOTA_EXCEEDED};
use millstream_broker::{Dry, TopicError, TopicSpec};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::streams_group_heartbeat::{
    EndpointToPartitions, RequestTaskIds, ResponseEndpoint, ResponseTaskIds, Status,
    StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse, TopicPartition,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) struct StreamsGroupHeartbeat;

/// The lowest epoch that means anything: a static member leaves for a while.
const EPOCH_LEAVE_FOR_A_WHILE: i32 = -2;

/// Until when a member may lag behind and yet take a task over, in offsets (Kafka: acceptable.recovery.lag). Told, and of no effect:
/// nobody is assigned warm-up tasks.
const ACCEPTABLE_RECOVERY_LAG: i32 = 10_000;

/// How often members tell how far their copies are, milliseconds. Told, and of no effect, as above.
const TASK_OFFSET_INTERVAL_MS: i32 = 60_000;

type Refusal = (ErrorCode, String);

impl Api for StreamsGroupHeartbeat {
    type Request = StreamsGroupHeartbeatRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: StreamsGroupHeartbeatRequest,
    ) -> Begun<StreamsGroupHeartbeatResponse> {
        if features::level(&kafka.broker, features::STREAMS_VERSION) < 1 {
            let what = "The cluster does not support the streams group protocol.".to_owned();
            return Begun::Done(refused((ErrorCode::UNSUPPORTED_VERSION, what)));
        }
        let beat = match admit(&kafka, &call, &request) {
            Ok(beat) => beat,
            Err(refusal) => return Begun::Done(refused(refusal)),
        };
        if let Err(error) = kafka.groups.ensure_started().await {
            return Begun::Done(refused((error.code(), error.to_string())));
        }
        let first = kafka.groups.streams_heartbeat(Box::new(beat.clone())).await;
        Begun::Pending(Box::pin(async move {
            match first.await {
                Ok(beaten) if !beaten.missing.is_empty() => {
                    answer(make_topics(&kafka, &call, beat, beaten).await)
                }
                outcome => answer(outcome),
            }
        }))
    }
}

fn answer(outcome: Result<StreamsBeaten, GroupError>) -> StreamsGroupHeartbeatResponse {
    match outcome {
        Ok(beaten) => encode(beaten),
        Err(error) => refused((error.code(), error.to_string())),
    }
}

fn admit(
    kafka: &Kafka,
    call: &Call,
    request: &StreamsGroupHeartbeatRequest,
) -> Result<StreamsHeartbeat, Refusal> {
    let denied = |code| (code, "Not authorized.".to_owned());
    kafka
        .need(call, Operation::Read, Resource::Group(&request.group_id))
        .map_err(denied)?;
    check(request).map_err(|what| (ErrorCode::INVALID_REQUEST, what.to_owned()))?;
    let topology = request.topology.as_ref();
    let topology = topology.map(streams_topology::decode).transpose()?;
    for name in topology.iter().flat_map(|topology| topology.names()) {
        kafka
            .need(call, Operation::Describe, Resource::Topic(name.as_str()))
            .map_err(denied)?;
    }
    Ok(StreamsHeartbeat {
        group: GroupId::from(request.group_id.as_str()),
        member: MemberId::from(request.member_id.as_str()),
        epoch: request.member_epoch,
        endpoints_epoch: request.endpoint_information_epoch,
        instance: None,
        rack: request.rack_id.as_deref().map(Arc::from),
        client: ClientInfo {
            id: Arc::from(call.client_id.as_deref().unwrap_or_default()),
            host: Arc::from(format!("/{}", call.peer.address.ip())),
        },
        rebalance_timeout_ms: u32::try_from(request.rebalance_timeout_ms).ok(),
        topology: topology.map(Arc::new),
        owned: owned(request),
        process: request.process_id.as_deref().map(Arc::from),
        endpoint: request
            .user_endpoint
            .as_ref()
            .map(|endpoint| (Arc::from(endpoint.host.as_str()), endpoint.port)),
        tags: request.client_tags.as_ref().map(|tags| {
            let tags = tags.iter();
            tags.map(|tag| (tag.key.to_string(), tag.value.to_string()))
                .collect()
        }),
        shuts_down: request.shutdown_application,
        terms: kafka.broker.streams_group_settings(&request.group_id),
    })
}

/// In Kafka's words, which clients show to their users.
fn check(request: &StreamsGroupHeartbeatRequest) -> Result<(), &'static str> {
    let blank = |text: &Option<Str>| text.as_deref().is_some_and(|text| text.trim().is_empty());
    let has_any = |tasks: &Option<Vec<RequestTaskIds>>| tasks.as_ref().is_some_and(|all| !all.is_empty());
    let roles = [
        &request.active_tasks,
        &request.standby_tasks,
        &request.warmup_tasks,
    ];
    let told = roles.iter().filter(|role| role.is_some()).count();
    let joins = request.member_epoch == 0;
    let told_nothing = |offsets: &Option<Vec<_>>| offsets.as_ref().is_none_or(Vec::is_empty);
    match () {
        () if request.instance_id.is_some() => Err("Static membership is not yet supported."),
        () if !told_nothing(&request.task_offsets) => Err("TaskOffsets are not supported yet."),
        () if !told_nothing(&request.task_end_offsets) => Err("TaskEndOffsets are not supported yet."),
        () if has_any(&request.warmup_tasks) => Err("WarmupTasks are not supported yet."),
        () if request.member_id.trim().is_empty() => Err("MemberId can't be empty."),
        () if request.group_id.trim().is_empty() => Err("GroupId can't be empty."),
        () if blank(&request.rack_id) => Err("RackId can't be empty."),
        () if request.member_epoch < EPOCH_LEAVE_FOR_A_WHILE => {
            Err("MemberEpoch is invalid: it must be greater than or equal to -2.")
        }
        () if told != 0 && told != roles.len() => Err("If one task-type is non-null, all must be non-null."),
        () if !joins && request.topology.is_some() => Err("Topology can only be provided when (re-)joining."),
        () if !joins => Ok(()),
        () if request.rebalance_timeout_ms == -1 => {
            Err("RebalanceTimeoutMs must be provided in first request.")
        }
        () if request.topology.is_none() => Err("Topology must be non-null when (re-)joining."),
        () if told == 0 || roles.iter().any(|role| has_any(role)) => {
            Err("ActiveTasks, StandbyTasks and WarmupTasks must be empty when (re-)joining.")
        }
        () => Ok(()),
    }
}

fn owned(request: &StreamsGroupHeartbeatRequest) -> Option<Tasks> {
    let tasks = |role: &Option<Vec<RequestTaskIds>>| -> Option<TaskSet> {
        let of_part = |part: &RequestTaskIds| {
            let subtopology = SubtopologyId::from(part.subtopology_id.as_str());
            let partitions = part.partitions.clone().into_iter();
            partitions.map(move |partition| Task {
                subtopology: subtopology.clone(),
                partition,
            })
        };
        Some(role.as_ref()?.iter().flat_map(of_part).collect())
    };
    Some(Tasks {
        active: tasks(&request.active_tasks)?,
        standby: tasks(&request.standby_tasks)?,
        warmup: tasks(&request.warmup_tasks)?,
    })
}

/// Makes what is missing, and asks again; what could not be made is told with the answer that there was.
async fn make_topics(
    kafka: &Kafka,
    call: &Call,
    beat: StreamsHeartbeat,
    mut beaten: StreamsBeaten,
) -> Result<StreamsBeaten, GroupError> {
    let any = kafka.authorize(call, Operation::Create, Resource::Cluster);
    let may =
        |name: &TopicName| any || kafka.authorize(call, Operation::Create, Resource::Topic(name.as_str()));
    let denied: Vec<&str> = beaten
        .missing
        .iter()
        .filter(|topic| !may(&topic.name))
        .map(|topic| topic.name.as_str())
        .collect();
    let trouble = if denied.is_empty() {
        let mut failed = Vec::new();
        for topic in &beaten.missing {
            if let Err(why) = make(kafka, call, topic).await {
                failed.push(format!("{} ({why})", topic.name));
            }
        }
        (!failed.is_empty()).then(|| format!("; Creation failed: {}.", failed.join(", ")))
    } else {
        Some(format!(
            "; Unauthorized to CREATE on topics {}.",
            denied.join(", ")
        ))
    };
    if let Some(trouble) = trouble {
        for (status, detail) in &mut beaten.statuses {
            if *status == StreamsStatus::MissingInternalTopics {
                detail.push_str(&trouble);
            }
        }
        return Ok(beaten);
    }
    // The member as it is by now. It has seen nothing of the first answer: what that said of tasks is said again, and nothing that it
    // was to give back is given back.
    let again = StreamsHeartbeat {
        epoch: beaten.epoch,
        topology: None,
        owned: beat.owned.clone(),
        ..beat
    };
    let mut second = kafka.groups.streams_heartbeat(Box::new(again)).await.await?;
    second.assignment = second.assignment.or(beaten.assignment);
    Ok(second)
}

/// Makes one topic, which counts against the quota as if the member had asked for it itself (KIP-599); or says why not.
async fn make(kafka: &Kafka, call: &Call, missing: &MissingTopic) -> Result<(), String> {
    if kafka.broker.topic(missing.name.as_str()).is_some() {
        return Ok(());
    }
    if call.mutate(missing.topic.partitions, CanBeTold::Yes).is_err() {
        return Err(QUOTA_EXCEEDED.to_owned());
    }
    let configs = missing.topic.configs.iter();
    let spec = TopicSpec {
        name: missing.name.to_string(),
        partitions: Some(missing.topic.partitions),
        configs: configs
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect(),
    };
    match kafka.broker.create_topic(&spec, Dry::Run).await {
        // Another member's heartbeat was faster.
        Ok(_) | Err(TopicError::Exists(_)) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn encode(beaten: StreamsBeaten) -> StreamsGroupHeartbeatResponse {
    let role = |choose: fn(&Tasks) -> &TaskSet| {
        let tasks = beaten.assignment.as_ref()?;
        let parts = by_subtopology(choose(tasks)).into_iter();
        let told = parts.map(|(id, partitions)| ResponseTaskIds {
            subtopology_id: Str::from(id),
            partitions,
        });
        Some(told.collect())
    };
    let status = |(code, detail): &(StreamsStatus, String)| Status {
        status_code: *code as i8,
        status_detail: Str::from(detail.as_str()),
    };
    StreamsGroupHeartbeatResponse {
        member_id: Str::from(beaten.member.as_str()),
        member_epoch: beaten.epoch,
        heartbeat_interval_ms: i32::try_from(beaten.interval.as_millis()).unwrap_or(i32::MAX),
        acceptable_recovery_lag: ACCEPTABLE_RECOVERY_LAG,
        task_offset_interval_ms: TASK_OFFSET_INTERVAL_MS,
        status: Some(beaten.statuses.iter().map(status).collect()),
        active_tasks: role(|tasks| &tasks.active),
        standby_tasks: role(|tasks| &tasks.standby),
        warmup_tasks: role(|tasks| &tasks.warmup),
        endpoint_information_epoch: beaten.endpoints_epoch,
        partitions_by_user_endpoint: beaten
            .endpoints
            .as_ref()
            .map(|rows| rows.iter().map(endpoint).collect()),
        ..Default::default()
    }
}

fn endpoint(row: &EndpointPartitions) -> EndpointToPartitions {
    let partitions = |topics: &BTreeMap<TopicName, BTreeSet<i32>>| {
        let topics = topics.iter();
        topics
            .map(|(topic, partitions)| TopicPartition {
                topic: Str::from(topic.as_str()),
                partitions: partitions.iter().copied().collect(),
            })
            .collect()
    };
    EndpointToPartitions {
        user_endpoint: ResponseEndpoint {
            host: Str::from(&*row.endpoint.0),
            port: row.endpoint.1,
        },
        active_partitions: partitions(&row.active),
        standby_partitions: partitions(&row.standby),
    }
}

fn refused((code, message): Refusal) -> StreamsGroupHeartbeatResponse {
    StreamsGroupHeartbeatResponse {
        error_code: code.0,
        error_message: Some(Str::from(message)),
        ..Default::default()
    }
}
