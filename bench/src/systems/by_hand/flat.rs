//! The flat schema.

use std::sync::Arc;

use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch};

use super::columns::{Strings, booleans, nulls, scalars};
use super::{Columns, Cursor, run};
use crate::batch::Batch;
use crate::buffer::Messages;
use crate::suites::Run;
use crate::systems::by_hand::cursor::Bad;

#[derive(Default)]
pub struct Flat {
    id: Vec<i64>,
    user: Strings,
    country: Strings,
    device: Strings,
    url: Strings,
    amount: Vec<f64>,
    at: Vec<i64>,
    active: Vec<bool>,
    count: Vec<i32>,
    has_campaign: Vec<bool>,
    campaign: Strings,
    has_score: Vec<bool>,
    score: Vec<i32>,
}

impl Run for Flat {
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        run(self, messages, batch)
    }
}

impl Columns for Flat {
    #[inline]
    fn row(&mut self, body: &mut Cursor<'_>) -> Result<(), Bad> {
        self.id.push(body.long()?);
        self.user.read(body)?;
        self.country.read(body)?;
        self.device.read(body)?;
        self.url.read(body)?;
        self.amount.push(body.double()?);
        self.at.push(body.long()?);
        self.active.push(body.boolean()?);
        self.count.push(body.int()?);
        let has_campaign = body.is_present()?;
        self.has_campaign.push(has_campaign);
        if has_campaign {
            self.campaign.read(body)?;
        } else {
            self.campaign.push_empty()?;
        }
        let has_score = body.is_present()?;
        self.has_score.push(has_score);
        self.score.push(if has_score { body.int()? } else { 0 });
        Ok(())
    }

    fn flush(&mut self) -> Result<RecordBatch, String> {
        let at =
            PrimitiveArray::<TimestampMillisecondType>::new(scalars(&mut self.at), None).with_timezone("UTC");
        let columns: [(&str, ArrayRef, bool); 11] = [
            (
                "id",
                Arc::new(PrimitiveArray::<Int64Type>::new(scalars(&mut self.id), None)),
                false,
            ),
            ("user", self.user.array(None)?, false),
            ("country", self.country.array(None)?, false),
            ("device", self.device.array(None)?, false),
            ("url", self.url.array(None)?, false),
            (
                "amount",
                Arc::new(PrimitiveArray::<Float64Type>::new(
                    scalars(&mut self.amount),
                    None,
                )),
                false,
            ),
            ("at", Arc::new(at), false),
            ("active", booleans(&mut self.active), false),
            (
                "count",
                Arc::new(PrimitiveArray::<Int32Type>::new(scalars(&mut self.count), None)),
                false,
            ),
            (
                "campaign",
                self.campaign.array(nulls(&mut self.has_campaign))?,
                true,
            ),
            (
                "score",
                Arc::new(PrimitiveArray::<Int32Type>::new(
                    scalars(&mut self.score),
                    nulls(&mut self.has_score),
                )),
                true,
            ),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).map_err(|error| error.to_string())
    }
}
