//! Arrow columns with checkpoint and truncate, and the assembler of key, value and metadata columns.
