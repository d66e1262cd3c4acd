"""What every route answers that takes a text in, to be judged first."""

from application.moderation.judging import TextRefused
from application.ports.errors import Unavailable

UNSAYABLE = (TextRefused, Unavailable)
"""Unavailable: nobody could judge it. Nothing was kept: send it again."""
