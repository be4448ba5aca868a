#!/usr/bin/env bash
# Histories in columns are what DuckDB, pandas and Polars read: written by a build with the feature, counted by each.
# usage: ci/columns.sh      (needs python3 with pip; the packages go to target/columns)
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS
command -v python3 >/dev/null || { echo "skipped: there is no python3"; exit 0; }
here=target/columns
mkdir -p "$here"
if [ ! -x "$here/venv/bin/python" ]; then
    python3 -m venv "$here/venv" || { echo "skipped: python3 has no venv"; exit 0; }
    "$here/venv/bin/pip" install --quiet duckdb pandas pyarrow polars || { echo "skipped: no packages"; rm -rf "$here/venv"; exit 0; }
fi
cargo test --quiet -p tribunal-histories --features columnar parquet
cargo build --release --quiet --features columnar
bin=target/release/tribunal
"$bin" generate --model kv --ops 100000 --keys 50 --unique --crashed 100 -q -o "$here/history.jsonl"
"$bin" convert "$here/history.jsonl" "$here/history.parquet"
"$bin" convert "$here/history.parquet" "$here/back.jsonl" -q
cmp "$here/history.jsonl" "$here/back.jsonl"
"$bin" check "$here/history.parquet" --model kv
ls -l "$here"/history.* | awk '{ print $5, $9 }'
"$here/venv/bin/python" - "$here/history.parquet" <<'PYTHON'
import sys

import duckdb
import pandas
import polars

path = sys.argv[1]
by_duckdb = duckdb.sql(f"select type, count(*) from '{path}' group by type order by type").fetchall()
rows = pandas.read_parquet(path)
by_pandas = sorted((name, int(count)) for name, count in rows["type"].value_counts().items())
frame = polars.read_parquet(path)
by_polars = sorted(frame.group_by("type").len().iter_rows())
assert by_duckdb == by_pandas == by_polars, (by_duckdb, by_pandas, by_polars)
assert dict(by_duckdb) == {"info": 100, "invoke": 100_000, "ok": 99_900}, by_duckdb
# They can write histories, too, if nothing is packed, and if integers stay integers (pandas makes fractions of them
# where there are nulls).
frame.write_parquet(path.replace(".parquet", "-by-polars.parquet"), compression="uncompressed")
print("DuckDB, pandas and Polars agree:", by_duckdb)
PYTHON
"$bin" check "$here/history-by-polars.parquet" --model kv
