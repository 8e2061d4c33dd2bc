//! Bounded byte cursor, varints and a padded arena, shared by Sabot's binary codecs.
