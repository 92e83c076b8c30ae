//! The JSON API under /api/v1. Read-only; described by /api/v1/openapi.json, which is derived from these very handlers.

use crate::http::Readiness;
use crate::source::{
    BrokerInfo, ConfigInfo, GroupDetail, GroupInfo, GroupOffset, MemberInfo, PartitionInfo, Source,
    TopicDetail, TopicInfo,
};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

/// The description of the API.
#[derive(OpenApi)]
#[openapi(
    info(title = "Millstream admin API", description = "What a broker knows of itself. Read-only."),
    servers((url = "/api/v1")),
    paths(broker, configs, topics, topic, groups, group),
    components(schemas(
        BrokerInfo, ConfigInfo, TopicInfo, TopicDetail, PartitionInfo, GroupInfo, GroupDetail, GroupOffset, MemberInfo,
        Problem
    ))
)]
struct Description;

/// Routes below /api/v1.
pub fn routes() -> Router<Readiness> {
    Router::new()
        .route("/broker", get(broker))
        .route("/configs", get(configs))
        .route("/topics", get(topics))
        .route("/topics/{name}", get(topic))
        .route("/groups", get(groups))
        .route("/groups/{id}", get(group))
        .route("/openapi.json", get(description))
}

/// Why a request was not answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What is wrong, for a person.
    error: String,
}

fn problem(status: StatusCode, error: String) -> Response {
    (status, Json(Problem { error })).into_response()
}

/// The answer for every path that is none.
pub async fn unknown_route() -> Response {
    let what = "there is nothing here; the API is described at /api/v1/openapi.json";
    problem(StatusCode::NOT_FOUND, what.to_owned())
}

/// The broker, once it can be asked.
pub struct Ready(pub Arc<dyn Source>);

impl FromRequestParts<Readiness> for Ready {
    type Rejection = Response;

    async fn from_request_parts(_: &mut Parts, readiness: &Readiness) -> Result<Self, Response> {
        match readiness.source() {
            Some(source) => Ok(Self(source.clone())),
            None => {
                let what = "the broker is recovering its log; ask again soon".to_owned();
                Err(problem(StatusCode::SERVICE_UNAVAILABLE, what))
            }
        }
    }
}

async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// This broker.
#[utoipa::path(get, path = "/broker", responses((status = 200, body = BrokerInfo)))]
async fn broker(Ready(source): Ready) -> Json<BrokerInfo> {
    Json(source.broker())
}

/// The broker's settings in force.
#[utoipa::path(get, path = "/configs", responses((status = 200, body = [ConfigInfo])))]
async fn configs(Ready(source): Ready) -> Json<Vec<ConfigInfo>> {
    Json(source.configs())
}

/// All topics, sorted by name.
#[utoipa::path(get, path = "/topics", responses((status = 200, body = [TopicInfo])))]
async fn topics(Ready(source): Ready) -> Json<Vec<TopicInfo>> {
    Json(source.topics())
}

/// One topic: partitions with offsets and owners, and settings.
#[utoipa::path(get, path = "/topics/{name}", params(("name" = String, Path, description = "Name of the topic")),
    responses((status = 200, body = TopicDetail), (status = 404, body = Problem)))]
async fn topic(Ready(source): Ready, Path(name): Path<String>) -> Response {
    match source.topic(&name) {
        Some(topic) => Json(topic).into_response(),
        None => problem(StatusCode::NOT_FOUND, format!("there is no topic {name}")),
    }
}

/// All groups, sorted by id.
#[utoipa::path(get, path = "/groups", responses((status = 200, body = [GroupInfo])))]
async fn groups(Ready(source): Ready) -> Json<Vec<GroupInfo>> {
    Json(source.groups().await)
}

/// One group: members, and committed offsets with their lag.
#[utoipa::path(get, path = "/groups/{id}", params(("id" = String, Path, description = "Id of the group")),
    responses((status = 200, body = GroupDetail), (status = 404, body = Problem)))]
async fn group(Ready(source): Ready, Path(id): Path<String>) -> Response {
    match source.group(&id).await {
        Some(group) => Json(group).into_response(),
        None => problem(StatusCode::NOT_FOUND, format!("there is no group {id}")),
    }
}
