//! A registry in this process that holds two versions of a schema, and the messages that each of
//! them writes.
#![expect(clippy::unwrap_used, reason = "a test panics where something is wrong")]

use sabot::registry::Client;
use sabot::schema::Schema;
use sabot_registry_server::{Server, ServerOptions};

pub(crate) const V1: &str = r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}"#;
pub(crate) const V2: &str = r#"{"type": "record", "name": "R", "fields": [
    {"name": "b", "type": "string", "default": "?"}, {"name": "a", "type": "long"}]}"#;

/// Both are registered under the subject of the topic `t`'s values.
pub(crate) struct TwoVersions {
    pub(crate) registry: Server,
    pub(crate) ids: [u32; 2],
}

impl TwoVersions {
    pub(crate) fn new() -> Self {
        let registry = Server::start(ServerOptions::default()).unwrap();
        let client = Client::new(&registry.url()).unwrap();
        let register = |text| {
            let registered = client.register(&"t-value".into(), &Schema::avro(text), false);
            registered.unwrap().id.0
        };
        Self {
            ids: [register(V1), register(V2)],
            registry,
        }
    }

    /// A framed message whose `a` is `at`. Messages alternate between the versions, the first
    /// first.
    pub(crate) fn value(&self, at: u8) -> Vec<u8> {
        let version = usize::from(at % 2);
        let mut value = vec![0];
        value.extend_from_slice(&self.ids[version].to_be_bytes());
        if version == 1 {
            value.extend_from_slice(&[2, b'x']);
        }
        value.push(at * 2);
        value
    }
}
