#!/usr/bin/env bash
# dagster-postgres 0.29.27 with SQLAlchemy 2.1: the documented configuration does not find its own driver.
#
# Expected: `storage: {postgres: {postgres_db: {...}}}`, as documented, connects by psycopg2, which dagster-postgres requires.
# Real:     the address is made as postgresql://..., for which SQLAlchemy 2.1 takes psycopg 3: "No module named 'psycopg'".
#           `scheme: postgresql+psycopg2` in the configuration mends it.
# Source:   https://docs.dagster.io/deployment/dagster-instance (PostgreSQL storage);
#           SQLAlchemy 2.1 migration notes: the default PostgreSQL driver is psycopg.
# Seen:     postgresql: No module named 'psycopg'; postgresql+psycopg2: psycopg2
# Exit: 0 if that is still so, 1 if not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'dagster==1.13.27' 'dagster-postgres==0.29.27' 'sqlalchemy>=2.1,<2.2'
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from dagster_postgres.utils import get_conn_string
from sqlalchemy import create_engine

seen = {}
for scheme in ("postgresql", "postgresql+psycopg2"):
    address = get_conn_string("user", "password", "localhost", "dagster", scheme=scheme)
    try:
        seen[scheme] = create_engine(address).dialect.driver
    except ModuleNotFoundError as error:
        seen[scheme] = str(error)
print("; ".join(f"{scheme}: {found}" for scheme, found in seen.items()))
sys.exit(0 if "No module named" in seen["postgresql"] and seen["postgresql+psycopg2"] == "psycopg2" else 1)
PYTHON
