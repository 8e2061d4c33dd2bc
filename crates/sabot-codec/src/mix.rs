//! Which plans the messages of a block have: mostly one, but writers of an old schema and of a new
//! one often write to the same topic side by side.

use std::sync::Arc;

use sabot_decode::Payload;

use crate::plans::{PlanKey, Plans};
use crate::{BLOCK_DEFAULT_BYTES, BLOCK_PLANS, BLOCK_ROWS, Plan, PlansBy};

/// The plans of a block, and which of them each row has.
#[derive(Debug)]
pub(crate) struct Mix<P> {
    keys: Vec<PlanKey>,
    plans: Vec<Arc<P>>,
    /// Of rows to come, 0.
    plan_of: [u8; BLOCK_ROWS],
    rows: usize,
    /// Rows of the first plan before those of any other.
    run: usize,
    default_bytes: usize,
}

impl<P: Plan> Mix<P> {
    /// Rows of one plan that make a good block by themselves: a block of one plan is faster than a
    /// mixed one.
    const LONG_RUN: usize = 24;
    /// Rows that each plan of a mixed block has on average at least: with fewer the row engine is
    /// faster.
    const MIN_PLAN_ROWS: usize = 4;

    pub(crate) fn new() -> Self {
        Self {
            keys: Vec::with_capacity(BLOCK_PLANS),
            plans: Vec::with_capacity(BLOCK_PLANS),
            plan_of: [0; BLOCK_ROWS],
            rows: 0,
            run: 0,
            default_bytes: 0,
        }
    }

    /// Forgets all plans: others may be meant by their keys now.
    pub(crate) fn clear(&mut self) {
        self.keep(0);
    }

    /// Begins a block whose first row is `payload`. A plan that stays is not counted anew, which
    /// other threads that share it would feel.
    pub(crate) fn begin(&mut self, by: PlansBy, payload: &Payload<'_>) {
        let is_kept = self.keys.first().is_some_and(|key| key.is_of(by, payload));
        self.keep(usize::from(is_kept));
    }

    fn keep(&mut self, plans: usize) {
        self.keys.truncate(plans);
        self.plans.truncate(plans);
        self.default_bytes = self.plans.first().map_or(0, |plan| plan.default_bytes());
        if self.run < self.rows {
            self.plan_of.fill(0);
        }
        (self.rows, self.run) = (0, 0);
    }

    /// Adds a row, unless it does not go with the others.
    #[inline]
    pub(crate) fn add(&mut self, by: PlansBy, payload: &Payload<'_>, plans: &Plans<P>) -> bool {
        if self.keys.first().is_some_and(|key| key.is_of(by, payload)) {
            self.run += usize::from(self.keys.len() == 1);
            self.rows += 1;
            return true;
        }
        self.add_other(by, payload, plans)
    }

    fn add_other(&mut self, by: PlansBy, payload: &Payload<'_>, plans: &Plans<P>) -> bool {
        let known = self.keys.iter().position(|known| known.is_of(by, payload));
        let Some(at) = known.or_else(|| self.add_plan(plans.find(by, payload)?)) else {
            return false;
        };
        self.run += usize::from(at == 0);
        self.plan_of[self.rows] = at as u8;
        self.rows += 1;
        true
    }

    fn add_plan(&mut self, (key, plan): &(PlanKey, Arc<P>)) -> Option<usize> {
        let default_bytes = self.default_bytes + plan.default_bytes();
        let is_taken = plan.is_for_blocks()
            && self.run < Self::LONG_RUN
            && self.plans.len() < BLOCK_PLANS
            && default_bytes <= BLOCK_DEFAULT_BYTES;
        is_taken.then(|| {
            self.keys.push(key.clone());
            self.plans.push(Arc::clone(plan));
            self.default_bytes = default_bytes;
            self.plans.len() - 1
        })
    }

    /// Whether there are too many plans for so few rows.
    pub(crate) fn is_thin(&self) -> bool {
        self.plans.len() > 1 && self.rows < self.plans.len() * Self::MIN_PLAN_ROWS
    }

    pub(crate) fn plans(&self) -> &[Arc<P>] {
        &self.plans
    }

    /// The position of each row's plan among [`Mix::plans`].
    pub(crate) fn plan_of(&self) -> &[u8] {
        &self.plan_of[..self.rows]
    }
}
