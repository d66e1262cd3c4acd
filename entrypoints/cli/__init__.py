"""The command `likeness`. A module is a group of commands; each is imported when it is used."""
