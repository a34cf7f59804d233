"""The Dagster assets: one file a kind, each moving data between Dagster and `learning`."""
