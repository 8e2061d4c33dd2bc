//! What must hold for any bytes at all. The fuzz target, the property tests and the replayed
//! findings share it.

use sabot_wire::{Frame, Framing};

/// Splits `data`, laid out as framing, header length (with the high bit: no header), header,
/// payload.
///
/// # Panics
///
/// If an invariant is broken.
pub(crate) fn check(data: &[u8]) {
    let &[framing, header_bytes, ref rest @ ..] = data else {
        return;
    };
    let framing = match framing % 7 {
        0 => Framing::Confluent,
        1 => Framing::ConfluentProtobuf,
        2 => Framing::ConfluentProtobufPlainVarints,
        3 => Framing::ApicurioLegacy,
        4 => Framing::ApicurioLegacyContentId,
        6 => Framing::AvroSingleObject,
        _ => Framing::Unframed,
    };
    let (header, payload) = if header_bytes & 0x80 != 0 {
        (None, rest)
    } else {
        let (header, payload) = rest.split_at(usize::from(header_bytes).min(rest.len()));
        (Some(header), payload)
    };
    let result = framing.split(header, payload);
    // A framing without a header does not look at one.
    let header = header.filter(|_| framing != Framing::AvroSingleObject);
    match result {
        Ok(frame) => check_frame(framing, header, payload, &frame),
        Err(error) => {
            assert_ne!(framing, Framing::Unframed);
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains('\n'), "{text}");
        }
    }
}

fn check_frame(framing: Framing, header: Option<&[u8]>, payload: &[u8], frame: &Frame<'_>) {
    assert_eq!(frame.body, &payload[frame.prefix_bytes as usize..]);
    assert_eq!(frame.path.iter().len(), frame.path.iter().count());
    if framing == Framing::Unframed {
        assert_eq!(frame.prefix_bytes, 0);
        return;
    }
    let mut written = Vec::new();
    let original = if let Some(header) = header {
        assert_eq!(frame.prefix_bytes, 0);
        framing
            .write_header(frame.key, frame.path, &mut written)
            .expect("what was read can be written");
        assert_eq!(framing.split(Some(&written), payload), Ok(*frame));
        header
    } else {
        framing
            .write_prefix(frame.key, frame.path, &mut written)
            .expect("what was read can be written");
        &payload[..frame.prefix_bytes as usize]
    };
    // A frame has one spelling, but for `[0]`, which is written in the short one.
    if original != written {
        assert!(frame.path.is_first());
        assert_eq!(original.len(), written.len() + 1);
        assert!(original.starts_with(&written[..written.len() - 1]));
    }
    check_cuts(framing, header, payload, frame);
}

/// A frame cut before its body is an error, and its body does not change how it is split.
fn check_cuts(framing: Framing, header: Option<&[u8]>, payload: &[u8], frame: &Frame<'_>) {
    for end in 0..header.map_or(0, <[u8]>::len) {
        assert!(
            framing
                .split(header.map(|header| &header[..end]), payload)
                .is_err()
        );
    }
    for end in 0..frame.prefix_bytes as usize {
        assert!(framing.split(None, &payload[..end]).is_err());
    }
    let longer = [payload, &[0x80]].concat();
    let split = framing.split(header, &longer).expect("the body is not looked at");
    assert_eq!(
        (split.key, split.path, split.prefix_bytes),
        (frame.key, frame.path, frame.prefix_bytes)
    );
}
