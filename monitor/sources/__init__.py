"""Where logins come from. A new source is one file here and one line in a registry.

A file source is a function `(stream, options) -> Iterator[RawChunk]` (`base.Source`) in `REGISTRY`, under the name that
`monitor ingest --format` takes. `sql` is for databases: what to ask them, and how far a pull has come.
"""

from collections.abc import Mapping

from monitor.sources.base import CHUNK_RECORDS, Options, RawChunk, Source
from monitor.sources.canonical import read_csv, read_jsonl
from monitor.sources.lines import decompressed
from monitor.sources.okta import OKTA
from monitor.sources.rba import read_rba
from monitor.sources.sshd import read_sshd

REGISTRY: Mapping[str, Source] = {
    "csv": read_csv,
    "jsonl": read_jsonl,
    "okta": OKTA,
    "rba": read_rba,
    "sshd": read_sshd,
}

__all__ = ["CHUNK_RECORDS", "REGISTRY", "Options", "RawChunk", "Source", "decompressed"]
