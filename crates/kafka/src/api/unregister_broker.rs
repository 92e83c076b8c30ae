//! UnregisterBroker (64): takes a broker that is gone for good off the list (`kafka-cluster.sh unregister`, KIP-500).
//!
//! Version 0, flexible. Brokers here hold nothing that only they have, so none stays on the list when it has gone: an id that is not
//! this broker's is not registered. This broker itself is alive, and would be on the list again at once: that is refused rather than
//! answered as done.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use std::sync::Arc;

pub(crate) struct UnregisterBroker;

impl Api for UnregisterBroker {
    type Request = UnregisterBrokerRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: UnregisterBrokerRequest,
    ) -> Begun<UnregisterBrokerResponse> {
        let (code, message) = refusal(&kafka, &call, request.broker_id);
        Begun::Done(UnregisterBrokerResponse {
            error_code: code.0,
            error_message: Some(Str::from(message)),
            ..Default::default()
        })
    }
}

fn refusal(kafka: &Kafka, call: &Call, id: i32) -> (ErrorCode, String) {
    if let Err(code) = kafka.need(call, Operation::Alter, Resource::Cluster) {
        return (code, "Cluster authorization failed.".to_owned());
    }
    if u32::try_from(id) == Ok(kafka.broker.id()) {
        let what = format!("Broker {id} is alive. Stop it, and it is no longer registered.");
        return (ErrorCode::INVALID_REQUEST, what);
    }
    let what = format!("Broker ID {id} is not currently registered");
    (ErrorCode::BROKER_ID_NOT_REGISTERED, what)
}
