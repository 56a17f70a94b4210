"""What a device that was seen to work does to findings: observed success overrides every table, and noise beside it proves nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from xpu_doctor.diagnosis.program_words import judged_program
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.diagnosis.where_it_ran import proved_on_gpu
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin

PROVEN_BY_SUCCESS = frozenset(
    {Layer.DEVICE, Layer.KERNEL, Layer.ACCESS, Layer.DRIVER, Layer.RUNTIME, Layer.WHEEL, Layer.ENUMERATION}
)
"""Layers about which no table may raise an error once a device was seen to work."""


def tempered(findings: Iterable[Finding], rules: Iterable[Rule], snapshot: Snapshot) -> tuple[Finding, ...]:
    """Make notes of what tables say against a device that was seen to work: observed success overrides every table.

    What a message speaks for as well rests on more than a table.
    """
    if not device_works(snapshot):
        return tuple(findings)
    tables = {rule.code for rule in rules if rule.from_table}
    return tuple(
        replace(finding, severity=Severity.INFO)
        if finding.code in tables and finding.layer in PROVEN_BY_SUCCESS and not finding.weight
        else finding
        for finding in findings
    )


def device_works(snapshot: Snapshot) -> bool:
    """Return whether torch.xpu was seen to use a device: a tensor allocated, a matmul that provably ran there, or a watched program that kept it busy.

    Of a pasted text no more can be had than that torch said so.
    """
    if isinstance(snapshot.compute.devices, tuple) and proved_on_gpu(snapshot.compute):
        return True
    program = judged_program(snapshot)
    if program is not None and program.computed_on_xpu:
        return True
    if snapshot.origin == Origin.PASTED:
        return snapshot.xpu.available is True and snapshot.pasted.no_device is not True
    return snapshot.xpu.allocated is True


def works_in_text(snapshot: Snapshot) -> bool:
    """Return whether a pasted text shows a device at work."""
    return snapshot.origin == Origin.PASTED and device_works(snapshot)


def nothing_failed(snapshot: Snapshot) -> bool:
    """Return whether a pasted text shows no failure, and nobody complains in it: who names a version that fails complains, too."""
    pasted = snapshot.pasted
    return not pasted.failures and not pasted.complaints and not pasted.regressed


def restrained(findings: Iterable[Finding], snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what was found of a pasted text with no more than a guess where nothing in it failed.

    A mention is no failure: a text that shows a device at work, and nothing else, leaves nothing to blame, and an application is
    blamed only for what went wrong. What a report of the doctor in the text names was examined, and stays.
    """
    if snapshot.origin != Origin.PASTED:
        return tuple(findings)
    reported = {item.code for item in snapshot.pasted.reported}
    if works_in_text(snapshot) and nothing_failed(snapshot):
        return tuple(item for item in findings if item.code in reported or item.severity is Severity.INFO)
    return tuple(
        _guessed(finding)
        if finding.code not in reported and finding.severity is not Severity.INFO and _blameless(finding, snapshot)
        else finding
        for finding in findings
    )


def _blameless(finding: Finding, snapshot: Snapshot) -> bool:
    """Return whether the text shows nothing that the finding could be the cause of."""
    if nothing_failed(snapshot):
        asked = isinstance(snapshot.pasted.proposes, str) and finding.layer in (Layer.APPLICATION, Layer.COMPUTE)
        return finding.layer is Layer.APPLICATION or asked or works_in_text(snapshot)
    if snapshot.pasted.tests_of_torch is True and finding.layer in (Layer.APPLICATION, Layer.COMPUTE):
        return True  # what ran is a test of torch: what it lacks is on its authors' lists, and no fault of an install
    if finding.confidence is Confidence.CERTAIN:
        return False
    # One line of an error beside a device at work, without a traceback or a word of anybody's: of a test run, a list, a log.
    nobodys = finding.layer in (Layer.APPLICATION, Layer.COMPUTE) and snapshot.pasted.bare_failure is True
    return nobodys and works_in_text(snapshot)


def _guessed(finding: Finding) -> Finding:
    least = Severity.WARNING if finding.severity is Severity.ERROR else finding.severity
    return replace(finding, confidence=Confidence.POSSIBLE, severity=least)
