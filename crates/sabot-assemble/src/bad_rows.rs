//! The reports of a batch's bad rows while it gathers.

use arrow_array::builder::NullBufferBuilder;
use sabot_columns::VarBytes;

use crate::BadRow;

/// The bad rows gathered.
#[derive(Debug)]
pub(crate) struct BadRows {
    pub(crate) reports: Vec<BadRow>,
    /// The row of each report.
    pub(crate) rows: Vec<usize>,
    /// The raw value of each bad row, once a row, where that is wanted.
    pub(crate) raw: VarBytes<i32>,
    pub(crate) has_raw: NullBufferBuilder,
    /// Bytes of reports and rows.
    pub(crate) bytes: usize,
}

impl Default for BadRows {
    fn default() -> Self {
        Self {
            reports: Vec::new(),
            rows: Vec::new(),
            raw: VarBytes::default(),
            has_raw: NullBufferBuilder::new(0),
            bytes: 0,
        }
    }
}

impl BadRows {
    pub(crate) fn push(&mut self, row: usize, report: BadRow) {
        // The detail is shared by the reports, and repeated in the column `_error`.
        let detail_bytes = report.detail.as_deref().map_or(0, str::len);
        self.bytes += size_of::<BadRow>() + size_of::<usize>() + report.field_path.len() + detail_bytes;
        self.reports.push(report);
        self.rows.push(row);
    }

    /// Only a single value of 2 GiB, twice what Kafka can carry, does not fit: it is null then.
    pub(crate) fn push_raw(&mut self, raw: Option<&[u8]>) {
        let fits = self.raw.push(raw.unwrap_or_default()).is_ok();
        if !fits {
            let _ = self.raw.push(&[]);
        }
        self.has_raw.append(fits && raw.is_some());
    }
}
