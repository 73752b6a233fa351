"""Why countries and facts are left out of the facts corpus and suite, as codes."""

from crossin.core.reasons import Reason


class FactReason(Reason):
    """Why something is left out; in all languages, also where only one has the reason."""

    FEW_PEOPLE = "few_people", "fewer than 100,000 people"
    NOT_IN_CLDR = "not_in_cldr", "not in CLDR"
    NO_NAME = "no_name", "no name in the language"
    NO_SINGLE_ANSWER = "no_single_answer", "no single answer, or no name for it"
    NAMED_ALIKE = "named_alike", "the answer is named like the country"
    ANSWER_IN_QUESTION = "answer_in_question", "the question gives the answer away"
    FEW_OPTIONS = "few_options", "too few wrong options"
    FEW_NAMES = "few_names", "too few names that are unlike one another"
    NO_NEIGHBOUR = "no_neighbour", "no neighbour that is undisputed and not named like the country"
    LIST_SEPARATOR = "list_separator", "the name contains what separates a list of options"
    DRAWN_BEFORE = "drawn_before", "the same four were drawn before"
    EXPLAINED_NAME = "explained_name", "the name contains an explanation"
    SPELT_ALIKE = "spelt_alike", "spelt alike in more than half of the languages"
