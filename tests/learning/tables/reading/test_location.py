"""Tables that lie elsewhere: on a web server, in an archive, in stores whose packages may not be installed."""

import gzip
import os
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import fsspec
import numpy as np
import pandas as pd
import pytest

from classification_assets.learning.tables.datasets import TableFile
from classification_assets.learning.tables.reading.location import ENVIRONMENT
from classification_assets.learning.tables.table import Table
from tests.learning.tables.people import people, table_of, write

web = pytest.mark.skipif(find_spec("aiohttp") is None, reason="needs the extra http")


class Server(SimpleHTTPRequestHandler):
    """Python's own, with an address whose content ends too early, and one that changes with each request."""

    requests = 0

    def do_GET(self):
        if self.path == "/short.csv":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"a,label\n1,x\n")
        elif self.path == "/changing.csv":
            Server.requests += 1
            self.send_response(200)
            self.send_header("ETag", str(Server.requests))
            self.end_headers()
            self.wfile.write(b"a,label\n1,x\n")
        else:
            super().do_GET()

    def do_HEAD(self):
        return self.do_GET() if self.path in ("/short.csv", "/changing.csv") else super().do_HEAD()

    def log_message(self, *_):
        """Nothing is said."""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows().to_csv("a.csv", index=False)
    rows().to_parquet("a.parquet")
    Path("a.csv.gz").write_bytes(gzip.compress(Path("a.csv").read_bytes()))
    with zipfile.ZipFile("archive.zip", "w") as archive:
        archive.write("a.csv", "deep/a.csv")
        archive.write("a.csv.gz")
    return tmp_path


@pytest.fixture
def address(folder):
    """Address of a web server that serves the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def rows(n=50):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(size=n), "label": rng.choice(["x", "y"], n)})


def frame_of(path):
    return Table.of(TableFile(path=str(path))).frame


@web
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.csv?signed=a/b.c"])
def test_a_web_address_is_read(address, name):
    pd.testing.assert_frame_equal(frame_of(f"{address}/{name}"), rows())


@web
def test_what_a_web_server_does_not_give_is_told_with_its_answer(address):
    with pytest.raises(FileNotFoundError, match=r"/b\.csv: there is no such file or folder \(404"):
        frame_of(f"{address}/b.csv")


@web
def test_a_server_that_does_not_answer_is_told(address):
    with pytest.raises(FileNotFoundError, match=r"http://127\.0\.0\.1:1/a\.csv: .*Cannot connect to host"):
        frame_of("http://127.0.0.1:1/a.csv")


@web
def test_a_download_that_ends_too_early_is_told(address):
    with pytest.raises(ValueError, match=r"/short\.csv: could not be read to its end"):
        frame_of(f"{address}/short.csv")


@web
def test_a_web_page_that_changes_meanwhile_is_told(address):
    with pytest.raises(ValueError, match=r"/changing\.csv: changed while it was read"):
        frame_of(f"{address}/changing.csv")


@web
def test_only_the_addresses_that_are_listed_are_read(address, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, f"{address}/data")
    with pytest.raises(
        ValueError, match=f"lies outside of what may be read; {ENVIRONMENT} allows {address}/data"
    ):
        frame_of(f"{address}/a.csv")


@pytest.mark.parametrize("member", ["deep/a.csv", "a.csv.gz"])
@pytest.mark.parametrize("archive", ["archive.zip", "file://{folder}/archive.zip"])
def test_a_file_of_an_archive_is_read(folder, member, archive):
    pd.testing.assert_frame_equal(frame_of(f"zip://{member}::{archive.format(folder=folder)}"), rows())


@pytest.mark.parametrize("url", ["file://{folder}/a.csv", "local://{folder}/a.csv", "file:{folder}/a.csv"])
def test_a_local_file_may_be_written_as_a_url(folder, url):
    pd.testing.assert_frame_equal(frame_of(url.format(folder=folder)), rows())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("zip://b.csv::archive.zip", r"zip://b\.csv::archive\.zip: there is no such file or folder"),
        ("zip://a.csv::b.zip", r"No such file or directory: .*b\.zip"),
        ("zip://a.csv::a.csv", r"zip://a\.csv::a\.csv: cannot be opened: File is not a zip file"),
        ("foo://a.csv", "foo://a.csv: cannot be opened: Unsupported filesystem: 'foo'"),
    ],
)
def test_a_url_that_leads_nowhere_is_told(url, words):
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        frame_of(url)


def test_an_archive_may_not_lead_out_either(folder, tmp_path_factory):
    archive = tmp_path_factory.mktemp("elsewhere") / "b.zip"
    (folder / "archive.zip").rename(archive)
    with pytest.raises(ValueError, match="leads out of"):
        frame_of(f"zip://a.csv.gz::../{archive.parent.name}/b.zip")


@pytest.mark.parametrize(
    ("protocol", "package", "extra"),
    [("s3", "s3fs", "s3"), ("gs", "gcsfs", "gs"), ("abfs", "adlfs", "abfs"), ("https", "aiohttp", "http")],
)
def test_a_store_whose_package_is_not_installed_is_told_with_the_command(protocol, package, extra):
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    with pytest.raises(
        ValueError, match=rf"{protocol}://b/a\.csv: .*{package}.*: pip install 'fsspec\[{extra}\]'"
    ):
        frame_of(f"{protocol}://b/a.csv")


def test_an_absolute_path_is_read_wherever_it_is(folder, tmp_path_factory):
    there = tmp_path_factory.mktemp("elsewhere") / "a.csv"
    people().to_csv(there, index=False)
    assert table_of(there).rows.n_rows == 120


def test_a_relative_path_may_not_lead_out_and_the_message_says_how_to_mean_it(folder, tmp_path_factory):
    there = tmp_path_factory.mktemp("elsewhere") / "a.csv"
    people().to_csv(there, index=False)
    (folder / "link.csv").symlink_to(there)
    for path in (os.path.relpath(there), "link.csv"):
        with pytest.raises(
            ValueError, match=f"leads out of .*if it is meant, write the absolute path: {there}"
        ):
            table_of(path)


def test_where_folders_are_listed_nothing_outside_of_them_is_read(folder, monkeypatch):
    (folder / "data").mkdir()
    inside, outside = write("data/a.csv".replace("data/", "")), "b.csv"
    os.rename(inside, "data/a.csv")
    write(outside)
    monkeypatch.setenv(ENVIRONMENT, f"{folder / 'data'}, memory://shop")
    with fsspec.open("memory://shop/c.csv", "wb") as opened:
        opened.write(people().to_csv(index=False).encode())
    assert table_of("data/a.csv").rows.n_rows == 120
    assert table_of("memory://shop/c.csv").rows.n_rows == 120
    for path in (
        "b.csv",
        str(folder / "b.csv"),
        "memory://shop2/c.csv",
        "memory://shop/../x.csv",
        "data/../b.csv",
    ):
        with pytest.raises(ValueError, match=f"{ENVIRONMENT}"):
            table_of(path)


def test_what_is_not_there_or_no_file_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"b\.csv: there is no such file or folder"):
        table_of("b.csv")
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="a folder is read if it holds Parquet files"):
        table_of("empty")
    os.mkfifo("pipe.csv")
    with pytest.raises(ValueError, match=r"pipe\.csv: is neither a file nor a folder"):
        table_of("pipe.csv")
