//! Which plans the messages of a block have: mostly one, but writers of an old schema and of a new one often write to the
//! same topic side by side.

use std::sync::Arc;

use sabot_decode::SchemaKey;

use crate::plan::{BLOCK_DEFAULT_BYTES, BLOCK_PLANS, BLOCK_ROWS, Plan};

/// The plans of a block, and which of them each row has.
#[derive(Debug)]
pub(crate) struct Mix {
    keys: Vec<SchemaKey>,
    plans: Vec<Arc<Plan>>,
    /// Of rows to come, 0.
    plan_of: [u8; BLOCK_ROWS],
    rows: usize,
    /// Rows of the first plan before those of any other.
    run: usize,
    default_bytes: usize,
}

impl Mix {
    /// Rows of one plan that make a good block by themselves: a block of one plan is faster than a mixed one.
    const LONG_RUN: usize = 24;
    /// Rows that each plan of a mixed block has on average at least: with fewer the row engine is faster.
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
        self.keys.clear();
        self.plans.clear();
        self.begin(SchemaKey::Absent);
    }

    /// Begins a block whose first row has `key`. A plan that stays is not counted anew, which other threads that share it
    /// would feel.
    pub(crate) fn begin(&mut self, key: SchemaKey) {
        let kept = usize::from(self.keys.first() == Some(&key));
        self.keys.truncate(kept);
        self.plans.truncate(kept);
        self.default_bytes = self.plans.first().map_or(0, |plan| plan.default_bytes());
        if self.run < self.rows {
            self.plan_of.fill(0);
        }
        (self.rows, self.run) = (0, 0);
    }

    /// Adds a row, unless it does not go with the others.
    #[inline]
    pub(crate) fn add<'p>(&mut self, key: SchemaKey, plan: impl FnOnce() -> Option<&'p Arc<Plan>>) -> bool {
        if self.keys.first() == Some(&key) {
            self.run += usize::from(self.keys.len() == 1);
            self.rows += 1;
            return true;
        }
        self.add_other(key, plan)
    }

    fn add_other<'p>(&mut self, key: SchemaKey, plan: impl FnOnce() -> Option<&'p Arc<Plan>>) -> bool {
        let known = self.keys.iter().position(|known| *known == key);
        let Some(at) = known.or_else(|| self.add_plan(key, plan()?)) else {
            return false;
        };
        self.run += usize::from(at == 0);
        self.plan_of[self.rows] = at as u8;
        self.rows += 1;
        true
    }

    fn add_plan(&mut self, key: SchemaKey, plan: &Arc<Plan>) -> Option<usize> {
        let default_bytes = self.default_bytes + plan.default_bytes();
        let is_taken = plan.is_for_blocks()
            && self.run < Self::LONG_RUN
            && self.plans.len() < BLOCK_PLANS
            && default_bytes <= BLOCK_DEFAULT_BYTES;
        is_taken.then(|| {
            self.keys.push(key);
            self.plans.push(Arc::clone(plan));
            self.default_bytes = default_bytes;
            self.plans.len() - 1
        })
    }

    /// Whether there are too many plans for so few rows.
    pub(crate) fn is_thin(&self) -> bool {
        self.plans.len() > 1 && self.rows < self.plans.len() * Self::MIN_PLAN_ROWS
    }

    pub(crate) fn plans(&self) -> &[Arc<Plan>] {
        &self.plans
    }

    /// The position of each row's plan among [`Mix::plans`].
    pub(crate) fn plan_of(&self) -> &[u8] {
        &self.plan_of[..self.rows]
    }
}
