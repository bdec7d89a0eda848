"""A data map from its YAML file."""

from pathlib import Path
from typing import Any

from offramp.data.datamap import DataMap
from offramp.documents.yaml import parse_model


def load_datamap(file: Path) -> DataMap:
    """Read a data map; every mistake is told with file, line, path, and what was expected.

    Raises:
        DocumentUnreadable: there is no such text file.
        DocumentInvalid: it is not a data map.
    """
    return parse_model(DataMap, file)


def datamap_schema() -> dict[str, Any]:
    """Return the JSON Schema of a data map, for editors."""
    return DataMap.model_json_schema(by_alias=True) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Offramp data map",
    }
