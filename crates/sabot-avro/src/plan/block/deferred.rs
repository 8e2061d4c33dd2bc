//! What of a block is deferred, and how it is read later: Avro's part of
//! [`sabot_codec::DeferredReader`].

use sabot_codec::{DeferredReader, DeferredValue, DeferredWrites, Extent, RowLanes, Stuck, unpack};
use sabot_columns::{Columns, Layout, NodeIx, Span};
use sabot_cursor::{LANES, PackedSpan};

use super::Block;
use super::values::is_text;
use crate::plan::SkipSite;

impl Block<'_> {
    /// Notes where the strings of a step are.
    pub(super) fn defer_strings(
        &mut self,
        pc: usize,
        lanes: &RowLanes,
        spans: &[PackedSpan; LANES],
        extent: Extent,
    ) {
        let (column, kind) = (self.plan.sites[pc].column, self.plan.ops[pc].kind);
        let spans = spans.iter().map(|span| unpack(*span));
        let strings = lanes.to.iter().copied().zip(spans).take(lanes.len());
        self.deferred.strings(column, is_text(kind), extent, strings);
    }

    /// Skips a value, and notes who is to read it.
    pub(super) fn defer(&mut self, pc: usize, lanes: &mut RowLanes, extent: Extent) {
        let (site, starts) = (&self.plan.sites[pc], lanes.read.at);
        // The items are counted when they are read.
        let items = self.budget.items();
        if let Some(SkipSite { step, is_in_default }) = site.skip {
            self.skip_step(is_in_default, step, lanes, self.plan.depth());
        }
        self.budget.set_items(items);
        let plan = self.plan_at;
        let values = (0..lanes.len())
            .filter(|lane| lanes.is_within(*lane))
            .map(|lane| {
                let value = DeferredValue {
                    start: starts[lane],
                    end: lanes.read.at[lane],
                    step: pc as u32,
                    plan,
                    row: lanes.row[lane],
                };
                (lanes.to[lane], value)
            });
        self.deferred.values(site.column, extent, values);
    }
}

impl<'a> DeferredReader<'a> for Block<'a> {
    type Stop = Stuck;

    fn parts(&mut self) -> (&'a Layout, &mut Columns, &mut DeferredWrites) {
        (self.layout, self.columns, self.deferred)
    }

    fn append_strings(&mut self, column: NodeIx, is_text: bool, spans: &[Span]) -> Result<(), Stuck> {
        if self.push_strings(is_text, column, spans)? {
            return Ok(());
        }
        let source = self.arena.window().padded();
        for span in spans {
            if std::str::from_utf8(span.of(source)).is_err() {
                // The messages are one after the other. A default, which is after all of them, is
                // never wrong.
                let row = self.ends.partition_point(|end| *end <= span.start);
                debug_assert!(row < self.ends.len(), "the string is a message's");
                self.lost |= 1_u64.checked_shl(row as u32).unwrap_or(0);
            }
        }
        Ok(())
    }

    fn read_together(&mut self, values: &[DeferredValue], extent: Extent) -> Result<(), Stuck> {
        let mut lanes = RowLanes::new();
        let mut of = (0, self.plan_at);
        for (to, value) in (0..).zip(values).filter(|(_, value)| value.is_some()) {
            lanes.push(value.start..value.end, to, value.row);
            of = (value.step as usize, value.plan);
        }
        lanes.is_dense = lanes.len() == extent.len;
        let (outer, (pc, plan_at)) = (self.plan_at, of);
        self.set_plan(plan_at);
        self.run(pc, self.plan.strategy.next(pc), &mut lanes, extent)?;
        self.set_plan(outer);
        self.lost |= lanes.rows(lanes.read.lost(false));
        Ok(())
    }

    fn read_alone(&mut self, value: DeferredValue, extent: Extent) -> Result<(), Stuck> {
        let (outer, pc) = (self.plan_at, value.step as usize);
        let mut lanes = RowLanes::new();
        lanes.push(value.start..value.end, 0, value.row);
        self.set_plan(value.plan);
        self.by_rows(pc..self.plan.strategy.next(pc), &mut lanes, extent)?;
        self.set_plan(outer);
        self.lost |= lanes.rows(lanes.read.lost(false));
        Ok(())
    }

    fn out_of_order() -> Stuck {
        Stuck::ANYWHERE
    }
}
