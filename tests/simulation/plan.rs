//! What a seed decides: who is there, how they reach each other, what people do and when, and how bad the weather is.

use fenghuo_durable::SpaceId;
use uuid::Uuid;

use crate::shared::Odds;

/// What people and circumstances do.
#[derive(Debug, Clone)]
pub enum Action {
    Notify {
        from: usize,
        to: usize,
        space: SpaceId,
        count: usize,
    },
    Acknowledge {
        from: usize,
        to: usize,
        space: SpaceId,
    },
    Crash {
        node: usize,
    },
    Snapshot {
        node: usize,
    },
    /// `marked`: the operator says so, and the node recovers before it writes.
    Restore {
        node: usize,
        marked: bool,
    },
    Rotate {
        node: usize,
    },
    Cut {
        one: usize,
        other: usize,
        for_ms: u64,
    },
}

/// How two provinces reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Each calls the other.
    Both,
    /// Only the first can call: it delivers and fetches.
    Gate,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub nodes: usize,
    pub spaces: Vec<SpaceId>,
    pub pairs: Vec<(usize, usize, Way)>,
    pub odds: Odds,
    pub actions: Vec<(u64, Action)>,
    /// From now on the network is whole, and nothing crashes.
    pub heal_ms: u64,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let nodes = if rng.u8(0..4) == 0 { rng.usize(3..=6) } else { 2 };
        let exercise = SpaceId::Exercise(Uuid::from_u128(0x1234));
        let spaces = if rng.u8(0..4) == 0 { vec![SpaceId::Real, exercise] } else { vec![SpaceId::Real] };
        let mut pairs = Vec::new();
        for one in 0..nodes {
            for other in one + 1..nodes {
                if other == one + 1 || rng.u8(0..3) == 0 {
                    let way = if rng.u8(0..4) == 0 { Way::Gate } else { Way::Both };
                    pairs.push(if rng.bool() { (one, other, way) } else { (other, one, way) });
                }
            }
        }
        let heal_ms = rng.u64(3_000..20_000);
        let odds = Odds {
            loss: pick(&mut rng, &[0, 0, 500, 2000]),
            repeat: pick(&mut rng, &[0, 200, 2000]),
            late: pick(&mut rng, &[0, 200, 2000]),
            crash: pick(&mut rng, &[0, 0, 20, 100]),
            rerun: pick(&mut rng, &[0, 500]),
            store_error: pick(&mut rng, &[0, 0, 100]),
        };
        let mut plan = Self { nodes, spaces, pairs, odds, actions: Vec::new(), heal_ms };
        plan.draw_actions(&mut rng);
        plan
    }

    fn draw_actions(&mut self, rng: &mut fastrand::Rng) {
        // Each seed has its own temper: many have no restores or no rotations at all.
        let (restores, rotations, cuts, crashes) = (rng.usize(0..4), rng.usize(0..4), rng.usize(0..4), rng.usize(0..4));
        for _ in 0..rng.usize(4..40) {
            let (one, other, _) = self.pairs[rng.usize(0..self.pairs.len())];
            let (from, to) = if rng.bool() { (one, other) } else { (other, one) };
            let space = self.spaces[rng.usize(0..self.spaces.len())];
            let count = if rng.u8(0..20) == 0 { rng.usize(60..140) } else { rng.usize(1..5) };
            let action =
                if rng.u8(0..4) == 0 { Action::Acknowledge { from, to, space } } else { Action::Notify { from, to, space, count } };
            self.add(rng, action);
        }
        for _ in 0..crashes {
            let node = rng.usize(0..self.nodes);
            self.add(rng, Action::Crash { node });
        }
        for _ in 0..rotations {
            let node = rng.usize(0..self.nodes);
            self.add(rng, Action::Rotate { node });
        }
        for _ in 0..cuts {
            let (one, other, _) = self.pairs[rng.usize(0..self.pairs.len())];
            let for_ms = rng.u64(100..6000);
            self.add(rng, Action::Cut { one, other, for_ms });
        }
        for _ in 0..restores {
            let node = rng.usize(0..self.nodes);
            let taken_ms = rng.u64(0..self.heal_ms);
            let marked = rng.u8(0..8) > 0;
            self.actions.push((taken_ms, Action::Snapshot { node }));
            self.actions.push((rng.u64(taken_ms..self.heal_ms), Action::Restore { node, marked }));
        }
    }

    fn add(&mut self, rng: &mut fastrand::Rng, action: Action) {
        self.actions.push((rng.u64(0..self.heal_ms), action));
    }

    pub fn partners_of(&self, node: usize) -> Vec<usize> {
        let of = |pair: &(usize, usize, Way)| match *pair {
            (one, other, _) if one == node => Some(other),
            (one, other, _) if other == node => Some(one),
            _ => None,
        };
        self.pairs.iter().filter_map(of).collect()
    }

    /// Whom a node can call.
    pub fn called_by(&self, node: usize) -> Vec<usize> {
        let called = |pair: &(usize, usize, Way)| match *pair {
            (one, other, _) if one == node => Some(other),
            (one, other, Way::Both) if other == node => Some(one),
            _ => None,
        };
        self.pairs.iter().filter_map(called).collect()
    }

    pub fn pulls(&self, node: usize, partner: usize) -> bool {
        self.pairs.contains(&(node, partner, Way::Gate))
    }
}

fn pick(rng: &mut fastrand::Rng, of: &[u32]) -> u32 {
    of[rng.usize(0..of.len())]
}
