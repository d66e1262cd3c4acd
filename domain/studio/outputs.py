"""What the output of each kind of step looks like from its first bytes, and how large it may be."""

from collections.abc import Mapping

from domain.media.clips import sniff_audio, sniff_video
from domain.shared.errors import Invalid
from domain.studio.pipelines import StepType

_MB = 1024 * 1024
_AUDIO_TYPES = {"mp3": "audio/mpeg"}
_MESH_HEAD_BYTES = 20
MESH_TYPE = "model/gltf-binary"

MAX_BYTES: Mapping[StepType, int] = {
    StepType.TRAINING: 512 * _MB,
    StepType.IMAGE_GENERATION: 50 * _MB,
    StepType.UPSCALING: 100 * _MB,
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
        case StepType.SPEECH_SYNTHESIS if (audio := sniff_audio(content)) is not None:
            found = _AUDIO_TYPES.get(audio, f"audio/{audio}"), audio
        case StepType.VIDEO_SYNTHESIS | StepType.MOTION_TRANSFER if (
            video := sniff_video(content)
        ) is not None:
            found = f"video/{video}", video
        case StepType.MODEL_3D if is_binary_gltf(content):
            found = MESH_TYPE, "glb"
    if found is None:
        raise OutputRefused(f"These bytes are not what {step} is to make.")
    return found


def is_binary_gltf(content: bytes) -> bool:
    """The twelve bytes that a binary glTF 2.0 begins with, and the length that they promise; its
    first chunk is the JSON of the scene. (Khronos, glTF 2.0, 4.4)"""
    if len(content) < _MESH_HEAD_BYTES or content[:4] != b"glTF" or content[16:20] != b"JSON":
        return False
    version, length, chunk_length = (
        int.from_bytes(content[at : at + 4], "little") for at in (4, 8, 12)
    )
    return version == 2 and length == len(content) and _MESH_HEAD_BYTES + chunk_length <= length
