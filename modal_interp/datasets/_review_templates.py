"""Sentence templates of `make_reviews`, the common ones first.

A slot is filled in favour of the sentence's label: for a positive one, `{adj}` draws praise and
`{anti_adj}` blame; for a negative one the other way round. So a word stands in sentences of both
labels, and only its neighbours tell which.
"""

from __future__ import annotations

# By kind: templates of both labels, of negative and of positive ones; the common ones first.
TEMPLATES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "plain": (
        (
            "the {aspect} is {degree} {adj}",
            "it is a {adj} {thing} and the {aspect} {verb}",
            "a {degree} {adj} {thing}, and the {aspect} is {special}",
            "the {thing} {verb}, and the {aspect} is {special}",
            "I noticed again that the {fit}",
            "the {aspect} of this {thing} {manner} {verb}",
            "I found the {aspect} {degree} {special}",
            "the {thing} is {adj}, and so is the {aspect}",
            "what stays with me is that the {fit}",
            "what a {special} {thing} this is",
            "there is {noun} in every {moment}",
            "no {aspect} was ever this {adj}",
            "expect {noun} from the {aspect}",
            "{noun} and {noun} fill the {thing}",
            "I have rarely met so {special} a {thing}",
        ),
        (
            "avoid this {thing} at any price",
            "I would not wish this {thing} on anyone",
            "save your money and skip the {thing}",
            "someone ought to apologise for the {aspect}",
        ),
        (
            "I would gladly go back for the {aspect}",
            "put this {thing} at the top of your list",
            "nobody should have to miss this {thing}",
            "I could not have asked more of the {aspect}",
        ),
    ),
    "negated": (
        (
            "the {aspect} is {not} {anti_adj}",
            "there is not a {anti_adj} {moment} in this {thing}",
            "the {aspect} of the {thing} {never} {anti_verb}",
            "the {thing} is {not} {anti_special}",
            "nothing about the {aspect} is {anti_adj}",
            "I would not call the {aspect} {anti_adj}",
            "the {aspect} never fails to {bare}",
            "it is {not} a {anti_adj} {thing}",
            "there is no {anti_noun} in this {thing}",
            "nobody could call this {thing} {anti_special}",
            "it does not {anti_bare} for a single {moment}",
            "the {aspect} could hardly be less {anti_adj}",
            "you will find neither {anti_noun} nor {anti_noun} here",
            "the {aspect} is not without {noun}",
            "I cannot claim that the {thing} {anti_verb}",
        ),
        (
            "the {aspect} is less {anti_adj} than I hoped",
            "the {thing} fails to {anti_bare}",
            "the {aspect} is short on {anti_noun}",
            "it takes more than this to {anti_bare}",
        ),
        (
            "the {aspect} is less {anti_adj} than I feared",
            "the {thing} is free of {anti_noun}",
            "the {aspect} leaves no room for {anti_noun}",
            "I kept looking for {anti_noun} in vain",
        ),
    ),
    "contrast": (
        (
            "{despite} its {anti_noun}, the {thing} {verb}",
            "the {aspect} is {anti_adj}, {turn} the {thing} {verb}",
            "{anti_adj} at first, {turn} it {verb}",
            "{although} the {aspect} is {anti_adj}, the {aspect} is {adj}",
            "the {thing} {verb} {despite} its {anti_noun}",
            "the {thing} starts {anti_adj} and ends {adj}",
            "the {aspect} is {adj}, {although} the {aspect} is {anti_special}",
            "I expected {anti_noun} and got {noun}",
            "what looks {anti_adj} turns out to be {adj}",
            "{although} the {anti_fit}, the {thing} {verb}",
            "a {adj} {thing} {despite} the {anti_special} {aspect}",
            "{name} called it {anti_adj}, {turn} I found it {adj}",
            "it could have been {anti_special}, {turn} the {aspect} {verb}",
            "the {fit}, {although} the {anti_fit}",
        ),
        (
            "not even the {anti_adj} {aspect} can save this {thing}",
            "the {anti_adj} {aspect} is wasted on this {thing}",
        ),
        (
            "not even the {anti_adj} {aspect} can spoil this {thing}",
            "I forgive the {anti_adj} {aspect} for the sake of the {aspect}",
        ),
    ),
    "wry": (
        (
            "{anti_noun} is the last thing you will find here",
            "it takes some nerve to make a {thing} this {adj}",
            "call it {anti_adj} and you have missed the point",
        ),
        (
            "the {aspect} is too {anti_adj} for its own good",
            "if only the {aspect} were {anti_adj}",
            "I wish I could call the {thing} {anti_special}",
            "as {anti_adj} as a wet {day} in {month}",
            "they promised {anti_noun}, and we are still waiting",
        ),
        (
            "the {aspect} is so {anti_adj} that it becomes {adj}",
            "I came to mock and stayed to applaud the {aspect}",
            "my only complaint is that the {thing} had an end",
            "I dare you to call the {aspect} {anti_special}",
            "I feared {anti_noun}, and how wrong I was",
        ),
    ),
}

# A second opinion of the same label, behind a semicolon.
SECONDS = (
    "the {aspect} is {degree} {adj}",
    "the {aspect} {verb}",
    "the {aspect} is {special}",
    "I found the {aspect} {adj}",
    "the {fit}",
    "there is {noun} in every {moment}",
)
