"""Projects, characters, templates, presets, and what of them is shown to everybody."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    for statement in _TABLES.split("\n\n"):
        op.execute(statement)


def downgrade() -> None:
    for table in _DROPPED:
        op.execute(f"DROP TABLE {table}")


_DROPPED = (
    "publication_uses",
    "favourites",
    "publications",
    "presets",
    "prompt_templates",
    "character_references",
    "characters",
    "projects",
)

_TABLES = """
CREATE TABLE projects (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    team_id UUID,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_projects PRIMARY KEY (id),
    CONSTRAINT ck_projects_tombstone_of_nobodys_team CHECK (deleted_at IS NULL OR team_id IS
        NULL),
    CONSTRAINT fk_projects_team_id FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE SET NULL
)

CREATE INDEX ix_projects_personal ON projects (owner_id, id) WHERE team_id IS NULL AND
    deleted_at IS NULL

CREATE INDEX ix_projects_team ON projects (team_id, id) WHERE team_id IS NOT NULL

CREATE TABLE characters (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    creator_id UUID,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    gender TEXT NOT NULL,
    age INTEGER NOT NULL,
    style TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_characters PRIMARY KEY (id),
    CONSTRAINT ck_characters_adult CHECK (age >= 18),
    CONSTRAINT fk_characters_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id)
)

CREATE INDEX ix_characters_creator ON characters (creator_id) WHERE creator_id IS NOT NULL

CREATE INDEX ix_characters_own ON characters (owner_id, id) WHERE deleted_at IS NULL

CREATE TABLE character_references (
    character_id UUID NOT NULL,
    position INTEGER NOT NULL,
    asset_id UUID NOT NULL,
    CONSTRAINT pk_character_references PRIMARY KEY (character_id, position),
    CONSTRAINT ck_character_references_at_most_four CHECK (position BETWEEN 0 AND 3),
    CONSTRAINT fk_character_references_character_id FOREIGN KEY(character_id) REFERENCES
        characters (id),
    CONSTRAINT fk_character_references_asset_id FOREIGN KEY(asset_id) REFERENCES assets (id)
)

CREATE INDEX ix_character_references_asset_id ON character_references (asset_id)

CREATE TABLE prompt_templates (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    prompt TEXT NOT NULL,
    variables JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_prompt_templates PRIMARY KEY (id)
)

CREATE INDEX ix_prompt_templates_own ON prompt_templates (owner_id, id) WHERE deleted_at IS NULL

CREATE TABLE presets (
    id UUID NOT NULL,
    owner_id UUID,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    camera TEXT NOT NULL,
    motion INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    style TEXT NOT NULL,
    driving_asset_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_presets PRIMARY KEY (id),
    CONSTRAINT ck_presets_motion CHECK (motion BETWEEN 1 AND 255),
    CONSTRAINT ck_presets_duration CHECK (duration_ms > 0),
    CONSTRAINT fk_presets_driving_asset_id FOREIGN KEY(driving_asset_id) REFERENCES assets (id)
)

CREATE INDEX ix_presets_driving_asset_id ON presets (driving_asset_id)

CREATE INDEX ix_presets_own ON presets (owner_id, id) WHERE deleted_at IS NULL

CREATE TABLE publications (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    owner_id UUID,
    creator_id UUID,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    reason TEXT,
    favourites BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    version INTEGER NOT NULL,
    search TSVECTOR GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || description ||
        ' ' || category)) STORED,
    CONSTRAINT pk_publications PRIMARY KEY (id),
    CONSTRAINT ck_publications_counts CHECK (favourites >= 0 AND uses >= 0),
    CONSTRAINT ck_publications_published_at CHECK (state <> 'published' OR published_at IS
        NOT NULL),
    CONSTRAINT ck_publications_reason_of_rejection CHECK ((state = 'rejected') = (reason IS
        NOT NULL))
)

CREATE INDEX ix_publications_new ON publications (kind, published_at, id) WHERE state =
    'published'

CREATE INDEX ix_publications_popular ON publications (kind, favourites, id) WHERE state =
    'published'

CREATE INDEX ix_publications_search ON publications USING gin (search) WHERE state = 'published'

CREATE INDEX ix_publications_used ON publications (kind, uses, id) WHERE state = 'published'

CREATE INDEX ix_publications_waiting ON publications (submitted_at, id) WHERE state =
    'in_review'

CREATE TABLE favourites (
    user_id UUID NOT NULL,
    publication_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_favourites PRIMARY KEY (user_id, publication_id),
    CONSTRAINT fk_favourites_publication_id FOREIGN KEY(publication_id) REFERENCES
        publications (id) ON DELETE CASCADE
)

CREATE INDEX ix_favourites_chosen ON favourites (user_id, created_at, publication_id)

CREATE INDEX ix_favourites_publication_id ON favourites (publication_id)

CREATE TABLE publication_uses (
    day DATE NOT NULL,
    publication_id UUID NOT NULL,
    user_id UUID NOT NULL,
    CONSTRAINT pk_publication_uses PRIMARY KEY (day, publication_id, user_id),
    CONSTRAINT fk_publication_uses_publication_id FOREIGN KEY(publication_id) REFERENCES
        publications (id) ON DELETE CASCADE
)

CREATE INDEX ix_publication_uses_publication_id ON publication_uses (publication_id)
"""
