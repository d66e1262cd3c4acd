"""What `make demo`, `make run` and the tests need from a machine that has nothing but Python."""
