"""The event log's index is kept open, and is as Dagster leaves it afterwards."""

import dagster as dg
import pytest

from classification_assets.execution.open_index import open_index


@dg.asset
def made():
    return 1


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def journal(tmp_path):
    return tmp_path / "history" / "runs" / "index.db-wal"


def test_the_journal_stays_while_events_are_written_and_is_gone_afterwards(instance, tmp_path):
    with open_index(instance):
        assert dg.materialize([made], instance=instance).success
        assert journal(tmp_path).exists()
        assert instance.get_latest_materialization_event(dg.AssetKey("made")) is not None
    assert not journal(tmp_path).exists()
    assert instance.get_latest_materialization_event(dg.AssetKey("made")) is not None


def test_the_file_of_a_run_is_written_with_each_event_since_the_web_server_looks_at_it(instance, tmp_path):
    with open_index(instance):
        run = dg.materialize([made], instance=instance).run_id
        assert not (tmp_path / "history" / "runs" / f"{run}.db-wal").exists()


def test_an_index_that_is_gone_is_not_made_and_no_trouble(instance, tmp_path):
    index = journal(tmp_path).with_name("index.db")
    index.unlink()
    with open_index(instance):
        assert not index.exists()


def test_an_index_that_is_damaged_is_left_to_dagster(instance, tmp_path):
    index = journal(tmp_path).with_name("index.db")
    index.write_bytes(b"no database" * 100)
    with open_index(instance):
        pass
    assert index.read_bytes() == b"no database" * 100


def test_an_instance_in_memory_has_none():
    with dg.DagsterInstance.ephemeral() as instance, open_index(instance):
        assert dg.materialize([made], instance=instance).success
