//! The first messages, from which a schema is inferred.

use std::sync::Arc;

use sabot_codec::{Fault, FieldPaths, OverBudget, Projection, Sampler};
use sabot_columns::Layout;
use sabot_decode::{Mapping, Target};
use simd_json::Node;

use crate::engine::JsonEngine;
use crate::infer::Inference;
use crate::locate::Locator;
use crate::parse::Document;
use crate::plan::Plan;

/// What was seen so far, and what is asked of the schema.
#[derive(Debug)]
pub(crate) struct JsonSampler {
    inference: Inference,
    mapping: Mapping,
    projection: Projection,
    row_items: usize,
}

impl JsonSampler {
    pub(crate) fn new(target: &Target, projection: Projection) -> Self {
        Self {
            inference: Inference::new(),
            mapping: target.mapping.clone(),
            projection,
            row_items: target.limits.row_items,
        }
    }
}

impl Sampler<JsonEngine> for JsonSampler {
    /// What passes here, decoding cannot refuse: the schema is made to fit, and the limits are as
    /// strict.
    fn add(&mut self, engine: &mut JsonEngine, text: &[u8]) -> Result<(), Fault> {
        engine.parser.parse(text, |document| {
            check_items(document, self.row_items)?;
            self.inference.add(document)
        })
    }

    fn is_empty(&self) -> bool {
        self.inference.is_empty()
    }

    fn infer(&mut self, engine: &mut JsonEngine, paths: &mut FieldPaths) -> (Arc<Layout>, Plan) {
        let schema = self.inference.schema(&self.mapping, &self.projection);
        let planned = engine.plan(&schema, paths);
        planned.expect("because every inferred type has columns")
    }
}

/// Items count in lists alone: maps are never inferred.
fn check_items(document: Document<'_>, limit: usize) -> Result<(), Fault> {
    if document.nodes.len() <= limit {
        return Ok(());
    }
    let mut items = 0;
    for (at, node) in document.nodes.iter().enumerate() {
        if let Node::Array { len, .. } = node {
            items += len;
        }
        if items > limit {
            let byte_offset = Locator::new(document).offset(at);
            return Err(Fault::of_message(byte_offset, OverBudget::Items.kind()));
        }
    }
    Ok(())
}
