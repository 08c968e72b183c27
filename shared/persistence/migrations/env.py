"""What Alembic runs: on the connection that `apply_migrations` hands over."""

from alembic import context

from shared.persistence.migrations.every_table import every_table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=every_table(),
    render_as_batch=True,
    # A revision that works online ends the transaction it is given.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
