//! The simulated ports keep the promises of their ports: else a failure would be the simulator's.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millstream_log::objects::conformance as objects;
use millstream_meta::conformance as meta;
use millstream_meta::store::MetaStore;
use millstream_sim::meta::{MetaFaults, SimMeta};
use millstream_sim::objects::{ObjectFaults, SimObjects};
use millstream_sim::trace::Lines;
use millstream_sim::world::{CrashPlan, Pace, World};
use std::sync::Arc;
use std::time::Duration;

const PACE: Pace = Pace {
    turns_max: 3,
    slow_rate: 2_000,
    slow_ms_max: 20,
    stall_rate: 0,
    stall_ms_max: 0,
};

fn in_a_life<T>(test: impl AsyncFnOnce(Arc<World>) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without IO");
    let world = World::new(1, Lines::Tail(100));
    runtime.block_on(async {
        world.begin_life(CrashPlan::Never);
        test(world).await
    })
}

#[test]
fn the_simulated_object_store_keeps_the_promises_of_its_port() {
    in_a_life(async |world| {
        let store = SimObjects::new(world, PACE, ObjectFaults::default(), None);
        objects::check(&*store).await;
    });
}

struct MetaWorld {
    store: Arc<SimMeta>,
}

impl meta::World for MetaWorld {
    fn store(&self) -> Arc<dyn MetaStore> {
        self.store.clone()
    }

    fn pass_time(&self, time: Duration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(time).boxed()
    }

    fn compact(&self) -> BoxFuture<'_, ()> {
        async { self.store.compact() }.boxed()
    }
}

#[test]
fn the_simulated_metadata_store_keeps_the_promises_of_its_port() {
    in_a_life(async |world| {
        let fresh = || {
            let world = world.clone();
            async move {
                let store = SimMeta::new(world, PACE, MetaFaults::default());
                Box::new(MetaWorld { store }) as Box<dyn meta::World>
            }
            .boxed()
        };
        meta::check_metadata_store(&fresh).await;
    });
}
