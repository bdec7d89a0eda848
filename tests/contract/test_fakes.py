"""The shipped fakes keep the promises of the real things."""

import pytest
from whenever import Instant

from offramp.adapters.dispatch_in_process import InProcessDispatcher
from offramp.documents.returned_mail import read_returned
from offramp.ports import MailerUnavailable, MessageRefused
from offramp.testing.clock import TimeWentBack, VirtualClock
from offramp.testing.ids import CountingIds
from offramp.testing.keys import MemoryKeys
from offramp.testing.mailbox import MemoryMailbox
from offramp.testing.mailer import MemoryMailer
from offramp.testing.vault import MemoryVault
from tests.contract.clock_contract import ClockContract, IdsContract
from tests.contract.dispatcher_contract import DispatcherContract
from tests.contract.keys_contract import KeysContract
from tests.contract.mailbox_contract import MailboxContract
from tests.contract.mailer_contract import AT, MESSAGE, MailerContract
from tests.contract.vault_contract import VaultContract

START = Instant.from_utc(2024, 8, 30)


class TestVirtualClock(ClockContract):
    @pytest.fixture
    def clock(self):
        return VirtualClock(START)

    def test_it_stands_still_until_it_is_advanced(self, clock):
        later = START.add(hours=1)

        assert clock.now() == clock.now() == START
        clock.advance_to(later)
        assert clock.now() == later

    def test_it_cannot_be_set_back(self, clock):
        """L6."""
        with pytest.raises(TimeWentBack):
            clock.advance_to(START.subtract(nanoseconds=1))

        assert clock.now() == START


class TestCountingIds(IdsContract):
    @pytest.fixture
    def ids(self):
        return CountingIds()


class TestMemoryKeys(KeysContract):
    @pytest.fixture
    def keys(self):
        return MemoryKeys()

    def test_two_runs_have_the_same_keys(self, keys):
        assert keys.organization_key("acme") == MemoryKeys().organization_key("acme")


class TestMemoryVault(VaultContract):
    @pytest.fixture
    def vault(self):
        return MemoryVault()


class TestInProcessDispatcher(DispatcherContract):
    @pytest.fixture
    def dispatcher(self):
        return InProcessDispatcher()

    @pytest.fixture
    def transaction(self):
        return None


class MemoryWorld:
    """The world as the fake mailer plays it."""

    def __init__(self, mailer):
        self._mailer = mailer
        self.lose_next_answer = mailer.lose_next_answer

    def refuse(self, address):
        self._mailer.fail(address, MessageRefused(reply="550"))

    def put_off(self, address):
        self._mailer.fail(address, MailerUnavailable(reason="it answered our RCPT with 451"))

    def go_down(self):
        self._mailer.fail(MESSAGE.to, MailerUnavailable(reason="ConnectionRefusedError"))

    def come_up(self):
        self._mailer.recover(MESSAGE.to)

    def accepted(self):
        return [sent.message.to for sent in self._mailer.sent]


class TestMemoryMailer(MailerContract):
    @pytest.fixture
    def mailer(self):
        return MemoryMailer()

    @pytest.fixture
    def world(self, mailer):
        return MemoryWorld(mailer)

    def test_outcomes_are_played_in_the_order_of_the_script(self, mailer):
        mailer.then(MailerUnavailable(reason="later"), None, MessageRefused(reply="550"))

        with pytest.raises(MailerUnavailable):
            mailer.send(MESSAGE, at=AT)
        mailer.send(MESSAGE, at=AT)
        with pytest.raises(MessageRefused):
            mailer.send(MESSAGE, at=AT)

        assert [sent.at for sent in mailer.sent] == [AT]

    def test_it_knows_what_it_has_accepted(self, mailer):
        assert mailer.was_accepted(MESSAGE.id) is False

        mailer.send(MESSAGE, at=AT)

        assert mailer.was_accepted(MESSAGE.id) is True


class MailboxInMemory:
    """The world of a mailbox in memory."""

    def __init__(self, mailbox):
        self.mailbox = mailbox

    def put(self, letter):
        self.mailbox.letters.append(letter)

    def letters(self):
        return list(self.mailbox.letters)

    def done(self):
        return list(self.mailbox.done)

    def go_down(self):
        self.mailbox.is_down = True

    def come_up(self):
        self.mailbox.is_down = False


class TestMemoryMailbox(MailboxContract):
    @pytest.fixture
    def mailbox(self):
        return MemoryMailbox(read=read_returned)

    @pytest.fixture
    def world(self, mailbox):
        return MailboxInMemory(mailbox)
