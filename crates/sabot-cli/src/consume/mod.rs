//! `sabot consume`: from topics to rows.
//!
//! A batch is acknowledged only once its rows are durable, as its sink says; see [`crate::output`].
//! Whatever ends the reading (the end, a count, Ctrl-C, a bad message), what was read until then is
//! finished properly and acknowledged. Only if writing itself fails is nothing finished.

mod align;
mod progress;
mod report;
mod setup;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sabot::{Acker, Batch, ErrorKind, SchemaKey, Stream};

use crate::args::{ConsumeArgs, DecodingArgs};
use crate::conf::{self, Connection};
use crate::console::note;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{self, Durable, OutputSpec, Sink};
use crate::waiting::Waiting;

use align::Aligner;
use progress::Meter;
use report::Report;

/// Runs the command.
pub(crate) fn run(args: &ConsumeArgs, color: bool) -> Result<(), Failure> {
    let connection = Connection::new(&args.connection)?;
    let registry = if args.decoding.meta_only {
        None
    } else {
        conf::registry(&args.registry, connection.registry.as_deref())?
    };
    let spec = setup::output(args, color, registry.is_some())?;
    spec.check()?;
    let interrupt = Interrupt::catch()?;
    let waiting = (!args.output.quiet).then(|| {
        let timeout = setup::startup_timeout(args);
        Waiting::for_brokers(&connection.brokers, registry.is_some(), timeout)
    });
    let builder = setup::source(args, &spec, connection, registry)?.stopper(interrupt.stopper());
    let opened = builder.open();
    drop(waiting);
    let stream = match opened {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::Stopped => return Err(Failure::Interrupted),
        Err(error) if error.kind() == ErrorKind::Config => {
            return Err(Failure::usage(sabot::with_causes(&error)));
        }
        Err(error) => return Err(Failure::failed(sabot::with_causes(&error))),
    };
    let meter = Meter::new(args.output.quiet, spec.is_on_terminal());
    let mut consumer = Consumer {
        decoding: &args.decoding,
        sink: output::open(&spec)?,
        aligner: Aligner::new(spec.format.needs_one_schema()),
        unacknowledged: Vec::new(),
        has_written: false,
        durable: Durable::Yes,
        report: Report::new(args.output.max_errors_shown, meter),
        spec,
    };
    let ended = consumer.consume(stream);
    consumer.report.finish(args.output.quiet);
    ended.and_then(|()| interrupt.check())
}

struct Consumer<'a> {
    decoding: &'a DecodingArgs,
    spec: OutputSpec,
    sink: Box<dyn Sink>,
    aligner: Aligner,
    /// Batches whose rows are not durable yet.
    unacknowledged: Vec<Acker>,
    has_written: bool,
    /// Whether everything that was written is durable.
    durable: Durable,
    report: Report,
}

impl Consumer<'_> {
    fn consume(&mut self, mut stream: Stream) -> Result<(), Failure> {
        let mut read = Ok(());
        while let Some(next) = stream.next() {
            match next {
                Ok(batch) => self.take(&stream, &batch)?,
                Err(error) => {
                    read = Err(failed(&error, self.decoding));
                    break;
                }
            }
        }
        self.finish(&stream)?;
        // What went wrong first is what the user should hear of.
        let closed = stream.close().map_err(|error| failed(&error, self.decoding));
        read.and(closed)
    }

    fn take(&mut self, stream: &Stream, batch: &Batch) -> Result<(), Failure> {
        self.report.batch(batch, stream);
        self.unacknowledged.push(batch.acker());
        let shown = self.shown(&batch.batch)?;
        let schema = self.schema(stream)?;
        let ready = self.aligner.take(&shown, schema.as_ref());
        self.write(&ready)
    }

    /// What of a batch is written.
    fn shown(&self, batch: &RecordBatch) -> Result<RecordBatch, Failure> {
        let shown = self.spec.layout.shown(batch);
        shown.map_err(|error| Failure::because("cannot leave the values out", &error))
    }

    /// The schema of what is written, once it is known.
    fn schema(&self, stream: &Stream) -> Result<Option<SchemaRef>, Failure> {
        let Some(schema) = stream.schema() else {
            return Ok(None);
        };
        Ok(Some(self.shown(&RecordBatch::new_empty(schema))?.schema()))
    }

    /// Writes all of `ready`, then acknowledges if nothing that was read is still on its way.
    fn write(&mut self, ready: &[RecordBatch]) -> Result<(), Failure> {
        for rows in ready {
            self.has_written = true;
            self.durable = self.sink.write(rows)?;
        }
        if self.durable == Durable::Yes && self.aligner.is_empty() {
            self.acknowledge();
        }
        Ok(())
    }

    fn finish(&mut self, stream: &Stream) -> Result<(), Failure> {
        let schema = self.schema(stream)?;
        let rest = self.aligner.rest(schema.as_ref());
        self.write(&rest)?;
        if !self.has_written && self.spec.has_columns_without_rows() {
            match schema {
                Some(schema) => {
                    self.sink.write(&RecordBatch::new_empty(schema))?;
                }
                None if self.spec.format.is_binary() => note(NO_COLUMNS),
                None => {}
            }
        }
        self.sink.finish()?;
        self.acknowledge();
        Ok(())
    }

    fn acknowledge(&mut self) {
        for acker in self.unacknowledged.drain(..) {
            acker.ack();
        }
    }
}

/// The error, where it happened in words that can be searched for, and what to do about it if the
/// command line can do something.
fn failed(error: &sabot::Error, decoding: &DecodingArgs) -> Failure {
    let mut text = sabot::with_causes(error);
    if let (Some(topic), Some(partition), Some(offset)) = (error.topic(), error.partition(), error.offset()) {
        text.push_str(&format!(
            "\n  topic {topic}, partition {partition}, offset {offset}"
        ));
        if let Some(schema) = error.schema().filter(|schema| *schema != SchemaKey::Absent) {
            text.push_str(&format!(", schema {schema}"));
        }
    }
    if let Some(advice) = error.bad_row().and_then(|bad| setup::advice(decoding, bad)) {
        text.push_str("\n  ");
        text.push_str(advice);
    }
    text.push_str(match error.kind() {
        ErrorKind::BadRecord => {
            "\n  --on-error skip leaves such messages out and reports them; null keeps their rows; dlq sends them elsewhere"
        }
        ErrorKind::SchemaUnavailable => "\n  With a group, the next run goes on at this message",
        _ => "",
    });
    Failure::failed(text)
}

const NO_COLUMNS: &str =
    "sabot: nothing is written: there was no row, and its columns are not known without one";
