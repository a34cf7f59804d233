"""Reports, model cards and comparisons: what they tell, and where they lead."""

import re

from classification_assets.assets.comparison import comparison_leaderboard_asset, gallery_asset
from classification_assets.assets.report import comparison_report_asset
from classification_assets.learning.artifacts.storage import load
from tests.assets.materialized import materialization


def test_the_report_over_all_experiments_leads_to_each_ones_own(done):
    page = done[1] / "comparison" / "report.html"
    links = re.findall(r'href="([^"#:]+)"', page.read_text())
    assert [(page.parent / link).resolve() for link in links] == [done[1] / "small" / "report.html"]


def test_the_report_over_all_experiments_is_made_of_a_leaderboard_that_knows_of_more(
    materialize_into, declared, tmp_path
):
    for architectures, selection in (
        (["linear", "shallow_relu"], "*"),
        (["linear"], 'key:"comparison/report"'),
    ):
        experiment = declared(architectures=architectures)
        comparisons = (
            comparison_leaderboard_asset([experiment]),
            gallery_asset([experiment]),
            comparison_report_asset([experiment]),
        )
        assert materialize_into(tmp_path, experiment, extra=comparisons, selection=selection).success


def test_the_report_over_all_experiments_counts_the_checks_of_folds_models_and_scores(done):
    result, folder = done
    checked = [
        check for check in result.get_asset_check_evaluations() if check.asset_key.path[-1] != "dataset"
    ]
    failed = sum(not check.passed for check in checked)
    assert f"<p>{failed} of {len(checked)}. " in (folder / "comparison" / "report.html").read_text()


def test_the_report_tells_when_and_on_what_each_model_was_trained(done):
    result, folder = done
    html = (folder / "small/report.html").read_text(encoding="utf-8")
    assert html.partition("</head>")[2].count(result.run_id) == 2
    assert "device: cpu" in html
    assert "decision boundary" in html
    assert "training curves" in html


def test_experiments_without_a_common_architecture_are_compared_without_ranks(
    declared, materialize_into, tmp_path
):
    pair = [declared("one", architectures=["linear"]), declared("two", architectures=["shallow_relu"])]
    result = materialize_into(
        tmp_path,
        *pair,
        selection='+key:"comparison/leaderboard"',
        extra=(comparison_leaderboard_asset(pair),),
    )
    assert result.success
    assert len(load(tmp_path / "comparison/leaderboard.parquet").ranks) == 0
    assert not (tmp_path / "comparison/critical_difference.png").exists()


def test_an_artifact_is_a_link_where_the_folder_is_served(materialize, experiment, monkeypatch):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_URL", "https://models.example/art/")
    shown = materialization(materialize(experiment), "small/report").metadata
    assert shown["link"].value == "https://models.example/art/small/report.html"


def test_without_an_address_a_report_is_a_path(done):
    shown = materialization(done[0], "small/report").metadata
    assert "link" not in shown
    assert shown["path"].value.endswith("small/report.html")


def test_the_card_beside_a_model_tells_of_its_evaluation(done):
    card = (done[1] / "small/narrow/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "model-index" in card
