"""What the output of each kind of step looks like from its first bytes, and how large it may be."""

from collections.abc import Mapping

from domain.shared.errors import Invalid
from domain.studio.pipelines import StepType

_MB = 1024 * 1024

MAX_BYTES: Mapping[StepType, int] = {
    StepType.TRAINING: 512 * _MB,
    StepType.IMAGE_GENERATION: 50 * _MB,
    StepType.SPEECH_SYNTHESIS: 50 * _MB,
    StepType.VIDEO_SYNTHESIS: 512 * _MB,
    StepType.MOTION_TRANSFER: 512 * _MB,
    StepType.MODEL_3D: 256 * _MB,
}


class OutputRefused(Invalid):
    """These bytes are not what the step is to make."""

    code = "output_refused"


def kind_of_output(step: StepType, content: bytes) -> tuple[str, str]:
    """Content type and file name suffix, by magic bytes and never by name. Raises OutputRefused.

    Weights have no magic that could be told; an image is looked at by whoever decodes images.
    """
    found: tuple[str, str] | None = None
    match step:
        case StepType.TRAINING if content:
            found = "application/octet-stream", "safetensors"
        case StepType.SPEECH_SYNTHESIS:
            found = _audio(content)
        case StepType.VIDEO_SYNTHESIS | StepType.MOTION_TRANSFER:
            found = _video(content)
        case StepType.MODEL_3D if content[:4] == b"glTF":
            found = "model/gltf-binary", "glb"
    if found is None:
        raise OutputRefused(f"These bytes are not what {step} is to make.")
    return found


def _video(content: bytes) -> tuple[str, str] | None:
    if content[4:8] == b"ftyp":
        return "video/mp4", "mp4"
    if content[:4] == b"\x1aE\xdf\xa3":
        return "video/webm", "webm"
    return None


def _audio(content: bytes) -> tuple[str, str] | None:
    if content[:3] == b"ID3" or (content[:1] == b"\xff" and content[1:2] and content[1] >> 5 == 7):
        return "audio/mpeg", "mp3"
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav", "wav"
    if content[:4] == b"OggS":
        return "audio/ogg", "ogg"
    if content[:4] == b"fLaC":
        return "audio/flac", "flac"
    return None
