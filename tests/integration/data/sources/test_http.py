"""A service that takes part, over a real socket: every fault ends known, or told as unknown."""

import json
from dataclasses import replace

import httpx2
import pytest

from offramp.core.errors import OfframpError, Refused, Unavailable
from offramp.data.erasure.fence import Pace
from offramp.data.handover.export import digest
from offramp.data.scope import Scope
from offramp.data.source_spec import HttpSpec
from offramp.data.sources.exchange import (
    AnswerInvalid,
    OutcomeUnknown,
    ParticipantRefuses,
    ParticipantUnreachable,
)
from offramp.data.sources.http import DEADLINE_SECONDS, ErasureStuck, HttpKind
from offramp.data.sources.network import AddressForbidden
from offramp.data.sources.source import ReceiptList, SubjectUnknown
from offramp.data.sources.trouble import SourceUnusable
from offramp.data.sources.wire import read_secrets
from offramp.testing.participant import TABLES, Fault
from offramp.testing.source_world import OURS, SIBLING, RecordingFence
from tests.integration.data.sources.http_world import OTHER_SECRET, SECRET

ROWS = 6  # of one organization, in two tables
PASSING = (Fault.DOWN, Fault.BROKEN, Fault.BROKEN_AFTERWARDS, Fault.CUT, Fault.SILENT)
MEMBER = Scope(organization="1", member="1")


@pytest.fixture
def hasty(asked):
    """The same world with a client that waits for no silent service."""
    source = asked.others["further"]
    source.line.client.close()
    client = httpx2.Client(timeout=0.3, trust_env=False)
    asked.others = {"further": replace(source, line=replace(source.line, client=client))}
    return asked


def take(world, *, rows_max=1_000, fence=None, scope=OURS):
    pace = Pace(elapsed=world.elapsed(), rows_max=rows_max)
    fence = fence or RecordingFence()
    return sum(rows for _, rows in world.elsewhere(scope).erase(fence=fence, pace=pace))


def listed(world):
    return digest(world.datamap, world.sources, OURS, elsewhere=world.elsewhere(OURS))


def ids(world, operation):
    return [each for name, each in world.participant.asked if name == operation]


def with_tools(world, **changed):
    source = world.others["further"]
    tools = replace(source.line.tools, **changed)
    world.others = {"further": replace(source, line=replace(source.line, tools=tools))}
    return world


class TestPassingFaults:
    @pytest.mark.parametrize("fault", PASSING)
    def test_an_erasure_ends_as_if_nothing_had_happened(self, hasty, fault):
        siblings = hasty.held(SIBLING)
        hasty.participant.faults = [None, fault]  # the first request asks what there is

        take(hasty)

        assert not any(hasty.held(OURS).values())
        assert hasty.held(SIBLING) == siblings

    @pytest.mark.parametrize("fault", PASSING)
    def test_an_export_is_whole(self, hasty, fault):
        expected = listed(hasty)
        hasty.participant.faults = [None, fault]  # the first request asks for a plan

        assert listed(hasty) == expected

    def test_a_request_that_is_repeated_has_the_id_of_the_first(self, hasty):
        hasty.participant.faults = [None, Fault.BROKEN, None, Fault.BROKEN]

        take(hasty)

        first, *again = ids(hasty, "erase")[: -len(TABLES) + 1]
        assert set(again) == {first}
        assert len(again) == 2

    def test_questions_have_an_id_of_their_own_each_time(self, asked):
        listed(asked)
        listed(asked)

        asked_for = [each for _, each in asked.participant.asked]
        assert len(set(asked_for)) == len(asked_for)

    def test_what_is_gone_although_the_answer_was_lost_is_found_gone(self, hasty):
        hasty.participant.faults = [None, Fault.CUT]

        rows = take(hasty)

        # The first table went unseen; that it is empty is known from the verification alone.
        assert rows == ROWS // 2
        assert len(ids(hasty, "erase")) == len(TABLES)

    def test_nobody_waits_inside_of_a_fence(self, asked):
        fence = RecordingFence()
        waits = []

        def pause(seconds):
            waits.append((seconds, fence.is_open))
            asked.pause(seconds)

        with_tools(asked, pause=pause)
        asked.participant.faults = [None, Fault.DOWN, Fault.DOWN, Fault.DOWN]

        take(asked, fence=fence)

        assert waits == [(1.0, False), (2.0, False), (4.0, False)]


class TestLastingFaults:
    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Fault.DOWN, ParticipantUnreachable),
            (Fault.BROKEN, OutcomeUnknown),
            (Fault.BROKEN_AFTERWARDS, OutcomeUnknown),
            (Fault.CUT, OutcomeUnknown),
            (Fault.FORGED, OutcomeUnknown),
            (Fault.ELSEWHERE, OutcomeUnknown),
            (Fault.ENDLESS, OutcomeUnknown),
            (Fault.REDIRECTED, ParticipantRefuses),
        ],
    )
    def test_an_erasure_never_passes_for_done_or_undone(self, asked, fault, error):
        asked.participant.faults = [None] + [fault] * 100

        with pytest.raises(error):
            take(asked)

        assert all(receipt.operation != "erase" for receipt in asked.receipts.kept)

    @pytest.mark.parametrize(
        ("fault", "root", "attempts"),
        [
            (Fault.DOWN, Unavailable, 8),
            (Fault.BROKEN, Unavailable, 8),
            (Fault.CUT, Unavailable, 8),
            (Fault.FORGED, Refused, 1),
            (Fault.ELSEWHERE, Refused, 1),
            (Fault.ENDLESS, Refused, 1),
            (Fault.REDIRECTED, Refused, 1),
        ],
    )
    def test_a_question_that_gets_no_answer_is_never_nothing(self, asked, fault, root, attempts):
        asked.participant.faults = [fault] * 100

        for ask in (listed, lambda world: world.elsewhere(OURS).count()):
            before = len(asked.participant.asked)
            with pytest.raises(root):
                ask(asked)
            assert len(asked.participant.asked) - before >= attempts

    def test_the_deadline_ends_it(self, asked):
        asked.participant.faults = [Fault.DOWN] * 1_000
        began = asked.clock.now()

        with pytest.raises(ParticipantUnreachable):
            listed(asked)

        waited = (asked.clock.now() - began).total("seconds")
        assert DEADLINE_SECONDS / 2 < waited <= DEADLINE_SECONDS

    def test_an_answer_that_trickles_is_given_up(self, asked):
        ticks = iter(range(0, 100_000, 15))
        with_tools(asked, elapsed=lambda: float(next(ticks)))
        asked.participant.faults = [Fault.ENDLESS] * 1_000

        with pytest.raises((ParticipantUnreachable, AnswerInvalid)):
            asked.elsewhere(OURS).count()

    def test_a_service_that_erases_nothing_and_has_more_is_stuck(self, asked):
        class Idle(type(asked.participant)):
            def erase(self, request):
                answer = super().erase(request.model_copy(update={"limit": 0}))
                return answer

        asked.participant.__class__ = Idle

        with pytest.raises(ErasureStuck):
            take(asked)


class TestCrash:
    def test_a_receipt_that_was_lost_in_a_crash_comes_again(self, asked):
        class Dying(ReceiptList):
            def keep(self, receipt):
                raise ConnectionAbortedError

        kept, asked.receipts = asked.receipts, Dying()
        with pytest.raises(ConnectionAbortedError):
            take(asked, rows_max=1)
        asked.receipts = kept

        take(asked, rows_max=1)

        erasures = [receipt for receipt in kept.kept if receipt.operation == "erase"]
        counted = sum(json.loads(receipt.body)["erased"] for receipt in erasures)
        assert counted == ROWS
        assert len({receipt.id for receipt in erasures}) == ROWS

    def test_every_receipt_can_be_proven_with_the_secret(self, asked):
        take(asked)
        asked.elsewhere(OURS).count()

        seal = read_secrets(SECRET)
        assert len(asked.receipts.kept) > len(TABLES)
        for receipt in asked.receipts.kept:
            assert seal.fits(receipt.id, receipt.timestamp, receipt.signature, receipt.body)
            changed = receipt.body.replace("0", "1")
            assert not seal.fits(receipt.id, receipt.timestamp, receipt.signature, changed)

    def test_a_receipt_says_nothing_of_anybody(self, asked):
        take(asked)

        told = "".join(receipt.body for receipt in asked.receipts.kept)
        assert "Grüße" not in told
        assert set(json.loads(asked.receipts.kept[0].body)) <= {
            *("operation", "covers", "table", "erased", "left")
        }


class TestSubject:
    def test_only_the_keys_of_the_subject_are_told(self, asked):
        bodies = []
        is_genuine = asked.participant.is_genuine
        asked.participant.is_genuine = lambda headers, body: (
            bodies.append(json.loads(body)) or is_genuine(headers, body)
        )

        listed(asked)
        take(asked)

        assert {key for body in bodies for key in body} == {
            *("operation", "organization", "table", "limit")
        }

    def test_a_member_goes_alone(self, asked):
        others = [row for row in asked.participant.held["1"]["contacts"] if row["member"] != "1"]

        take(asked, scope=MEMBER)

        assert asked.participant.held["1"]["contacts"] == others

    def test_a_service_is_not_asked_about_what_the_map_does_not_say(self, asked):
        source = asked.others["further"]
        plain = replace(source, spec=source.spec.model_copy(update={"covers": ("organization",)}))

        assert [each.covers(MEMBER) for each in (source, plain)] == [True, False]
        assert not source.covers(Scope(organization="1", product="crm"))

    def test_a_subject_that_a_service_has_never_heard_of_is_told(self, asked):
        del asked.participant.held["1"]

        with pytest.raises(SubjectUnknown):
            listed(asked)

    def test_a_wrong_address_is_no_unknown_subject(self, asked):
        source = asked.others["further"]
        wrong = source.line.url.copy_with(path="/nowhere")
        asked.others = {"further": replace(source, line=replace(source.line, url=wrong))}
        asked.participant.faults = []

        class Lost(type(asked.participant)):
            def is_genuine(self, headers, body):
                return False

        asked.participant.__class__ = Lost

        with pytest.raises(ParticipantRefuses):
            listed(asked)


class TestExport:
    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            (b'{"id": 1}\n[1]\n', "not one row"),
            (b'{"id": NaN}\n', "not one row"),
            (b'{"id": 1}\r\n', "not one row"),
            (b"\n", "not one row"),
            (b'{"id": 1}\n', "not those of its receipt"),
        ],
    )
    def test_rows_that_are_none_or_that_nobody_signed_are_refused(self, asked, lines, reason):
        class Careless(type(asked.participant)):
            def export(self, request):
                return lines, super().export(request)[1]

        asked.participant.__class__ = Careless

        with pytest.raises(AnswerInvalid, match=reason):
            listed(asked)

    def test_an_empty_table_is_empty(self, asked):
        asked.participant.held["1"] = {table: [] for table in TABLES}

        assert {listed(asked)[f"further.{table}"].rows for table in TABLES} == {0}

    def test_more_rows_than_a_block_come_whole(self, asked):
        rows = [{"id": n, "text": "x" * 1_000} for n in range(500)]
        asked.participant.held["1"]["contacts"] = rows
        table = next(each for each in asked.elsewhere(OURS).tables() if each.table == "contacts")

        blocks = list(table.lines())

        assert len(blocks) > 1
        assert all(block.endswith(b"\n") for block in blocks)
        assert [json.loads(line) for line in b"".join(blocks).splitlines()] == rows


class TestSecrets:
    def test_a_wrong_secret_is_refused_by_the_service(self, asked):
        source = asked.others["further"]
        seal = read_secrets(OTHER_SECRET)
        asked.others = {"further": replace(source, line=replace(source.line, seal=seal))}

        with pytest.raises(ParticipantRefuses) as caught:
            listed(asked)

        assert caught.value.status == 401
        assert asked.participant.asked == []

    def test_while_secrets_change_both_are_believed(self, asked):
        source = asked.others["further"]
        seal = read_secrets(f"{SECRET} {OTHER_SECRET}")
        asked.others = {"further": replace(source, line=replace(source.line, seal=seal))}
        asked.participant.seal = read_secrets(f"{OTHER_SECRET} {SECRET}")

        assert listed(asked)["further.contacts"].rows == ROWS // 2

    @pytest.mark.parametrize("fault", [Fault.FORGED, Fault.BROKEN, Fault.REDIRECTED])
    def test_no_error_tells_a_secret(self, asked, fault):
        asked.participant.faults = [None] + [fault] * 100

        with pytest.raises(OfframpError) as caught:
            take(asked)

        error = caught.value
        told = f"{error} {error.hint} {error.attributes} {asked.others['further']!r}"
        assert SECRET not in told
        assert SECRET.removeprefix("whsec_") not in told


class TestAddress:
    def test_an_address_in_a_private_network_is_refused_before_anything_is_sent(self, asked):
        with_tools(asked, may_reach_private=False)

        with pytest.raises(AddressForbidden):
            listed(asked)

        assert asked.participant.asked == []

    @pytest.mark.parametrize(
        "url",
        [
            "http://crm.example/offramp",
            "ftp://crm.example",
            "https://user:word@crm.example",
            "https://crm.example/?key=1",
            "https:///offramp",
            "env:NOT_SET",
            "https://crm.example:port",
        ],
    )
    def test_an_address_that_is_not_plain_and_encrypted_is_refused(self, asked, url):
        spec = HttpSpec(kind="http", url=url, secret="env:CRM_SECRET")
        tools = replace(asked.tools(), may_reach_private=False)

        with pytest.raises(SourceUnusable):
            HttpKind().open("crm", spec, tools=tools)

    @pytest.mark.parametrize("secret", ["", "secret", "whsec_short", f"{SECRET} whsec_x"])
    def test_a_secret_that_is_none_is_refused_and_not_shown(self, asked, secret):
        spec = HttpSpec(kind="http", url="https://crm.example", secret="env:CRM_SECRET")
        tools = replace(asked.tools(), environment={"CRM_SECRET": secret})

        with pytest.raises(SourceUnusable) as caught:
            HttpKind().open("crm", spec, tools=tools)

        assert "whsec_x" not in f"{caught.value}"
