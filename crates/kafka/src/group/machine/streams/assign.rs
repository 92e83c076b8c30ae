//! Which member is to have which tasks (Kafka: the assignor "sticky").
//!
//! Owns: the choice, a pure function. Never: the way there (`reconcile`).
//!
//! **Invariant**: every task is active with exactly one member; its copies lie with other processes, one each, as many as are asked
//! for and there are processes; no member has more active tasks of an application than its even share, rounded up.
//!
//! A task stays with the member that has it, else goes to one whose process keeps a copy of its state, else to the process with the
//! fewest tasks for its threads.

use crate::group::name::{MemberId, SubtopologyId};
use crate::group::record::{Task, Tasks};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is to be assigned.
pub(super) struct Spec<'a> {
    /// Members, their processes, and what they were to have so far.
    pub members: Vec<(&'a MemberId, Arc<str>, &'a Tasks)>,
    /// How many tasks each part has.
    pub tasks: &'a BTreeMap<SubtopologyId, u32>,
    /// Parts that keep state.
    pub stateful: BTreeSet<&'a SubtopologyId>,
    /// Copies of each task that keeps state.
    pub standby_replicas: u32,
}

/// The share of each member, in the order of the members.
pub(super) fn assign(spec: &Spec<'_>) -> Vec<Tasks> {
    if spec.members.is_empty() {
        return Vec::new();
    }
    let mut board = Board::new(spec);
    let all = tasks(spec);
    let (stateful, stateless): (Vec<&Task>, Vec<&Task>) = all
        .iter()
        .partition(|task| spec.stateful.contains(&task.subtopology));
    // State is dear: tasks that have some choose first, and are spread evenly by themselves.
    board.active_max = stateful.len().div_ceil(spec.members.len());
    board.place_active(&stateful);
    board.active_max = all.len().div_ceil(spec.members.len());
    board.place_active(&stateless);
    for task in &stateful {
        board.place_standbys(task);
    }
    board.shares
}

fn tasks(spec: &Spec<'_>) -> Vec<Task> {
    let of_part = |(id, count): (&SubtopologyId, &u32)| {
        let id = id.clone();
        (0..i32::try_from(*count).unwrap_or(i32::MAX)).map(move |partition| Task {
            subtopology: id.clone(),
            partition,
        })
    };
    spec.tasks.iter().flat_map(of_part).collect()
}

/// Who has what so far.
struct Board<'a> {
    spec: &'a Spec<'a>,
    shares: Vec<Tasks>,
    /// Members of each process.
    processes: BTreeMap<&'a str, Vec<usize>>,
    /// Tasks that a process has in any role.
    taken: BTreeSet<(&'a str, Task)>,
    /// Who was to have a task so far.
    was_active: BTreeMap<&'a Task, usize>,
    was_standby: BTreeMap<&'a Task, Vec<usize>>,
    /// Active tasks that a member may have at most, of those placed so far and now.
    active_max: usize,
    /// Copies that a member keeps only because it has kept them so far.
    standby_max: usize,
}

impl<'a> Board<'a> {
    fn new(spec: &'a Spec<'a>) -> Self {
        let mut board = Self {
            spec,
            shares: vec![Tasks::default(); spec.members.len()],
            processes: BTreeMap::new(),
            taken: BTreeSet::new(),
            was_active: BTreeMap::new(),
            was_standby: BTreeMap::new(),
            active_max: 0,
            standby_max: 0,
        };
        for (place, (_, process, had)) in spec.members.iter().enumerate() {
            board.processes.entry(process).or_default().push(place);
            board
                .was_active
                .extend(had.active.iter().map(|task| (task, place)));
            for task in &had.standby {
                board.was_standby.entry(task).or_default().push(place);
            }
        }
        let stateful = spec.tasks.iter().filter(|(id, _)| spec.stateful.contains(id));
        let copies: usize = stateful.map(|(_, count)| *count as usize).sum();
        let copies = copies * spec.standby_replicas as usize;
        board.standby_max = copies.div_ceil(spec.members.len());
        board
    }

    fn process(&self, place: usize) -> &'a str {
        &self.spec.members[place].1
    }

    fn place_active(&mut self, tasks: &[&Task]) {
        let mut rest = Vec::new();
        for task in tasks {
            match self.was_active.get(*task).copied() {
                Some(place) if self.shares[place].active.len() < self.active_max => {
                    self.give_active(task, place);
                }
                _ => rest.push(*task),
            }
        }
        let mut homeless = Vec::new();
        for task in rest {
            // Whoever keeps a copy need not fetch it; of its process's threads the idlest.
            let copies = self.was_standby.get(task).cloned().unwrap_or_default();
            let threads = copies
                .iter()
                .flat_map(|copy| self.processes[self.process(*copy)].clone());
            let idlest = threads.min_by_key(|place| (self.shares[*place].active.len(), *place));
            match idlest {
                Some(place) if self.shares[place].active.len() < self.active_max => {
                    self.give_active(task, place);
                }
                _ => homeless.push(task),
            }
        }
        for task in homeless {
            let idlest = (0..self.shares.len()).min_by_key(|place| {
                let threads = &self.processes[self.process(*place)];
                let of_process: usize = threads.iter().map(|one| self.shares[*one].active.len()).sum();
                let own = self.shares[*place].active.len();
                // The process's load for each of its threads, without fractions.
                let load = of_process * 1_000 / threads.len();
                (own >= self.active_max, load, own, *place)
            });
            if let Some(place) = idlest {
                self.give_active(task, place);
            }
        }
    }

    fn give_active(&mut self, task: &Task, place: usize) {
        self.taken.insert((self.process(place), task.clone()));
        self.shares[place].active.insert(task.clone());
    }

    fn place_standbys(&mut self, task: &Task) {
        let had = self.was_standby.get(task).cloned().unwrap_or_default();
        let was_active = self.was_active.get(task).copied();
        for _ in 0..self.spec.standby_replicas {
            let is_free = |place: &usize| !self.taken.contains(&(self.process(*place), task.clone()));
            let chosen = (0..self.shares.len()).filter(is_free).min_by_key(|place| {
                let share = &self.shares[*place];
                // It has the state already: as a copy, or since it was active there.
                let has_state = had.contains(place) || was_active == Some(*place);
                let stays = has_state && share.standby.len() < self.standby_max;
                (!stays, share.active.len() + share.standby.len(), *place)
            });
            let Some(place) = chosen else {
                return;
            };
            self.taken.insert((self.process(place), task.clone()));
            self.shares[place].standby.insert(task.clone());
        }
    }
}
