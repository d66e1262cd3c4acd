"""Tax from a table of fixed rates, for operators who need no more than that."""
