"""The conditions of a licence, each a function from terms and use to its reasons against."""
