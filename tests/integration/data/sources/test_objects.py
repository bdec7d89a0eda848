"""A store of files: what is refused because it would delete too much, or see too little."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from offramp.core.errors import OfframpError
from offramp.data.check import Kind, check
from offramp.data.datamap import DataMap
from offramp.data.elsewhere import (
    Elsewhere,
    FolderShared,
    KindMissing,
    SourceLeftOut,
    SubjectRowMissing,
    ask_afterwards,
    ask_elsewhere,
    look_up_facts,
    open_elsewhere,
    require_none_left_out,
)
from offramp.data.erasure.erase import erase
from offramp.data.erasure.fence import Pace
from offramp.data.erasure.held import plan_held
from offramp.data.handover.export import digest
from offramp.data.scope import Scope
from offramp.data.source_spec import ObjectsSpec
from offramp.data.sources.local_folder import FileUnsafe
from offramp.data.sources.objects import FileStays, NothingThere, ObjectKind, VersionsKept
from offramp.data.sources.trouble import SourceUnavailable, SourceUnusable
from offramp.testing.source_world import OURS, SIBLING, RecordingFence, SourceWorld
from tests.integration.data.sources.file_world import (
    FILES,
    TABLE,
    FolderWorld,
    MemoryWorld,
    bucket_world,
)


@pytest.fixture
def folder(tmp_path):
    return FolderWorld(folder=tmp_path)


@pytest.fixture
def stored(tmp_path, bucket):
    return bucket_world(tmp_path, bucket)


def take(world, *, rows_max=1_000, fence=None):
    """Delete the files alone, as an erasure does."""
    pace = Pace(elapsed=world.elapsed(), rows_max=rows_max)
    fence = fence or RecordingFence()
    return sum(rows for _, rows in world.elsewhere(OURS).erase(fence=fence, pace=pace))


def listed(world):
    return digest(world.datamap, world.sources, OURS, elsewhere=world.elsewhere(OURS))


def with_spec(world, **changed):
    """The same world, whose source is declared in another way."""
    source = world.others["further"]
    spec = source.spec.model_copy(update=changed)
    world.others = {"further": replace(source, spec=spec)}
    return world


class TestLinks:
    def test_a_link_to_the_files_of_others_stops_everything(self, folder):
        (folder.root(OURS) / "shared").symlink_to(folder.root(SIBLING))
        siblings = folder.held(SIBLING)

        for work in (take, listed):
            with pytest.raises(FileUnsafe, match="links"):
                work(folder)

        assert folder.held(SIBLING) == siblings
        assert (folder.root(OURS) / "report.pdf").exists()

    def test_a_folder_that_is_a_link_itself_stops_everything(self, folder):
        folder.root(OURS).rename(folder.folder / "moved")
        folder.root(OURS).symlink_to(folder.root(SIBLING))
        siblings = folder.held(SIBLING)

        with pytest.raises(FileUnsafe, match="on the way"):
            take(folder)

        assert folder.held(SIBLING) == siblings

    def test_a_file_that_a_listing_would_pass_over_is_told(self, folder):
        folder.put(OURS, "upload#7", b"half of it")

        with pytest.raises(FileUnsafe, match="unfinished"):
            listed(folder)

    def test_a_file_that_a_listing_passes_over_is_counted_as_left(self, folder):
        take(folder)
        folder.put(OURS, "upload#7", b"half of it")

        assert folder.elsewhere(OURS).count() == {TABLE: 1}


class TestNothing:
    def test_a_prefix_under_which_nobody_has_files_is_no_empty_customer(self, folder):
        lost = with_spec(folder, prefix="client/{companies.slug}/")

        with pytest.raises(NothingThere):
            listed(lost)

    def test_one_without_files_among_others_is_empty(self, folder):
        take(folder)

        assert listed(folder)[TABLE].rows == 0

    def test_a_map_may_say_that_nobody_has_files_yet(self, folder):
        young = with_spec(folder, prefix="client/{companies.slug}/", empty="uploads come in May")

        assert listed(young)[TABLE].rows == 0

    def test_the_last_one_of_all_can_be_erased_and_verified(self, folder):
        other = Scope(organization="10")
        for scope in (other, OURS):
            pace = Pace(elapsed=folder.elapsed(), rows_max=10)
            list(folder.elsewhere(scope).erase(fence=RecordingFence(), pace=pace))

        assert folder.elsewhere(OURS).count() == {TABLE: 0}

    def test_no_empty_folder_is_left_to_name_the_customer(self, folder):
        (folder.root(OURS) / "drafts" / "2026").mkdir(parents=True)

        take(folder)

        assert not folder.root(OURS).exists()
        assert folder.root(SIBLING).exists()

    def test_a_bucket_that_does_not_exist_is_no_empty_one(self, stored):
        source = stored.others["further"]
        gone = ObjectKind().open(
            "further", source.spec.model_copy(update={"url": "s3://gone"}), tools=stored.tools()
        )
        stored.others = {"further": gone}

        for work in (take, listed, lambda world: world.elsewhere(OURS).count()):
            with pytest.raises(SourceUnavailable, match="no such bucket"):
                work(stored)

    def test_a_bucket_that_does_not_let_us_in_is_no_empty_one(self, stored, bucket):
        bucket.is_closed = True

        with pytest.raises(SourceUnavailable, match="let us in"):
            stored.elsewhere(OURS).count()


class TestVersions:
    def test_a_store_that_keeps_versions_is_refused(self, stored, bucket):
        bucket.keeps_versions = True
        held = stored.held(OURS)

        for work in (listed, take):
            with pytest.raises(VersionsKept):
                work(stored)

        assert stored.held(OURS) == held

    def test_a_map_may_say_what_becomes_of_versions_and_the_certificate_repeats_it(
        self, stored, bucket
    ):
        bucket.keeps_versions = True
        said = with_spec(stored, versions="the rule `expire` removes them after 30 days")

        assert take(said) == len(FILES)
        assert "removes them after 30 days" in said.elsewhere(OURS).unseen()["further"]

    def test_that_nobody_looked_at_versions_is_said_even_where_there_are_none(self, stored):
        assert "were not looked at" in stored.elsewhere(OURS).unseen()["further"]

    def test_a_folder_keeps_no_versions(self, folder):
        assert folder.elsewhere(OURS).unseen() == {}


class TestDeletion:
    def test_a_deletion_that_changes_nothing_is_told_and_not_repeated(self, stored, bucket):
        bucket.forgets_to_delete = True

        with pytest.raises(FileStays) as caught:
            take(stored)

        assert caught.value.retry

    def test_a_key_that_cannot_be_named_is_told(self, stored, bucket):
        bucket.objects["companies/1/a//b"] = b"?"

        with pytest.raises(FileUnsafe, match="empty part"):
            listed(stored)

    def test_a_folder_made_by_hand_is_told(self, stored, bucket):
        bucket.objects["companies/1/"] = b""

        with pytest.raises(FileUnsafe, match="by hand"):
            listed(stored)

    def test_many_files_go_in_few_requests(self, stored, bucket):
        for number in range(25):
            bucket.objects[f"companies/1/{number:03}"] = b"x"
        fence = RecordingFence()

        take(stored, fence=fence)

        assert sum(rows for _, rows in fence.recorded) == len(FILES) + 25
        assert bucket.requests.count("POST") == len(fence.recorded)
        assert bucket.requests.count("DELETE") == 0

    def test_nothing_is_deleted_outside_of_the_fence(self, stored, bucket):
        inside = []

        class Watching(RecordingFence):
            @contextmanager
            def chunk(self, table):
                before = len(bucket.objects)
                with super().chunk(table) as record:
                    yield record
                inside.append(before - len(bucket.objects))

        before = len(bucket.objects)
        take(stored, rows_max=1, fence=Watching())

        assert inside == [1] * len(FILES)
        assert before - len(bucket.objects) == len(FILES)

    def test_files_in_memory_are_told_apart_by_their_key(self, tmp_path):
        world = MemoryWorld(folder=tmp_path)
        siblings = world.held(SIBLING)

        take(world)

        assert world.held(OURS) == {TABLE: []}
        assert world.held(SIBLING) == siblings

    def test_a_file_that_somebody_else_deletes_meanwhile_is_gone_as_well(self, folder):
        class Racing(RecordingFence):
            def chunk(self, table):
                (folder.root(OURS) / "report.pdf").unlink(missing_ok=True)
                return super().chunk(table)

        take(folder, fence=Racing())

        assert folder.held(OURS) == {TABLE: []}


class TestWhereabouts:
    def test_a_column_that_two_organizations_share_leads_nowhere(self, folder):
        with folder.sources["app"].engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE copy AS SELECT * FROM companies")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("DROP TABLE users")
            connection.exec_driver_sql("DROP TABLE companies")
            connection.exec_driver_sql("CREATE TABLE companies (id INTEGER PRIMARY KEY, slug)")
            connection.exec_driver_sql("INSERT INTO companies SELECT id, 'acme' FROM copy")

        with pytest.raises(FolderShared):
            look_up_facts(folder.datamap, folder.sources, folder.others, OURS)

    def test_an_organization_without_a_row_leads_nowhere(self, folder):
        with pytest.raises(SubjectRowMissing):
            ask_elsewhere(folder.datamap, folder.sources, folder.others, Scope(organization="999"))

    def test_a_member_has_files_only_where_the_map_says_where(self, folder):
        member = Scope(organization="1", member="2")
        source = folder.others["further"]
        told = replace(
            source,
            spec=source.spec.model_copy(update={"member": "{companies.id}/people/{users.id}/"}),
        )

        assert [each.covers(member) for each in (source, told)] == [False, True]
        assert told.columns(member) == ("companies.id", "users.id")

    def test_a_product_has_no_files_of_its_own(self, folder):
        assert not folder.others["further"].covers(Scope(organization="1", product="crm"))


class TestAfterwards:
    def test_files_that_only_a_forgotten_row_leads_to_are_said_to_be_unseen(self, folder):
        known = replace(folder.elsewhere(OURS).errand, facts={})

        asked = ask_afterwards(folder.others, known)

        require_none_left_out(folder.datamap, asked)
        assert asked.count() == {}
        assert "forgotten" in asked.unseen()["further"]

    def test_files_that_a_key_leads_to_are_still_found(self, stored, bucket):
        take(stored)
        stored.write_late(OURS)
        known = replace(stored.elsewhere(OURS).errand, facts={"companies.id": "1"})

        asked = ask_afterwards(stored.others, known)

        assert asked.count() == {TABLE: 1}
        assert asked.left_out == {}


class TestHeldCategory:
    @pytest.mark.parametrize(
        ("category", "held", "waits"),
        [
            (None, "user.financial", True),
            ("user.content", "user.content", True),
            ("user.content.private", "user.content", True),
            ("user.content", "user.content.private", True),
            ("user.content", "user.financial", False),
        ],
    )
    def test_a_source_waits_unless_it_is_said_to_be_of_another_category(
        self, folder, category, held, waits
    ):
        spec = folder.datamap.sources["further"].model_copy(update={"category": category})
        datamap = folder.datamap.model_copy(
            update={"sources": folder.datamap.sources | {"further": spec}}
        )

        planned = plan_held(datamap, folder.sources, OURS, categories=[held])

        assert planned.elsewhere == (("further",) if waits else ())

    def test_a_category_that_does_not_exist_is_found_by_the_check(self, folder):
        spec = folder.datamap.sources["further"].model_copy(update={"category": "user.files"})
        datamap = folder.datamap.model_copy(
            update={"sources": folder.datamap.sources | {"further": spec}}
        )

        findings = check(datamap, folder.sources, folder.others)

        assert [each.kind for each in findings] == [Kind.UNKNOWN_CATEGORY]


class TestLeftOut:
    def test_a_source_that_is_left_out_stops_the_work(self, folder):
        with pytest.raises(SourceLeftOut, match="further"):
            digest(folder.datamap, folder.sources, OURS)
        with pytest.raises(SourceLeftOut):
            require_none_left_out(
                folder.datamap, Elsewhere(sources={}, errand=folder.elsewhere(OURS).errand)
            )

    def test_an_erasure_begins_with_nothing_left_out(self, folder):
        users = SourceWorld.held(folder, OURS)

        with pytest.raises(SourceLeftOut):
            erase(
                folder.datamap,
                folder.sources,
                OURS,
                key=bytes(32),
                fence=RecordingFence(breaks_before=0),
                elapsed=folder.elapsed(),
                tombstone=None,
                progress=lambda _table, _rows: None,
            )

        assert SourceWorld.held(folder, OURS) == users


class TestOpening:
    @pytest.mark.parametrize(
        ("url", "error"),
        [
            ("file:///there/is/none", SourceUnavailable),
            ("ftp://host/folder", SourceUnusable),
            ("https://host/bucket", SourceUnusable),
            ("uploads", SourceUnusable),
            ("env:NOT_SET", SourceUnusable),
            ("az://container", SourceUnusable),
        ],
    )
    def test_an_address_that_leads_nowhere_is_told(self, folder, url, error):
        spec = ObjectsSpec(kind="objects", url=url, prefix="{companies.id}/")

        with pytest.raises(error):
            ObjectKind().open("further", spec, tools=folder.tools())

    def test_a_kind_that_is_not_installed_is_told_with_its_package(self, folder):
        odd = folder.datamap.sources["further"].model_copy(update={"kind": "ftp"})
        datamap = folder.datamap.model_copy(
            update={"sources": folder.datamap.sources | {"further": odd}}
        )

        with pytest.raises(KindMissing) as caught:
            open_elsewhere(datamap, tools=folder.tools())

        assert "offramp[ftp]" in caught.value.hint

    def test_a_stale_column_of_a_prefix_is_found_by_the_check(self, folder):
        data = folder.datamap.model_dump(mode="json", by_alias=True)
        data["sources"]["further"]["prefix"] = "customers/{companies.handle}/"
        data["sources"]["app"].pop("schema")
        stale = DataMap.model_validate(data)

        findings = check(stale, folder.sources, folder.others)

        assert [(each.kind, each.subject) for each in findings] == [
            (Kind.STALE, "app.companies.handle")
        ]

    def test_no_error_quotes_a_key(self, stored, bucket):
        bucket.objects["companies/1/ann-smith.pdf//x"] = b"?"

        with pytest.raises(OfframpError) as caught:
            listed(stored)

        told = f"{caught.value} {caught.value.hint} {caught.value.attributes}"
        assert "ann-smith" not in told
