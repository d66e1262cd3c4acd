"""A model of a creator's likeness, trained from the creator's own images, version by version.

Its weights are biometric data: they stay in our storage, and no answer ever names them. A version
that is deleted leaves a tombstone, which says what it was, who ended it and why, and holds nothing
that it was made from: what was made with it can be explained for ever, and it cannot come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.creators.training_set import TrainingImage
from domain.shared.errors import Conflict, Gone

BASE_MODEL = "flux.1-dev"
"""What every trainer of ours fine-tunes, and every engine that draws loads the weights into."""
DEFAULT_STEPS = 1000


class ModelStatus(StrEnum):
    """Ready: may be used. Retired: kept, and not used for anything new. Deleted: a tombstone."""

    TRAINING = "training"
    READY = "ready"
    FAILED = "failed"
    RETIRED = "retired"
    DELETED = "deleted"


MODEL_TRANSITIONS: Mapping[ModelStatus, frozenset[ModelStatus]] = {
    ModelStatus.TRAINING: frozenset({ModelStatus.READY, ModelStatus.FAILED, ModelStatus.DELETED}),
    ModelStatus.READY: frozenset({ModelStatus.RETIRED, ModelStatus.DELETED}),
    ModelStatus.RETIRED: frozenset({ModelStatus.READY, ModelStatus.DELETED}),
    ModelStatus.FAILED: frozenset({ModelStatus.DELETED}),
    ModelStatus.DELETED: frozenset(),
}
WITH_WEIGHTS = (ModelStatus.READY, ModelStatus.RETIRED)


class DeletionReason(StrEnum):
    BY_CREATOR = "by_creator"
    LICENCE_REVOKED = "licence_revoked"
    CONSENT_WITHDRAWN = "consent_withdrawn"


class ModelDeleted(Gone):
    """This version of the likeness model has been deleted; nothing brings it back."""

    code = "model_deleted"


class ModelUnusable(Conflict):
    """This version of the likeness model has no weights: it is in training, or failed."""

    code = "model_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a training has made, in our storage, and which engine made it."""

    key: str
    sha256: str
    size_bytes: int
    provider: str
    trainer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """`deleted_by` is the user whose word it was."""

    deleted_at: datetime
    deleted_by: UUID
    reason: DeletionReason


@dataclass(eq=False, kw_only=True)
class LikenessModel:
    """One version. Has the id of its training job; `version` counts the trainings of its creator.

    `manifest_hash` names the images that it was trained from, `weights_sha256` the weights; both
    outlive a deletion, the images and the weights themselves do not. `in_force` is the version
    that is used where terms name none: at most one of a creator's. `takes_force` says that it is
    to be this one as soon as it is ready.
    """

    id: UUID
    creator_id: UUID
    version: int
    status: ModelStatus = ModelStatus.TRAINING
    in_force: bool = False
    takes_force: bool = True
    trigger_word: str
    base_model: str = BASE_MODEL
    steps: int
    training_set: tuple[TrainingImage, ...]
    manifest_hash: str
    provider: str | None = None
    trainer: str | None = None
    weights_key: str | None = None
    weights_sha256: str | None = None
    weights_bytes: int | None = None
    terms_id: UUID
    terms_version: int
    terms_hash: str
    consent_id: UUID
    created_at: datetime
    ready_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: UUID | None = None
    deletion_reason: DeletionReason | None = None

    @property
    def asset_ids(self) -> tuple[UUID, ...]:
        """The images that it is trained from, in their order."""
        return tuple(image.asset_id for image in self.training_set)

    @property
    def is_ready(self) -> bool:
        return self.status is ModelStatus.READY

    @property
    def is_deleted(self) -> bool:
        return self.status is ModelStatus.DELETED

    def become_ready(self, weights: Weights, *, at: datetime) -> None:
        self._become(ModelStatus.READY)
        self.weights_key, self.weights_sha256 = weights.key, weights.sha256
        self.weights_bytes = weights.size_bytes
        self.provider, self.trainer, self.ready_at = weights.provider, weights.trainer, at

    def fail(self) -> None:
        """Its training has ended without weights. What was deleted meanwhile stays deleted."""
        if self.status is ModelStatus.TRAINING:
            self._become(ModelStatus.FAILED)

    def restore(self) -> None:
        """May be used (again). Raises ModelDeleted, ModelUnusable."""
        self._require_weights()
        if self.status is ModelStatus.RETIRED:
            self._become(ModelStatus.READY)

    def retire(self) -> None:
        """Out of use; retiring twice is fine. Raises ModelDeleted, ModelUnusable."""
        self._require_weights()
        self.in_force = False
        if self.status is ModelStatus.READY:
            self._become(ModelStatus.RETIRED)

    def bury(self, tombstone: Tombstone) -> list[str]:
        """Delete it, whatever it is; answers what is to be erased from storage."""
        keys = [self.weights_key] if self.weights_key is not None else []
        self._become(ModelStatus.DELETED)
        self.deleted_at, self.deleted_by = tombstone.deleted_at, tombstone.deleted_by
        self.deletion_reason = tombstone.reason
        self.weights_key, self.in_force = None, False
        self.training_set, self.trigger_word = (), ""
        return keys

    def require_not_deleted(self) -> None:
        """Raises ModelDeleted."""
        if self.is_deleted:
            raise ModelDeleted(f"Version {self.version} of the likeness model has been deleted.")

    def _require_weights(self) -> None:
        self.require_not_deleted()
        if self.status not in WITH_WEIGHTS:
            raise ModelUnusable(
                f"Version {self.version} of the likeness model is {self.status}.",
                status=str(self.status),
            )

    def _become(self, status: ModelStatus) -> None:
        if status not in MODEL_TRANSITIONS[self.status]:
            raise ValueError(f"a model that is {self.status} does not become {status}")
        self.status = status
