"""Alembic's entry: runs revisions on the connection that `migration.migrate` hands over."""

from __future__ import annotations

from alembic import context

from slagboom_server.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
