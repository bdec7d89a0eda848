"""The questions and answers of the OpenID AuthZEN Authorization API.

A resource is an organization; its properties may name the product and the surface. An action is a
capability. What a document holds beyond that is left alone, as the standard demands.

Source: OpenID AuthZEN Authorization API 1.0, sections 5 to 8; docs/access-api.md.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, model_validator

from offramp.core.access import Decision, Place
from offramp.core.policy import ANY, Capability

SUBJECT_TYPE, RESOURCE_TYPE = "user", "organization"
PAGE_MAX = 1000  # results
_STORABLE = r"^[^\x00]*$"  # what any store can be asked about
_TOKEN = TypeAdapter(tuple[str, str])  # of which search, and the id past which to go on


class _Part(BaseModel, frozen=True, extra="ignore"):
    pass


class SubjectDocument(_Part):
    """Who wants to do something."""

    type: Annotated[str, Field(description=f"`{SUBJECT_TYPE}`; nobody else may anything.")]
    id: Annotated[str, Field(description="The member's id in the organization.", pattern=_STORABLE)]


class ActionDocument(_Part):
    """What they want to do."""

    name: Annotated[str, Field(description="A capability, as policies name it.")]

    @property
    def capability(self) -> Capability | None:
        """The capability, where it is known."""
        return Capability(self.name) if self.name in _NAMES else None


class Whereabouts(_Part):
    """Where in the product they want to do it."""

    product: Annotated[str | None, Field(description="The product, where each ends alone.")] = None
    surface: Annotated[str, Field(description="The surface, as policies name it.")] = ANY


class ResourceDocument(_Part):
    """What they want to do it to."""

    type: Annotated[str, Field(description=f"`{RESOURCE_TYPE}`; nothing else is known.")]
    id: Annotated[str, Field(description="The organization's id.", pattern=_STORABLE)]
    properties: Whereabouts = Whereabouts()


class SearchDocument(_Part):
    """What somebody may do."""

    subject: SubjectDocument
    resource: ResourceDocument

    @property
    def place(self) -> Place | None:
        """Whose access is asked for, where it is a matter of ours."""
        if (self.subject.type, self.resource.type) != (SUBJECT_TYPE, RESOURCE_TYPE):
            return None
        return Place(
            organization=self.resource.id,
            member=self.subject.id,
            product=self.resource.properties.product,
            surface=self.resource.properties.surface,
        )


class QuestionDocument(SearchDocument):
    """Whether somebody may do something."""

    action: ActionDocument

    @property
    def capability(self) -> Capability | None:
        """What they want to do, where that is known."""
        return self.action.capability


class SoughtSubject(_Part):
    """Who is sought; an id is left alone."""

    type: Annotated[str, Field(description=f"`{SUBJECT_TYPE}`; there are no others.")]


class SoughtResource(_Part):
    """What is sought; an id is left alone."""

    type: Annotated[str, Field(description=f"`{RESOURCE_TYPE}`; there are no others.")]
    properties: Whereabouts = Whereabouts()


def _whole(number: object) -> object:
    """Take 5.0 for 5, as JSON Schema does."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class PageDocument(_Part):
    """Which page of the results is wanted."""

    token: Annotated[str, Field(description="The `next_token` of the page before.")] = ""
    limit: Annotated[
        int, Field(ge=0, strict=True, description="Results on it at most."), BeforeValidator(_whole)
    ] = PAGE_MAX


class _PagedSearch(_Part):
    action: ActionDocument
    page: PageDocument = PageDocument()

    @model_validator(mode="after")
    def _require_token_of_this_search(self) -> Self:
        self.after()
        return self

    @property
    def limit(self) -> int:
        """How many results a page has at most."""
        return min(self.page.limit, PAGE_MAX)

    def after(self) -> str:
        """Give the id past which to look."""
        if not self.page.token:
            return ""
        try:
            digest, last = _TOKEN.validate_json(urlsafe_b64decode(self.page.token))
        except ValueError as error:
            raise ValueError("the token of the page is none of ours") from error
        if digest != self._digest() or "\0" in last:
            raise ValueError("the token is one of another search")
        return last

    def next_page(self, *, last: str | None, count: int) -> "NextPage":
        """Say how to go on after the id that was looked at last; none ends the search."""
        if last is None:
            return NextPage(next_token="", count=count)
        token = urlsafe_b64encode(_TOKEN.dump_json((self._digest(), last)))
        return NextPage(next_token=token.decode(), count=count)

    def _digest(self) -> str:
        return sha256(self.model_dump_json(exclude={"page"}).encode()).hexdigest()[:16]


class SubjectSearchDocument(_PagedSearch):
    """Who may do something."""

    subject: SoughtSubject
    resource: ResourceDocument


class ResourceSearchDocument(_PagedSearch):
    """In which organizations somebody may do something."""

    subject: SubjectDocument
    resource: SoughtResource


class Semantic(StrEnum):
    """When several questions are answered far enough."""

    ALL = "execute_all"
    UNTIL_DENIED = "deny_on_first_deny"
    UNTIL_PERMITTED = "permit_on_first_permit"

    def ends_with(self, decision: Decision) -> bool:
        """Whether nothing more is asked after an answer."""
        ending = {Semantic.UNTIL_DENIED: False, Semantic.UNTIL_PERMITTED: True}
        return ending.get(self) is decision.is_allowed


class Options(_Part):
    """How several questions are answered."""

    evaluations_semantic: Semantic = Semantic.ALL


class _PartOfQuestion(_Part):
    subject: SubjectDocument | None = None
    action: ActionDocument | None = None
    resource: ResourceDocument | None = None


def _whole_questions(schema: dict[str, Any]) -> None:
    """Describe that each part of a question stands in it, or above all of them."""
    described = {name: schema["properties"][name]["anyOf"][0] for name in _QUESTION}
    schema["allOf"] = [
        {
            "anyOf": [
                {"required": [name], "properties": {name: part}},
                {
                    "required": ["evaluations"],
                    "properties": {
                        "evaluations": {
                            "minItems": 1,
                            "items": {"required": [name], "properties": {name: part}},
                        }
                    },
                },
            ]
        }
        for name, part in described.items()
    ]


class QuestionsDocument(_PartOfQuestion, json_schema_extra=_whole_questions):
    """Several questions; what one leaves out is what stands above all of them."""

    evaluations: tuple[_PartOfQuestion, ...] = ()
    options: Options = Options()

    @model_validator(mode="after")
    def _require_whole_questions(self) -> "QuestionsDocument":
        for number, each in enumerate(self.evaluations or (self,)):
            for name in QuestionDocument.model_fields:
                if getattr(each, name) is None and getattr(self, name) is None:
                    raise ValueError(f"evaluation {number} has no {name}")
        return self

    def questions(self) -> Iterator[QuestionDocument]:
        """Give each question whole; it is one where there is no list."""
        for each in self.evaluations or (self,):
            parts = {name: getattr(each, name) or getattr(self, name) for name in _QUESTION}
            yield QuestionDocument(**parts)


class Advice(_Part):
    """What a page needs to explain an answer; nobody has to act on it."""

    stage: Annotated[str, Field(description="The stage in force, by its name in the policy.")]
    level: Annotated[str, Field(description="The access level in force.")]
    voter: Annotated[str, Field(description="Who was the strictest of those who have a say.")]
    until: Annotated[
        str | None, Field(description="The instant at which the answer may change, in UTC.")
    ]


class AnswerDocument(_Part):
    """Whether they may."""

    decision: bool
    context: Advice


class AnswersDocument(_Part):
    """The answers, in the order of the questions."""

    evaluations: tuple[AnswerDocument, ...]


class ActionsDocument(_Part):
    """All that somebody may do."""

    results: tuple[ActionDocument, ...]


class NextPage(_Part):
    """How to go on."""

    next_token: Annotated[str, Field(description="Of the next page; empty where there is none.")]
    count: Annotated[int, Field(description="The results on this page.")]


class EntityDocument(_Part):
    """Somebody, or an organization, that was found."""

    type: str
    id: str


class EntitiesDocument(_Part):
    """One page of what was found, by id."""

    page: NextPage
    results: tuple[EntityDocument, ...]


class Configuration(_Part):
    """Where each kind of question is answered."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_action_endpoint: str
    search_subject_endpoint: str
    search_resource_endpoint: str


_NAMES = frozenset(each.value for each in Capability)
_QUESTION = tuple(QuestionDocument.model_fields)


def answer_of(decision: Decision) -> AnswerDocument:
    """Write a decision down."""
    return AnswerDocument(
        decision=decision.is_allowed,
        context=Advice(
            stage=decision.stage,
            level=decision.level,
            voter=decision.voter,
            until=None if decision.until is None else decision.until.format_iso(),
        ),
    )
