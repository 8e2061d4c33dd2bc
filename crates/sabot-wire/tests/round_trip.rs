//! What is written is read back, and arbitrary bytes keep the invariants.

use proptest::collection::vec;
use proptest::prelude::*;
use sabot_wire::{Framing, Guid, MAX_MESSAGE_INDEXES, MessagePath, MessagePathBuf, SchemaKey};

mod fuzz_check;

fn single_object() -> impl Strategy<Value = (Framing, SchemaKey, MessagePathBuf)> {
    any::<u64>().prop_map(|fingerprint| {
        let path = MessagePathBuf::from(MessagePath::FIRST);
        (
            Framing::AvroSingleObject,
            SchemaKey::Fingerprint(fingerprint),
            path,
        )
    })
}

fn framed() -> impl Strategy<Value = (Framing, SchemaKey, MessagePathBuf)> {
    let confluent_key = prop_oneof![
        any::<u32>().prop_map(SchemaKey::Id),
        any::<[u8; 16]>().prop_map(|bytes| SchemaKey::Guid(Guid::from_bytes(bytes))),
    ];
    let index = prop_oneof![0..3_u32, 60..70_u32, 0..=i32::MAX as u32];
    let path = vec(index, 1..=MAX_MESSAGE_INDEXES)
        .prop_map(|indexes| MessagePathBuf::new(&indexes).expect("indexes are in range"));
    let first = || Just(MessagePathBuf::from(MessagePath::FIRST));
    let protobuf = prop_oneof![
        Just(Framing::ConfluentProtobuf),
        Just(Framing::ConfluentProtobufPlainVarints)
    ];
    prop_oneof![
        (Just(Framing::Confluent), confluent_key.clone(), first()),
        (protobuf, confluent_key, prop_oneof![1 => first(), 3 => path]),
        (
            Just(Framing::ApicurioLegacy),
            any::<i64>().prop_map(SchemaKey::GlobalId),
            first()
        ),
        (
            Just(Framing::ApicurioLegacyContentId),
            any::<i64>().prop_map(SchemaKey::ContentId),
            first()
        ),
    ]
}

proptest! {
    #[test]
    fn prefixes((framing, key, path) in prop_oneof![4 => framed(), 1 => single_object()], body in vec(any::<u8>(), 0..40)) {
        let mut payload = Vec::new();
        framing.write_prefix(key, path.as_path(), &mut payload).unwrap();
        let prefix_bytes = payload.len();
        payload.extend(&body);
        let frame = framing.split(None, &payload).unwrap();
        prop_assert_eq!(frame.key, key);
        prop_assert_eq!(MessagePathBuf::from(frame.path), path);
        prop_assert_eq!(frame.body, &body);
        prop_assert_eq!(frame.prefix_bytes as usize, prefix_bytes);
    }

    #[test]
    fn headers((framing, key, path) in framed(), payload in vec(any::<u8>(), 0..40)) {
        let mut header = Vec::new();
        framing.write_header(key, path.as_path(), &mut header).unwrap();
        let frame = framing.split(Some(&header), &payload).unwrap();
        prop_assert_eq!(frame.key, key);
        prop_assert_eq!(MessagePathBuf::from(frame.path), path);
        prop_assert_eq!(frame.body, &payload);
        prop_assert_eq!(frame.prefix_bytes, 0);
    }

    #[test]
    fn guids(bytes in any::<[u8; 16]>()) {
        let guid = Guid::from_bytes(bytes);
        prop_assert_eq!(guid.to_string().parse(), Ok(guid));
    }

    #[test]
    fn arbitrary_bytes(data in vec(prop_oneof![0..7_u8, 0x7c..0x84_u8, Just(0xc3), any::<u8>()], 0..60)) {
        fuzz_check::check(&data);
    }
}
