"""Parquet by arro3: the Arrow library of Rust, a fifth of pyarrow's size."""
