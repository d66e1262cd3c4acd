"""Plain HTTP to addresses that others name."""
