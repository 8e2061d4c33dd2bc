//! What librdkafka or a broker complains about, and what that means for the source.

use rdkafka::error::RDKafkaErrorCode;

use crate::client::Context;
use crate::error::{is_refused_by_group, is_unreadable, kind_of};
use crate::ffi::ErrorEvent;
use crate::{Error, ErrorKind};

/// A complaint.
#[derive(Debug)]
pub(crate) struct Failure {
    effect: Effect,
    code: RDKafkaErrorCode,
    reason: String,
    /// The partition that it is about.
    place: Option<(String, i32)>,
}

/// What becomes of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It goes on: librdkafka deals with it.
    None,
    /// It ends.
    End(ErrorKind),
    /// It ends if nothing was ever read: a handshake may fail now and then; what never worked is
    /// wrong.
    EndUnlessRead(ErrorKind),
}

impl Failure {
    /// `has_group`: without a group, the coordinator's refusal does not matter.
    pub(crate) fn new(event: ErrorEvent, has_group: bool) -> Self {
        let ErrorEvent {
            code,
            fatal,
            reason,
            place,
        } = event;
        let effect = match kind_of(code).filter(|_| !fatal) {
            _ if fatal => Effect::End(ErrorKind::Fatal),
            Some(kind @ (ErrorKind::Fatal | ErrorKind::UnknownTopic | ErrorKind::NoOffset)) => {
                Effect::End(kind)
            }
            Some(ErrorKind::Denied) => match code {
                RDKafkaErrorCode::GroupAuthorizationFailed if !has_group => Effect::None,
                RDKafkaErrorCode::GroupAuthorizationFailed | RDKafkaErrorCode::TopicAuthorizationFailed => {
                    Effect::End(ErrorKind::Denied)
                }
                _ => Effect::EndUnlessRead(ErrorKind::Denied),
            },
            // librdkafka would go on after what it cannot read, or ask for it for ever.
            kind if is_refused_by_group(code) || (place.is_some() && is_unreadable(code)) => {
                Effect::End(kind.unwrap_or(ErrorKind::Fatal))
            }
            _ => Effect::None,
        };
        Self {
            effect,
            code,
            reason,
            place,
        }
    }

    /// A fault that ends the source, about a partition.
    pub(crate) fn internal(reason: &str, place: (String, i32)) -> Self {
        Self {
            effect: Effect::End(ErrorKind::Internal),
            code: RDKafkaErrorCode::Fail,
            reason: reason.to_owned(),
            place: Some(place),
        }
    }

    /// The error that ends the source. What does not end it is only noted.
    pub(crate) fn into_error(self, has_read: bool, context: &Context) -> Option<Error> {
        let kind = match self.effect {
            Effect::End(kind) => kind,
            Effect::EndUnlessRead(kind) if !has_read => kind,
            Effect::EndUnlessRead(_) | Effect::None => {
                context.note(self.code, &self.reason);
                return None;
            }
        };
        let error = Error::new(kind, self.reason);
        Some(match self.place {
            Some((topic, partition)) => error.at(&topic.into(), partition, None),
            None => error,
        })
    }
}
