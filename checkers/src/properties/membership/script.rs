//! A cluster acted out by hand, for the tests of the properties of membership.

use tribunal_histories::{
    Cause, Claim, Facet, LogView, Logs, MemberStatus, MemberView, MembersView, MessageView, NodeId,
    Observation, Ownership, Report, Retraction, View,
};

use crate::properties::{Monitor, Violation};

pub(super) const N1: NodeId = NodeId(0);
pub(super) const N2: NodeId = NodeId(1);
pub(super) const N3: NodeId = NodeId(2);
pub(super) const N4: NodeId = NodeId(3);
pub(super) const N5: NodeId = NodeId(4);

/// How many ticks a report counts.
const WINDOW: u64 = 4;

#[derive(Clone, Debug)]
struct Actor {
    members: Vec<MemberView>,
    reports: Vec<Report>,
    now: u64,
    slots: Vec<Ownership>,
}

struct NoLogs(usize);

impl Logs for NoLogs {
    fn nodes(&self) -> usize {
        self.0
    }

    fn log(&self, _node: NodeId) -> LogView<'_> {
        LogView::default()
    }

    fn durable_log(&self, _node: NodeId) -> LogView<'_> {
        LogView::default()
    }
}

/// A cluster and the monitor that watches it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    actors: Vec<Actor>,
    retraction: Retraction,
    monitor: Monitor,
}

impl Script {
    /// All nodes are members and know each other; n1 owns the slot.
    pub(super) fn begin(nodes: usize, retraction: Retraction) -> Self {
        let member = |member| MemberView {
            member,
            generation: 1,
            incarnation: 0,
            status: MemberStatus::Alive,
            votes: true,
        };
        let actor = Actor {
            members: NodeId::all(nodes).map(member).collect(),
            reports: Vec::new(),
            now: 0,
            slots: vec![Ownership {
                epoch: 1,
                owner: N1,
            }],
        };
        let mut script = Self {
            actors: vec![actor; nodes],
            retraction,
            monitor: Monitor::of("membership").unwrap(),
        };
        for node in NodeId::all(nodes) {
            script.observe(node, Cause::Boot, &[]);
        }
        script
    }

    fn observe(&mut self, node: NodeId, cause: Cause, sent: &[MessageView]) {
        let actor = &self.actors[node.index()];
        let facet = Facet::Members(MembersView {
            members: &actor.members,
            retraction: self.retraction,
            reports: &actor.reports,
            now: actor.now,
            window: WINDOW,
            slots: &actor.slots,
        });
        let view = View {
            facet: if cause == Cause::Crash {
                Facet::None
            } else {
                facet
            },
            ..View::default()
        };
        self.monitor.observe(&Observation {
            node,
            cause,
            view,
            sent,
            logs: &NoLogs(self.actors.len()),
        });
    }

    fn send(&mut self, from: NodeId, to: NodeId, claim: Claim) {
        let message = MessageView {
            to,
            term: 0,
            grants_vote: false,
            claims: vec![claim],
        };
        self.observe(from, Cause::Step, &[message]);
    }

    fn belief(&mut self, node: NodeId, member: NodeId) -> &mut MemberView {
        &mut self.actors[node.index()].members[member.index()]
    }

    /// A node changes what it believes.
    pub(super) fn set(
        &mut self,
        node: NodeId,
        member: NodeId,
        change: impl FnOnce(&mut MemberView),
    ) {
        change(self.belief(node, member));
        self.observe(node, Cause::Step, &[]);
    }

    pub(super) fn suspect(&mut self, node: NodeId, member: NodeId) {
        self.set(node, member, |belief| belief.status = MemberStatus::Suspect);
    }

    /// A node tells another what it believes of a member.
    pub(super) fn tell(&mut self, from: NodeId, to: NodeId, member: NodeId) {
        let claim = Claim::Member(*self.belief(from, member));
        self.send(from, to, claim);
    }

    /// A node reports to another that it suspects a member, and that one keeps the report.
    pub(super) fn report(&mut self, by: NodeId, to: NodeId, about: NodeId) {
        self.belief(by, about).status = MemberStatus::Suspect;
        self.tell(by, to, about);
        self.forge_report(by, to, about);
    }

    /// A node has a report that it did not get.
    pub(super) fn forge_report(&mut self, by: NodeId, to: NodeId, about: NodeId) {
        let actor = &mut self.actors[to.index()];
        let at = actor.now;
        actor.reports.push(Report { about, by, at });
        self.observe(to, Cause::Step, &[]);
    }

    /// Ticks of a node pass, and nothing else happens.
    pub(super) fn pass(&mut self, node: NodeId, ticks: u64) {
        self.actors[node.index()].now += ticks;
        self.observe(node, Cause::Step, &[]);
    }

    /// A node marks a member as failed and tells everyone.
    pub(super) fn convict(&mut self, node: NodeId, member: NodeId) {
        self.set(node, member, |belief| belief.status = MemberStatus::Dead);
        let generation = self.belief(node, member).generation;
        for to in NodeId::all(self.actors.len()).filter(|to| *to != node) {
            self.send(node, to, Claim::Gone { member, generation });
        }
    }

    /// A node believes what it was told.
    pub(super) fn adopt(&mut self, node: NodeId, member: NodeId) {
        self.set(node, member, |belief| belief.status = MemberStatus::Dead);
    }

    /// A node hears from a member.
    pub(super) fn clear(&mut self, node: NodeId, member: NodeId) {
        self.set(node, member, |belief| belief.status = MemberStatus::Alive);
    }

    /// A node asks another to reach a member.
    pub(super) fn ask(&mut self, node: NodeId, helper: NodeId, member: NodeId) {
        self.send(node, helper, Claim::AskedToReach(member));
    }

    /// A member takes a new incarnation.
    pub(super) fn refute(&mut self, member: NodeId) {
        self.set(member, member, |own| own.incarnation += 1);
    }

    /// A node takes over what a member says of itself.
    pub(super) fn believe_refuted(&mut self, node: NodeId, member: NodeId) {
        let own = *self.belief(member, member);
        self.set(node, member, |belief| *belief = own);
    }

    pub(super) fn remove(&mut self, node: NodeId, member: NodeId) {
        self.set(node, member, |belief| belief.status = MemberStatus::Removed);
    }

    /// A member that was removed begins a new life.
    pub(super) fn live_again(&mut self, member: NodeId) {
        self.set(member, member, |own| {
            own.generation += 1;
            own.status = MemberStatus::Alive;
        });
    }

    pub(super) fn learn_life(&mut self, node: NodeId, member: NodeId) {
        self.believe_refuted(node, member);
    }

    /// A node has no entry for a member any more.
    pub(super) fn forget(&mut self, node: NodeId, member: NodeId) {
        let members = &mut self.actors[node.index()].members;
        members.retain(|known| known.member != member);
        self.observe(node, Cause::Step, &[]);
    }

    pub(super) fn own(&mut self, node: NodeId, slot: usize, epoch: u64) {
        self.learn_slot(node, slot, node, epoch);
    }

    pub(super) fn learn_slot(&mut self, node: NodeId, slot: usize, owner: NodeId, epoch: u64) {
        self.actors[node.index()].slots[slot] = Ownership { epoch, owner };
        self.observe(node, Cause::Step, &[]);
    }

    /// These members have no vote.
    pub(super) fn make_replicas(&mut self, replicas: &[NodeId]) {
        for node in NodeId::all(self.actors.len()) {
            for replica in replicas {
                self.belief(node, *replica).votes = false;
            }
        }
    }

    /// A node crashes and starts again with what it knew.
    pub(super) fn restart(&mut self, node: NodeId) {
        self.restart_as(node, |_| {});
    }

    /// A node crashes and starts again with something else to say of itself.
    pub(super) fn restart_as(&mut self, node: NodeId, change: impl FnOnce(&mut MemberView)) {
        self.observe(node, Cause::Crash, &[]);
        change(self.belief(node, node));
        self.observe(node, Cause::Boot, &[]);
    }

    #[track_caller]
    pub(super) fn assert_holds(&self) {
        assert_eq!(self.monitor.violations(), &[]);
    }

    /// The last observation broke one property and no other.
    #[track_caller]
    pub(super) fn assert_breaks(&self, property: &str) -> &Violation {
        let [violation] = self.monitor.violations() else {
            panic!(
                "one violation was expected: {:#?}",
                self.monitor.violations()
            );
        };
        assert_eq!(violation.property, property, "{violation}");
        violation
    }

    /// The last observation broke one property and no other, for the reason given.
    #[track_caller]
    pub(super) fn assert_says(&self, property: &str, sentence: &str) {
        assert_eq!(self.assert_breaks(property).sentence, sentence);
    }

    /// How often a property was put to the test.
    pub(super) fn exercised(&self, property: &str) -> u64 {
        let mut exercises = self.monitor.exercised();
        exercises
            .find(|exercise| exercise.property == property)
            .unwrap()
            .count
    }
}
