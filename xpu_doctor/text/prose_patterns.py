"""Where people write passwords and names down themselves: in sentences, in the headings of mails, as pairs."""

from __future__ import annotations

import re

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.private_patterns import Pattern

_NOT_A_PASSWORD = frozenset(
    """
    required incorrect wrong invalid not missing empty needed set unset expired correct fine ok okay good bad right known unknown the a an in on at from
    for to too very also only just being be been as by with within that this it its his her your my our their same different never always optional
    mandatory none null default blank kept short long weak strong safe secure no yes true false sent hidden shown given broken mine yours here there gone
    now still what where and or but if then so up out off stuck plain case all both one something anything nothing login longer about more less
    falsch nicht richtig korrekt erforderlich leer ungültig ungueltig abgelaufen nötig noetig notwendig unbekannt bekannt gesetzt der die das den dem ein
    eine in im auf von zu zum kurz lang sicher schwach kein keine noch schon nur geheim gespeichert sorry enter please bitte
    incorrecte requis requise vide obligatoire erroné erronee erronée invalide expiré nécessaire faux pas trop dans le la les un une
    incorrecta incorrecto obligatoria requerida necesaria vacía vacia inválida invalida errónea erronea el una en demasiado
    """.split()  # noqa: SIM905 - a list of a hundred words is read more easily so
)  # fmt: skip
"""What sentences about passwords say of them."""
_SAYS_ABOUT = late_pattern(r"[a-zäöüß]{2,30}(?:ed|ing|able|ible|ly|bar|lich)$|ge[a-zäöüß]{2,20}t$")
_STANDS_FOR_ONE = late_pattern(r"[*•x.…_-]{2,200}$|[$%{<\[(]|your|\.\.\.|None\b|[/~]|[A-Za-z]:\\")
_CODE = late_pattern(r"::|\(|^[\d.]+$|^0x|[/\\]")


def _looks_chosen(value: str) -> bool:
    """Return whether a word has the mixture of letters that people choose for a password."""
    if len(value) < 4 or _CODE.search(value) or not any(letter.isalpha() for letter in value):
        return False
    return any(letter.isdigit() for letter in value) or any(letter in "!?#$%^&*+@" for letter in value)


def _is_no_password(_: re.Match[str], value: str) -> bool:
    """Keep what a sentence says about a password, and what stands for one."""
    word = value.strip("\"'`.,;:!?")
    return (
        not word
        or word.lower() in _NOT_A_PASSWORD
        or bool(_SAYS_ABOUT.match(word) or _STANDS_FOR_ONE.match(value))
        or (word.isdigit() and len(word) < 4)
    )


def _is_no_chosen(match: re.Match[str], value: str) -> bool:
    """Keep also plain words after a name that means other things, too, where no user is named before."""
    if _is_no_password(match, value) or _looks_chosen(value):
        return _is_no_password(match, value)
    before = match.string[max(0, match.start() - 80) : match.start()].lower()
    return "user" not in before and "login" not in before


def _is_no_pair(match: re.Match[str], value: str) -> bool:
    """Keep paths and ratios: a pair of a name and a password has blanks around its stroke, or a chosen word."""
    return _is_no_password(match, value) or not (" /" in match[0] or _looks_chosen(value))


_LABEL = (
    r"\b(?:pass(?:word|wd|phrase|code|wort)|kennwort|zugangscode|pw|pwd|mot de passe|contrase(?:ñ|n|n\u0303)a)"
    r"(?:\s{1,3}(?:for|of|on|to|from|at|fuer|für|vom|von|zum|auf|pour|de|du|para|del)\s{1,3}"
    r"(?:(?:the|my|our|den|die|das|le|la|el|user)\s{1,3})?[\w.@-]{1,40}){0,2}"
)
_WORD = r"(?P<secret>[^\s\"'`<>,;|]{0,199}[^\s\"'`<>,;|.:)\]])"
_VALUE = rf"(?:\"(?P<secret2>[^\"\n]{{1,200}})\"|'(?P<secret3>[^'\n]{{1,200}})'|`(?P<secret4>[^`\n]{{1,200}})`|{_WORD})"
_ACCOUNT = (
    r"\b(?:(?:login|logon|anmeldung|zugang|zugangsdaten|credentials|creds|identifiants?|acceso)"
    r"|(?:user(?:name)?|login|benutzer|konto)\s?/\s?(?:pass(?:word|wort)?|pw|kennwort))\s?[:=]\s{0,3}"
)
_PASSWORDS = ("pass", "kennwort", "zugangscode", "pw", "contrase")
_ACCOUNTS = ("login", "logon", "anmeldung", "zugang", "cred", "identifiant", "acceso", "user", "benutzer", "konto")

PROSE_SECRETS: tuple[Pattern, ...] = (
    Pattern(
        "password-in-a-sentence",
        rf"{_LABEL}\s{{1,3}}(?:is|was|ist|war|lautet|est|était|es|era)(?:\s{{0,2}}[:=]\s{{0,3}}|\s{{1,3}})"
        rf"(?:(?:now|still|just|simply|currently|jetzt|noch)\s{{1,3}})?{_VALUE}",
        _PASSWORDS,
        keeps=_is_no_password,
    ),
    Pattern(
        "password-of-somebody",
        rf"{_LABEL}\s{{0,2}}[:=]\s{{0,3}}{_VALUE}",
        _PASSWORDS,
        keeps=lambda match, value: not _looks_chosen(value) or _is_no_password(match, value),
    ),
    Pattern(
        "password-by-a-short-name",
        rf"(?<![\w$.-])(?:pw|kennwort|mot de passe|contrase(?:ñ|n)a)\s{{0,2}}[:=]\s{{0,3}}{_VALUE}",
        _PASSWORDS,
        keeps=_is_no_password,
    ),
    Pattern("password-by-pass", rf"(?<![\w$.-])pass\s{{0,2}}[:=]\s{{0,3}}{_VALUE}", ("pass",), keeps=_is_no_chosen),
    Pattern(
        "password-beside-its-user",
        rf"{_ACCOUNT}[\w.@-]{{2,64}}\s{{0,2}}/\s{{0,2}}(?P<secret>[^\s\"'`<>,;|]{{3,200}})",
        _ACCOUNTS,
        keeps=_is_no_pair,
    ),
)
"""Passwords in sentences, in four languages."""

_OF_NO_PERSON = late_pattern(
    r"(?i)\b(?:team|developers?|maintainers?|project|group|foundation|inc|corp|corporation|community|bot|authors?|contributors|support|list|intel|ubuntu"
    r"|debian|pytorch|hub|graphics|the|error|warning|gmbh|packages?|packaging|repository|archive|key|signing|automatic)\b"
)


def _is_no_person(_: re.Match[str], value: str) -> bool:
    """Keep the names of teams and projects, which sign packages."""
    return bool(_OF_NO_PERSON.search(value))


_CAPITAL = r"[A-ZÀ-ÖØ-ÞĆČĐŁŚŠŻŽ][\w’'-]{1,30}"
_FULL = rf"{_CAPITAL}(?: (?:(?:von|van|de|der|den|da|di|la|le|zu) ){{0,2}}{_CAPITAL}| [A-Z]\.){{1,3}}"

PROSE_NAMES: tuple[Pattern, ...] = (
    Pattern(
        "name-beside-an-address",
        rf"(?<![\w.-])(?P<user>{_FULL})[\"']?\s{{1,3}}[<(\[](?:mailto:)?[^>\s@<)]{{1,64}}@",
        ("@",),
        keeps=_is_no_person,
        exact=True,
    ),
    Pattern(
        "mail-heading",
        rf"^[>\s]{{0,60}}(?:From|To|Cc|Reply-To|Sender|Von|An|De|Para):\s{{1,8}}[\"']?"
        rf"(?:(?P<user>[^<\n\"@:]{{2,60}}?)[\"']?\s{{0,3}}<[^>\s@]{{1,64}}@|(?P<user2>{_FULL})\s{{0,8}}$)",
        ("from:", "to:", "cc:", "sender:", "von:", "an:", "de:", "para:"),
        keeps=_is_no_person,
        exact=True,
    ),
    Pattern(
        "somebody-wrote",
        rf"(?:^[>\s]{{0,60}}|(?<=, ))@?(?P<user>{_FULL}|[\w-]{{2,39}}) (?:[<(][^>)\n]{{1,100}}[>)] )?"
        r"(?:wrote|writes|schrieb|a écrit|escribió)\s?:",
        ("wrote", "writes", "schrieb", "écrit", "escribió"),
        keeps=_is_no_person,
        exact=True,
    ),
    Pattern(
        "my-name-is",
        r"\b(?i:my name is|mein name ist|ich hei(?:ß|ss)e|je m['’]appelle|me llamo|mi nombre es)\s{1,3}"
        rf"(?P<user>{_CAPITAL}(?: {_CAPITAL}){{0,3}})",
        ("my name is", "mein name ist", "ich hei", "appelle", "me llamo", "mi nombre es"),
        exact=True,
    ),
    Pattern(
        "name-of-a-login",
        rf"{_ACCOUNT}(?P<user>[\w.@-]{{2,64}})(?=\s/\s[^\s/])",
        _ACCOUNTS,
    ),
)
"""Names that people give of themselves and of others in mails."""
