//! The plans that a decoder remembers, by writer schema and message.
//!
//! A protobuf schema holds many messages, and a frame says which of them a payload is. So a plan's
//! key is the schema's key and the message's path: one message that cannot be read onto the columns
//! condemns no other.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;

use sabot_decode::{MessagePath, Payload, SchemaKey};
use sabot_wire::MessagePathBuf;

/// A compiled writer schema. It is immutable.
pub trait Plan: Debug + Send + Sync {
    /// Bytes that a row takes in the columns at least, whatever its message holds, where that is
    /// more than nulls take.
    fn row_bytes(&self) -> usize {
        0
    }

    /// Whether blocks of rows are likely to be faster than rows.
    fn is_for_blocks(&self) -> bool {
        false
    }

    /// Values that are read in every block as if they were messages, such as a reader's defaults.
    fn defaults(&self) -> &[Box<[u8]>] {
        &[]
    }

    /// Bytes of [`Plan::defaults`] together; 0 if they are too many for a block, and need no place
    /// in one.
    fn default_bytes(&self) -> usize {
        0
    }
}

/// What a payload's plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a payload says no more of its schema")]
pub enum PlansBy {
    /// Nothing: all payloads are read alike, and no writer schema is asked for.
    Nothing,
    /// The writer schema's key.
    Schema,
    /// The writer schema's key, and which message of it the payload is.
    Message,
}

/// The key of one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanKey {
    schema: SchemaKey,
    /// `None` for the first message, which nearly all are.
    message: Option<Arc<MessagePathBuf>>,
}

impl PlanKey {
    pub(crate) fn new(by: PlansBy, schema: SchemaKey, message: MessagePath<'_>) -> Self {
        let (schema, message) = match by {
            PlansBy::Nothing => (SchemaKey::Absent, MessagePath::FIRST),
            PlansBy::Schema => (schema, MessagePath::FIRST),
            PlansBy::Message => (schema, message),
        };
        Self {
            schema,
            message: (!message.is_first()).then(|| Arc::new(message.into())),
        }
    }

    /// Whether it is the key of `payload`. `by` is a constant wherever this is called, so that most
    /// compare one word.
    #[inline(always)]
    pub(crate) fn is_of(&self, by: PlansBy, payload: &Payload<'_>) -> bool {
        match by {
            PlansBy::Nothing => true,
            PlansBy::Schema => self.schema == payload.key,
            PlansBy::Message => {
                let message = self.message.as_ref();
                let message = message.map_or(MessagePath::FIRST, |message| message.as_path());
                self.schema == payload.key && message == payload.path
            }
        }
    }
}

/// The plans prepared last.
#[derive(Debug)]
pub(crate) struct Plans<P> {
    /// Of each schema, the messages that were prepared: mostly one.
    plans: HashMap<SchemaKey, Vec<(PlanKey, Arc<P>)>>,
    /// The keys, longest prepared first.
    order: VecDeque<PlanKey>,
    /// The plan used last: most messages have the same one as the message before.
    last: Option<(PlanKey, Arc<P>)>,
    capacity: usize,
}

impl<P> Plans<P> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            plans: HashMap::new(),
            order: VecDeque::new(),
            last: None,
            // With none at all, no message could ever be taken.
            capacity: capacity.max(1),
        }
    }

    pub(crate) fn insert(&mut self, key: PlanKey, plan: P) {
        self.last = None;
        self.forget(&key);
        self.order.retain(|known| *known != key);
        let messages = self.plans.entry(key.schema).or_default();
        messages.push((key.clone(), Arc::new(plan)));
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(&oldest);
        }
    }

    /// The plan of a payload.
    #[inline]
    pub(crate) fn get(&mut self, by: PlansBy, payload: &Payload<'_>) -> Option<&P> {
        if self.last.as_ref().is_none_or(|(key, _)| !key.is_of(by, payload)) {
            self.last = Some(self.find(by, payload)?.clone());
        }
        self.last.as_ref().map(|(_, plan)| &**plan)
    }

    /// The plan of a payload, with its key.
    pub(crate) fn find(&self, by: PlansBy, payload: &Payload<'_>) -> Option<&(PlanKey, Arc<P>)> {
        let schema = match by {
            PlansBy::Nothing => SchemaKey::Absent,
            PlansBy::Schema | PlansBy::Message => payload.key,
        };
        let mut messages = self.plans.get(&schema)?.iter();
        messages.find(|(key, _)| key.is_of(by, payload))
    }

    fn forget(&mut self, key: &PlanKey) {
        if let Some(messages) = self.plans.get_mut(&key.schema) {
            messages.retain(|(known, _)| known != key);
            if messages.is_empty() {
                self.plans.remove(&key.schema);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: &[u8] = &[2, 2];

    fn payload(schema: u32, is_second: bool) -> Payload<'static> {
        let mut payload = Payload::with_key(SchemaKey::Id(schema), b"");
        if is_second {
            payload.path = MessagePath::split(SECOND).unwrap().0;
        }
        payload
    }

    fn key(by: PlansBy, schema: u32, is_second: bool) -> PlanKey {
        let payload = payload(schema, is_second);
        PlanKey::new(by, payload.key, payload.path)
    }

    #[test]
    fn what_a_plan_depends_on() {
        // What tells plans apart, and for the payloads of (schema, whether of the second message)
        // which plan is found.
        let all = [(1, false), (1, true), (2, false), (2, true)];
        for (by, found) in [
            (PlansBy::Nothing, [3, 3, 3, 3]),
            (PlansBy::Schema, [1, 1, 3, 3]),
            (PlansBy::Message, [0, 1, 2, 3]),
        ] {
            let mut plans = Plans::new(4);
            for (plan, (schema, is_second)) in all.into_iter().enumerate() {
                plans.insert(key(by, schema, is_second), plan);
            }
            for ((schema, is_second), plan) in all.into_iter().zip(found) {
                assert_eq!(plans.get(by, &payload(schema, is_second)), Some(&plan), "{by:?}");
            }
        }
    }

    #[test]
    fn the_longest_prepared_is_forgotten() {
        let by = PlansBy::Message;
        let mut plans = Plans::new(2);
        plans.insert(key(by, 1, false), 0);
        plans.insert(key(by, 1, true), 1);
        plans.insert(key(by, 1, false), 2);
        plans.insert(key(by, 2, false), 3);
        assert_eq!(plans.get(by, &payload(1, false)), Some(&2));
        assert_eq!(plans.get(by, &payload(1, true)), None);
        assert_eq!(plans.get(by, &payload(2, false)), Some(&3));
    }
}
