"""The failures a person at the keyboard can do something about: one sentence, no traceback."""


class LocalError(Exception):
    """The machine refuses something; the message says what to do next."""
