"""Stored answers of any harness, as lines in the form of `answers.parquet` with what was asked."""
