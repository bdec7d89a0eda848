"""Where a source is: written in the map, or in a variable that the map names."""

from collections.abc import Mapping

from offramp.data.sources.trouble import SourceUnusable

_VARIABLE = "env:"


def read_address(source: str, address: str, environment: Mapping[str, str]) -> str:
    """Return what a map says, or what the variable holds that it names.

    Raises:
        SourceUnusable: the variable is not set.
    """
    if not address.startswith(_VARIABLE):
        return address
    variable = address.removeprefix(_VARIABLE)
    value = environment.get(variable, "")
    if not value:
        reason = f"the variable {variable} is not set"
        raise SourceUnusable(source=source, reason=reason, hint=f"set {variable}")
    return value
