"""Texts judged by word lists, all of which an automaton finds in one pass."""
