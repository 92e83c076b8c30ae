//! A client of the new protocol: it takes what it is given, gives back what it is told to, and says what it has.

use crate::group::tests::harness::*;
use crate::group::*;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Client {
    pub group: String,
    pub id: MemberId,
    pub instance: Option<InstanceId>,
    pub epoch: i32,
    pub names: Vec<TopicName>,
    pub pattern: Option<Arc<str>>,
    pub reader: Option<PatternReader>,
    pub assignor: Option<Assignor>,
    /// What it works on.
    pub owned: Assignment,
    /// What it was last told to have.
    pub assigned: Assignment,
}

impl Client {
    pub fn new(id: &str, names: &[&str]) -> Self {
        Self {
            group: "g".to_owned(),
            id: id.into(),
            instance: None,
            epoch: 0,
            names: names.iter().map(|name| TopicName::from(*name)).collect(),
            pattern: None,
            reader: None,
            assignor: None,
            owned: Assignment::new(),
            assigned: Assignment::new(),
        }
    }

    pub fn fixed(id: &str, instance: &str, names: &[&str]) -> Self {
        Self {
            instance: Some(instance.into()),
            ..Self::new(id, names)
        }
    }

    pub fn request(&self) -> ConsumerHeartbeat {
        let joins = self.epoch == 0;
        ConsumerHeartbeat {
            group: self.group.as_str().into(),
            member: self.id.clone(),
            epoch: self.epoch,
            instance: self.instance.clone(),
            rack: None,
            client: ClientInfo {
                id: Arc::from("client"),
                host: Arc::from("/127.0.0.1"),
            },
            rebalance_timeout_ms: joins.then_some(60_000),
            subscribed: joins.then(|| self.names.clone()),
            // The empty pattern says that there is none any more; without a word the member would keep what it had under its id.
            pattern: joins.then(|| self.pattern.clone().unwrap_or_default()),
            reader: self.reader.clone(),
            assignor: self.assignor.filter(|_| joins),
            owned: match joins {
                true => Some(Assignment::new()),
                // A client says what it has once it has started all that it was given; before, it would seem to have given back
                // what it is about to start.
                false => self.has_started().then(|| self.owned.clone()),
            },
        }
    }

    fn has_started(&self) -> bool {
        let mut told = self.assigned.iter();
        told.all(|(topic, partitions)| {
            self.owned
                .get(topic)
                .is_some_and(|owned| partitions.is_subset(owned))
        })
    }

    pub fn ask(&self, world: &mut World) -> RequestId {
        world.ask(Request::ConsumerHeartbeat(self.request()))
    }

    /// Learns from an answer.
    pub fn learn(&mut self, beaten: &Beaten) {
        self.epoch = beaten.epoch;
        if let Some(assigned) = &beaten.assignment {
            self.assigned.clone_from(assigned);
        }
    }

    /// Stops what is no longer its own, starts what is.
    pub fn adopt(&mut self) {
        self.owned.clone_from(&self.assigned);
    }

    /// One heartbeat, its answer taken to heart at once.
    pub fn beat(&mut self, world: &mut World) -> Result<Beaten, GroupError> {
        if self.epoch == 0 {
            self.owned.clear();
            self.assigned.clear();
        }
        let id = self.ask(world);
        let answered = outcome(world, id);
        if let Ok(beaten) = &answered {
            self.learn(beaten);
            self.adopt();
        }
        answered
    }

    pub fn leave(&mut self, world: &mut World, epoch: i32) -> Result<Beaten, GroupError> {
        self.epoch = epoch;
        let id = self.ask(world);
        self.owned.clear();
        self.assigned.clear();
        outcome(world, id)
    }

    pub fn count(&self) -> usize {
        self.owned.values().map(std::collections::BTreeSet::len).sum()
    }
}

pub fn outcome(world: &World, id: RequestId) -> Result<Beaten, GroupError> {
    match &world.answers[&id] {
        Answer::ConsumerHeartbeat(outcome) => outcome.clone(),
        other => panic!("no heartbeat of a consumer group: {other:?}"),
    }
}

pub fn described(world: &mut World) -> Result<DescribedConsumerGroup, GroupError> {
    let id = world.ask(Request::DescribeConsumer("g".into()));
    match &world.answers[&id] {
        Answer::DescribeConsumer(outcome) => outcome.clone(),
        other => panic!("no description: {other:?}"),
    }
}

/// Heartbeats in turns until everybody has what it is to have.
pub fn settle(world: &mut World, clients: &mut [Client]) {
    for _ in 0..20 {
        for client in clients.iter_mut() {
            client.beat(world).unwrap();
        }
        if described(world).unwrap().state == GroupState::Stable {
            return;
        }
    }
    panic!("the group does not settle: {:?}", described(world));
}

pub fn world(topics: &[(&str, u32)]) -> World {
    let world = World::new(quick());
    for (name, partitions) in topics {
        world.facts.put(name, *partitions, 1);
    }
    world
}
