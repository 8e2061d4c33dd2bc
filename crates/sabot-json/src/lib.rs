//! JSON to Arrow columns, with the schema given or inferred.
