//! Tests of the data plane through the operations.
