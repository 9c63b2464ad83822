"""The locked database reaches nothing but what it was given."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from darkgnn_core.querying import locked_database


@pytest.fixture
def folders(tmp_path):
    """Make a folder that may be read, one that may not, each with a file, and a place to spill."""
    for name in ("given", "other", "spill"):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"x": [1, 2]}), tmp_path / name / "a.parquet")
    return tmp_path


def test_reads_what_it_was_given(folders):
    """Files below a given directory are read, by bound path and value."""
    with locked_database([folders / "given"], temporary=folders / "spill") as database:
        query = "SELECT count(*) FROM read_parquet($files) WHERE x > $least"
        values = {"files": [str(folders / "given" / "a.parquet")], "least": 1}
        assert database.execute(query, values).fetchall() == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_parquet('{other}/a.parquet')",
        "SELECT * FROM read_parquet('{given}/../other/a.parquet')",
        "SELECT * FROM '{other}/a.parquet'",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('{other}/*')",
        "SELECT * FROM read_parquet('https://example.org/a.parquet')",
        "COPY (SELECT 1) TO '{other}/b.csv'",
        "ATTACH '{other}/b.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 4",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET temp_directory = '{other}'",
        "PRAGMA memory_limit = '9GB'",
        "SELECT * FROM secret",
    ],
)
def test_refuses_everything_else(folders, query):
    """Other files, the network, extensions, settings and Python variables are out of reach."""
    secret = pa.table({"x": [1]})
    assert secret.num_rows == 1
    before = sorted(folders.rglob("*"))
    text = query.format(given=folders / "given", other=folders / "other")
    with (
        locked_database([folders / "given"], temporary=folders / "spill") as database,
        pytest.raises(duckdb.Error),
    ):
        database.execute(text).fetchall()
    assert sorted(folders.rglob("*")) == before


def test_spills_to_the_temporary_directory(folders):
    """What the memory does not hold goes to the temporary directory, and goes away at the end."""
    spill = folders / "spill"
    options = {"temporary": spill, "memory_mb": 40, "threads": 1}
    with locked_database([folders / "given"], **options) as database:
        database.execute("CREATE TEMP TABLE t AS SELECT hash(i) AS h FROM range(8000000) AS r(i)")
        assert sum(path.stat().st_size for path in spill.glob("duckdb_temp*")) > 2**20
        assert database.execute("SELECT count(DISTINCT h) FROM t").fetchall() == [(8_000_000,)]
    assert [path.name for path in spill.iterdir()] == ["a.parquet"]


def test_limits_are_set(folders):
    """Memory and threads are those asked for."""
    options = {"temporary": folders, "memory_mb": 123, "threads": 1}
    with locked_database([], **options) as database:
        query = "SELECT current_setting('memory_limit'), current_setting('threads')"
        assert database.execute(query).fetchall() == [("123.0 MiB", 1)]
