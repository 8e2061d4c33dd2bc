//! Who decodes Avro beside Sabot, and whose rows are trusted.

use super::Avro;
use crate::buffer::Messages;
use crate::suites::{Expected, Rows, System};
use crate::systems::{ArrowAvro, ArrowAvroEach};

impl Avro {
    /// What arrow-avro makes of the workload's messages, or of `good` ones in their place.
    pub(super) fn expected(&self, good: Option<Messages>) -> Result<Option<Expected>, String> {
        Ok(Some(Expected {
            name: "arrow-avro",
            messages: good,
            run: Box::new(self.arrow_avro()?),
        }))
    }

    pub(super) fn peers(&self) -> Result<Vec<System>, String> {
        let mut systems = vec![System::new("arrow-avro", self.arrow_avro()?)];
        if self.writers.len() > 1 {
            let each = ArrowAvroEach::new(&self.schemas(), self.reader().as_ref(), &self.indexes())?;
            systems.push(System::new("arrow-avro, one for each schema", each).making(Rows::AnyOrder));
        }
        #[cfg(feature = "all")]
        if let ([writer], [], 0) = (self.writers, self.projection, self.held_batches) {
            let values = crate::systems::ApacheAvro::new(&(writer.schema)())?;
            systems.push(System::new("apache-avro, values", values).making(Rows::None));
        }
        Ok(systems)
    }

    fn arrow_avro(&self) -> Result<ArrowAvro, String> {
        ArrowAvro::new(&self.schemas(), self.reader(), &self.indexes())
    }

    fn indexes(&self) -> Vec<usize> {
        self.projection.iter().map(|(index, _)| *index).collect()
    }
}
