"""A diagnosis from what people paste: texts to snapshots, and the snapshots through the same rules as a live machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpu_doctor.diagnosis.diagnose import Options as DefaultOptions
from xpu_doctor.diagnosis.diagnose import conclude, find, symptoms_of
from xpu_doctor.diagnosis.ladder import Rung, State, climb
from xpu_doctor.diagnosis.ranking import flat, rank
from xpu_doctor.model.codec import SnapshotError, decode, encode
from xpu_doctor.model.findings import (
    LADDER,
    Confidence,
    Evidence,
    EvidenceKind,
    Finding,
    Layer,
    Remedy,
    Severity,
    Shell,
)
from xpu_doctor.model.terms import Origin
from xpu_doctor.model.unknown import holds, known_or
from xpu_doctor.pasted import harmless
from xpu_doctor.pasted.environments import several_environments
from xpu_doctor.pasted.in_english import in_english, is_translated
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.machines import two_machines
from xpu_doctor.pasted.repeated import meaning, said_once
from xpu_doctor.pasted.saved_report import SavedReport, read_saved
from xpu_doctor.pasted.snapshots import read
from xpu_doctor.pasted.whole_lines import with_whole_lines
from xpu_doctor.remedies.place import Place, fitted, once, told
from xpu_doctor.remedies.reader_shell import in_shell
from xpu_doctor.remedies.systems import SYSTEMS, either, types_anything
from xpu_doctor.report.redaction import index_hosts, redacted_snapshot
from xpu_doctor.tables.first_aid import first_aid
from xpu_doctor.tables.layouts import layouts
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.safe import SafeText
from xpu_doctor.text.word_index import IndexedText

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.diagnose import Diagnosis, Found, Options
    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.text.cuts import Cut
    from xpu_doctor.text.redact import Redactor


_PLACE = late_pattern(r"^(.{1,200}), line (\d{1,9})$")
OWN_OUTPUT = (
    "the text holds output of xpu-doctor: of a report its codes and its ladder are taken over, its advice is passed over. "
    "The file that `xpu-doctor check --json -o report.json` writes says more: ask for it"
)
OF_ANY_GPU = (Layer.COMPUTE, Layer.APPLICATION)
"""Layers whose faults may be met on a GPU of any maker; of the others the doctor knows what holds for Intel's."""
FIT_ANOTHER = frozenset({"torch-cuda-wheel", "torch-rocm-wheel"})
"""What is no fault where the GPU is of another maker."""
SHELLS = {"cmd": Shell.CMD, "powershell": Shell.POWERSHELL}
"""The shells of Windows by the word that says which one a text shows."""
QUOTED_IN_ENGLISH = "messages of the system in another language are quoted in English"
MAX_GUESSES = 5
"""Root causes of a text that are only possible: the most probable ones are kept."""


@dataclass(frozen=True)
class Triaged:
    """What texts came to: the diagnosis, the snapshot it is mainly about, and all of them."""

    diagnosis: Diagnosis
    snapshot: Snapshot
    snapshots: tuple[Snapshot, ...]
    notes: tuple[str, ...] = ()
    redactor: Redactor | None = None
    """What hid the names and secrets of the texts before they were read, and knows them; None where nothing was to be hidden."""


def triage_texts(
    texts: Sequence[tuple[str, SafeText]],
    *,
    rules: Sequence[Rule],
    options: Options | None = None,
    redact: bool = True,
    words: Iterable[str] = (),
    users: Iterable[str] = (),
) -> Triaged:
    """Diagnose texts of one machine, given as (name, text); a text may also be a saved JSON report.

    Names and secrets are hidden before anything is read, `words` and the names of `users` too, unless `redact` is false.

    Raises:
        SnapshotError: a saved report is damaged, or of a newer version, or a text is another output of the doctor's own.
    """
    saved: list[Snapshot] = []
    saved_names: list[str] = []
    bodies: list[tuple[str, IndexedText]] = []
    pasted: list[IndexedText] = []
    for name, safe in texts:
        report = _saved(name, safe, len(texts))
        if report is None:
            pasted.append(IndexedText(safe.text))
            bodies.append((name, in_english(pasted[-1])))
        else:
            saved.append(report.snapshot)
            saved_names.append(name)
    redactor = None
    if redact:
        users = [*users, *(snapshot.access.user for snapshot in saved if isinstance(snapshot.access.user, str))]
        redactor = redactor_for((body for _, body in bodies), users=users, words=words, hosts=index_hosts(*saved))
        bodies = [(name, _redacted(body, redactor)) for name, body in bodies]
        saved = [_redacted_snapshot(snapshot, redactor) for snapshot in saved]
    cut = any(safe.cut for _, safe in texts)
    cuts = {name: safe.middle for name, safe in texts if safe.middle is not None}
    found = read(Text.of(body, name) for name, body in bodies) if bodies else ()
    snapshots = [*saved, *(_marked(with_whole_lines(snapshot, cuts), cut) for snapshot in found)]
    chosen = options or DefaultOptions(layers=LADDER)
    names = saved_names if len(texts) > 1 else []
    main, diagnosis = _diagnosed(snapshots, rules, chosen, names)
    codes = {root.code for root in diagnosis.root_causes}
    meanings = {rule.code: meaning(type(rule).__doc__ or "") for rule in rules if rule.code in codes}
    distinct = said_once((_with_lines(root, dict(bodies), cuts) for root in diagnosis.root_causes), meanings)
    diagnosis = dataclasses.replace(diagnosis, root_causes=_in_place(distinct, main, snapshots))
    empty = tuple(f"{name} is empty" for name, safe in texts if not safe.text.strip())
    own = (OWN_OUTPUT,) if any(snapshot.pasted.own_output for snapshot in snapshots) else ()
    several = two_machines(Text.of(body, name) for name, body in bodies)
    mixed = several_environments(saved, saved_names)
    quoted = (QUOTED_IN_ENGLISH,) if any(map(is_translated, pasted)) else ()
    notes = (
        *empty,
        *own,
        *quoted,
        *filter(None, (several, mixed)),
        *(note for _, safe in texts for note in safe.notes),
    )
    return Triaged(diagnosis, main, tuple(snapshots), notes, redactor)


def _saved(name: str, text: SafeText, count: int) -> SavedReport | None:
    """Return the saved report that a text holds; where one of several texts is refused, the message names it."""
    try:
        return read_saved(text)
    except SnapshotError as error:
        raise type(error)(f"{name}: {error}" if count > 1 else str(error)) from error


def _in_place(roots: Iterable[Finding], main: Snapshot, snapshots: Iterable[Snapshot]) -> tuple[Finding, ...]:
    """Return root causes with remedies that fit the place which the texts show."""
    layout = layouts().get(known_or(main.pasted.layout, ""))
    places = {snapshot.subject: _place(snapshot) for snapshot in (*snapshots, main)}
    fitting = (fitted(root, places.get(root.subject, places[main.subject])) for root in roots)
    shell = SHELLS.get(known_or(main.pasted.shell, ""))
    return once(in_shell(told(root, layout), shell) for root in fitting)


def _place(snapshot: Snapshot) -> Place:
    """Return where the lines of remedies for a subject are typed."""
    machine, inside = snapshot.machine, snapshot.subject != "host" and holds(snapshot.pasted.in_container)
    return Place.of(machine, inside=inside, root=holds(snapshot.access.is_root), node=_node(snapshot))


def _node(snapshot: Snapshot) -> str:
    """Return the one render node that a text shows; empty where it shows none, or several."""
    nodes = {node.path for node in known_or(snapshot.access.nodes, ()) if "/renderD" in node.path}
    return nodes.pop() if len(nodes) == 1 else ""


def _redacted(body: IndexedText, redactor: Redactor) -> IndexedText:
    """Return a text without names and secrets; where it held none, it is the same one, and need not be searched anew."""
    text = redactor.text(body)
    return body if text == body.body else IndexedText(text)


def _redacted_snapshot(snapshot: Snapshot, redactor: Redactor) -> Snapshot:
    return decode(redacted_snapshot(encode(snapshot), redactor))


def _marked(snapshot: Snapshot, cut: bool) -> Snapshot:
    return dataclasses.replace(snapshot, pasted=dataclasses.replace(snapshot.pasted, cut=True)) if cut else snapshot


def _diagnosed(
    snapshots: Sequence[Snapshot], rules: Sequence[Rule], options: Options, names: Sequence[str] = ()
) -> tuple[Snapshot, Diagnosis]:
    """Diagnose each subject; where there are several, rank what was found of all of them together.

    `names` are those of the texts that hold saved reports, whose snapshots come first.
    """
    found = [(snapshot, _of_snapshot(snapshot, rules, options)) for snapshot in snapshots]
    main, of_main = next((pair for pair in found if pair[0].subject == "container"), found[0])
    symptoms = symptoms_of(rules)
    if len(found) == 1:
        ladder = climb(of_main.root_causes, main, symptoms, options.layers)
        return main, conclude(of_main, ladder, options.fail_on, main)

    findings = [
        _of_subject(_named(finding, names[place]) if place < len(names) else finding, snapshot.subject)
        for place, (snapshot, each) in enumerate(found)
        for finding in flat(each.root_causes)
    ]
    unique = list({(finding.code, finding.subject): finding for finding in reversed(findings)}.values())[::-1]
    roots = rank(unique, {rule.code: rule.explains for rule in rules}, symptoms)
    ladder = _ladder(roots, main, snapshots, symptoms, options)
    return main, conclude(dataclasses.replace(of_main, root_causes=roots), ladder, options.fail_on, *snapshots)


def _of_snapshot(snapshot: Snapshot, rules: Sequence[Rule], options: Options) -> Found:
    """Return what was found of one subject, with remedies that fit the place and hold no word of the sender's."""
    found = _modest(snapshot, find(snapshot, rules, options), rules)
    offered = _offered(snapshot, found, rules, options)
    return _of_either_system(snapshot, offered, rules, options)


def _of_either_system(snapshot: Snapshot, found: Found, rules: Sequence[Rule], options: Options) -> Found:
    """Return what was found of a text that tells no operating system, with the remedies of Linux and of Windows."""
    remedies = (remedy for finding in flat(found.root_causes) for remedy in finding.remedies)
    if snapshot.origin != Origin.PASTED or known_or(snapshot.machine.os, "") or not types_anything(remedies):
        return found
    by_system: list[dict[str, tuple[Remedy, ...]]] = []
    for system in SYSTEMS:
        supposed = dataclasses.replace(
            snapshot,
            machine=dataclasses.replace(snapshot.machine, os=system),
            python=dataclasses.replace(snapshot.python, os=system),
        )
        there = _offered(supposed, find(supposed, rules, options), rules, options)
        by_system.append({finding.code: finding.remedies for finding in reversed(flat(there.root_causes))})
    roots = tuple(_on_either(root, *by_system) for root in found.root_causes)
    return dataclasses.replace(found, root_causes=roots)


def _on_either(
    finding: Finding, linux: Mapping[str, tuple[Remedy, ...]], windows: Mapping[str, tuple[Remedy, ...]]
) -> Finding:
    """Give a finding and those under it the remedies of both systems."""
    both = either(linux.get(finding.code, ()), windows.get(finding.code, ()))
    return dataclasses.replace(
        finding,
        remedies=both or finding.remedies,
        explains=tuple(_on_either(child, linux, windows) for child in finding.explains),
    )


def _ladder(
    roots: Sequence[Finding], main: Snapshot, snapshots: Sequence[Snapshot], symptoms: frozenset[str], options: Options
) -> tuple[Rung, ...]:
    """Return the ladder of several snapshots of one machine: the main one's, with what another shows where that one shows nothing."""
    sure = [root for root in roots if root.confidence is not Confidence.POSSIBLE]
    ladder = list(climb(sure, main, symptoms, options.layers))
    for each in snapshots:
        further = climb(sure, each, symptoms, options.layers)
        for place, (rung, other) in enumerate(zip(ladder, further, strict=True)):
            shared = each.subject == main.subject or rung.layer in (Layer.DEVICE, Layer.KERNEL)
            unseen = rung.state in (State.UNKNOWN, State.SKIPPED)
            if shared and unseen and other.state not in (State.UNKNOWN, State.SKIPPED):
                ladder[place] = other
    return tuple(ladder)


def _named(finding: Finding, name: str) -> Finding:
    """Return a finding of a saved report whose evidence says which text holds the report."""
    evidence = tuple(
        dataclasses.replace(item, source=f"{name}: {item.source}" if item.source else name) for item in finding.evidence
    )
    return dataclasses.replace(
        finding, evidence=evidence, explains=tuple(_named(child, name) for child in finding.explains)
    )


def _offered(snapshot: Snapshot, found: Found, rules: Sequence[Rule], options: Options) -> Found:
    """Return findings whose remedies hold no word that the sender of a file or a paste chose: those that a harmless copy of the facts gets."""
    if not found.root_causes or (snapshot.origin == Origin.PASTED and not _holds_foreign(snapshot, found)):
        return found

    copy = harmless.offered(snapshot)
    remedies: dict[str, tuple[Remedy, ...]] = {}
    for finding in flat(find(copy, rules, dataclasses.replace(options, expect=())).root_causes):
        remedies.setdefault(finding.code, tuple(harmless.in_words(remedy) for remedy in finding.remedies))
    system = known_or(copy.machine.os, "")
    return dataclasses.replace(
        found, root_causes=tuple(_with_remedies(root, remedies, system) for root in found.root_causes)
    )


def _holds_foreign(snapshot: Snapshot, found: Found) -> bool:
    """Return whether a line to type holds a string of the snapshot that is neither a known word nor a version."""
    typed = "\n".join(
        text
        for finding in flat(found.root_causes)
        for remedy in finding.remedies
        for text in (*remedy.commands, *remedy.verify, remedy.title, remedy.url)
    )
    return harmless.holds_foreign(typed, snapshot)


def _with_remedies(finding: Finding, remedies: Mapping[str, tuple[Remedy, ...]], system: str) -> Finding:
    """Give a finding the remedies of its code, else those of the table."""
    own = remedies.get(finding.code)
    children = tuple(_with_remedies(child, remedies, system) for child in finding.explains)
    return dataclasses.replace(
        finding, remedies=first_aid(finding.code, system) if own is None else own, explains=children
    )


def _modest(snapshot: Snapshot, found: Found, rules: Sequence[Rule]) -> Found:
    """Return what was found with unexplained symptoms as less than certain, and with only a few guesses, which come last."""
    if snapshot.origin != Origin.PASTED:
        return found
    symptoms = symptoms_of(rules)
    told = [item.code for item in snapshot.pasted.reported if item.confidence != "possible" and item.severity != "info"]
    roots: list[Finding] = []
    guesses = 0
    elsewhere = holds(snapshot.pasted.for_other_gpu)
    for root in _lifted(found.root_causes, told):
        if elsewhere and root.code in FIT_ANOTHER:
            continue
        if elsewhere and root.layer not in OF_ANY_GPU:
            root = dataclasses.replace(root, confidence=Confidence.POSSIBLE)  # noqa: PLW2901
        guesses += root.confidence is Confidence.POSSIBLE
        if root.confidence is not Confidence.POSSIBLE or guesses <= MAX_GUESSES:
            certain_symptom = root.code in symptoms and root.confidence is Confidence.CERTAIN
            roots.append(dataclasses.replace(root, confidence=Confidence.LIKELY) if certain_symptom else root)
    order = {code: place for place, code in reversed(list(enumerate(told)))}
    return dataclasses.replace(
        found, root_causes=tuple(sorted(roots, key=lambda root: (order.get(root.code, len(told)), _is_guess(root))))
    )


def _lifted(roots: Iterable[Finding], told: Sequence[str]) -> Iterator[Finding]:
    """Yield root causes; what a report of the doctor names is not left under a guess that it does not name."""
    for root in roots:
        under = tuple(child for child in root.explains if child.code in told)
        if not under or root.confidence is not Confidence.POSSIBLE or root.code in told:
            yield root
            continue
        yield dataclasses.replace(root, explains=tuple(child for child in root.explains if child not in under))
        yield from under


def _with_lines(finding: Finding, texts: Mapping[str, IndexedText], cuts: Mapping[str, Cut]) -> Finding:
    """Add to each fact that proves a finding the line of the text that shows it."""
    evidence = tuple(_with_line(item, texts, cuts) for item in _telling(finding.evidence))
    if not finding.explains and evidence == finding.evidence:
        return finding
    return dataclasses.replace(
        finding, evidence=evidence, explains=tuple(_with_lines(child, texts, cuts) for child in finding.explains)
    )


def _telling(evidence: Sequence[Evidence]) -> Sequence[Evidence]:
    """Return the evidence that shows something: what is unknown proves nothing, nor that the text speaks of torch."""
    telling = [
        item
        for item in evidence
        if item.kind is not EvidenceKind.FACT
        or (item.fact != "pasted.about_torch" and not item.value.startswith("unknown"))
    ]
    return telling or evidence


def _with_line(item: Evidence, texts: Mapping[str, IndexedText], cuts: Mapping[str, Cut]) -> Evidence:
    place = _PLACE.match(item.source)
    if place is None or item.kind is EvidenceKind.MESSAGE or place[1] not in texts:
        return item
    number = cuts[place[1]].read(int(place[2])) if place[1] in cuts else int(place[2])
    if not 0 < number <= len(texts[place[1]].starts):
        return item
    line = " ".join(texts[place[1]].line(number).split())[:160]
    return dataclasses.replace(item, source=f"{item.source}: {line}")


def _is_guess(root: Finding) -> bool:
    """Return whether a root cause comes after those that a message or a fact makes likely: a guess, or a note that nobody complains of."""
    return root.confidence is Confidence.POSSIBLE or (root.severity is Severity.INFO and root.weight <= 0)


def _of_subject(finding: Finding, subject: str) -> Finding:
    """Name the subject of a finding where the texts show two."""
    return (
        dataclasses.replace(finding, subject=subject)
        if subject != "machine" and finding.subject == "machine"
        else finding
    )
