"""Weblate as its own tests set it up, without the libraries that draw its badges.

They have to be built with headers of the system, and no table depends on them.
"""

import sys
from unittest.mock import MagicMock

for name in ("cairo", "gi", "gi.repository"):
    sys.modules[name] = MagicMock()

from weblate.settings_test import *  # noqa: E402, F403 - only now can it be imported
