//! The routes, and the serving of them.

use crate::limit::LimitedListener;
use crate::source::Source;
use crate::{api, metrics};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;

/// The console: one page, no outside resource.
const CONSOLE: &str = include_str!("console.html");

/// Nothing may be loaded from elsewhere, and nobody may frame the page.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
     connect-src 'self'; img-src data:; frame-ancestors 'none'";

/// Whether the broker can be asked yet. The admin side is up before the log is recovered, so that a long recovery is seen as
/// "live, not ready" and not as a dead process.
#[derive(Clone, Default)]
pub struct Readiness(Arc<OnceLock<Arc<dyn Source>>>);

impl Readiness {
    /// From now on the broker can be asked. Only the first call counts.
    pub fn ready(&self, source: Arc<dyn Source>) {
        let _ = self.0.set(source);
    }

    pub(crate) fn source(&self) -> Option<&Arc<dyn Source>> {
        self.0.get()
    }
}

/// Serves until `stop` is done, then lets open requests finish.
///
/// # Errors
/// When the listener itself fails.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = router(readiness);
    axum::serve(LimitedListener::new(listener), router)
        .with_graceful_shutdown(stop)
        .await
}

/// All routes.
pub(crate) fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/", get(console))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics::handler))
        .nest("/api/v1", api::routes())
        .fallback(api::unknown_route)
        .with_state(readiness)
}

async fn console() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY)], Html(CONSOLE)).into_response()
}

/// Live: the process answers.
async fn health() -> &'static str {
    "live\n"
}

/// Ready: recovery is over and clients are served.
async fn ready(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    match readiness.source() {
        Some(_) => (StatusCode::OK, "ready\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "recovering\n"),
    }
}
