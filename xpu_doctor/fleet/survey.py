"""From what people name to what their fleet comes to: reads, keeps, groups, and counts who is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone

from xpu_doctor.fleet.groups import Draft, grouped, state_of
from xpu_doctor.fleet.heap import Heap
from xpu_doctor.fleet.inputs import Item
from xpu_doctor.fleet.model import Change, Fleet, Group, SlowCard, SpeedModel
from xpu_doctor.fleet.names import natural, told_apart
from xpu_doctor.fleet.reading import Made
from xpu_doctor.fleet.speeds import MIN_NODES, usual
from xpu_doctor.fleet.store import Run, Store
from xpu_doctor.fleet.workers import read_all

STALE = timedelta(days=1)
"""Age beyond the usual one from which on a report is stale."""
MAX_LISTED = 1000
"""Changes, slow cards and stale nodes that are kept."""
TIME = "%Y-%m-%dT%H:%M:%SZ"


def survey(
    items: Iterable[Item],
    *,
    expected: Sequence[str] | None = None,
    workers: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> Fleet:
    """Return what a heap of reports comes to.

    With more than one worker, processes are started where there are many reports. `tell` is told how many were read so far.

    Raises:
        xpu_doctor.fleet.inputs.NoInput: something that was named is not there.
    """
    store = Store()
    try:

        def add(made: Made) -> None:
            store.add(made)
            tell(store.runs)

        read_all(items, add, workers)
        return _Survey(store).fleet(expected)
    finally:
        store.close()


class _Survey:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.duplicates = 0
        self.changes: list[Change] = []
        self.profiles: dict[int, str] = {}
        """What a profile is called in the story of a node."""

    def fleet(self, expected: Sequence[str] | None) -> Fleet:
        """Return what all rows come to."""
        store = self.store
        store.set_newest(self._newest())
        counts = store.profile_counts()
        heap = Heap()
        for number, nodes in counts.items():
            heap.add(number, nodes, store.profile(number))
        drafts, kinds = grouped(heap) if counts else ([], [])
        groups = tuple(map(self._group, drafts))
        times = list(store.times())
        missing, extra = self._expected(groups, expected)
        speeds, slow = self._speeds()
        self.changes.sort(key=lambda change: (not change.flaps, natural(change.node)))
        return Fleet(
            groups=groups,
            kinds=tuple(kinds),
            speeds=tuple(speeds),
            slow=tuple(slow[:MAX_LISTED]),
            changes=tuple(self.changes[:MAX_LISTED]),
            problems=dict(sorted(store.problems.items())),
            problem_examples=store.examples,
            reports=store.runs,
            duplicates=self.duplicates,
            nodes=sum(counts.values()),
            oldest=times[0] if times else "",
            newest=times[-1] if times else "",
            stale=tuple(self._stale(times)),
            expected=None if expected is None else len(set(expected)),
            missing=missing,
            unexpected=extra,
            slow_few=sum(1 for row in speeds if row.median is None),
        )

    def _newest(self) -> Iterable[Run]:
        """Yield the run of each node that counts, and note copies and changes meanwhile."""
        for runs in self.store.by_node():
            contents = {run.content for run in runs}
            self.duplicates += len(runs) - len(contents)
            if len(contents) > 1 and len({run.profile for run in runs}) > 1:
                self._changed(runs)
            yield runs[-1]

    def _changed(self, runs: list[Run]) -> None:
        steps: list[tuple[str, str]] = []
        for run in runs:
            said = self._said(run.profile)
            if not steps or steps[-1][1] != said:
                steps.append((run.created, said))
        if len(steps) > 1 and len(self.changes) < 100 * MAX_LISTED:
            self.changes.append(Change(runs[0].node, tuple(steps), len({run.content for run in runs})))

    def _said(self, number: int) -> str:
        if number not in self.profiles:
            if len(self.profiles) > 10_000:
                self.profiles.clear()
            profile = self.store.profile(number)
            codes = dict.fromkeys(cause.code for cause in profile.causes)
            self.profiles[number] = ", ".join(codes) or profile.verdict
        return self.profiles[number]

    def _group(self, draft: Draft) -> Group:
        rows = sorted(self.store.nodes_of(draft.profiles), key=lambda row: natural(row[0]))
        first = rows[0][1] if rows else draft.profiles[0]
        return Group(
            kind=draft.kind,
            state=state_of(draft.verdict, draft.causes),
            verdict=draft.verdict,
            causes=draft.causes,
            separations=draft.separations,
            nodes=tuple(row[0] for row in rows),
            majority=draft.majority,
            told=self.store.told(first) if draft.causes else (),
            also=draft.also,
            details=tuple((node, detail) for node, _, detail in rows if detail)[:MAX_LISTED],
        )

    def _expected(
        self, groups: Sequence[Group], expected: Sequence[str] | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if expected is None:
            return (), ()
        missing, extra = told_apart((node for group in groups for node in group.nodes), expected)
        return tuple(missing), tuple(extra)

    def _speeds(self) -> tuple[list[SpeedModel], list[SlowCard]]:
        """Return what is usual of each model and data type, and the cards that are slow, the slowest first."""
        models: list[SpeedModel] = []
        slow: dict[tuple[str, str, str], SlowCard] = {}
        for model in self.store.models():
            values, nodes = self.store.speeds(model)
            if nodes < MIN_NODES:
                if values:
                    models.append(SpeedModel(*model, len(values), nodes, None, None))
                continue
            found = usual(values)
            models.append(SpeedModel(*model, len(values), nodes, found.median, found.mad))
            for node, device, tflops in self.store.slower(model, found.slow_below):
                card = SlowCard(node, device, *model, tflops, found.median, found.score(tflops))
                other = slow.get((node, device, model[0]))
                if other is None or (tflops / found.median, model[1]) < (other.tflops / other.median, other.dtype):
                    slow[(node, device, model[0])] = card
        return models, sorted(
            slow.values(), key=lambda card: (card.tflops / card.median, natural(card.node), card.device)
        )

    def _stale(self, times: Sequence[str]) -> list[tuple[str, str]]:
        """Return the nodes whose reports are much older than the one in the middle."""
        if not times:
            return []
        try:
            middle = datetime.strptime(times[len(times) // 2], TIME).replace(tzinfo=timezone.utc)
            rows = list(self.store.older_than((middle - STALE).strftime(TIME)))
        except (ValueError, OverflowError):
            return []
        return sorted(rows, key=lambda row: natural(row[0]))
