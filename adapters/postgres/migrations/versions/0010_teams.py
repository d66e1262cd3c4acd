"""Teams, their invitations, and the staff of stores."""

from alembic import op

revision = "0010"
down_revision = "0009"

_UP = """
    CREATE TABLE teams (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        version INTEGER NOT NULL,
        CONSTRAINT pk_teams PRIMARY KEY (id)
    );
    CREATE TABLE team_members (
        id UUID NOT NULL,
        team_id UUID NOT NULL,
        user_id UUID NOT NULL,
        role TEXT NOT NULL,
        joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_team_members PRIMARY KEY (id),
        CONSTRAINT uq_team_members_team_id_user_id UNIQUE (team_id, user_id),
        CONSTRAINT fk_team_members_team_id FOREIGN KEY (team_id)
            REFERENCES teams (id) ON DELETE CASCADE,
        CONSTRAINT fk_team_members_user_id FOREIGN KEY (user_id)
            REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX ix_team_members_user_id ON team_members (user_id);
    CREATE TABLE team_invitations (
        id UUID NOT NULL,
        team_id UUID NOT NULL,
        email TEXT NOT NULL,
        role TEXT NOT NULL,
        token_hash BYTEA NOT NULL,
        invited_by UUID NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_team_invitations PRIMARY KEY (id),
        CONSTRAINT uq_team_invitations_token_hash UNIQUE (token_hash),
        CONSTRAINT fk_team_invitations_team_id FOREIGN KEY (team_id)
            REFERENCES teams (id) ON DELETE CASCADE,
        CONSTRAINT fk_team_invitations_invited_by FOREIGN KEY (invited_by)
            REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX ix_team_invitations_team_id ON team_invitations (team_id);
    CREATE INDEX ix_team_invitations_invited_by ON team_invitations (invited_by);
    CREATE TABLE store_staff (
        id UUID NOT NULL,
        store_id UUID NOT NULL,
        user_id UUID NOT NULL,
        role TEXT NOT NULL,
        added_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_store_staff PRIMARY KEY (id),
        CONSTRAINT uq_store_staff_store_id_user_id UNIQUE (store_id, user_id),
        CONSTRAINT ck_store_staff_staff_do_not_own CHECK (role <> 'owner'),
        CONSTRAINT fk_store_staff_store_id FOREIGN KEY (store_id)
            REFERENCES stores (id) ON DELETE CASCADE,
        CONSTRAINT fk_store_staff_user_id FOREIGN KEY (user_id)
            REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE INDEX ix_store_staff_user_id ON store_staff (user_id);
    ALTER TABLE stores ADD COLUMN team_id UUID,
        ADD CONSTRAINT fk_stores_team_id FOREIGN KEY (team_id)
            REFERENCES teams (id) ON DELETE SET NULL;
    CREATE INDEX ix_stores_team_id ON stores (team_id)
"""


def upgrade() -> None:
    for statement in _UP.split(";"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE stores DROP COLUMN team_id")
    op.execute("DROP TABLE store_staff, team_invitations, team_members, teams")
