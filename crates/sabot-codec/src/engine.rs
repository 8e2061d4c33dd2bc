//! What a format adds to the [`Driver`](crate::Driver).
//!
//! A format is a set of traits, and not of callbacks: the driver is compiled for each, so that its
//! loops call a format's engines directly. What is asked of a format is asked at one of three
//! times:
//!
//! | when | what | how often |
//! |---|---|---|
//! | a schema comes | [`Engine::output`], [`Engine::compile`] | once a writer schema |
//! | the schema has to be inferred | [`Sampler`] | for the first messages |
//! | messages come | [`Engine::block`], [`Engine::row`] | once a block, or a message |

use std::fmt::Debug;
use std::sync::Arc;

use arrow_array::ArrayRef;
use sabot_columns::{Columns, Layout, NodeIx};
use sabot_decode::{FlushError, MessagePath, PlanError, WriterSchema};

use crate::{BlockBudget, BlockOutcome, Fault, FieldPaths, Gathered, Plan, PlansBy, RowBudget};

/// A format: how its schemas become plans, and how messages become rows with them.
///
/// See the [crate's example](crate) for one that is complete.
pub trait Engine: Debug + Send + Sized {
    /// The columns that all plans are compiled onto.
    type Output: Output;
    /// A writer schema, compiled onto the output.
    type Plan: Plan;
    /// What a payload's plan depends on.
    const PLANS_BY: PlansBy;

    /// The columns that the first writer schema gives, or the message of it that `message` leads
    /// to. It is asked for where neither the target nor a sample says what the columns are.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where the schema cannot be read, or cannot become columns. Without this method
    /// there are no writer schemas: [`PlansBy::Nothing`].
    fn output(&mut self, writer: &WriterSchema, message: MessagePath<'_>) -> Result<Self::Output, PlanError> {
        let _ = (writer, message);
        Err(no_writers())
    }

    /// Compiles a writer schema, or the message of it that `message` leads to, onto the columns.
    /// Every error of a schema comes up here.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where the schema cannot be read, or cannot be resolved onto the columns.
    /// Without this method there are no writer schemas: [`PlansBy::Nothing`].
    fn compile(
        &mut self,
        writer: &WriterSchema,
        message: MessagePath<'_>,
        output: &Self::Output,
        paths: &mut FieldPaths,
    ) -> Result<Self::Plan, PlanError> {
        let _ = (writer, message, output, paths);
        Err(no_writers())
    }

    /// Reads one message into one row: appends one value to every column, in whatever state it
    /// leaves them if it fails. This is the engine that says what is wrong with a message, and
    /// takes whatever is well-formed.
    ///
    /// # Errors
    ///
    /// [`Fault`], and the driver takes back what was appended.
    fn row(
        &mut self,
        plan: &Self::Plan,
        body: &[u8],
        columns: &mut Columns,
        budget: &mut RowBudget,
    ) -> Result<(), Fault>;

    /// Reads many messages into as many rows, faster than one by one. It may lose rows that are
    /// only unusual, since those go to [`Engine::row`], but never takes what that would refuse.
    ///
    /// It is only called with plans that are [for blocks](Plan::is_for_blocks); without it there
    /// are none.
    fn block(
        &mut self,
        rows: &Gathered<'_, Self::Plan>,
        columns: &mut Columns,
        budget: &mut BlockBudget,
    ) -> BlockOutcome {
        let _ = (columns, budget);
        BlockOutcome::all_lost(rows.len())
    }

    /// Gives the columns what belongs to the batch as a whole, such as the values of dictionaries
    /// that grow: the batch is about to be handed over.
    ///
    /// # Errors
    ///
    /// [`FlushError`] for a fault of the program alone.
    fn end_batch(&mut self, columns: &mut Columns) -> Result<(), FlushError> {
        let _ = columns;
        Ok(())
    }
}

#[cold]
fn no_writers() -> PlanError {
    PlanError::new("messages of this format are read without writer schemas")
}

/// The columns that plans are compiled onto.
pub trait Output: Debug + Send {
    /// Their layout, and with it the schema of the batches.
    fn layout(&self) -> &Arc<Layout>;

    /// The values of dictionaries that are known from the start.
    fn dictionaries(&self) -> &[(NodeIx, ArrayRef)] {
        &[]
    }

    /// The dictionaries that have grown with the plans compiled since this was asked last, with all
    /// of their values.
    fn take_grown_dictionaries(&mut self) -> Vec<(NodeIx, ArrayRef)> {
        Vec::new()
    }
}

impl Output for Arc<Layout> {
    fn layout(&self) -> &Arc<Layout> {
        self
    }
}

/// Infers the columns from a sample of messages, where no schema says what they are.
pub trait Sampler<E: Engine>: Debug + Send {
    /// Looks at one message.
    ///
    /// # Errors
    ///
    /// [`Fault`] where the message is bad, which the plan to come would find too.
    fn add(&mut self, engine: &mut E, body: &[u8]) -> Result<(), Fault>;

    /// Whether nothing can be said of the columns so far.
    fn is_empty(&self) -> bool;

    /// The columns, and the plan that reads every message onto them: those of the sample without
    /// fail.
    fn infer(&mut self, engine: &mut E, paths: &mut FieldPaths) -> (E::Output, E::Plan);
}
