"""Three applications from the package index: how each is installed, and makes its own tables."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.integration.foreign.rows import Habits
from tests.integration.foreign.server import execute

HERE = Path(__file__).parent
# uv trusts its own certificates unless told, and keeps what it has downloaded.
UV = {"UV_SYSTEM_CERTS": "1", "UV_NO_CACHE": "1"}
SECONDS_MAX = 600


@dataclass(frozen=True)
class Foreign:
    """One application that is not ours."""

    name: str
    packages: tuple[str, ...]
    root: str
    habits: Habits
    migrate: tuple[str, ...]
    without: tuple[str, ...] = ()  # packages that need headers of the system, and no table needs
    extensions: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def decisions(self):
        return HERE / self.name / "decisions.yaml"

    def install(self, folder):
        """Install the application into a virtual environment of its own."""
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
        assert uv, "uv comes with the packages of the tests"
        overrides = folder / "overrides.txt"
        overrides.write_text("".join(f"{name}; sys_platform == 'never'\n" for name in self.without))
        self._run([uv, "venv", "--python", sys.executable, folder / "venv"], UV)
        into = ["--python", folder / "venv" / "bin" / "python", "--overrides", overrides]
        self._run([uv, "pip", "install", *into, *self.packages], UV)

    def make_tables(self, folder, host):
        """Let the application's own migrations make its database."""
        execute(host, f"CREATE DATABASE {self.name}")
        for extension in self.extensions:
            execute(host, f"CREATE EXTENSION {extension}", database=self.name)
        known = {"host": host, "folder": str(folder), "here": str(HERE / self.name)}
        settings = {key: value.format(**known) for key, value in self.environment}
        settings |= {"DATABASE_HOST": host, "DATABASE_NAME": self.name}
        program, *arguments = self.migrate
        self._run([folder / "venv" / "bin" / program, *arguments], settings)

    def _run(self, command, settings):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings}
        done = subprocess.run(
            list(map(str, command)), env=environment, capture_output=True, text=True,
            timeout=SECONDS_MAX, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}"


OSCAR = Foreign(
    name="oscar",
    packages=("django-oscar[sorl-thumbnail]==4.2.1", "psycopg[binary]", "setuptools<81"),
    root="auth_user.id",
    habits=Habits(
        root="public.auth_user",
        owned=("public.order_shippingaddress", "public.order_billingaddress"),
    ),
    migrate=("python", "-m", "django", "migrate", "--skip-checks"),
    environment=(("PYTHONPATH", "{here}"), ("DJANGO_SETTINGS_MODULE", "settings")),
)
WEBLATE = Foreign(
    name="weblate",
    packages=("weblate[postgres]==5.14.3",),
    without=("borgbackup", "pygobject", "pycairo"),
    root="trans_project.id",
    habits=Habits(root="public.trans_project"),
    migrate=("python", "-m", "django", "migrate", "--skip-checks"),
    environment=(
        *(("PYTHONPATH", "{here}"), ("DJANGO_SETTINGS_MODULE", "settings")),
        *(("CI_DATABASE", "postgresql"), ("CI_DB_HOST", "{host}"), ("CI_DB_NAME", "weblate")),
        *(("CI_DB_USER", "postgres"), ("CI_BASE_DIR", "{folder}")),
    ),
)
INDICO = Foreign(
    name="indico",
    packages=("indico==3.2.9", "setuptools<81"),
    extensions=("pg_trgm", "unaccent"),
    root="events.events.id",
    habits=Habits(
        root="events.events",
        owned=("events.breaks",),
        common=("categories.categories",),
        aside=("background_image_id", "backside_template_id"),
        values=(("is_deleted", "false"),),
    ),
    migrate=("indico", "db", "prepare"),
    environment=(("INDICO_CONFIG", "{here}/indico.conf"), ("INDICO_FOLDER", "{folder}")),
)
FOREIGN = {each.name: each for each in (OSCAR, WEBLATE, INDICO)}
