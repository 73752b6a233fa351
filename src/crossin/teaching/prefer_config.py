"""The settings of `crossin prefer`, the same in YAML, as flags and in Python."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, Self

from pydantic import model_validator

from crossin.core.settings import setting
from crossin.evaluation.config import EvaluateConfig
from crossin.evaluation.engine import Sampling
from crossin.items import Form
from crossin.teaching.asking import AskingConfig

_how = partial(setting, group="How it is asked")
AnswerForm = Literal["open", "text", "letters", "generate"]


class PreferConfig(AskingConfig):
    """Whose answers to which questions are compared, and when the pivot's are consistent enough."""

    form: AnswerForm = _how(
        "open",
        "Questions with options: `open` does not show them, and reads replies by their texts; `generate` "
        "lists them, and reads which one a reply chooses. `text` and `letters` draw no replies: how likely "
        "is each option's text, or its letter?",
    )
    wording: str = _how("question", "How the question is put, as in `evaluate --wordings`.")
    chat: bool = _how(False, "With the model's chat template, or plain.", flag="--chat/--plain")
    max_tokens: int = _how(64, "Longest reply, in tokens.", ge=1)
    samples: int = _how(8, "Replies drawn to each question in each language.", ge=2)
    temperature: float = _how(1.0, "Divides the logits, or the log-probabilities of options.", gt=0)
    top_p: float = _how(1.0, "Only the likeliest tokens that have this probability together.", gt=0, le=1)
    share: float = _how(
        0.5,
        "Share of the pivot's answers that must mean the same; what cannot be read counts against it.",
        gt=0,
        le=1,
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.languages is not None and not set(self.languages) - {self.pivot}:
            raise ValueError("`languages` has the pivot only: name others, in which answers are compared")
        if self.chat and self.engine == "openai":
            raise ValueError(
                "a server writes conversations by a template that is not known here, and pairs need the "
                "prompt as the model sees it: use `engine: hf`, or leave out `chat`"
            )
        # What an evaluation would refuse, such as thinking with scored options.
        self.evaluation()
        return self

    def evaluation(self) -> EvaluateConfig:
        """The same settings of the model, as those of an evaluation."""
        others = {"languages", "seed", "form"}
        own = {*EvaluateConfig.model_fields} & {*type(self).model_fields} - others
        given: dict[str, Any] = {name: getattr(self, name) for name in own}
        form = self.asked_form.kind
        return EvaluateConfig(models=(self.model,), bench=(str(self.questions),), form=form, **given)

    @property
    def asked_form(self) -> Form:
        """How questions are put."""
        kind = "generate" if self.form == "open" else self.form
        return Form(kind=kind, wordings=(self.wording,), chat=self.chat, max_tokens=self.max_tokens)

    @property
    def draws(self) -> list[Sampling]:
        """How each reply to a question is drawn."""
        return [Sampling(k, self.temperature, self.top_p, self.seed) for k in range(self.samples)]
